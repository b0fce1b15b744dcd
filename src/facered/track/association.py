"""Which detection continues which track: gating by IoU, then the assignment of least cost.

See `facered.runtime.compilation` for how they are compiled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facered.runtime.compilation import compiled

FORBIDDEN = 1e6
"""Cost of a pair that must not be matched."""


@compiled("int64[:](float64[:,:])")
def assign_wide(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """`assign` for at least as many columns as rows."""
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, -1), np.full(columns, -1)
    distance, previous = np.empty(columns), np.empty(columns, np.int64)
    done_row, done_column = np.empty(rows, np.bool_), np.empty(columns, np.bool_)
    for first in range(rows):
        for column in range(columns):
            distance[column], previous[column], done_column[column] = np.inf, -1, False
        for row in range(rows):
            done_row[row] = False
        row, reached, sink = first, 0.0, -1
        while sink < 0:
            done_row[row] = True
            nearest, least = -1, np.inf
            for column in range(columns):
                if done_column[column]:
                    continue
                through = reached + cost[row, column] - row_price[row] - column_price[column]
                if through < distance[column]:
                    distance[column], previous[column] = through, row
                if distance[column] < least or (distance[column] == least and row_of[column] < 0):
                    nearest, least = column, distance[column]
            reached = least
            done_column[nearest] = True
            if row_of[nearest] < 0:
                sink = nearest
            else:
                row = row_of[nearest]
        row_price[first] += reached
        for row in range(rows):
            if done_row[row] and row != first:
                row_price[row] += reached - distance[column_of[row]]
        for column in range(columns):
            if done_column[column]:
                column_price[column] -= reached - distance[column]
        column = sink
        while column >= 0:
            row = previous[column]
            row_of[column] = row
            column, column_of[row] = column_of[row], column
            if row == first:
                break
    return column_of


@compiled("int64[:](float64[:,:])")
def assign(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each row the column of the assignment of least total cost, -1 where rows outnumber columns.

    Shortest augmenting paths (Jonker and Volgenant 1987), in the form of Crouse (2016).

    Parameters
    ----------
    cost : (rows, columns) float64
        Finite.

    Returns
    -------
    (rows,) int64
    """
    if cost.shape[0] > cost.shape[1]:
        rows_of = assign_wide(cost.T)
        result = np.full(cost.shape[0], -1)
        for column in range(cost.shape[1]):
            result[rows_of[column]] = column
        return result
    return assign_wide(cost)


@compiled("float64(float64[:], float64[:], float64)")
def padded_iou(a: NDArray[np.float64], b: NDArray[np.float64], padding: float) -> float:
    """Return the intersection over union of two boxes, (4,) centre and size, both enlarged by a part of their size."""
    grown = 1 + padding
    aw, ah, bw, bh = a[2] * grown, a[3] * grown, b[2] * grown, b[3] * grown
    width = min(a[0] + aw / 2, b[0] + bw / 2) - max(a[0] - aw / 2, b[0] - bw / 2)
    height = min(a[1] + ah / 2, b[1] + bh / 2) - max(a[1] - ah / 2, b[1] - bh / 2)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    ratio: float = shared / (aw * ah + bw * bh - shared)
    return ratio


@compiled("int64[:](float64[:,:], float64[:,:], boolean[:], float64, float64)")
def associate(
    tracks: NDArray[np.float64], boxes: NDArray[np.float64], usable: NDArray[np.bool_], padding: float, min_iou: float
) -> NDArray[np.int64]:
    """Return for each track the index of the box that continues it, or -1.

    Parameters
    ----------
    tracks : (n, 4) float64
        Predicted boxes, as centre x, centre y, width, height.
    boxes : (m, 4) float64
        Detected boxes, likewise.
    usable : (m,) bool
        Boxes that may be matched.
    padding : float
        Boxes are enlarged by this part of their size before they are compared: fast faces overlap little.
    min_iou : float
        Least intersection over union of a pair.

    Returns
    -------
    (n,) int64
    """
    n, m = len(tracks), len(boxes)
    result = np.full(n, -1)
    cost = np.full((n, m), FORBIDDEN)
    row_choices, column_choices = np.zeros(n, np.int64), np.zeros(m, np.int64)
    reach = 0.5 + 0.5 * padding
    for i in range(n):
        x, y, width, height = tracks[i, 0], tracks[i, 1], tracks[i, 2], tracks[i, 3]
        for j in range(m):
            # Most pairs are far apart, and two subtractions tell.
            if (
                abs(x - boxes[j, 0]) < reach * (width + boxes[j, 2])
                and abs(y - boxes[j, 1]) < reach * (height + boxes[j, 3])
                and usable[j]
            ):
                shared = padded_iou(tracks[i], boxes[j], padding)
                if shared >= min_iou:
                    cost[i, j] = 1 - shared
                    row_choices[i] += 1
                    column_choices[j] += 1
                    result[i] = j
    # A pair of which neither has another choice belongs together; mostly that is all of them.
    rows, columns = np.empty(n, np.int64), np.empty(m, np.int64)
    n_rows = n_columns = 0
    for i in range(n):
        if row_choices[i] > 1 or (row_choices[i] == 1 and column_choices[result[i]] > 1):
            rows[n_rows] = i
            n_rows += 1
    for j in range(m):
        if column_choices[j] > 1:
            columns[n_columns] = j
            n_columns += 1
        elif column_choices[j] == 1:
            for i in range(n_rows):
                if cost[rows[i], j] < FORBIDDEN:
                    columns[n_columns] = j
                    n_columns += 1
    if n_rows == 0:
        return result
    contested = np.empty((n_rows, n_columns))
    for i in range(n_rows):
        for j in range(n_columns):
            contested[i, j] = cost[rows[i], columns[j]]
    matched = assign(contested)
    for i in range(n_rows):
        result[rows[i]] = -1
        if matched[i] >= 0 and contested[i, matched[i]] < FORBIDDEN:
            result[rows[i]] = columns[matched[i]]
    return result
