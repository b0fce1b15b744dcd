"""C entries of `facered._native.patch`; see docs/native.md."""

from libc.stdint cimport uint8_t

cdef void* new_pyramid(Py_ssize_t width, Py_ssize_t height) noexcept nogil
cdef void free_pyramid(void* pyramid) noexcept nogil
cdef void fill_pyramid_at(void* pyramid, const uint8_t* luma) noexcept nogil
cdef void sample_at(const void* pyramid, const double* boxes, Py_ssize_t count, uint8_t* patches) noexcept nogil
cdef void search_at(const void* pyramid, const uint8_t* patches, const double* boxes, Py_ssize_t count, int radius,
                    const double* scales, Py_ssize_t scale_count, double* found) noexcept nogil
