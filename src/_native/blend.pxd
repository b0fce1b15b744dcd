"""C entries of `facered._native.blend`; see docs/native.md."""

from libc.stdint cimport uint8_t, uint16_t

cdef void ellipse_mask_at(uint8_t* mask, Py_ssize_t width, Py_ssize_t height, float centre_x, float centre_y,
                          float semi_x, float semi_y, float feather) noexcept nogil
cdef void rectangle_mask_at(uint8_t* mask, Py_ssize_t width, Py_ssize_t height, float centre_x, float centre_y,
                            float semi_x, float semi_y, float feather) noexcept nogil
cdef void subsample_mask_at(const uint8_t* mask, Py_ssize_t width, Py_ssize_t height, Py_ssize_t before_x,
                            Py_ssize_t before_y, uint8_t* out, Py_ssize_t across, Py_ssize_t down) noexcept nogil
cdef void blend_cells_at(void* region, Py_ssize_t stride, Py_ssize_t step, Py_ssize_t width, Py_ssize_t height,
                         int depth, const uint8_t* mask, const uint16_t* cells, Py_ssize_t columns, Py_ssize_t rows,
                         Py_ssize_t cell_width, Py_ssize_t cell_height, Py_ssize_t left, Py_ssize_t top, bint smooth,
                         uint8_t* scratch) noexcept nogil
