"""C entries of `facered._native.decode`; see docs/native.md."""

from libc.stdint cimport uint8_t

cdef Py_ssize_t centerface_at(const float* heatmap, const float* scale, const float* offset, Py_ssize_t rows,
                              Py_ssize_t columns, float threshold, float* out, Py_ssize_t room) noexcept nogil
cdef Py_ssize_t yunet_at(const float* classes, const float* objectness, const float* boxes, Py_ssize_t cells,
                         Py_ssize_t columns, int stride, float threshold, float* out, Py_ssize_t room) noexcept nogil
cdef Py_ssize_t scrfd_at(const float* scores, const float* distances, Py_ssize_t count, Py_ssize_t columns,
                         int anchors, int stride, float threshold, float* out, Py_ssize_t room) noexcept nogil
cdef void suppress_at(const float* boxes, Py_ssize_t count, double limit, uint8_t* keep) noexcept nogil
