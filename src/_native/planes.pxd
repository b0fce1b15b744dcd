"""What the kernels share: a plane of samples as C sees it."""

from cpython.buffer cimport PyBUF_STRIDED, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint16_t

ctypedef fused sample:
    uint8_t
    uint16_t


cdef struct Plane:
    # Sample (x, y) stands at data + y * stride bytes, x * step samples further. The stride may be larger than the width
    # (padding) or negative (bottom-up pictures); the step is 2 where two kinds of samples alternate (the chroma of
    # NV12). `size` is that of a sample in bytes, 1 or 2.
    uint8_t* data
    Py_ssize_t stride
    Py_ssize_t step
    Py_ssize_t width
    Py_ssize_t height
    Py_ssize_t size


cdef inline Plane as_plane(object array, bint writable) except *:
    """Return a plane in the memory of a two-dimensional array of uint8 or uint16, which the caller keeps alive."""
    cdef Plane plane
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_STRIDED if writable else PyBUF_STRIDED_RO)
    plane.height, plane.width = view.shape[0], view.shape[1]
    plane.stride, plane.step, plane.size = view.strides[0], view.strides[1] // view.itemsize, view.itemsize
    plane.data = <uint8_t*>view.buf if plane.width and plane.height else NULL
    PyBuffer_Release(&view)
    return plane


cdef inline Plane plane_at(const void* data, Py_ssize_t stride, Py_ssize_t step, Py_ssize_t width, Py_ssize_t height,
                           int depth) noexcept nogil:
    """Return a plane at an address: the stride in bytes, the step in samples; these have two bytes above 8 bits."""
    cdef Plane plane
    plane.data, plane.stride, plane.step = <uint8_t*>data, stride, step
    plane.width, plane.height, plane.size = width, height, 1 if depth == 8 else 2
    return plane
