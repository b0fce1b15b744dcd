"""Small luma pictures -> where a patch of an earlier one is now, by normalised cross-correlation.

A patch is `SIDE` x `SIDE` samples of a box, whatever the box's size. Samples are read by linear interpolation from the
level of a pyramid whose samples lie about as far apart as the patch's, so that each costs the same and none is
skipped. Sums are whole numbers: results are the same on every machine.
"""

from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.math cimport floor, sqrt
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t
from libc.string cimport memcpy

cdef enum:
    SIDE_ = 24  # samples along each side of a patch
    RADIUS_ = 8  # farthest that is searched, in samples of the patch
    REGION = SIDE_ + 2 * RADIUS_
    COUNT = SIDE_ * SIDE_
    LEVELS = 8
    SMALLEST = 16  # a level whose shorter side would be less is not made
    SHARPEST = 4  # patches with less variance show nothing that could be found again

SIDE = SIDE_
RADIUS = RADIUS_


include "pyramid.pxi"


cdef struct Tap:
    int32_t first
    int32_t second
    int32_t weight  # of the second, of 256


cdef inline void place(Tap* taps, double middle, double step, int n, Py_ssize_t length) noexcept nogil:
    """Where the n samples about `middle`, `step` apart, are read along an axis; beyond its ends, at the ends."""
    cdef int j
    cdef double position, last = length - 1.0
    for j in range(n):
        position = middle + (j - (n - 1) * 0.5) * step
        position = min(max(position, 0.0), last)
        taps[j].first = <int32_t>position
        taps[j].second = min(taps[j].first + 1, <int32_t>length - 1)
        taps[j].weight = <int32_t>floor((position - taps[j].first) * 256 + 0.5)


cdef void read(const Levels* pyramid, double x, double y, double step_x, double step_y, int n,
               int16_t* out) noexcept nogil:
    """out = n x n samples about (x, y), rows `REGION` apart."""
    cdef Tap across[REGION]
    cdef Tap down[REGION]
    cdef int k = 0, i, j
    cdef int32_t top, bottom
    cdef double size = 1
    cdef Level level
    cdef const uint8_t* a
    cdef const uint8_t* b
    while k + 1 < pyramid.count and step_x * step_y >= 2 * size * size:
        size, k = size * 2, k + 1
    level = pyramid.level[k]
    place(across, x / size - 0.5, step_x / size, n, level.width)
    place(down, y / size - 0.5, step_y / size, n, level.height)
    for i in range(n):
        a = level.data + down[i].first * level.width
        b = level.data + down[i].second * level.width
        for j in range(n):
            top = a[across[j].first] * (256 - across[j].weight) + a[across[j].second] * across[j].weight
            bottom = b[across[j].first] * (256 - across[j].weight) + b[across[j].second] * across[j].weight
            out[i * REGION + j] = <int16_t>(
                (top * (256 - down[i].weight) + bottom * down[i].weight + 32768) >> 16)


cdef inline int32_t product(const int16_t* patch, const int16_t* region) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef int32_t total = 0
    for i in range(SIDE_):
        for j in range(SIDE_):
            total += <int32_t>patch[i * SIDE_ + j] * region[i * REGION + j]
    return total


cdef struct Patch:
    int16_t samples[COUNT]
    int64_t total
    double spread  # the square root of COUNT * sum of squares - square of sum


cdef double spread_of(int64_t total, int64_t squares) noexcept nogil:
    cdef int64_t variance = COUNT * squares - total * total
    return sqrt(<double>variance) if variance >= SHARPEST * COUNT * COUNT else 0.0


cdef void load(Patch* patch, const uint8_t* samples) noexcept nogil:
    cdef Py_ssize_t i
    cdef int64_t squares = 0
    patch.total = 0
    for i in range(COUNT):
        patch.samples[i] = samples[i]
        patch.total += samples[i]
        squares += <int32_t>samples[i] * samples[i]
    patch.spread = spread_of(patch.total, squares)


cdef inline void correlate(const Patch* patch, const int16_t* region, int radius, double* scores) noexcept nogil:
    """scores = (2 * radius + 1) squared correlations, row by row, of the patch with the region at every offset."""
    cdef int64_t sums[REGION + 1]
    cdef int64_t squares[REGION + 1]
    cdef int n = 2 * radius + 1, side = SIDE_ + 2 * radius, i, j, x
    cdef int64_t total, square, value
    cdef double spread
    for x in range(side):
        sums[x] = squares[x] = 0
        for i in range(SIDE_ - 1):
            value = region[i * REGION + x]
            sums[x] += value
            squares[x] += value * value
    for i in range(n):
        for x in range(side):
            value = region[(i + SIDE_ - 1) * REGION + x]
            sums[x] += value
            squares[x] += value * value
        total = square = 0
        for x in range(SIDE_ - 1):
            total += sums[x]
            square += squares[x]
        for j in range(n):
            total += sums[j + SIDE_ - 1]
            square += squares[j + SIDE_ - 1]
            spread = spread_of(total, square)
            if spread > 0 and patch.spread > 0:
                scores[i * n + j] = (COUNT * <int64_t>product(patch.samples, region + i * REGION + j)
                                     - patch.total * total) / (patch.spread * spread)
            else:
                scores[i * n + j] = 0.0
            total -= sums[j]
            square -= squares[j]
        for x in range(side):
            value = region[i * REGION + x]
            sums[x] -= value
            squares[x] -= value * value


cdef double peak(const double* scores, int n, double* x, double* y) noexcept nogil:
    """The greatest of n x n scores, and where it is, to a part of a sample, counted from the middle."""
    cdef int i, best = 0
    for i in range(1, n * n):
        if scores[i] > scores[best]:
            best = i
    x[0], y[0] = best % n - n // 2, best // n - n // 2
    if 0 < best % n < n - 1:
        x[0] += vertex(scores[best - 1], scores[best], scores[best + 1])
    if 0 < best // n < n - 1:
        y[0] += vertex(scores[best - n], scores[best], scores[best + n])
    return scores[best]


cdef inline double vertex(double before, double at, double behind) noexcept nogil:
    """Where the parabola through three values, the middle one the greatest, has its top."""
    cdef double bend = before - 2 * at + behind
    return 0.5 * (before - behind) / bend if bend < 0 else 0.0


cdef api void sample_at(const void* pyramid, const double* boxes, Py_ssize_t count, uint8_t* patches) noexcept nogil:
    """As `sample`, of so many boxes."""
    cdef int16_t samples[REGION * REGION]
    cdef Py_ssize_t k, i, j
    cdef const double* box
    for k in range(count):
        box = boxes + 4 * k
        read(<const Levels*>pyramid, box[0], box[1], box[2] / SIDE_, box[3] / SIDE_, SIDE_, samples)
        for i in range(SIDE_):
            for j in range(SIDE_):
                patches[k * COUNT + i * SIDE_ + j] = <uint8_t>samples[i * REGION + j]


def sample(Pyramid pyramid, const double[:, ::1] boxes, uint8_t[:, :, ::1] patches):
    """Take a patch from each box.

    Parameters
    ----------
    pyramid : Pyramid
    boxes : (n, 4) float64
        Centre x, centre y, width, height in samples of the picture; finite, the size positive. What lies outside is
        taken from the nearest edge.
    patches : (n, SIDE, SIDE) uint8
        Filled.
    """
    if boxes.shape[0]:
        with nogil:
            sample_at(&pyramid.levels, &boxes[0, 0], boxes.shape[0], &patches[0, 0, 0])


cdef api void search_at(const void* pyramid, const uint8_t* patches, const double* boxes, Py_ssize_t count, int radius,
                        const double* scales, Py_ssize_t scale_count, double* found) noexcept nogil:
    """As `search`, of so many patches, with so many scales."""
    cdef int16_t region[REGION * REGION]
    cdef double scores[(2 * RADIUS_ + 1) * (2 * RADIUS_ + 1)]
    cdef Patch patch
    cdef Py_ssize_t k, s
    cdef const Levels* levels = <const Levels*>pyramid
    cdef const double* box
    cdef double* best
    cdef double step_x, step_y, dx, dy, score, middle_x, middle_y
    for k in range(count):
        box, best = boxes + 4 * k, found + 5 * k
        load(&patch, patches + k * COUNT)
        step_x, step_y = box[2] / SIDE_, box[3] / SIDE_
        read(levels, box[0], box[1], step_x, step_y, SIDE_ + 2 * radius, region)
        correlate(&patch, region, radius, scores)
        score = peak(scores, 2 * radius + 1, &dx, &dy)
        middle_x, middle_y = box[0] + dx * step_x, box[1] + dy * step_y
        best[0], best[1], best[2], best[3], best[4] = middle_x, middle_y, box[2], box[3], score
        for s in range(scale_count):
            step_x, step_y = box[2] * scales[s] / SIDE_, box[3] * scales[s] / SIDE_
            read(levels, middle_x, middle_y, step_x, step_y, SIDE_ + 2, region)
            correlate(&patch, region, 1, scores)
            score = peak(scores, 3, &dx, &dy)
            if score > best[4]:
                best[0], best[1] = middle_x + dx * step_x, middle_y + dy * step_y
                best[2], best[3], best[4] = box[2] * scales[s], box[3] * scales[s], score


def search(Pyramid pyramid, const uint8_t[:, :, ::1] patches, const double[:, ::1] boxes, int radius,
           const double[::1] scales, double[:, ::1] found):
    """Find where each patch is now; the GIL is released meanwhile.

    The patch is first moved about in its box's size, then, about the best place, tried in the other sizes.

    Parameters
    ----------
    pyramid : Pyramid
    patches : (n, SIDE, SIDE) uint8
    boxes : (n, 4) float64
        Where each is looked for: centre x, centre y, width, height in samples of the picture; finite, the size
        positive.
    radius : int
        How far it may be from there, in 1 / SIDE of the box's size, from 0 to RADIUS.
    scales : (m,) float64
        Other sizes, relative to the box's.
    found : (n, 5) float64
        Filled with centre x, centre y, width, height and the correlation, from -1 to 1; 0 where there is no texture.
    """
    if not 0 <= radius <= RADIUS_:
        raise ValueError(f"the radius is {radius}; it can be 0 to {RADIUS_}")
    if boxes.shape[0]:
        with nogil:
            search_at(&pyramid.levels, &patches[0, 0, 0], &boxes[0, 0], boxes.shape[0], radius,
                      &scales[0] if scales.shape[0] else NULL, scales.shape[0], &found[0, 0])
