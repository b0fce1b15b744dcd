"""Slow NumPy twins of the native kernels: the same results to the bit, written as plainly as can be."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def axis_weights(samples: int, extent: float, size: int) -> NDArray[np.int64]:
    """Return the (size, samples) weights, each row summing to 256, that make `size` samples of `samples`."""
    weights = np.zeros((size, samples), np.int64)
    scale = extent / size
    for j in range(size):
        if scale < 1:
            position = min(max((j + 0.5) * scale - 0.5, 0.0), samples - 1.0)
            first = min(int(position), max(samples - 2, 0))
            second = int(np.floor(256 * (position - first) + 0.5))
            weights[j, first] += 256 - second
            if samples > 1:
                weights[j, first + 1] += second
        else:
            low, high = j * scale, (j + 1) * scale
            edges = np.clip((np.arange(samples + 1) - low) / (high - low), 0, 1)
            edges[-1] = 1
            weights[j] = np.diff(np.floor(256 * edges + 0.5).astype(np.int64))
    return weights


Plane = NDArray[np.uint8] | NDArray[np.uint16]


def resize(plane: Plane, extent: tuple[float, float], size: tuple[int, int], depth: int = 8) -> NDArray[np.int64]:
    """Return 65,536 times the plane, in units of 8 bits, shown to `extent` and resized to `size` (width, height)."""
    across = axis_weights(plane.shape[1], extent[0], size[0])
    down = axis_weights(plane.shape[0], extent[1], size[1])
    lines = np.stack([(weights[:, None] * plane.astype(np.int64) >> (depth - 8)).sum(axis=0) for weights in down])
    return lines @ across.T


def chroma_extent(luma: int, chroma: int) -> float:
    """Return how many chroma samples of an axis are shown; half a one where the luma is odd."""
    if chroma == luma:
        return luma
    return luma / 2 if chroma == (luma + 1) // 2 else luma / 4


def letterbox(
    y: Plane,
    u: Plane | None,
    v: Plane | None,
    content: tuple[int, int],
    matrix: NDArray[np.float32],
    limits: NDArray[np.float32],
    depth: int = 8,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the (3, height, width) content of the tensor and the small luma picture."""
    height, width = y.shape
    planes = [resize(y, (width, height), content, depth)]
    for chroma in (u, v):
        if chroma is None:
            planes.append(np.full_like(planes[0], 128 * 65536))
        else:
            rows, columns = chroma.shape
            extent = chroma_extent(width, columns), chroma_extent(height, rows)
            planes.append(resize(chroma, extent, content, depth))
    luma = ((planes[0] + 32768) >> 16).astype(np.uint8)
    yf, uf, vf = (plane.astype(np.float32) for plane in planes)
    out = np.empty((3, content[1], content[0]), np.float32)
    for channel in range(3):
        a, b, c = matrix[channel, :3] / np.float32(65536)
        value = ((a * yf + b * uf) + c * vf) + matrix[channel, 3]
        out[channel] = np.clip(value, *limits[channel])
    return out, luma


def average_cells(region: Plane, cell_width: int, cell_height: int, depth: int = 8) -> NDArray[np.uint16]:
    height, width = region.shape
    out = np.empty((-(-height // cell_height), -(-width // cell_width)), np.uint16)
    for row, column in np.ndindex(out.shape):
        cell = region[row * cell_height :, column * cell_width :][:cell_height, :cell_width].astype(np.int64)
        out[row, column] = ((cell.sum() << (16 - depth)) + cell.size // 2) // cell.size
    return out


def box_blur(picture: NDArray[np.uint16], radius_x: int, radius_y: int, passes: int) -> NDArray[np.uint16]:
    def along_rows(rows: NDArray[np.uint16], radius: int) -> NDArray[np.uint16]:
        if not radius:
            return rows
        window = 2 * radius + 1
        padded = np.pad(rows.astype(np.int64), ((0, 0), (radius, radius)), mode="edge")
        sums = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1).sum(axis=2)
        return ((sums + window // 2) // window).astype(np.uint16)

    for _ in range(passes):
        picture = along_rows(along_rows(picture, radius_x).T, radius_y).T
    return picture


def ellipse_mask(
    size: tuple[int, int], centre: tuple[float, float], semi: tuple[float, float], feather: float
) -> NDArray[np.uint8]:
    """Return the (height, width) mask of an ellipse; `size`, `centre` and `semi` are x, then y."""
    dx, dy = _squared_distances(size, centre, semi)
    return _fading(dx + dy[:, None], feather)


def rectangle_mask(
    size: tuple[int, int], centre: tuple[float, float], semi: tuple[float, float], feather: float
) -> NDArray[np.uint8]:
    """Return the mask of a rectangle, as `ellipse_mask` does of an ellipse."""
    dx, dy = _squared_distances(size, centre, semi)
    return _fading(np.maximum(dx, dy[:, None]), feather)


def _squared_distances(
    size: tuple[int, int], centre: tuple[float, float], semi: tuple[float, float]
) -> list[NDArray[np.float32]]:
    f = np.float32
    distances = [
        (np.arange(n, dtype=f) + f(0.5) - f(c)) * (f(1) / f(s)) for n, c, s in zip(size, centre, semi, strict=True)
    ]
    return [distance * distance for distance in distances]


def _fading(squared: NDArray[np.float32], feather: float) -> NDArray[np.uint8]:
    f = np.float32
    outer = (f(1) + f(feather)) * (f(1) + f(feather))
    slope = f(128) / (outer - f(1))
    return (np.clip((outer - squared) * slope, 0, 128) + f(0.5)).astype(np.uint8)


def subsample_mask(
    mask: NDArray[np.uint8], before_x: int, before_y: int, across: int = 2, down: int = 2
) -> NDArray[np.uint8]:
    height, width = mask.shape
    below, right = -(height + before_y) % down, -(width + before_x) % across
    padded = np.pad(mask, ((int(before_y), below), (int(before_x), right)))
    return padded.reshape(padded.shape[0] // down, down, -1, across).max(axis=(1, 3))


def stretch(cells: NDArray[np.int64], cell: int, size: int, smooth: bool) -> tuple[NDArray[np.int64], ...]:
    """Return, for each sample along an axis, the indices of the cells before and behind it and the latter's weight."""
    x = np.arange(size)
    last = len(cells) - 1
    if not smooth:
        return x // cell, x // cell, np.zeros(size, np.int64)
    doubled = 2 * x + 1 - cell
    before = doubled // (2 * cell)
    weight = ((doubled - before * 2 * cell) * 128 + cell) // (2 * cell)
    weight[before < 0] = 0
    return np.clip(before, 0, last), np.clip(before + 1, 0, last), weight


def blend_cells(
    region: Plane,
    mask: NDArray[np.uint8],
    cells: NDArray[np.uint16],
    cell_width: int,
    cell_height: int,
    left: int,
    top: int,
    smooth: bool,
    depth: int = 8,
) -> Plane:
    """Return the region with the stretched cells blended in."""
    height, width = region.shape
    wide = cells.astype(np.int64)
    before, after, across = (part[left:] for part in stretch(wide[0], cell_width, left + width, smooth))
    shift = 16 - depth
    rows = ((wide[:, before] * (128 - across) + wide[:, after] * across) >> 7) + (1 << shift >> 1) >> shift
    above, below, down = (part[top:] for part in stretch(wide[:, 0], cell_height, top + height, smooth))
    value = (rows[above] * (128 - down[:, None]) + rows[below] * down[:, None] + 64) >> 7
    alpha = mask.astype(np.int64)
    return ((region * (128 - alpha) + value * alpha + 64) >> 7).astype(region.dtype)


def intersection_over_union(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the overlap of two boxes given as x1, y1, x2, y2."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))


def suppress(boxes: NDArray[np.float32], limit: float) -> NDArray[np.uint8]:
    wide = boxes.astype(np.float64)
    kept: list[int] = []
    for i in range(len(boxes)):
        if all(intersection_over_union(wide[i], wide[j]) <= limit for j in kept):
            kept.append(i)
    keep = np.zeros(len(boxes), np.uint8)
    keep[kept] = 1
    return keep


def centerface(
    heatmap: NDArray[np.float32], scale: NDArray[np.float32], offset: NDArray[np.float32], threshold: float
) -> NDArray[np.float32]:
    """Return all boxes in the order of the heat map, as rows of x1, y1, x2, y2, score."""
    found = []
    for row, column in np.ndindex(heatmap.shape):
        if heatmap[row, column] > np.float32(threshold):
            height, width = (4 * math.exp(scale[i, row, column]) for i in (0, 1))
            y = 4 * (row + 0.5 + float(offset[0, row, column]))
            x = 4 * (column + 0.5 + float(offset[1, row, column]))
            found.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2, heatmap[row, column]))
    return np.array(found, np.float32).reshape(-1, 5)


def yunet(
    classes: NDArray[np.float32],
    objectness: NDArray[np.float32],
    boxes: NDArray[np.float32],
    columns: int,
    stride: int,
    threshold: float,
) -> NDArray[np.float32]:
    """Return all boxes of a level in the order of its cells, as rows of x1, y1, x2, y2, score."""
    found = []
    for i, (a, b) in enumerate(zip(classes[:, 0].tolist(), objectness[:, 0].tolist(), strict=True)):
        product = a * b
        score = math.sqrt(product) if product > 0 else 0.0
        if score > np.float32(threshold):
            x, y = (
                (np.float32(cell) + middle) * np.float32(stride)  # in single precision, as in C
                for cell, middle in zip((i % columns, i // columns), boxes[i, :2], strict=True)
            )
            width, height = math.exp(boxes[i, 2]) * stride, math.exp(boxes[i, 3]) * stride
            x, y = float(x), float(y)
            found.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2, score))
    return np.array(found, np.float32).reshape(-1, 5)


def scrfd(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    columns: int,
    anchors: int,
    stride: int,
    threshold: float,
) -> NDArray[np.float32]:
    """Return all boxes of a level in the order of its anchors, as rows of x1, y1, x2, y2, score."""
    found = []
    for i, (left, top, right, bottom) in enumerate(distances.tolist()):
        if scores[i, 0] > np.float32(threshold):
            y, x = divmod(i // anchors, columns)
            corners = ((x - left) * stride, (y - top) * stride, (x + right) * stride, (y + bottom) * stride)
            found.append((*corners, scores[i, 0]))
    return np.array(found, np.float32).reshape(-1, 5)


PATCH_SIDE, SMALLEST_LEVEL, MOST_LEVELS, LEAST_VARIANCE = 24, 16, 8, 4


def pyramid(luma: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Return a picture, half of it, a quarter and so on."""
    levels = [luma.astype(np.int64)]
    while len(levels) < MOST_LEVELS and min(levels[-1].shape) // 2 >= SMALLEST_LEVEL:
        height, width = (length // 2 for length in levels[-1].shape)
        fours = levels[-1][: 2 * height, : 2 * width].reshape(height, 2, width, 2)
        levels.append((fours.sum(axis=(1, 3)) + 2) // 4)
    return levels


def read_samples(
    levels: list[NDArray[np.int64]], middle: tuple[float, float], step: tuple[float, float], count: int
) -> NDArray[np.int64]:
    """Return count x count samples about a point, `step` apart; points and steps are x, then y."""
    k = 0
    while k + 1 < len(levels) and step[0] * step[1] >= 2 * 4**k:
        k += 1
    weights = []
    for axis in (0, 1):
        length = levels[k].shape[1 - axis]
        rows = np.zeros((count, length), np.int64)
        for j in range(count):
            position = middle[axis] / 2**k - 0.5 + (j - (count - 1) / 2) * (step[axis] / 2**k)
            position = min(max(position, 0.0), length - 1.0)
            first = int(position)
            second = math.floor((position - first) * 256 + 0.5)
            rows[j, first] += 256 - second
            rows[j, min(first + 1, length - 1)] += second
        weights.append(rows)
    across, down = weights
    return (down @ levels[k] @ across.T + 32768) >> 16


def sample(levels: list[NDArray[np.int64]], box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the patch of a box given as middle and size."""
    x, y, width, height = box.tolist()
    patch = read_samples(levels, (x, y), (width / PATCH_SIDE, height / PATCH_SIDE), PATCH_SIDE)
    return patch.astype(np.uint8)


def correlate(patch: NDArray[np.uint8], region: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the normalised cross-correlation of a patch with each place in a region, 0 where either is flat."""

    def spread(samples: NDArray[np.int64]) -> float:
        variance = samples.size * int((samples * samples).sum()) - int(samples.sum()) ** 2
        return math.sqrt(variance) if variance >= LEAST_VARIANCE * samples.size**2 else 0.0

    a = patch.astype(np.int64)
    n = len(region) - PATCH_SIDE + 1
    scores = np.zeros((n, n))
    for i, j in np.ndindex(n, n):
        b = region[i : i + PATCH_SIDE, j : j + PATCH_SIDE]
        both = spread(a) * spread(b)
        if both:
            scores[i, j] = (a.size * int((a * b).sum()) - int(a.sum()) * int(b.sum())) / both
    return scores


def peak(scores: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the greatest of n x n scores and where it is, x, then y, from the middle: the top of a parabola."""

    def vertex(line: NDArray[np.float64], at: int) -> float:
        if not 0 < at < len(line) - 1:
            return 0.0
        before, here, behind = line[at - 1 : at + 2].tolist()
        bend = before - 2 * here + behind
        return 0.5 * (before - behind) / bend if bend < 0 else 0.0

    row, column = divmod(int(scores.argmax()), len(scores))
    half = len(scores) // 2
    return (
        float(scores[row, column]),
        column - half + vertex(scores[row], column),
        row - half + vertex(scores[:, column], row),
    )


def search(
    levels: list[NDArray[np.int64]],
    patch: NDArray[np.uint8],
    box: NDArray[np.float64],
    radius: int,
    scales: NDArray[np.float64],
) -> tuple[float, float, float, float, float]:
    """Return middle, size and correlation of the place near a box that is most like the patch."""
    x, y, width, height = box.tolist()
    step = width / PATCH_SIDE, height / PATCH_SIDE
    score, dx, dy = peak(correlate(patch, read_samples(levels, (x, y), step, PATCH_SIDE + 2 * radius)))
    middle = x + dx * step[0], y + dy * step[1]
    best = (*middle, width, height, score)
    for scale in scales.tolist():
        step = width * scale / PATCH_SIDE, height * scale / PATCH_SIDE
        score, dx, dy = peak(correlate(patch, read_samples(levels, middle, step, PATCH_SIDE + 2)))
        if score > best[4]:
            best = (middle[0] + dx * step[0], middle[1] + dy * step[1], width * scale, height * scale, score)
    return best
