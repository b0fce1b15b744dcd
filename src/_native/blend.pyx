"""Masks, and the blending of small pictures into a plane through them.

A mask holds 0 (the sample stays as it is, to the bit) to 128 (it is replaced altogether).
"""

from libc.math cimport sqrt
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from planes cimport Plane, as_plane, plane_at, sample

cdef enum:
    OPAQUE = 128


cdef inline Py_ssize_t within(double place, Py_ssize_t length) noexcept nogil:
    """Return the sample that a place lies in, or the nearest one of the row, or its end."""
    return 0 if place <= 0 else length if place >= length else <Py_ssize_t>place


cdef void draw_rim(uint8_t* row, Py_ssize_t begin, Py_ssize_t end, float centre, float inverse, float dy, float outer,
                   float slope, bint rectangle) noexcept nogil:
    cdef float dx, away, alpha
    cdef Py_ssize_t x
    for x in range(begin, end):
        dx = (<float><int>x + <float>0.5 - centre) * inverse
        dx = dx * dx
        # Linear in the squared distance: no square root, and as smooth.
        away = (dx if dx > dy else dy) if rectangle else dx + dy
        alpha = (outer - away) * slope
        alpha = alpha if alpha > 0 else 0
        alpha = alpha if alpha < OPAQUE else OPAQUE
        row[x] = <uint8_t><int>(alpha + <float>0.5)


cdef void draw_mask(uint8_t* mask, Py_ssize_t width, Py_ssize_t height, float centre_x, float centre_y, float semi_x,
                    float semi_y, float feather, bint rectangle) noexcept nogil:
    # Without `one` the compiler would compute in double precision, and round otherwise than the twin.
    cdef float one = 1, opaque = OPAQUE
    cdef float outer = (one + feather) * (one + feather)
    cdef float slope = opaque / (outer - one)
    cdef float inverse_x = one / semi_x, inverse_y = one / semi_y
    cdef float dy
    cdef double reach
    cdef Py_ssize_t y, begin, end, left, right
    cdef uint8_t* row
    for y in range(height):
        row = mask + y * width
        dy = (<float>y + <float>0.5 - centre_y) * inverse_y
        dy = dy * dy
        # Where the rim begins and ends, give or take a sample; what lies beyond it is known.
        begin = end = left = right = 0
        if dy < outer:
            reach = semi_x * sqrt(outer if rectangle else outer - dy)
            begin, end = within(centre_x - reach - 1, width), within(centre_x + reach + 2, width)
            left = right = end
        if dy < one:
            reach = semi_x * sqrt(one if rectangle else one - dy)
            if reach > 2:
                left, right = within(centre_x - reach + 2, width), within(centre_x + reach - 1, width)
        memset(row, 0, begin)
        draw_rim(row, begin, left, centre_x, inverse_x, dy, outer, slope, rectangle)
        if left < right:
            memset(row + left, OPAQUE, right - left)
        draw_rim(row, max(left, right), end, centre_x, inverse_x, dy, outer, slope, rectangle)
        memset(row + end, 0, width - end)


cdef api void ellipse_mask_at(uint8_t* mask, Py_ssize_t width, Py_ssize_t height, float centre_x, float centre_y,
                              float semi_x, float semi_y, float feather) noexcept nogil:
    """As `ellipse_mask`."""
    draw_mask(mask, width, height, centre_x, centre_y, semi_x, semi_y, feather, False)


def ellipse_mask(uint8_t[:, ::1] mask, float centre_x, float centre_y, float semi_x, float semi_y, float feather):
    """Draw an ellipse: opaque inside, fading outwards to nothing at ``1 + feather`` times its size.

    Parameters
    ----------
    mask : (height, width) uint8
        Filled. Sample (x, y) is judged by its middle, (x + 0.5, y + 0.5).
    centre_x, centre_y, semi_x, semi_y : float
        Centre and semi-axes in samples, from the mask's upper left corner.
    feather : float
        Width of the fading rim as a part of the semi-axes; more than 0.
    """
    with nogil:
        ellipse_mask_at(&mask[0, 0], mask.shape[1], mask.shape[0], centre_x, centre_y, semi_x, semi_y, feather)


cdef api void rectangle_mask_at(uint8_t* mask, Py_ssize_t width, Py_ssize_t height, float centre_x, float centre_y,
                                float semi_x, float semi_y, float feather) noexcept nogil:
    """As `rectangle_mask`."""
    draw_mask(mask, width, height, centre_x, centre_y, semi_x, semi_y, feather, True)


def rectangle_mask(uint8_t[:, ::1] mask, float centre_x, float centre_y, float semi_x, float semi_y, float feather):
    """Draw a rectangle, as `ellipse_mask` draws an ellipse; the semi-axes are half its sides."""
    with nogil:
        rectangle_mask_at(&mask[0, 0], mask.shape[1], mask.shape[0], centre_x, centre_y, semi_x, semi_y, feather)


cdef api void subsample_mask_at(const uint8_t* mask, Py_ssize_t width, Py_ssize_t height, Py_ssize_t before_x,
                                Py_ssize_t before_y, uint8_t* out, Py_ssize_t across, Py_ssize_t down) noexcept nogil:
    """As `subsample_mask`."""
    cdef Py_ssize_t x, y, t, columns = (width + before_x + across - 1) // across
    cdef uint8_t* row
    for y in range((height + before_y + down - 1) // down):
        row = out + y * columns
        t = down * y - before_y
        if across == 2 and down <= 2:
            pair_maxima(mask + max(t, 0) * width, mask + min(t + down - 1, height - 1) * width, before_x, width, row,
                        columns)
            continue
        memset(row, 0, columns)
        for t in range(max(t, 0), min(t + down, height)):
            for x in range(width):
                row[(x + before_x) // across] = max(row[(x + before_x) // across], mask[t * width + x])


def subsample_mask(const uint8_t[:, ::1] mask, Py_ssize_t before_x, Py_ssize_t before_y, uint8_t[:, ::1] out,
                   Py_ssize_t across=2, Py_ssize_t down=2):
    """Make the mask of chroma planes: the greatest of the luma samples that share a chroma sample.

    Parameters
    ----------
    mask : (height, width) uint8
    before_x, before_y : int
        How many of the luma samples that share the first chroma sample lie left of the mask, and above it.
    out : (ceil((height + before_y) / down), ceil((width + before_x) / across)) uint8
    across, down : int
        How many luma samples share a chroma sample along a row, and down a column: 2 and 2 in 4:2:0.
    """
    with nogil:
        subsample_mask_at(&mask[0, 0], mask.shape[1], mask.shape[0], before_x, before_y, &out[0, 0], across, down)


cdef void pair_maxima(const uint8_t* top, const uint8_t* bottom, Py_ssize_t odd, Py_ssize_t width, uint8_t* row,
                      Py_ssize_t columns) noexcept nogil:
    cdef Py_ssize_t x, whole = (width - odd) // 2  # chroma samples with both their columns in the mask
    cdef uint8_t a, b
    if odd:
        row[0] = max(top[0], bottom[0])
    top, bottom = top + odd, bottom + odd
    row += odd
    for x in range(whole):
        a = max(top[2 * x], top[2 * x + 1])
        b = max(bottom[2 * x], bottom[2 * x + 1])
        row[x] = max(a, b)
    if whole < columns - odd:
        row[whole] = max(top[2 * whole], bottom[2 * whole])


cdef inline void put_rounded(sample* out, uint32_t value, int shift) noexcept nogil:
    if sample is uint8_t:
        out[0] = <uint8_t>((value + 128) >> 8)
    else:
        out[0] = <uint16_t>((value + ((1 << shift) >> 1)) >> shift)


cdef inline uint16_t mixed(sample one, uint16_t other, uint16_t weight) noexcept nogil:
    """Return `one` and `other` in the ratio ``128 - weight`` to ``weight``."""
    cdef uint32_t rest = 128 - weight
    if sample is uint8_t:
        # Everything fits 16 bits, 128 * 255 + 64, and says so: the compiler takes narrower vectors.
        return <uint16_t>(one * <uint16_t>rest + other * weight + 64) >> 7
    else:
        return <uint16_t>((one * rest + <uint32_t>other * weight + 64) >> 7)


cdef void interpolation_weights(Py_ssize_t cell, uint8_t* weights) noexcept nogil:
    """Weight, of 128, of the next cell at each sample from the middle of a cell on."""
    cdef Py_ssize_t i
    for i in range(cell):
        weights[i] = <uint8_t>(((2 * i + (cell % 2 == 0)) * 128 + cell) // (2 * cell))


cdef void expand_row(const uint16_t* cells, Py_ssize_t columns, Py_ssize_t cell, const uint8_t* weights,
                     Py_ssize_t width, int shift, sample* out) noexcept nogil:
    """Stretch a row of cells over `width` samples and round it: flat where there are no weights, else linear."""
    cdef Py_ssize_t x, column, i, n
    cdef uint32_t low, high
    cdef sample flat
    if weights == NULL:
        for column in range(columns):
            put_rounded(&flat, cells[column], shift)
            for x in range(column * cell, min((column + 1) * cell, width)):
                out[x] = flat
        return
    put_rounded(&flat, cells[0], shift)
    for x in range(min(cell // 2, width)):
        out[x] = flat
    for column in range(columns):
        x = cell // 2 + column * cell
        n = min(cell, width - x)
        low, high = cells[column], cells[min(column + 1, columns - 1)]
        for i in range(n):
            put_rounded(out + x + i, (low * (128 - weights[i]) + high * weights[i]) >> 7, shift)


cdef void mix_row(sample* target, Py_ssize_t step, const uint8_t* mask, const sample* above, const sample* below,
                  uint16_t weight, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t x
    cdef uint16_t value
    if step == 1:
        for x in range(n):
            value = mixed(above[x], below[x], weight)
            target[x] = <sample>mixed(target[x], value, mask[x])
    elif step == 2:
        for x in range(n):
            value = mixed(above[x], below[x], weight)
            target[2 * x] = <sample>mixed(target[2 * x], value, mask[x])
    else:
        for x in range(n):
            value = mixed(above[x], below[x], weight)
            target[step * x] = <sample>mixed(target[step * x], value, mask[x])


cdef void blend(sample* data, Plane plane, const uint8_t* mask, const uint16_t* cells, Py_ssize_t columns,
                Py_ssize_t rows, Py_ssize_t cell_width, Py_ssize_t cell_height, Py_ssize_t left, Py_ssize_t top,
                bint smooth, int shift, sample* above) noexcept nogil:
    cdef Py_ssize_t y, row, phase, loaded = -3, last = rows - 1, stretched = left + plane.width
    cdef sample* below = above + stretched
    cdef uint8_t* weights = <uint8_t*>(below + stretched)
    cdef uint8_t* across = weights if smooth else NULL
    cdef uint8_t* down = weights + cell_width
    if smooth:
        interpolation_weights(cell_width, across)
        interpolation_weights(cell_height, down)
    for y in range(top, top + plane.height):
        # The rows of cells above and below this row of samples, and how far it is between their middles.
        row, phase = y // cell_height, 0
        if smooth:
            row = (y + cell_height - cell_height // 2) // cell_height - 1
            phase = y - cell_height // 2 - row * cell_height
        if row != loaded:
            if row == loaded + 1:
                above, below = below, above
            else:
                expand_row(cells + max(row, 0) * columns, columns, cell_width, across, stretched, shift, above)
            expand_row(cells + min(row + 1, last) * columns, columns, cell_width, across, stretched, shift, below)
            loaded = row
        mix_row(data + (y - top) * (plane.stride // plane.size), plane.step, mask + (y - top) * plane.width,
                above + left, below + left, down[phase] if smooth and row >= 0 else 0, plane.width)


cdef api void blend_cells_at(void* region, Py_ssize_t stride, Py_ssize_t step, Py_ssize_t width, Py_ssize_t height,
                             int depth, const uint8_t* mask, const uint16_t* cells, Py_ssize_t columns,
                             Py_ssize_t rows, Py_ssize_t cell_width, Py_ssize_t cell_height, Py_ssize_t left,
                             Py_ssize_t top, bint smooth, uint8_t* scratch) noexcept nogil:
    """As `blend_cells`; the stride between rows is in bytes, the step between samples in samples."""
    cdef Plane plane = plane_at(region, stride, step, width, height, depth)
    if depth == 8:
        blend(<uint8_t*>region, plane, mask, cells, columns, rows, cell_width, cell_height, left, top, smooth, 8,
              scratch)
    else:
        blend(<uint16_t*>region, plane, mask, cells, columns, rows, cell_width, cell_height, left, top, smooth,
              16 - depth, <uint16_t*>scratch)


def blend_cells(region, const uint8_t[:, ::1] mask, const uint16_t[:, ::1] cells, Py_ssize_t cell_width,
                Py_ssize_t cell_height, Py_ssize_t left, Py_ssize_t top, bint smooth, uint8_t[::1] scratch,
                int depth=8):
    """Blend a small picture, stretched, into a region through a mask; the GIL is released meanwhile.

    Parameters
    ----------
    region : (height, width) uint8 or uint16, any strides
        Changed in place where the mask is not 0.
    mask : (height, width) uint8
        0 (keep) to 128 (replace).
    cells : (rows, columns) uint16
        ``2 ** (16 - depth)`` times the values, as `average_cells` gives them, and no more than the greatest sample's.
    cell_width, cell_height : int
        Size of a cell in samples of the region.
    left, top : int
        Where the region begins, in samples from the upper left corner of the first cell.
    smooth : bool
        Linear interpolation between the middles of the cells; else flat cells.
    scratch : (at least ``2 * (left + width) * itemsize + cell_width + cell_height``) uint8
        Beginning at an even address.
    depth : int
        Bits of a sample: 8 where they are uint8, 9 to 16 where they are uint16.
    """
    cdef Plane plane = as_plane(region, True)
    with nogil:
        blend_cells_at(plane.data, plane.stride, plane.step, plane.width, plane.height, depth, &mask[0, 0],
                       &cells[0, 0], cells.shape[1], cells.shape[0], cell_width, cell_height, left, top, smooth,
                       &scratch[0])
