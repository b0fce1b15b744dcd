# cython: language_level=3, boundscheck=False, wraparound=False
"""What a project of its own makes of the kernels' C entries: built by test_capi.py, outside of the package."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from facered._native.blend cimport blend_cells_at, ellipse_mask_at, rectangle_mask_at, subsample_mask_at
from facered._native.blur cimport average_cells_at, box_blur_at
from facered._native.decode cimport centerface_at, scrfd_at, suppress_at, yunet_at
from facered._native.patch cimport fill_pyramid_at, free_pyramid, new_pyramid, sample_at, search_at
from facered._native.planes cimport Plane, as_plane
from facered._native.tensor cimport free_letterbox, letterbox_at, new_letterbox, shrink_at


def average_cells(region, Py_ssize_t cell_width, Py_ssize_t cell_height, int depth, uint32_t[::1] scratch,
                  uint16_t[:, ::1] out):
    cdef Plane plane = as_plane(region, False)
    with nogil:
        average_cells_at(plane.data, plane.stride, plane.step, plane.width, plane.height, depth, cell_width,
                         cell_height, &scratch[0], &out[0, 0])


def box_blur(uint16_t[:, ::1] picture, Py_ssize_t radius_x, Py_ssize_t radius_y, int passes, uint32_t[::1] scratch):
    with nogil:
        box_blur_at(&picture[0, 0], picture.shape[1], picture.shape[0], radius_x, radius_y, passes, &scratch[0])


def mask(bint rectangle, uint8_t[:, ::1] out, float x, float y, float semi_x, float semi_y, float feather):
    if rectangle:
        rectangle_mask_at(&out[0, 0], out.shape[1], out.shape[0], x, y, semi_x, semi_y, feather)
    else:
        ellipse_mask_at(&out[0, 0], out.shape[1], out.shape[0], x, y, semi_x, semi_y, feather)


def subsample_mask(const uint8_t[:, ::1] whole, Py_ssize_t before_x, Py_ssize_t before_y, uint8_t[:, ::1] out,
                   Py_ssize_t across, Py_ssize_t down):
    subsample_mask_at(&whole[0, 0], whole.shape[1], whole.shape[0], before_x, before_y, &out[0, 0], across, down)


def blend_cells(region, int depth, const uint8_t[:, ::1] mask, const uint16_t[:, ::1] cells, Py_ssize_t cell_width,
                Py_ssize_t cell_height, Py_ssize_t left, Py_ssize_t top, bint smooth, uint8_t[::1] scratch):
    cdef Plane plane = as_plane(region, True)
    with nogil:
        blend_cells_at(plane.data, plane.stride, plane.step, plane.width, plane.height, depth, &mask[0, 0],
                       &cells[0, 0], cells.shape[1], cells.shape[0], cell_width, cell_height, left, top, smooth,
                       &scratch[0])


def centerface(const float[:, ::1] heatmap, const float[:, :, ::1] scale, const float[:, :, ::1] offset,
               float threshold, float[:, ::1] out):
    return centerface_at(&heatmap[0, 0], &scale[0, 0, 0], &offset[0, 0, 0], heatmap.shape[0], heatmap.shape[1],
                         threshold, &out[0, 0], out.shape[0])


def yunet(const float[::1] classes, const float[::1] objectness, const float[:, ::1] boxes, Py_ssize_t columns,
          int stride, float threshold, float[:, ::1] out):
    return yunet_at(&classes[0], &objectness[0], &boxes[0, 0], classes.shape[0], columns, stride, threshold,
                    &out[0, 0], out.shape[0])


def scrfd(const float[::1] scores, const float[:, ::1] distances, Py_ssize_t columns, int anchors, int stride,
          float threshold, float[:, ::1] out):
    return scrfd_at(&scores[0], &distances[0, 0], scores.shape[0], columns, anchors, stride, threshold, &out[0, 0],
                    out.shape[0])


def suppress(const float[:, ::1] boxes, double limit, uint8_t[::1] keep):
    suppress_at(&boxes[0, 0], boxes.shape[0], limit, &keep[0])


def letterbox(y, u, v, int depth, const float[:, ::1] matrix, const float[:, ::1] limits, float[:, :, ::1] out,
              uint8_t[:, ::1] luma):
    cdef Plane yp = as_plane(y, False), up = as_plane(u, False), vp = as_plane(v, False)
    cdef int lack = 0
    cdef void* plan = new_letterbox(yp.width, yp.height, up.width, up.height, luma.shape[1], luma.shape[0], depth)
    if plan == NULL:
        raise MemoryError
    with nogil:
        lack = letterbox_at(plan, yp.data, yp.stride, up.data, vp.data, up.stride, up.step, &matrix[0, 0],
                            &limits[0, 0], &out[0, 0, 0], out.shape[1], out.shape[2], &luma[0, 0])
    free_letterbox(plan)
    return lack


def shrink(y, int depth, uint8_t[:, ::1] luma):
    cdef Plane yp = as_plane(y, False)
    cdef void* plan = new_letterbox(yp.width, yp.height, 0, 0, luma.shape[1], luma.shape[0], depth)
    cdef int lack = shrink_at(plan, yp.data, yp.stride, &luma[0, 0])
    free_letterbox(plan)
    return lack


def follow(const uint8_t[:, ::1] before, const uint8_t[:, ::1] after, const double[:, ::1] boxes, int radius,
           const double[::1] scales, uint8_t[:, :, ::1] patches, double[:, ::1] found):
    """Take a patch from each box of one picture, and look for it in the other."""
    cdef void* pyramid = new_pyramid(before.shape[1], before.shape[0])
    if pyramid == NULL:
        raise MemoryError
    with nogil:
        fill_pyramid_at(pyramid, &before[0, 0])
        sample_at(pyramid, &boxes[0, 0], boxes.shape[0], &patches[0, 0, 0])
        fill_pyramid_at(pyramid, &after[0, 0])
        search_at(pyramid, &patches[0, 0, 0], &boxes[0, 0], boxes.shape[0], radius, &scales[0], scales.shape[0],
                  &found[0, 0])
        free_pyramid(pyramid)
