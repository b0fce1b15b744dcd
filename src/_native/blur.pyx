"""A region of a plane -> the small picture of cell averages that replaces it, box-blurred.

A wide blur leaves nothing fine behind, so it is computed on averages over cells a fraction of the radius in size: each
sample of the region is read once, whatever the radius. Averages are 16 bits wide, whatever the samples' depth; what is
left of the bits is a fraction.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from planes cimport Plane, as_plane, plane_at, sample


cdef void add_row(const sample* source, Py_ssize_t step, uint32_t* sums, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t x
    if step == 1:
        for x in range(n):
            sums[x] += source[x]
    elif step == 2:
        for x in range(n):
            sums[x] += source[2 * x]
    else:
        for x in range(n):
            sums[x] += source[step * x]


cdef void average(const sample* data, Plane region, Py_ssize_t cell_width, Py_ssize_t cell_height, int shift,
                  uint32_t* sums, uint16_t* out, Py_ssize_t columns, Py_ssize_t rows) noexcept nogil:
    cdef Py_ssize_t row, column, x, y, left, right, top, bottom
    cdef uint64_t total, count
    for row in range(rows):
        top, bottom = row * cell_height, min((row + 1) * cell_height, region.height)
        memset(sums, 0, region.width * sizeof(uint32_t))
        for y in range(top, bottom):
            add_row(data + y * (region.stride // region.size), region.step, sums, region.width)
        for column in range(columns):
            left, right = column * cell_width, min((column + 1) * cell_width, region.width)
            total = 0
            for x in range(left, right):
                total += sums[x]
            count = (right - left) * (bottom - top)
            out[row * columns + column] = <uint16_t>(((total << shift) + count // 2) // count)


cdef api void average_cells_at(const void* region, Py_ssize_t stride, Py_ssize_t step, Py_ssize_t width,
                               Py_ssize_t height, int depth, Py_ssize_t cell_width, Py_ssize_t cell_height,
                               uint32_t* scratch, uint16_t* out) noexcept nogil:
    """As `average_cells`; the stride between rows is in bytes, the step between samples in samples."""
    cdef Plane plane = plane_at(region, stride, step, width, height, depth)
    cdef Py_ssize_t columns = (width + cell_width - 1) // cell_width, rows = (height + cell_height - 1) // cell_height
    if depth == 8:
        average(<const uint8_t*>region, plane, cell_width, cell_height, 8, scratch, out, columns, rows)
    else:
        average(<const uint16_t*>region, plane, cell_width, cell_height, 16 - depth, scratch, out, columns, rows)


def average_cells(region, Py_ssize_t cell_width, Py_ssize_t cell_height, uint32_t[::1] scratch, uint16_t[:, ::1] out,
                  int depth=8):
    """Average a region over cells counted from its upper left corner; the last ones may be smaller.

    Parameters
    ----------
    region : (height, width) uint8 or uint16, any strides
    cell_width, cell_height : int
        Size of a cell in samples.
    scratch : (at least width) uint32
    out : (ceil(height / cell_height), ceil(width / cell_width)) uint16
        ``2 ** (16 - depth)`` times the averages, rounded.
    depth : int
        Bits of a sample: 8 where they are uint8, 9 to 16 where they are uint16.
    """
    cdef Plane plane = as_plane(region, False)
    with nogil:
        average_cells_at(plane.data, plane.stride, plane.step, plane.width, plane.height, depth, cell_width,
                         cell_height, &scratch[0], &out[0, 0])


cdef enum:
    SHIFT = 40


cdef inline uint64_t reciprocal(uint32_t window) noexcept nogil:
    """What `divide` multiplies by instead of dividing: exact for totals of `window` 16-bit values, windows to 4,096."""
    return ((<uint64_t>1 << SHIFT) + window - 1) // window


cdef inline uint16_t divide(uint32_t total, uint64_t factor) noexcept nogil:
    return <uint16_t>((total * factor) >> SHIFT)


cdef void box_rows(uint16_t* picture, Py_ssize_t columns, Py_ssize_t rows, Py_ssize_t radius,
                   uint16_t* line) noexcept nogil:
    cdef Py_ssize_t row, x, last = columns - 1
    cdef uint32_t total, half = <uint32_t>radius
    cdef uint64_t factor = reciprocal(<uint32_t>(2 * radius + 1))
    cdef uint16_t* here
    for row in range(rows):
        here = picture + row * columns
        memcpy(line, here, columns * sizeof(uint16_t))
        total = <uint32_t>(radius + 1) * line[0]
        for x in range(1, radius + 1):
            total += line[min(x, last)]
        for x in range(columns):
            here[x] = divide(total + half, factor)
            total += <uint32_t>line[min(x + radius + 1, last)] - <uint32_t>line[max(x - radius, 0)]


cdef void box_columns(uint16_t* picture, Py_ssize_t columns, Py_ssize_t rows, Py_ssize_t radius, uint32_t* totals,
                      uint16_t* copy) noexcept nogil:
    cdef Py_ssize_t x, y, last = rows - 1
    cdef uint32_t half = <uint32_t>radius
    cdef uint64_t factor = reciprocal(<uint32_t>(2 * radius + 1))
    cdef const uint16_t* enter
    cdef const uint16_t* leave
    cdef uint16_t* here
    memcpy(copy, picture, rows * columns * sizeof(uint16_t))
    for x in range(columns):
        totals[x] = <uint32_t>(radius + 1) * copy[x]
    for y in range(1, radius + 1):
        enter = copy + min(y, last) * columns
        for x in range(columns):
            totals[x] += enter[x]
    for y in range(rows):
        here = picture + y * columns
        enter = copy + min(y + radius + 1, last) * columns
        leave = copy + max(y - radius, 0) * columns
        for x in range(columns):
            here[x] = divide(totals[x] + half, factor)
            totals[x] += <uint32_t>enter[x] - <uint32_t>leave[x]


cdef api void box_blur_at(uint16_t* picture, Py_ssize_t columns, Py_ssize_t rows, Py_ssize_t radius_x,
                          Py_ssize_t radius_y, int passes, uint32_t* scratch) noexcept nogil:
    """As `box_blur`."""
    cdef uint16_t* copy = <uint16_t*>(scratch + columns)
    for _ in range(passes):
        if radius_x:
            box_rows(picture, columns, rows, radius_x, copy)
        if radius_y:
            box_columns(picture, columns, rows, radius_y, scratch, copy)


def box_blur(uint16_t[:, ::1] picture, Py_ssize_t radius_x, Py_ssize_t radius_y, int passes, uint32_t[::1] scratch):
    """Blur a small picture in place: `passes` times a box of ``2 * radius + 1`` along the rows, then down the columns.

    Beyond its borders the picture goes on with the value at the border. Averages are rounded after each direction.

    Parameters
    ----------
    picture : (rows, columns) uint16
    radius_x, radius_y : int
        At most 2,000.
    passes : int
    scratch : (at least ``columns + (rows * columns + 1) // 2``) uint32
    """
    with nogil:
        box_blur_at(&picture[0, 0], picture.shape[1], picture.shape[0], radius_x, radius_y, passes, &scratch[0])
