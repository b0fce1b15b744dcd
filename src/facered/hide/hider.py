"""How a face is made unrecognisable: a small picture of cell averages, blurred, blended in through a mask."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from facered._native import blend, blur
from facered.errors import ServiceError
from facered.hide import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.hide.areas import Area
    from facered.hide.style import Style
    from facered.video.picture import Picture, Plane

CELLS_PER_RADIUS = 4
"""Cells to which a radius is averaged before it is blurred; by hand. Larger: time. Smaller: the cells show in the
blur."""
BOX_PASSES = 3
"""Box passes, of which three come close to a Gaussian; by hand. Larger: time. Smaller: the edges of boxes show."""
MAX_BLUR_CELLS = 2000
"""Most cells to either side that the kernel averages over: not tuned, it divides exactly by windows of up to 4,096, and
twice this and one is less. Smaller: wide radii are cut."""


MAX_COORDINATE = 2.0**20
"""Pixels from the corner beyond which a box ends: not tuned, it is far beyond every picture. Larger: numbers that the
kernels cannot bear. Smaller: masks of huge boxes change their shape."""


class Hider:
    """Hides faces in pictures, in place; keeps its scratch memory, so one a thread.

    Parameters
    ----------
    style : Style
    """

    def __init__(self, style: Style) -> None:
        self._style = style
        self._bytes = np.empty(0, np.uint8)
        self._words = np.empty(0, np.uint32)

    def hide(
        self,
        picture: Picture,
        boxes: NDArray[np.float64],
        ids: Sequence[int] = (),
        spared: NDArray[np.bool_] | None = None,
    ) -> None:
        """Hide what lies in the masks inscribed in the boxes, one after the other.

        Parameters
        ----------
        picture : Picture
            Writable planes; bytes outside the masks stay as they are.
        boxes : (n, 4) float64
            x1, y1, x2, y2 in pixels of the picture as it is shown; they may reach outside it.
        ids : sequence of n int, optional
            What the style "Box" writes beside each box.
        spared : (height, width) bool, optional
            Where nothing is hidden, in the picture as it is stored.

        Raises
        ------
        ServiceError
            The boxes are not such an array, or not all of finite numbers: nobody can tell what to hide.
        """
        boxes = _checked(boxes)
        if spared is not None and spared.shape != (picture.height, picture.width):
            raise ServiceError(f"spared is of {spared.shape}, the picture of {(picture.height, picture.width)}")
        if self._style.outlined:
            outline.draw(picture.upright(), boxes, ids)
            return
        boxes = picture.orientation.to_stored(boxes, *picture.shown_size)
        if not picture.interlaced:
            for box in boxes:
                x1, y1, x2, y2 = box.tolist()
                self._hide_one(picture, x1, y1, x2, y2, spared=spared)
            return
        for number in (0, 1):
            field = picture.field(number)
            for x1, y1, x2, y2 in boxes.tolist():
                # Row n of the field is row 2 * n + number of the picture, and every row is judged by its middle.
                shift = 0.5 - number
                kept = None if spared is None else spared[number::2]
                self._hide_one(field, x1, (y1 + shift) / 2, x2, (y2 + shift) / 2, squeeze=2, spared=kept)

    def hide_area(self, picture: Picture, area: Area) -> None:
        """Hide what lies in an area of the picture as it is stored, in place.

        Parameters
        ----------
        picture : Picture
            Writable planes; bytes outside the area stay as they are.
        area : Area

        Raises
        ------
        ServiceError
            The area does not lie in the picture.
        """
        height, width = area.mask.shape
        inside = 0 <= area.left <= picture.width - width and 0 <= area.top <= picture.height - height
        if not inside or area.mask.dtype != np.uint8:
            raise ServiceError(f"an area of {width} x {height} at ({area.left}, {area.top}) is not part of the picture")
        if self._style.outlined:
            return
        if not picture.interlaced:
            self._hide_part(picture, area.left, area.top, area.mask)
            return
        for number in (0, 1):
            first = (number - area.top) % 2
            rows = np.ascontiguousarray(area.mask[first::2])
            self._hide_part(picture.field(number), area.left, (area.top + first - number) // 2, rows, squeeze=2)

    def _hide_part(self, picture: Picture, left: int, top: int, mask: NDArray[np.uint8], squeeze: int = 1) -> None:
        height, width = mask.shape
        if not height:
            return
        radius = self._reserve_for(picture, width, height, width)
        mask = self._copied(mask)
        self._replace_planes(picture, left, top, mask, (width, height), (radius, radius / squeeze))

    def _hide_one(
        self,
        picture: Picture,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        squeeze: int = 1,
        spared: NDArray[np.bool_] | None = None,
    ) -> None:
        """Hide one box of a picture whose rows stand for `squeeze` rows of square pixels each."""
        style = self._style
        centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
        semi_x, semi_y = max((x2 - x1) / 2, 0.5), max((y2 - y1) / 2, 0.5)
        reach = 1 + style.feather
        left, right = max(floor(centre_x - semi_x * reach), 0), min(ceil(centre_x + semi_x * reach), picture.width)
        top, bottom = max(floor(centre_y - semi_y * reach), 0), min(ceil(centre_y + semi_y * reach), picture.height)
        if left >= right or top >= bottom:
            return
        width, height = right - left, bottom - top
        radius = self._reserve_for(picture, width, height, x2 - x1)
        mask = self._bytes[: width * height].reshape(height, width)
        draw = blend.rectangle_mask if style.rectangle else blend.ellipse_mask
        draw(mask, centre_x - left, centre_y - top, semi_x, semi_y, style.feather)
        if spared is not None:
            mask[spared[top:bottom, left:right]] = 0
        self._replace_planes(picture, left, top, mask, (2 * semi_x, 2 * semi_y), (radius, radius / squeeze))

    def _replace_planes(
        self,
        picture: Picture,
        left: int,
        top: int,
        mask: NDArray[np.uint8],
        size: tuple[float, float],
        radii: tuple[float, float],
    ) -> None:
        """Blend what replaces a box of a size, in luma samples, through a mask that begins the scratch memory."""
        height, width = mask.shape
        black, black_chroma = (value >> (picture.depth - 8) for value in picture.gray(0.0))
        self._replace([picture.y], left, top, mask, size, radii, black, picture.depth)
        if picture.u is None or picture.v is None:
            return
        across, down = picture.across, picture.down
        if (across, down) != (1, 1):
            before_x, before_y = left % across, top % down
            rows, columns = -(-(height + before_y) // down), -(-(width + before_x) // across)
            small = self._bytes[width * height :][: rows * columns].reshape(rows, columns)
            blend.subsample_mask(mask, before_x, before_y, small, across, down)
            mask = small[: picture.u.shape[0] - top // down]  # a field may have half a row of chroma too few
        size, radii = (size[0] / across, size[1] / down), (radii[0] / across, radii[1] / down)
        chroma = [picture.u, picture.v]
        self._replace(chroma, left // across, top // down, mask, size, radii, black_chroma, picture.depth)

    def _replace(
        self,
        planes: list[Plane],
        left: int,
        top: int,
        mask: NDArray[np.uint8],
        size: tuple[float, float],
        radii: tuple[float, float],
        black: int,
        depth: int,
    ) -> None:
        """Blend what replaces a box into planes of one shape, at (left, top).

        The box is of a size, and blurred with radii, in samples of the planes; black is of 8 bits.
        """
        style = self._style
        height, width = mask.shape
        part = slice(top, top + height), slice(left, left + width)
        if not planes[0][part].size:
            return
        if style.fill:
            cells = np.full((1, 1), 256 * black, np.uint16)
            for plane in planes:
                blend.blend_cells(
                    plane[part], mask, cells, width, height, 0, 0, False, self._words.view(np.uint8), depth
                )
            return
        # The surroundings are blurred in: an oval of the face's own colour alone still looks like a face to detectors.
        radius_x, radius_y = radii
        around_x, around_y = int(radius_x), int(radius_y)
        x, y = max(left - around_x, 0), max(top - around_y, 0)
        around = slice(y, top + height + around_y), slice(x, left + width + around_x)
        window_height, window_width = planes[0][around].shape
        longest = max(window_height, window_width)
        if style.cells is None:
            across, down = max(1, int(radius_x / CELLS_PER_RADIUS)), max(1, int(radius_y / CELLS_PER_RADIUS))
        else:
            across, down = ceil(size[0] / style.cells), ceil(size[1] / style.cells)
        across, down = min(across, longest), min(down, longest)
        rows, columns = -(-window_height // down), -(-window_width // across)
        cells = self._words[: rows * columns].view(np.uint16)[: rows * columns].reshape(rows, columns)
        scratch = self._words[rows * columns :]
        lines = scratch.view(np.uint8)
        if style.radius:
            nearest = round if style.cells is None else ceil
            reach_x = min(max(1, nearest(radius_x / across)), MAX_BLUR_CELLS)
            reach_y = min(max(1, nearest(radius_y / down)), MAX_BLUR_CELLS)
        for plane in planes:
            blur.average_cells(plane[around], across, down, scratch, cells, depth)
            if style.radius:
                blur.box_blur(cells, reach_x, reach_y, BOX_PASSES, scratch)
            blend.blend_cells(plane[part], mask, cells, across, down, left - x, top - y, style.smooth, lines, depth)

    def _copied(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of a mask that begins the scratch memory."""
        height, width = mask.shape
        copy = self._bytes[: width * height].reshape(height, width)
        copy[:] = mask
        return copy

    def _reserve_for(self, picture: Picture, width: int, height: int, broad: float) -> float:
        """Make room for a mask and what is blurred around it; return the radius of the blur of so broad a box."""
        radius = max(self._style.radius * broad, 1.0) if self._style.radius else 0.0
        self._reserve(min(width + 2 * ceil(radius), picture.width), min(height + 2 * ceil(radius), picture.height))
        return radius

    def _reserve(self, width: int, height: int) -> None:
        """Make the scratch memory large enough for a window: two masks, the cells and their copy, and lines."""
        if len(self._bytes) < 2 * width * height:
            self._bytes = np.empty(2 * width * height, np.uint8)
        words = 2 * width * height + 4 * width + height
        if len(self._words) < words:
            self._words = np.empty(words, np.uint32)


def _checked(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return boxes, (n, 4), of numbers that kernels can bear, the upper left corner first."""
    if boxes.ndim != 2 or boxes.shape[1] != 4 or boxes.dtype.kind not in "fiu":
        raise ServiceError(f"boxes are {boxes.dtype} of {boxes.shape}; needed are numbers, four a box")
    if not np.isfinite(boxes).all():
        raise ServiceError("a box to be hidden is not of finite numbers, so nobody can tell what to hide")
    corners = np.clip(boxes.astype(np.float64), -MAX_COORDINATE, MAX_COORDINATE)
    if (corners[:, :2] <= corners[:, 2:]).all():
        return corners
    low, high = np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])
    return np.concatenate([low, high], axis=1)
