"""A detector's raw outputs -> boxes, and the suppression of boxes that show the same face.

Boxes are rows of x1, y1, x2, y2 in pixels of the tensor, then the score. Each decoder fills `out` from its first row
and returns how many it found; when `out` is full the rest is dropped.
"""

from libc.math cimport exp, sqrt
from libc.stdint cimport uint8_t


cdef api Py_ssize_t centerface_at(const float* heatmap, const float* scale, const float* offset, Py_ssize_t rows,
                                  Py_ssize_t columns, float threshold, float* out, Py_ssize_t room) noexcept nogil:
    """As `centerface`; there is room for so many rows."""
    cdef Py_ssize_t i, n = 0, cells = rows * columns
    cdef double x, y, width, height
    for i in range(cells):
        if not heatmap[i] > threshold or n == room:
            continue
        height, width = 4 * exp(scale[i]), 4 * exp(scale[cells + i])
        y, x = 4 * (i // columns + 0.5 + offset[i]), 4 * (i % columns + 0.5 + offset[cells + i])
        put(out + 5 * n, x - width / 2, y - height / 2, x + width / 2, y + height / 2, heatmap[i])
        n += 1
    return n


def centerface(const float[:, ::1] heatmap, const float[:, :, ::1] scale, const float[:, :, ::1] offset,
               float threshold, float[:, ::1] out):
    """Decode CenterFace: every point of the heat map above the threshold is the middle of a face.

    Parameters
    ----------
    heatmap : (rows, columns) float32
        Scores at a quarter of the tensor's resolution.
    scale : (2, rows, columns) float32
        Logarithms of height and width over 4.
    offset : (2, rows, columns) float32
        Where in its cell the middle lies, y then x.
    threshold : float
    out : (n, 5) float32

    Returns
    -------
    int
        Rows filled.
    """
    cdef Py_ssize_t n
    with nogil:
        n = centerface_at(&heatmap[0, 0], &scale[0, 0, 0], &offset[0, 0, 0], heatmap.shape[0], heatmap.shape[1],
                          threshold, first(out), out.shape[0])
    return n


cdef api Py_ssize_t yunet_at(const float* classes, const float* objectness, const float* boxes, Py_ssize_t cells,
                             Py_ssize_t columns, int stride, float threshold, float* out,
                             Py_ssize_t room) noexcept nogil:
    """As `yunet`; there is room for so many rows."""
    cdef Py_ssize_t i, n = 0
    cdef double x, y, width, height, score
    for i in range(cells):
        score = sqrt(max(<double>classes[i] * objectness[i], 0.0))
        if not score > threshold or n == room:
            continue
        x, y = (i % columns + boxes[4 * i]) * stride, (i // columns + boxes[4 * i + 1]) * stride
        width, height = exp(boxes[4 * i + 2]) * stride, exp(boxes[4 * i + 3]) * stride
        put(out + 5 * n, x - width / 2, y - height / 2, x + width / 2, y + height / 2, score)
        n += 1
    return n


def yunet(const float[:, ::1] classes, const float[:, ::1] objectness, const float[:, ::1] boxes, Py_ssize_t columns,
          int stride, float threshold, float[:, ::1] out):
    """Decode one level of YuNet: middle and logarithms of the size relative to each cell of a grid.

    Parameters
    ----------
    classes, objectness : (cells, 1) float32
        The score is the geometric mean of the two.
    boxes : (cells, 4) float32
    columns : int
        Cells in a row of the grid.
    stride : int
        Size of a cell in pixels of the tensor.
    threshold : float
    out : (n, 5) float32

    Returns
    -------
    int
        Rows filled.
    """
    cdef Py_ssize_t n
    with nogil:
        n = yunet_at(&classes[0, 0], &objectness[0, 0], &boxes[0, 0], classes.shape[0], columns, stride, threshold,
                     first(out), out.shape[0])
    return n


cdef api Py_ssize_t scrfd_at(const float* scores, const float* distances, Py_ssize_t count, Py_ssize_t columns,
                             int anchors, int stride, float threshold, float* out, Py_ssize_t room) noexcept nogil:
    """As `scrfd`, of so many anchors in all; there is room for so many rows."""
    cdef Py_ssize_t i, cell, n = 0
    cdef double x, y
    for i in range(count):
        if not scores[i] > threshold or n == room:
            continue
        cell = i // anchors
        x, y = cell % columns, cell // columns
        put(out + 5 * n, (x - distances[4 * i]) * stride, (y - distances[4 * i + 1]) * stride,
            (x + distances[4 * i + 2]) * stride, (y + distances[4 * i + 3]) * stride, scores[i])
        n += 1
    return n


def scrfd(const float[:, ::1] scores, const float[:, ::1] distances, Py_ssize_t columns, int anchors, int stride,
          float threshold, float[:, ::1] out):
    """Decode one level of SCRFD: distances to the four sides from each anchor of a grid.

    Parameters
    ----------
    scores : (cells * anchors, 1) float32
    distances : (cells * anchors, 4) float32
        Left, top, right, bottom, in cells.
    columns : int
        Cells in a row of the grid.
    anchors : int
        Anchors a cell.
    stride : int
        Size of a cell in pixels of the tensor.
    threshold : float
    out : (n, 5) float32

    Returns
    -------
    int
        Rows filled.
    """
    cdef Py_ssize_t n
    with nogil:
        n = scrfd_at(&scores[0, 0], &distances[0, 0], scores.shape[0], columns, anchors, stride, threshold,
                     first(out), out.shape[0])
    return n


cdef inline float* first(float[:, ::1] rows) noexcept nogil:
    """The address of the first row, if there is one."""
    return &rows[0, 0] if rows.shape[0] else NULL


cdef inline void put(float* row, double x1, double y1, double x2, double y2, double score) noexcept nogil:
    row[0], row[1], row[2], row[3], row[4] = <float>x1, <float>y1, <float>x2, <float>y2, <float>score


cdef inline double overlap(const float* a, const float* b) noexcept nogil:
    """Intersection over union."""
    cdef double width = min(<double>a[2], <double>b[2]) - max(<double>a[0], <double>b[0])
    cdef double height = min(<double>a[3], <double>b[3]) - max(<double>a[1], <double>b[1])
    cdef double area_a = (<double>a[2] - a[0]) * (<double>a[3] - a[1])
    cdef double area_b = (<double>b[2] - b[0]) * (<double>b[3] - b[1])
    if width <= 0 or height <= 0:
        return 0
    return width * height / (area_a + area_b - width * height)


cdef api void suppress_at(const float* boxes, Py_ssize_t count, double limit, uint8_t* keep) noexcept nogil:
    """As `suppress`."""
    cdef Py_ssize_t i, j
    for i in range(count):
        keep[i] = 1
        for j in range(i):
            if keep[j] and overlap(boxes + 5 * i, boxes + 5 * j) > limit:
                keep[i] = 0
                break


def suppress(const float[:, ::1] boxes, double limit, uint8_t[::1] keep):
    """Mark the boxes that no better box overlaps: greedy non-maximum suppression.

    Parameters
    ----------
    boxes : (n, 5) float32
        Best score first.
    limit : float
        Greatest intersection over union that two boxes may both be kept at.
    keep : (n,) uint8
        Filled with 1 (kept) and 0.
    """
    if boxes.shape[0]:
        with nogil:
            suppress_at(&boxes[0, 0], boxes.shape[0], limit, &keep[0])
