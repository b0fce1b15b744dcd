"""A detector's raw outputs -> boxes, and the suppression of boxes that show the same face.

Boxes are rows of x1, y1, x2, y2 in pixels of the tensor, then the score. Each decoder fills `out` from its first row
and returns how many it found; when `out` is full the rest is dropped.
"""

from libc.math cimport exp, sqrt
from libc.stdint cimport uint8_t


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
    cdef Py_ssize_t row, column, n = 0
    cdef double x, y, width, height
    with nogil:
        for row in range(heatmap.shape[0]):
            for column in range(heatmap.shape[1]):
                if not heatmap[row, column] > threshold or n == out.shape[0]:
                    continue
                height, width = 4 * exp(scale[0, row, column]), 4 * exp(scale[1, row, column])
                y, x = 4 * (row + 0.5 + offset[0, row, column]), 4 * (column + 0.5 + offset[1, row, column])
                put(&out[n, 0], x - width / 2, y - height / 2, x + width / 2, y + height / 2, heatmap[row, column])
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
    cdef Py_ssize_t i, n = 0
    cdef double x, y, width, height, score
    with nogil:
        for i in range(classes.shape[0]):
            score = sqrt(max(<double>classes[i, 0] * objectness[i, 0], 0.0))
            if not score > threshold or n == out.shape[0]:
                continue
            x, y = (i % columns + boxes[i, 0]) * stride, (i // columns + boxes[i, 1]) * stride
            width, height = exp(boxes[i, 2]) * stride, exp(boxes[i, 3]) * stride
            put(&out[n, 0], x - width / 2, y - height / 2, x + width / 2, y + height / 2, score)
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
    cdef Py_ssize_t i, cell, n = 0
    cdef double x, y
    with nogil:
        for i in range(scores.shape[0]):
            if not scores[i, 0] > threshold or n == out.shape[0]:
                continue
            cell = i // anchors
            x, y = cell % columns, cell // columns
            put(&out[n, 0], (x - distances[i, 0]) * stride, (y - distances[i, 1]) * stride,
                (x + distances[i, 2]) * stride, (y + distances[i, 3]) * stride, scores[i, 0])
            n += 1
    return n


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
    cdef Py_ssize_t i, j
    with nogil:
        for i in range(boxes.shape[0]):
            keep[i] = 1
            for j in range(i):
                if keep[j] and overlap(&boxes[i, 0], &boxes[j, 0]) > limit:
                    keep[i] = 0
                    break
