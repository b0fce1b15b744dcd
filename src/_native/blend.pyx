"""Masks, and the blending of small pictures into a plane through them.

A mask holds 0 (the sample stays as it is, to the bit) to 128 (it is replaced altogether).
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from planes cimport Plane, as_plane

cdef enum:
    OPAQUE = 128


cdef void draw_mask(uint8_t[:, ::1] mask, float centre_x, float centre_y, float semi_x, float semi_y, float feather,
                    bint rectangle) noexcept nogil:
    # Without `one` the compiler would compute in double precision, and round otherwise than the twin.
    cdef float one = 1, opaque = OPAQUE
    cdef float outer = (one + feather) * (one + feather)
    cdef float slope = opaque / (outer - one)
    cdef float inverse_x = one / semi_x, inverse_y = one / semi_y
    cdef float dx, dy, away, alpha
    cdef Py_ssize_t x, y
    cdef uint8_t* row
    for y in range(mask.shape[0]):
        row = &mask[y, 0]
        dy = (<float>y + <float>0.5 - centre_y) * inverse_y
        dy = dy * dy
        for x in range(mask.shape[1]):
            dx = (<float><int>x + <float>0.5 - centre_x) * inverse_x
            dx = dx * dx
            # Linear in the squared distance: no square root, and as smooth.
            away = (dx if dx > dy else dy) if rectangle else dx + dy
            alpha = (outer - away) * slope
            alpha = alpha if alpha > 0 else 0
            alpha = alpha if alpha < OPAQUE else OPAQUE
            row[x] = <uint8_t><int>(alpha + <float>0.5)


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
        draw_mask(mask, centre_x, centre_y, semi_x, semi_y, feather, False)


def rectangle_mask(uint8_t[:, ::1] mask, float centre_x, float centre_y, float semi_x, float semi_y, float feather):
    """Draw a rectangle, as `ellipse_mask` draws an ellipse; the semi-axes are half its sides."""
    with nogil:
        draw_mask(mask, centre_x, centre_y, semi_x, semi_y, feather, True)


def subsample_mask(const uint8_t[:, ::1] mask, bint odd_x, bint odd_y, uint8_t[:, ::1] out):
    """Make the mask of 4:2:0 chroma planes: the greatest of the luma samples that share a chroma sample.

    Parameters
    ----------
    mask : (height, width) uint8
    odd_x, odd_y : bool
        Whether the mask begins at an odd column or row of the luma plane.
    out : ((height + odd_y + 1) // 2, (width + odd_x + 1) // 2) uint8
    """
    cdef Py_ssize_t x, y, rows = out.shape[0], columns = out.shape[1]
    cdef Py_ssize_t width = mask.shape[1], height = mask.shape[0]
    cdef Py_ssize_t whole = (width - odd_x) // 2  # chroma samples with both their columns in the mask
    cdef const uint8_t* top
    cdef const uint8_t* bottom
    cdef uint8_t* row
    cdef uint8_t a, b
    with nogil:
        for y in range(rows):
            top = &mask[max(2 * y - odd_y, 0), 0]
            bottom = &mask[min(2 * y + 1 - odd_y, height - 1), 0]
            row = &out[y, 0]
            if odd_x:
                row[0] = max(top[0], bottom[0])
            top, bottom = top + odd_x, bottom + odd_x
            row += odd_x
            for x in range(whole):
                a = max(top[2 * x], top[2 * x + 1])
                b = max(bottom[2 * x], bottom[2 * x + 1])
                row[x] = max(a, b)
            if whole < columns - odd_x:
                row[whole] = max(top[2 * whole], bottom[2 * whole])


cdef inline uint8_t rounded(uint32_t value) noexcept nogil:
    return <uint8_t>((value + 128) >> 8)


cdef void interpolation_weights(Py_ssize_t cell, uint8_t* weights) noexcept nogil:
    """Weight, of 128, of the next cell at each sample from the middle of a cell on."""
    cdef Py_ssize_t i
    for i in range(cell):
        weights[i] = <uint8_t>(((2 * i + (cell % 2 == 0)) * 128 + cell) // (2 * cell))


cdef void expand_row(const uint16_t* cells, Py_ssize_t columns, Py_ssize_t cell, const uint8_t* weights,
                     Py_ssize_t width, uint8_t* out) noexcept nogil:
    """Stretch a row of cells over `width` samples, rounded to 8 bits: flat where there are no weights, else linear."""
    cdef Py_ssize_t x, column, i, n
    cdef uint32_t low, high
    cdef uint8_t flat
    if weights == NULL:
        for column in range(columns):
            flat = rounded(cells[column])
            for x in range(column * cell, min((column + 1) * cell, width)):
                out[x] = flat
        return
    flat = rounded(cells[0])
    for x in range(min(cell // 2, width)):
        out[x] = flat
    for column in range(columns):
        x = cell // 2 + column * cell
        n = min(cell, width - x)
        low, high = cells[column], cells[min(column + 1, columns - 1)]
        for i in range(n):
            out[x + i] = rounded((low * (128 - weights[i]) + high * weights[i]) >> 7)


cdef void mix_row(uint8_t* target, Py_ssize_t step, const uint8_t* mask, const uint8_t* above, const uint8_t* below,
                  uint16_t weight, Py_ssize_t n) noexcept nogil:
    # Everything fits 16 bits: 128 * 255 + 64.
    cdef Py_ssize_t x
    cdef uint16_t value, rest = 128 - weight
    if step == 1:
        for x in range(n):
            value = <uint16_t>(above[x] * rest + below[x] * weight + 64) >> 7
            target[x] = <uint8_t>(<uint16_t>(target[x] * (OPAQUE - mask[x]) + value * mask[x] + OPAQUE // 2) >> 7)
    elif step == 2:
        for x in range(n):
            value = <uint16_t>(above[x] * rest + below[x] * weight + 64) >> 7
            target[2 * x] = <uint8_t>(
                <uint16_t>(target[2 * x] * (OPAQUE - mask[x]) + value * mask[x] + OPAQUE // 2) >> 7)
    else:
        for x in range(n):
            value = <uint16_t>(above[x] * rest + below[x] * weight + 64) >> 7
            target[step * x] = <uint8_t>(
                <uint16_t>(target[step * x] * (OPAQUE - mask[x]) + value * mask[x] + OPAQUE // 2) >> 7)


def blend_cells(uint8_t[:, :] region, const uint8_t[:, ::1] mask, const uint16_t[:, ::1] cells, Py_ssize_t cell_width,
                Py_ssize_t cell_height, Py_ssize_t left, Py_ssize_t top, bint smooth, uint8_t[::1] scratch):
    """Blend a small picture, stretched, into a region through a mask; the GIL is released meanwhile.

    Parameters
    ----------
    region : (height, width) uint8, any strides
        Changed in place where the mask is not 0.
    mask : (height, width) uint8
        0 (keep) to 128 (replace).
    cells : (rows, columns) uint16
        256 times the values, as `average_cells` gives them; 65,280 at most.
    cell_width, cell_height : int
        Size of a cell in samples of the region.
    left, top : int
        Where the region begins, in samples from the upper left corner of the first cell.
    smooth : bool
        Linear interpolation between the middles of the cells; else flat cells.
    scratch : (at least ``2 * (left + width) + cell_width + cell_height``) uint8
    """
    cdef Plane plane = as_plane(region)
    cdef Py_ssize_t y, row, phase, loaded = -3, columns = cells.shape[1], last = cells.shape[0] - 1
    cdef Py_ssize_t stretched = left + plane.width
    cdef uint8_t* above = &scratch[0]
    cdef uint8_t* below = above + stretched
    cdef uint8_t* across = below + stretched if smooth else NULL
    cdef uint8_t* down = below + stretched + cell_width
    with nogil:
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
                    expand_row(&cells[max(row, 0), 0], columns, cell_width, across, stretched, above)
                expand_row(&cells[min(row + 1, last), 0], columns, cell_width, across, stretched, below)
                loaded = row
            mix_row(plane.data + (y - top) * plane.stride, plane.step, &mask[y - top, 0], above + left, below + left,
                    down[phase] if smooth and row >= 0 else 0, plane.width)
