"""C entries of `facered._native.tensor`; see docs/native.md."""

from libc.stdint cimport uint8_t

cdef void* new_letterbox(int width, int height, int chroma_width, int chroma_height, int content_width,
                         int content_height, int depth) noexcept nogil
cdef void free_letterbox(void* letterbox) noexcept nogil
cdef int letterbox_at(const void* letterbox, const void* y, Py_ssize_t stride, const void* u, const void* v,
                      Py_ssize_t chroma_stride, Py_ssize_t chroma_step, const float* matrix, const float* limits,
                      float* out, Py_ssize_t rows, Py_ssize_t columns, uint8_t* luma) noexcept nogil
cdef int shrink_at(const void* letterbox, const void* y, Py_ssize_t stride, uint8_t* luma) noexcept nogil
