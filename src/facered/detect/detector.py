"""A picture's planes -> face boxes, through an ONNX model on the CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from facered._native import decode
from facered.detect import inference
from facered.detect.tensor import View
from facered.detect.tiles import Look
from facered.runtime.profiling import timed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from facered.track.schedule import FineLook
    from facered.video.picture import Picture

ALIGNMENT = 32
"""Width and height of every family's tensor are multiples of this."""
POINTS = 65536
"""Most boxes that are decoded."""
CANDIDATES = 4096
"""Most boxes, the best ones, that are looked at before overlapping ones are suppressed."""
FARTHEST = 1e6
"""Boxes whose coordinates are larger, in pixels, are no faces."""
OVERLAP = 0.4
"""Boxes that overlap more (intersection over union) show the same face."""
SURROUNDINGS, ENLARGED = 4.0, 48
"""A second look shows a face with its surroundings, so many times its size, enlarged or shrunk to so many pixels."""
SMALLEST_CROP = 32
SMALLEST, LARGEST = 320, 640
"""Without a size asked for, the longer side of the detector's picture is that of the video, within these bounds."""
FINE = 1280
"""At the fine size it is the video's own up to this, and half of it if that is more."""
WHOLEST = 3840
"""Very large pictures are looked at in their own size up to this."""
TILE, FINE_TILE, SHARED = 2048, 768, 96
"""Most pixels along a part's sides, in its own size and at the fine one, and how many it shares with the next one:
larger faces are found on the smaller pictures. The smaller a part, the less memory does the model need."""
CUT = 4
"""A face that comes so near to the next part, in pixels, may be cut, and is seen whole in that one."""
DISTINCT = 20
"""Where a larger picture is looked at as well, faces smaller than this on the smaller one, in its pixels, are left to
it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The faces of one picture.

    Attributes
    ----------
    boxes : (n, 4) float32
        x1, y1, x2, y2 in pixels of the full-size picture as it is shown, best score first; they may reach beyond it.
    scores : (n,) float32
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


NOTHING = Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32))


class Detector:
    """A face detector for pictures of any size; not safe to share between threads.

    Parameters
    ----------
    model : path-like, optional
        An ONNX file of one of `session.FAMILIES`; by default what ``FACERED_MODEL`` names, or else the CenterFace that
        the package ships.
    threads : int
        Threads that onnxruntime uses for a picture; 0 takes as many as there are cores.
    size : int, optional
        Longer side of the picture that the model sees, in pixels. Models with a fixed size have their own.
    precision : str
        One of `facered.options.PRECISIONS`; other than auto for the model that the package ships only.
    shared : bool
        Whether detectors of the process that are given the same model and threads, and are shared too, use one session.

    Raises
    ------
    ConfigurationUnsupportedError
        The model is missing, cannot be loaded, or is of no known family.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        threads: int = 0,
        size: int | None = None,
        precision: str = "auto",
        *,
        shared: bool = False,
    ) -> None:
        path = inference.model_path(model, precision)
        self._session = inference.shared(path, threads) if shared else inference.load(path, threads)
        self.family = inference.recognise(self._session)
        self._input = self._session.get_inputs()[0]
        self._size = size
        self._boxes = np.empty((POINTS, 5), np.float32)
        self._views: dict[int, View] = {}

    def detect(
        self, picture: Picture, threshold: float, limit: int | None = 64, *, fine: FineLook | None = None
    ) -> Detection:
        """Return the faces whose score is above the threshold, at most `limit`, the best ones.

        Parameters
        ----------
        picture : Picture
        threshold : float
        limit : int or None
        fine : FineLook, optional
            Look for smaller faces as well.
        """
        return self._merged(self._looks(picture, fine), threshold, limit)

    def prepare(
        self, picture: Picture, threshold: float, limit: int | None = 64, *, fine: FineLook | None = None
    ) -> Callable[[], Detection]:
        """Return what does the rest of `detect`, in any thread, when the picture is no longer needed.

        Until that has been done, nothing else may be asked of this detector.
        """
        looks = list(self._looks(picture, fine))
        return lambda: self._merged(looks, threshold, limit)

    def look(self, picture: Picture, box: NDArray[np.float64], threshold: float) -> Detection:
        """Look for faces about a box again, enlarged: small or faint ones show then whether they are faces.

        Parameters
        ----------
        picture : Picture
        box : (4,) float64
            Centre x, centre y, width, height of the face in pixels.
        threshold : float
        """
        side = max(SMALLEST_CROP, round(SURROUNDINGS * float(max(box[2], box[3]))))
        width, height = picture.shown_size
        left, right = _span(float(box[0]), side, width)
        top, bottom = _span(float(box[1]), side, height)
        look = self._part(picture, (left, top, right, bottom), SURROUNDINGS * ENLARGED)
        return self._merged([look], threshold, None)

    def _looks(self, picture: Picture, fine: FineLook | None) -> Iterator[Look]:
        """Yield what is to be looked at, each ready to be given to the model."""
        longer = max(picture.shown_size)
        size = self._size or min(max(longer, SMALLEST), LARGEST)
        view = self._filled(picture, size)
        fine_size = min(longer, max(FINE, longer // 2))
        if fine is None or self._size or isinstance(self._input.shape[3], int):
            yield Look(view)
            return
        if fine_size > size:
            yield Look(view, least=DISTINCT * longer / size, left_to=fine)
            yield from self._larger(picture, fine_size, fine)
        else:
            yield Look(view)
        if fine.whole:
            yield from self._tiles(picture, (0, 0, *picture.shown_size), min(1.0, WHOLEST / longer), TILE)

    def _larger(self, picture: Picture, size: int, fine: FineLook) -> Iterator[Look]:
        """Yield the picture, or the part that is asked for, as large as if the whole were `size` pixels long."""
        width, height = picture.shown_size
        place = 0, 0, width, height
        if fine.within is not None:
            x, y, across, down = fine.within.tolist()
            left, right = _span(x, ceil(max(across, SMALLEST_CROP)), width)
            top, bottom = _span(y, ceil(max(down, SMALLEST_CROP)), height)
            place = left, top, right, bottom
        yield from self._tiles(picture, place, size / max(width, height), FINE_TILE)

    def _tiles(self, picture: Picture, place: tuple[int, int, int, int], scale: float, longest: int) -> Iterator[Look]:
        """Yield what is between left, top, right and bottom, shrunk by a scale, in parts so long at most.

        Faces that the borders between the parts may cut are left out.
        """
        shared = round(SHARED / scale)
        spans = []
        for begin, end in (place[::2], place[1::2]):
            count = ceil(round(scale * (end - begin)) / longest)
            spans.append([(begin + a, begin + b) for a, b in _spans(end - begin, count, shared)])
        parted = len(spans[0]) * len(spans[1]) > 1
        for top, bottom in spans[1]:
            for left, right in spans[0]:
                look = self._part(picture, (left, top, right, bottom), scale * max(right - left, bottom - top))
                low, high = np.array([left, top]), np.array([right, bottom])
                low = low + np.where(low > place[:2], CUT / scale, -FARTHEST)
                high = high - np.where(high < place[2:], CUT / scale, -FARTHEST)
                yield replace(look, bounds=np.concatenate([low, high]), most=shared) if parted else look

    def _part(self, picture: Picture, place: tuple[int, int, int, int], longest: float) -> Look:
        """Return what is between left, top, right and bottom, in so many pixels along the longer side."""
        width, height = picture.shown_size
        shown = np.array([place], np.float64)
        x1, y1, x2, y2 = picture.orientation.to_stored(shown, width, height)[0].astype(int).tolist()
        x1, y1 = x1 & ~3, y1 & ~3  # whole chroma samples
        part = picture.part(x1, y1, x2, y2)
        corner = picture.orientation.to_shown(np.array([[x1, y1, x2, y2]], np.float64), width, height)[0, :2]
        view = View(part, self._sizes(*part.shown_size, round(longest)), self.family.layout)
        view.fill(part)
        return Look(view, corner=corner.astype(np.float32))

    def _merged(self, looks: Iterable[Look], threshold: float, limit: int | None) -> Detection:
        """Return the best faces that are seen in any of the looks."""
        found = self._suppressed([look.kept(self._run(look.view, threshold)) for look in looks])
        return Detection(found[:limit, :4].copy(), found[:limit, 4].copy())

    def _filled(self, picture: Picture, size: int) -> View:
        view = self._views.get(size)
        if view is None or not view.shows(picture):
            sizes = self._sizes(*picture.shown_size, size)
            view = self._views[size] = View(picture, sizes, self.family.layout)
        view.fill(picture)
        return view

    def _run(self, view: View, threshold: float) -> NDArray[np.float32]:
        """Return boxes, x1, y1, x2, y2 in pixels of the picture, and scores, as (n, 5)."""
        with timed("infer"):
            outputs = self._session.run(self.family.outputs, {self._input.name: view.tensor})
        with timed("boxes"):
            count = self.family.decode(outputs, view.tensor.shape[3], threshold, self._boxes)
            found = self._boxes[:count]
            found = found[(np.abs(found) < FARTHEST).all(axis=1)]
            found[:, :4] *= view.to_picture
            return found

    def _suppressed(self, found: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the best of those that overlap, the best first."""
        boxes = np.concatenate(found)
        best = np.lexsort((boxes[:, 0], boxes[:, 1], -boxes[:, 4]))[:CANDIDATES]
        boxes = np.ascontiguousarray(boxes[best])
        keep = np.empty(len(boxes), np.uint8)
        decode.suppress(boxes, OVERLAP, keep)
        kept: NDArray[np.float32] = boxes[keep == 1]
        return kept

    def _sizes(self, width: int, height: int, longest: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the size of the tensor and of the picture in its corner, each as (width, height)."""
        fixed_height, fixed_width = self._input.shape[2:]
        if isinstance(fixed_height, int) and isinstance(fixed_width, int):
            scale = min(fixed_width / width, fixed_height / height)
            return (fixed_width, fixed_height), (max(1, round(width * scale)), max(1, round(height * scale)))
        scale = longest / max(width, height)
        content = max(1, round(width * scale)), max(1, round(height * scale))
        return (_align(content[0]), _align(content[1])), content


def _span(middle: float, side: int, length: int) -> tuple[int, int]:
    """Return where a crop begins and ends along one axis, inside the picture."""
    begin = min(max(round(middle - side / 2), 0), max(length - side, 0))
    return begin, min(begin + side, length)


def _spans(length: int, count: int, shared: int) -> list[tuple[int, int]]:
    """Return where so many parts of a length begin and end, each with some more at either side."""
    borders = [length * number // count for number in range(count + 1)]
    return [(max(a - shared // 2, 0), min(b + shared // 2, length)) for a, b in pairwise(borders)]


def _align(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT
