"""C entries of `facered._native.blur`; see docs/native.md."""

from libc.stdint cimport uint16_t, uint32_t

cdef void average_cells_at(const void* region, Py_ssize_t stride, Py_ssize_t step, Py_ssize_t width,
                           Py_ssize_t height, int depth, Py_ssize_t cell_width, Py_ssize_t cell_height,
                           uint32_t* scratch, uint16_t* out) noexcept nogil
cdef void box_blur_at(uint16_t* picture, Py_ssize_t columns, Py_ssize_t rows, Py_ssize_t radius_x,
                      Py_ssize_t radius_y, int passes, uint32_t* scratch) noexcept nogil
