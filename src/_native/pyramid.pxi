"""A luma picture at full size, half of it, a quarter and so on, for `patch`."""

cdef struct Level:
    uint8_t* data
    Py_ssize_t width
    Py_ssize_t height


cdef struct Levels:
    # A picture at full size, half of it, a quarter and so on, in one piece of memory that belongs to it.
    Level level[LEVELS]
    int count
    uint8_t* memory


cdef int make_levels(Levels* levels, Py_ssize_t width, Py_ssize_t height) noexcept nogil:
    """Return -1 where memory is short, else 0."""
    cdef Py_ssize_t total = 0
    cdef int k
    levels.count = 0
    while levels.count < LEVELS and (levels.count == 0 or min(width, height) >= SMALLEST):
        levels.level[levels.count].width, levels.level[levels.count].height = width, height
        levels.count += 1
        total += width * height
        width, height = width // 2, height // 2
    levels.memory = <uint8_t*>PyMem_RawMalloc(total)
    if levels.memory == NULL:
        return -1
    total = 0
    for k in range(levels.count):
        levels.level[k].data = levels.memory + total
        total += levels.level[k].width * levels.level[k].height
    return 0


cdef void fill_levels(Levels* levels, const uint8_t* luma) noexcept nogil:
    cdef int k
    memcpy(levels.memory, luma, levels.level[0].width * levels.level[0].height)
    for k in range(1, levels.count):
        halve(&levels.level[k - 1], &levels.level[k])


cdef api void* new_pyramid(Py_ssize_t width, Py_ssize_t height) noexcept nogil:
    """What `Pyramid` holds; to be given back to `free_pyramid`. NULL where memory is short."""
    cdef Levels* levels = <Levels*>PyMem_RawMalloc(sizeof(Levels))
    if levels != NULL and make_levels(levels, width, height):
        PyMem_RawFree(levels)
        return NULL
    return levels


cdef api void free_pyramid(void* pyramid) noexcept nogil:
    """Give back what `new_pyramid` made."""
    PyMem_RawFree((<Levels*>pyramid).memory)
    PyMem_RawFree(pyramid)


cdef api void fill_pyramid_at(void* pyramid, const uint8_t* luma) noexcept nogil:
    """As `Pyramid.fill`."""
    fill_levels(<Levels*>pyramid, luma)


cdef class Pyramid:
    """A luma picture at full size, half of it, a quarter and so on.

    Parameters
    ----------
    width, height : int
        Of the picture.
    """

    cdef Levels levels
    cdef readonly int width, height

    def __cinit__(self, int width, int height):
        if width < 1 or height < 1:
            raise ValueError(f"a picture of {width} x {height} has no samples")
        self.width, self.height = width, height
        if make_levels(&self.levels, width, height):
            raise MemoryError

    def __dealloc__(self):
        PyMem_RawFree(self.levels.memory)

    def fill(self, const uint8_t[:, ::1] luma):
        """Copy a picture, (height, width) uint8, and make its smaller levels."""
        if luma.shape[0] != self.height or luma.shape[1] != self.width:
            raise ValueError(f"the picture is {luma.shape[1]} x {luma.shape[0]}, not {self.width} x {self.height}")
        with nogil:
            fill_levels(&self.levels, &luma[0, 0])


cdef void halve(const Level* large, Level* small) noexcept nogil:
    cdef Py_ssize_t x, y, n = small.width
    cdef const uint8_t* a
    cdef const uint8_t* b
    cdef uint8_t* out
    for y in range(small.height):
        a = large.data + 2 * y * large.width
        b = a + large.width
        out = small.data + y * n
        for x in range(n):
            out[x] = <uint8_t>((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2)
