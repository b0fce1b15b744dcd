"""What the kernels share: a plane of samples as C sees it."""

from libc.stdint cimport uint8_t


cdef struct Plane:
    # Sample (x, y) stands at data + y * stride + x * step. The stride may be larger than the width (padding) or
    # negative (bottom-up pictures); the step is 2 where two kinds of samples alternate (the chroma of NV12).
    uint8_t* data
    Py_ssize_t stride
    Py_ssize_t step
    Py_ssize_t width
    Py_ssize_t height


cdef inline Plane as_plane(const uint8_t[:, :] view) noexcept:
    cdef Plane plane
    plane.height, plane.width = view.shape[0], view.shape[1]
    plane.stride, plane.step = view.strides[0], view.strides[1]
    plane.data = <uint8_t*>&view[0, 0] if plane.width and plane.height else NULL
    return plane
