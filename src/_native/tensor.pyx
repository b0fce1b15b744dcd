"""Planes of a YUV picture -> the letterboxed float tensor that a detector takes, in one pass.

A picture is shrunk by area averaging and enlarged by linear interpolation, first down the columns (whole rows at a
time), then along the rows; each weight is an integer and a sample's weights sum to 256, so the sums are exact and the
same on every machine. Colour conversion follows on the small picture.
"""

from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.math cimport floor
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from planes cimport Plane, as_plane, plane_at, sample

include "axis.pxi"


cdef void convert(const float* y, const float* u, const float* v, const float* matrix, float low, float high,
                  float* out, Py_ssize_t n) noexcept nogil:
    """One channel of one row: an affine map of Y, U and V, held between low and high."""
    cdef Py_ssize_t j
    cdef float a = matrix[0], b = matrix[1], c = matrix[2], d = matrix[3], value
    for j in range(n):
        value = a * y[j] + b * u[j] + c * v[j] + d
        value = value if value > low else low
        out[j] = value if value < high else high


cdef struct Plan:
    # How pictures of one size are brought to another.
    Axis luma_x
    Axis luma_y
    Axis chroma_x
    Axis chroma_y
    int width
    int height
    int chroma_width
    int chroma_height
    int depth


cdef int make_plan(Plan* plan, int width, int height, int chroma_width, int chroma_height, int content_width,
                   int content_height, int depth) noexcept nogil:
    """Fill a plan whose bytes are 0; return -1 where memory is short, else 0. It is to be dropped in both cases."""
    cdef int lack = 0
    plan.width, plan.height, plan.depth = width, height, depth
    plan.chroma_width, plan.chroma_height = chroma_width, chroma_height
    lack |= plan_axis(&plan.luma_x, width, width, content_width)
    lack |= plan_axis(&plan.luma_y, height, height, content_height)
    if chroma_width:
        lack |= plan_axis(&plan.chroma_x, chroma_width, chroma_extent(width, chroma_width), content_width)
        lack |= plan_axis(&plan.chroma_y, chroma_height, chroma_extent(height, chroma_height), content_height)
    return lack


cdef void drop_plan(Plan* plan) noexcept nogil:
    free_axis(&plan.luma_x)
    free_axis(&plan.luma_y)
    free_axis(&plan.chroma_x)
    free_axis(&plan.chroma_y)


cdef int fill(const Plan* plan, const Plane* y, const Plane* u, const Plane* v, const float* matrix,
              const float* limits, float* out, Py_ssize_t rows, Py_ssize_t columns, uint8_t* luma) noexcept nogil:
    """Fill the tensor, rows x columns, and the small luma picture; return -1 where memory is short, else 0."""
    cdef Py_ssize_t j, n = plan.luma_x.size, chroma_width = plan.chroma_width
    cdef int row, channel, shift = plan.depth - 8
    cdef Py_ssize_t widest = max(plan.width, 2 * plan.chroma_width) + SPARE
    # The two kinds of samples of NV12 share their rows: one pass down the columns serves both.
    cdef Py_ssize_t interleaved = v.data - u.data if chroma_width and u.step == 2 else 0
    cdef float scaled[3][4]
    cdef float* yf = <float*>PyMem_RawCalloc(
        3 * n * sizeof(float) + (widest + 2 * (chroma_width + SPARE)) * sizeof(uint16_t), 1)
    cdef float* uf = yf + n
    cdef float* vf = yf + 2 * n
    cdef uint16_t* line = <uint16_t*>(yf + 3 * n)
    cdef uint16_t* even = line + widest
    cdef uint16_t* odd = even + chroma_width + SPARE
    if yf == NULL:
        return -1
    for channel in range(3):
        for j in range(4):
            scaled[channel][j] = matrix[4 * channel + j] / (ONE * ONE) if j < 3 else matrix[4 * channel + j]
    for j in range(n):
        uf[j] = vf[j] = 128.0 * ONE * ONE
    for row in range(plan.luma_y.size):
        luma_row(y, &plan.luma_x, &plan.luma_y, row, shift, line, yf, luma + row * n)
        if interleaved:
            add_plane_rows(u if interleaved > 0 else v, &plan.chroma_y, row, shift, line, 2 * chroma_width)
            split(line, even, odd, chroma_width)
            add_columns(even if interleaved > 0 else odd, &plan.chroma_x, uf)
            add_columns(odd if interleaved > 0 else even, &plan.chroma_x, vf)
        elif chroma_width:
            add_plane_rows(u, &plan.chroma_y, row, shift, line, chroma_width)
            add_columns(line, &plan.chroma_x, uf)
            add_plane_rows(v, &plan.chroma_y, row, shift, line, chroma_width)
            add_columns(line, &plan.chroma_x, vf)
        for channel in range(3):
            convert(yf, uf, vf, scaled[channel], limits[2 * channel], limits[2 * channel + 1],
                    out + (channel * rows + row) * columns, n)
    PyMem_RawFree(yf)
    return 0


cdef int shrink_luma(const Plan* plan, const Plane* y, uint8_t* luma) noexcept nogil:
    """Fill the small luma picture alone; return -1 where memory is short, else 0."""
    cdef Py_ssize_t n = plan.luma_x.size
    cdef int row, shift = plan.depth - 8
    cdef const uint8_t* two
    cdef float* yf
    if y.size == 1 and plan.luma_x.ratio == 2 and plan.luma_y.ratio == 2:
        for row in range(plan.luma_y.size):
            two = y.data + 2 * row * y.stride
            halve_row(two, two + y.stride, luma + row * n, n)
        return 0
    yf = <float*>PyMem_RawCalloc(n * sizeof(float) + (plan.width + SPARE) * sizeof(uint16_t), 1)
    if yf == NULL:
        return -1
    for row in range(plan.luma_y.size):
        luma_row(y, &plan.luma_x, &plan.luma_y, row, shift, <uint16_t*>(yf + n), yf, luma + row * n)
    PyMem_RawFree(yf)
    return 0


cdef api void* new_letterbox(int width, int height, int chroma_width, int chroma_height, int content_width,
                             int content_height, int depth) noexcept nogil:
    """What `Letterbox` makes; to be given back to `free_letterbox`. NULL where memory is short."""
    cdef Plan* plan = <Plan*>PyMem_RawCalloc(1, sizeof(Plan))
    if plan != NULL and make_plan(plan, width, height, chroma_width, chroma_height, content_width, content_height,
                                  depth):
        free_letterbox(plan)
        return NULL
    return plan


cdef api void free_letterbox(void* letterbox) noexcept nogil:
    """Give back what `new_letterbox` made."""
    drop_plan(<Plan*>letterbox)
    PyMem_RawFree(letterbox)


cdef api int letterbox_at(const void* letterbox, const void* y, Py_ssize_t stride, const void* u, const void* v,
                          Py_ssize_t chroma_stride, Py_ssize_t chroma_step, const float* matrix, const float* limits,
                          float* out, Py_ssize_t rows, Py_ssize_t columns, uint8_t* luma) noexcept nogil:
    """As a call of `Letterbox`; -1 where memory is short, else 0. Strides are in bytes, the step in samples."""
    cdef const Plan* plan = <const Plan*>letterbox
    cdef Plane yp = plane_at(y, stride, 1, plan.width, plan.height, plan.depth)
    cdef Plane up = plane_at(u, chroma_stride, chroma_step, plan.chroma_width, plan.chroma_height, plan.depth)
    cdef Plane vp = plane_at(v, chroma_stride, chroma_step, plan.chroma_width, plan.chroma_height, plan.depth)
    return fill(plan, &yp, &up, &vp, matrix, limits, out, rows, columns, luma)


cdef api int shrink_at(const void* letterbox, const void* y, Py_ssize_t stride, uint8_t* luma) noexcept nogil:
    """As `Letterbox.shrink`; -1 where memory is short, else 0."""
    cdef const Plan* plan = <const Plan*>letterbox
    cdef Plane yp = plane_at(y, stride, 1, plan.width, plan.height, plan.depth)
    return shrink_luma(plan, &yp, luma)


cdef class Letterbox:
    """Shrinks or enlarges pictures of one size into the upper left corner of a tensor.

    Parameters
    ----------
    width, height : int
        Size of the picture in luma samples.
    chroma_width, chroma_height : int
        Size of its chroma planes; 0 for gray pictures.
    content_width, content_height : int
        Size of the result inside the tensor, at most that of the tensor.
    depth : int
        Bits of a sample: 8 where they are uint8, 9 to 16 where they are uint16.
    """

    cdef Plan plan
    cdef readonly int width, height, chroma_width, chroma_height, content_width, content_height, depth

    def __cinit__(self, int width, int height, int chroma_width, int chroma_height, int content_width,
                  int content_height, int depth=8):
        self.depth = depth
        self.width, self.height = width, height
        self.chroma_width, self.chroma_height = chroma_width, chroma_height
        self.content_width, self.content_height = content_width, content_height
        if make_plan(&self.plan, width, height, chroma_width, chroma_height, content_width, content_height, depth):
            raise MemoryError

    def __dealloc__(self):
        drop_plan(&self.plan)

    def __call__(self, y, u, v, const float[:, ::1] matrix, const float[:, ::1] limits,
                 float[:, :, ::1] out, uint8_t[:, ::1] luma):
        """Fill the tensor and the small luma picture; the GIL is released meanwhile.

        Parameters
        ----------
        y : (height, width) uint8 or uint16, any stride between rows
        u, v : (chroma_height, chroma_width) uint8 or uint16, or None for gray pictures
            The planes, either with contiguous rows or those of NV12, ``uv[:, 0::2]`` and ``uv[:, 1::2]``.
        matrix : (3, 4) float32
            Channel c of the tensor is ``matrix[c] @ (Y, U, V, 1)``, of samples brought to 8 bits and a fraction.
        limits : (3, 2) float32
            The least and the greatest value of each channel.
        out : (3, rows, columns) float32
            The tensor; what lies right of and below the content stays as it was.
        luma : (content_height, content_width) uint8
            The small picture's luma, as the source stores it, of 8 bits.

        Sizes are not checked here.
        """
        cdef Plane yp = as_plane(y, False), up, vp
        cdef int lack
        up, vp = yp, yp  # not looked at where the picture is gray
        if u is not None:
            up, vp = as_plane(u, False), as_plane(v, False)
        with nogil:
            lack = fill(&self.plan, &yp, &up, &vp, &matrix[0, 0], &limits[0, 0], &out[0, 0, 0], out.shape[1],
                        out.shape[2], &luma[0, 0])
        if lack:
            raise MemoryError

    def shrink(self, y, uint8_t[:, ::1] luma):
        """Fill the small luma picture alone, to the same bytes; the GIL is released meanwhile.

        Parameters
        ----------
        y : (height, width) uint8 or uint16, rows contiguous
        luma : (content_height, content_width) uint8
        """
        cdef Plane yp = as_plane(y, False)
        cdef int lack
        with nogil:
            lack = shrink_luma(&self.plan, &yp, &luma[0, 0])
        if lack:
            raise MemoryError
