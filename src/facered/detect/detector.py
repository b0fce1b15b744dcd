"""A picture's planes -> face boxes, through an ONNX model on the CPU.

The numbers below were set by hand while the detector was made; no sweep is recorded, and no paper gave them. "Larger"
and "smaller" tell what becomes worse then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from facered._native import decode
from facered.detect import inference
from facered.detect.tensor import View
from facered.detect.tiles import MAX_COORDINATE, Part, Tile, crop_about, split
from facered.runtime.cancellation import check
from facered.runtime.profiling import count_inference, timed
from facered.runtime.stages import Stage
from facered.runtime.work import Inference

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from facered.detect.tiles import Crop, Place, TileRequest, Window
    from facered.video.picture import Picture

ALIGNMENT = 32
"""Width and height of every tensor, in pixels, are multiples of this: not tuned, the models' coarsest level asks for
it."""
MAX_DECODED = 65536
"""Most boxes that are decoded. Larger: memory, 20 bytes a box. Smaller: at low thresholds boxes are dropped
unsorted."""
MAX_CANDIDATES = 4096
"""Most boxes, the best ones, that are compared for overlap. Larger: time, with the square of it. Smaller: faces of huge
crowds are dropped."""
CERTAIN_SCORE = 0.5
"""Score from which a face must be somewhere: where its box is no box, the picture is hidden whole. By hand. Larger:
what a model that breaks gives counts as nobody. Smaller: pictures are hidden whole for nothing."""
MIN_BOX = 0.5
"""Least width and height of a face in pixels of the tensor; by hand: a twentieth of what models were made to find."""
MAX_IOU = 0.4
"""IoU above which boxes show the same face. Larger: one face gives two boxes. Smaller: faces that overlap are
dropped."""
MIN_SIDE, MAX_SIDE = 320, 640
"""Bounds in pixels for the longer side that a picture is detected in if no size is asked for. Larger: time, with the
area (docs/figures.md). Smaller: small faces are not found; below the first, nor those of tiny videos."""
FINE_SIDE = 1280
"""Pixels of the longer side of the larger picture: the picture's own up to this, or half of it if that is more. Larger:
time, with the area. Smaller: small faces are not found."""
MAX_NATIVE_SIDE = 3840
"""Pixels of the longer side up to which very large pictures are detected in their own size. Larger: very long
inference. Smaller: tiny faces in 4k are not found."""
MAX_TILE, MAX_FINE_TILE = 2048, 960
"""Most pixels of the tensor along a tile's sides, its overlap apart, in the picture's own size and on the larger
picture; a larger picture that is one tile is looked at alone. Larger: memory, and faces that fill a picture of so many
times the usual size are missed there. Smaller: more overlap is computed twice."""
DISTINCT_SIZE = 20
"""Mean side of a face, in pixels of the tensor, below which it is left to the larger picture where that is detected.
Larger: faces that only the smaller picture shows are dropped. Smaller: false boxes beside small faces."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The faces of one picture.

    Attributes
    ----------
    boxes : (n, 4) float32
        x1, y1, x2, y2 in pixels of the full-size picture as it is shown, best score first; they may reach beyond it.
    scores : (n,) float32
    full : bool
        Whether there may be more faces than could be taken from the model: the picture is to be hidden whole.
    within : (4,) float64 or None
        The part of the picture that was looked at, centre and size in pixels; None if it was all of it.
    shrunk : float
        Pixels of the picture that are one pixel of the tensor, where it is finest in all of that part.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    full: bool = False
    within: NDArray[np.float64] | None = None
    shrunk: float = 1.0

    def split(self, limit: int | None, threshold: float) -> tuple[Detection, NDArray[np.float32]]:
        """Return the best faces, at most `limit`, and the (m, 4) boxes of those beyond that reach the threshold."""
        if limit is None or len(self.scores) <= limit:
            return self, self.boxes[:0]
        beyond = self.boxes[limit:][self.scores[limit:] >= threshold]
        return replace(self, boxes=self.boxes[:limit], scores=self.scores[:limit]), beyond


NOTHING = Detection(np.empty((0, 4), np.float32), np.empty(0, np.float32))


WHOLE = Part()
"""All of a picture."""


class Detector:
    """A face detector for pictures of any size; not safe to share between threads.

    Parameters
    ----------
    model : path-like, optional
        An ONNX file of one of `families.FAMILIES`; by default what ``FACERED_MODEL`` names, or else the CenterFace that
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

    Attributes
    ----------
    family : Family
    inference : Inference
        How often it has run the model so far, on how many pixels, and in which precision.
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
        self.inference = Inference(precisions=(inference.precision_taken(model, precision),))
        self._session = inference.shared(path, threads) if shared else inference.load(path, threads)
        self.family = inference.recognise(self._session)
        self._input = self._session.get_inputs()[0]
        self._size = size
        self._boxes = np.empty((MAX_DECODED, 5), np.float32)
        self._views: dict[int, View] = {}

    def detect(
        self,
        picture: Picture,
        threshold: float,
        *,
        window: Window | None = WHOLE,
        tiles: TileRequest | None = None,
    ) -> Detection:
        """Return the faces whose score is above the threshold.

        Parameters
        ----------
        picture : Picture
        threshold : float
        window : Window or None
            What the model is given of the picture in its usual size; None where tiles are enough.
        tiles : TileRequest, optional
            Larger pictures that are given to the model too, in tiles, for smaller faces.

        Raises
        ------
        ConfigurationUnsupportedError
            The model gives what cannot be: numbers that are not finite, or outputs of a wrong size.
        """
        found = self._merged(self._planned(picture, window, tiles), threshold)
        return self._described(found, picture.shown_size, window, tiles)

    def prepare(
        self,
        picture: Picture,
        threshold: float,
        *,
        window: Window | None = WHOLE,
        tiles: TileRequest | None = None,
    ) -> Callable[[], Detection]:
        """Return what does the rest of `detect`, in any thread, when the picture is no longer needed.

        Until that has been done, nothing else may be asked of this detector.
        """
        planned, size = list(self._planned(picture, window, tiles)), picture.shown_size
        return lambda: self._described(self._merged(planned, threshold), size, window, tiles)

    def finer(self, size: tuple[int, int]) -> float | None:
        """Return the scale of the larger picture for pictures of a size; None where there is none, nor tiles."""
        usual, fine = self._sides(size)
        return fine / max(size) if usual < fine else None

    def _sides(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the longer side of the usual picture and of the larger one: the same where there is none."""
        longer = max(size)
        usual = self._size or min(max(longer, MIN_SIDE), MAX_SIDE)
        if self._size or isinstance(self._input.shape[3], int):
            return usual, usual
        return usual, max(usual, min(longer, max(FINE_SIDE, longer // 2)))

    def verify(self, picture: Picture, box: NDArray[np.float64], crop: Crop, threshold: float) -> Detection:
        """Detect faces about a box on a crop of another size, on which small or faint ones show whether they are faces.

        Parameters
        ----------
        picture : Picture
        box : (4,) float64
            Centre x, centre y, width, height of the face in pixels.
        crop : Crop
            How much of the picture about it, and how large.
        threshold : float
        """
        side = round(crop.extent * float(max(box[2], box[3])))
        tile = self._tile(picture, crop_about(box, side, side, picture.shown_size), crop.extent * crop.face_pixels)
        return self._merged([tile], threshold)

    def joined(self, found: Iterable[Detection]) -> Detection:
        """Return the faces of several detections of one picture, or one part of it, each once."""
        several = list(found)
        rows = [np.column_stack([some.boxes, some.scores]) for some in several]
        joined = self._suppressed(rows, full=any(some.full for some in several))
        return replace(joined, within=several[0].within, shrunk=several[0].shrunk)

    def _described(
        self, found: Detection, size: tuple[int, int], window: Window | None, tiles: TileRequest | None
    ) -> Detection:
        """Return what was found with the part of a picture of a size that it was found in, and how finely."""
        longer = max(size)
        usual, fine = self._sides(size)
        if tiles is None or usual == fine or (tiles.within is not None and window is not None):
            return replace(found, within=window.within if window is not None else None, shrunk=longer / usual)
        shrunk = max(longer / MAX_NATIVE_SIDE, 1.0) if tiles.native else longer / fine
        return replace(found, within=tiles.within if window is None else window.within, shrunk=shrunk)

    def _planned(self, picture: Picture, window: Window | None, request: TileRequest | None) -> Iterator[Tile]:
        """Yield the tiles of a picture, each ready to be given to the model."""
        size = picture.shown_size
        longer = max(size)
        usual, fine = self._sides(size)
        if request is None or usual == fine:
            yield from self._usual(picture, window or WHOLE, usual)
            return
        tiles = split(_place(request.within, size), fine / longer, MAX_FINE_TILE, size)
        if window is None and len(tiles) > 1:
            window = Part(request.within)  # large faces are cut in every tile
        alone = len(tiles) == 1 and request.within is None
        if window is not None and not alone:
            for tile in self._usual(picture, window, usual):
                yield replace(tile, min_size=DISTINCT_SIZE * longer / usual, finer=request.within)
        yield from self._scaled(picture, tiles, fine / longer)
        if request.native:
            scale = min(1.0, MAX_NATIVE_SIDE / longer)
            yield from self._scaled(picture, split((0, 0, *size), scale, MAX_TILE, size), scale)

    def _usual(self, picture: Picture, window: Window, side: int) -> Iterator[Tile]:
        """Yield the picture, or a window of it, in its usual size."""
        if window.within is None or isinstance(self._input.shape[3], int):
            yield Tile(self._filled(picture, side))
            return
        size = picture.shown_size
        scale = side / max(size)
        yield from self._scaled(picture, split(_place(window.within, size), scale, MAX_TILE, size), scale)

    def _scaled(
        self, picture: Picture, tiles: Iterable[tuple[Place, NDArray[np.float64] | None, float]], scale: float
    ) -> Iterator[Tile]:
        """Yield parts of a picture that is shrunk by a scale."""
        for (left, top, right, bottom), bounds, max_side in tiles:
            tile = self._tile(picture, (left, top, right, bottom), scale * max(right - left, bottom - top))
            yield replace(tile, bounds=bounds, max_side=max_side)

    def _tile(self, picture: Picture, place: Place, longest: float) -> Tile:
        """Return a part of a picture as a tile of so many pixels along the longer side."""
        width, height = picture.shown_size
        shown = np.array([place], np.float64)
        x1, y1, x2, y2 = picture.orientation.to_stored(shown, width, height)[0].astype(int).tolist()
        x1, y1 = x1 & ~3, y1 & ~3  # whole chroma samples
        part = picture.part(x1, y1, x2, y2)
        corner = picture.orientation.to_shown(np.array([[x1, y1, x2, y2]], np.float64), width, height)[0, :2]
        view = View(part, self._sizes(*part.shown_size, round(longest)), self.family.layout)
        view.fill(part)
        return Tile(view, corner=corner.astype(np.float32))

    def _merged(self, tiles: Iterable[Tile], threshold: float) -> Detection:
        """Return the faces that are found in any of the tiles."""
        several, full = [], False
        for tile in tiles:
            check()  # a very large picture takes seconds
            found, more = self._run(tile.view, threshold)
            several.append(tile.counted(found))
            full |= more
        return self._suppressed(several, full=full)

    def _filled(self, picture: Picture, size: int) -> View:
        view = self._views.get(size)
        if view is None or not view.shows(picture):
            sizes = self._sizes(*picture.shown_size, size)
            view = self._views[size] = View(picture, sizes, self.family.layout)
        view.fill(picture)
        return view

    def _run(self, view: View, threshold: float) -> tuple[NDArray[np.float32], bool]:
        """Return boxes, x1, y1, x2, y2 in pixels of the picture, and scores, as (n, 5), and whether there are more."""
        with timed(Stage.INFER):
            outputs = inference.run(self._session, self.family, view.tensor)
        done = Inference(1, view.tensor.shape[2] * view.tensor.shape[3], self.inference.precisions)
        self.inference += done
        count_inference(done)
        with timed(Stage.BOXES):
            count = self.family.decode(outputs, view.tensor.shape[3], threshold, self._boxes)
            found = self._boxes[:count]
            usable = (np.abs(found) < MAX_COORDINATE).all(axis=1)
            width, height = view.tensor.shape[3], view.tensor.shape[2]
            somewhere = (found[:, 2:4] - found[:, :2] >= MIN_BOX).all(axis=1)
            somewhere &= (found[:, :2] < (width, height)).all(axis=1) & (found[:, 2:4] > 0).all(axis=1)
            # What is not certain may be nothing, and not be anywhere.
            usable &= somewhere | (found[:, 4] < CERTAIN_SCORE)
            found = found[usable]
            found[:, :4] *= view.to_picture
            # There is a face at what has no usable box, but nobody can tell where.
            return found, count == len(self._boxes) or not usable.all()

    def _suppressed(self, found: list[NDArray[np.float32]], *, full: bool) -> Detection:
        """Return the best of those that overlap, the best first; `full` where there are more anyway."""
        boxes = np.concatenate(found)
        best = np.lexsort((boxes[:, 0], boxes[:, 1], -boxes[:, 4]))
        full |= len(best) > MAX_CANDIDATES
        boxes = np.ascontiguousarray(boxes[best[:MAX_CANDIDATES]])
        keep = np.empty(len(boxes), np.uint8)
        decode.suppress(boxes, MAX_IOU, keep)
        kept = boxes[keep == 1]
        return Detection(kept[:, :4].copy(), kept[:, 4].copy(), full)

    def _sizes(self, width: int, height: int, longest: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the size of the tensor and of the picture in its corner, each as (width, height)."""
        fixed_height, fixed_width = self._input.shape[2:]
        if isinstance(fixed_height, int) and isinstance(fixed_width, int):
            scale = min(fixed_width / width, fixed_height / height)
            return (fixed_width, fixed_height), (max(1, round(width * scale)), max(1, round(height * scale)))
        scale = longest / max(width, height)
        content = max(1, round(width * scale)), max(1, round(height * scale))
        return (_align(content[0]), _align(content[1])), content


def _place(within: NDArray[np.float64] | None, size: tuple[int, int]) -> Place:
    """Return where a part of a picture of a size begins and ends; None is all of it."""
    if within is None:
        return 0, 0, *size
    return crop_about(within, float(within[2]), float(within[3]), size)


def _align(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT
