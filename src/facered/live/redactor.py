"""`Redactor`: frame in, frame out, the faces hidden."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from facered import checks
from facered.checks import shown
from facered.detect.detector import Detector
from facered.errors import ConfigurationUnsupportedError
from facered.live import arrays, input  # noqa: A004
from facered.live.arrays import PACKED, PLANAR, GivenArray
from facered.live.detection import LiveDetector
from facered.live.face import Face, Stats
from facered.live.failure import facered_only
from facered.live.input import Given, GivenFrame, Orientations, Planes
from facered.live.planes import MAX_SIDE, given_planes
from facered.live.queue import FrameQueue
from facered.live.selection import Selection
from facered.live.settings import Settings
from facered.video.picture import VideoFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facered.checks import Polygon

T = TypeVar("T")
F = TypeVar("F", bound="VideoFrame | NDArray[Any]")


class Redactor:
    """Hides the faces in frames as they come, for use between a decoder or a camera and an encoder.

    One stream each; several in threads of their own share the model's session. Frames may be given from one thread and
    then from another, but not from two at once, nor by a function that is called meanwhile: that is refused. All else,
    `close` too, may be called from any thread at any time.

    Parameters
    ----------
    blur, shape, feather, blur_radius, doubtful, margin, threshold, max_faces, detect_size, precision, model
        As in `facered.Options`. Without ``detect_size`` smaller faces are looked for on a larger picture now and then,
        a part a frame: no frame waits for more than one detection, but a stream's first.
    rate : float, optional
        Frames a second; by default seconds are those of the frames' own times, where they have any, and the rate is
        what the first frame's duration says, else 25.
    lookahead : int
        By how many frames the stream is delayed. 0 returns each frame at once. With more, what is known by then is used
        to go backwards in time: faces are hidden before they are first detected, gaps are filled, and masks are smooth.
    detect : str or int
        ``"sync"`` detects where the tracker wants it, while the frame waits; a number, in every n-th frame of a shot
        and in each that shows something else than the one before; ``"async"``, in a thread beside the stream, whenever
        that is free; only the stream's very first frame waits.
    threads : int
        Threads that the detector uses for a picture; 0 takes as many as there are cores.
    deadline_ms : float, optional
        No frame waits longer for the detector; what comes later is used when it comes.
    max_lag_ms : float, optional
        How much later frames may come, by their own times, than the one that came most promptly. When all of ten
        seconds came later, they are looked at less until the stream has caught up, and hidden whole where no detection
        is recent enough. Where frames come sooner than their times are apart, as in pieces, they may wait half of that
        for a detection ``"async"``.
    on_overload : str
        What becomes of a frame when there is no detection that is recent enough, half a second in the same shot:
        ``"grow"`` lets masks grow as places become uncertain, ``"hide"`` hides the whole frame. Before the first
        detection of a stream has been completed, the whole frame is hidden anyway.
    on_new_shot : str
        ``"hide"`` hides the whole of a frame that is returned before anything has been detected in its shot, and since
        its picture changed altogether, a flash included; ``"show"`` hides who was there before.
    select : callable, optional
        Told a `Face`, says whether it is hidden; by default everyone is, or, with
        ``doubtful="show"``, whoever is certain to be a face.
    on_faces : callable, optional
        Told every frame, as it is about to be returned, and its faces.
    hide_regions, show_regions : sequence of polygons
        Each a sequence of corners (x, y), fractions of the picture as it is shown: what lies in the former is always
        hidden; no face is hidden in the latter. Where they overlap, and in frames that are hidden altogether, it is.

    Raises
    ------
    ConfigurationUnsupportedError
        A value is out of its range, or the model cannot be used.

    Examples
    --------
    >>> import av, facered
    >>> with av.open("foo.mp4") as container, facered.Redactor() as redactor:  # doctest: +SKIP
    ...     for frame in container.decode(video=0):
    ...         for clean in redactor.process(frame):
    ...             ...
    ...     for clean in redactor.flush():
    ...         ...
    """

    def __init__(
        self,
        *,
        blur: str = "Med",
        shape: str = "ellipse",
        feather: float = 0.15,
        blur_radius: float | None = None,
        doubtful: str = "hide",
        margin: float = 1.4,
        threshold: float = 0.3,
        max_faces: int | None = 64,
        rate: float | None = None,
        lookahead: int = 0,
        detect: str | int = "sync",
        detect_size: int | None = None,
        precision: str = "auto",
        model: str | os.PathLike[str] | None = None,
        threads: int = 1,
        deadline_ms: float | None = None,
        max_lag_ms: float | None = None,
        on_overload: str = "grow",
        on_new_shot: str = "show",
        select: Callable[[Face], bool] | None = None,
        on_faces: Callable[[Any, tuple[Face, ...]], None] | None = None,
        hide_regions: Iterable[Polygon] = (),
        show_regions: Iterable[Polygon] = (),
    ) -> None:
        wanted = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        self._settings = Settings.of(wanted)
        options = self._settings.options
        with facered_only("the detector cannot be made ready"):
            detector = Detector(options.model, options.threads, options.detect_size, options.precision, shared=True)
        self._detector = LiveDetector(detector, self._settings)
        self._selection = Selection(self._settings)
        self._queue = FrameQueue(self._settings, self._detector, self._selection)
        self._orientations = Orientations()
        self._closed, self._process_id = False, os.getpid()
        self._busy = threading.Lock()

    def __enter__(self) -> Redactor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def faces(self) -> tuple[Face, ...]:
        """The faces of the frame just given, by what is known so far."""
        return self._queue.faces

    @property
    def stats(self) -> Stats:
        """What has happened since the redactor was made."""
        return self._queue.stats

    def warm_up(self, width: int, height: int, format: str = "yuv420p") -> None:  # noqa: A002
        """Have the first frame take no longer than others of its kind: all that is set up once is set up now.

        It takes as long as a dozen detections; to be called before a stream's first frame, or after `flush`. Nothing of
        it is told or counted.

        Parameters
        ----------
        width, height : int
            The size of the pictures that will come, in pixels.
        format : str
            Their pixel format, as `process` takes it: of frames or of arrays.

        Raises
        ------
        ConfigurationUnsupportedError
            There is no such size, or a stream is under way.
        ContentUnsupportedError
            There is no such format.
        """
        kind = checks.whole(1, MAX_SIDE)
        size = kind.check("width", width), kind.check("height", height)
        if not isinstance(format, str):
            raise ConfigurationUnsupportedError(f"format is {shown(format)}; it can be the name of a pixel format")

        def make() -> Given:
            with facered_only("there can be no such picture"):
                if format in PACKED:
                    return GivenArray(arrays.nothing(*size, format), format, None)
                return GivenFrame(input.nothing(*size, PLANAR.get(format, format)), Orientations())

        with self._alone():
            self._queue.warm_up(make)

    def process(
        self,
        frame: F,
        format: str | None = None,  # noqa: A002
        pts: float | None = None,
    ) -> list[F]:
        """Take the next frame; return those that are ready, the very objects, in order.

        A frame in which nothing is hidden is not touched. Another is written into where it lies in memory if nobody
        else uses that, as decoders do; else it is given a copy first. An array is always written into where it is, and
        must stay as it is until it is returned.

        Parameters
        ----------
        frame : av.VideoFrame or (height, width, 3) uint8
            A frame in one of the native formats, or an array as OpenCV has them. With another size, format or
            orientation than the one before, it begins a new stream, and all frames before it are returned at once.
        format : str, optional
            Of an array: ``"bgr24"``, ``"rgb24"``; one of four samples a pixel, such as ``"bgra"`` or ``"rgb0"``, as
            (height, width, 4); ``"gray"``, (height, width); ``"i420"``, ``"nv12"``, ``"nv21"``, (1.5 * height, width).
        pts : float, optional
            An array's time in seconds; by default it follows the one before at the rate.

        Raises
        ------
        ConfigurationUnsupportedError, ContentUnsupportedError
            It is no frame, or its pixel format is not native; the message names one to convert it to. It is not taken.
        ServiceError
            A stage of the work failed, or a function that was given. The frame is taken, so do not give it again: it
            and all that wait come later, in order, and hidden whole; so do those after them until something has been
            detected again. As long as call after call fails, only the first raises; the others return what is due,
            hidden whole, and are counted in ``stats.failures``.
        """
        if isinstance(frame, VideoFrame) and (format is not None or pts is not None):
            raise ConfigurationUnsupportedError("format and pts are for arrays; an av.VideoFrame knows its own")
        if not isinstance(frame, VideoFrame | np.ndarray):
            raise ConfigurationUnsupportedError(f"frame is {shown(frame)}; it can be an av.VideoFrame or a NumPy array")
        with self._alone():
            with facered_only("the frame cannot be taken"):
                given: Given
                if isinstance(frame, np.ndarray):
                    given = GivenArray(frame, format, pts)
                else:
                    given = GivenFrame(frame, self._orientations)
            return self._queue.push(given)

    def process_planes(
        self,
        planes: Sequence[Any],
        strides: Sequence[int] | None,
        format: str,  # noqa: A002
        pts: T,
        *,
        width: int,
        height: int,
        matrix: str | None = None,
        full_range: bool = False,
        interlaced: bool = False,
    ) -> list[Planes]:
        """Take the next picture as planes, which are written into where they are; return those that are ready.

        Parameters
        ----------
        planes : sequence
            One for each plane of the format, each writable: anything with the buffer protocol, NumPy arrays and shared
            memory among them, or DLPack. They must stay as they are until they are returned.
        strides : sequence of int, or None
            Bytes from row to row of each plane; None takes those of two-dimensional arrays, or rows without padding.
        format : str
            FFmpeg's name of a native pixel format.
        pts : object
            Comes back as it is.
        width, height : int
            The picture's size in pixels.
        matrix : str, optional
            ``"bt601"``, ``"bt709"`` or ``"bt2020"``; by default by the picture's height.
        full_range : bool
            Whether black is 0 and white 255, not 16 and 235.
        interlaced : bool
            Whether even and odd rows are pictures of different moments.

        Raises
        ------
        ConfigurationUnsupportedError
            The planes cannot be of such a picture, or cannot be written into.
        ContentUnsupportedError
            The pixel format is not native.
        ServiceError
            See `process`.
        """
        with self._alone():
            with facered_only("the planes cannot be taken"):
                given = given_planes(
                    planes,
                    strides,
                    format,
                    pts,
                    width=width,
                    height=height,
                    matrix=matrix,
                    full_range=full_range,
                    interlaced=interlaced,
                )
            return self._queue.push(given)

    def flush(self) -> list[Any]:
        """Return the frames that are left; what is given next begins a new stream.

        Raises
        ------
        ServiceError
            See `process`; the next call returns them.
        """
        with self._alone(closed=True):
            self._orientations = Orientations()
            return self._queue.flush()

    def show(self, id: int) -> None:  # noqa: A002
        """Hide this person no more, whatever `select` says; from the next frame that is returned on."""
        self._selection.ask(id, False)

    def hide(self, id: int) -> None:  # noqa: A002
        """Hide this person, whatever `select` says; from the next frame that is returned on."""
        self._selection.ask(id, True)

    def close(self) -> None:
        """End the detector's thread; frames that were not returned are dropped, and no more are taken.

        While another thread gives a frame, it is for that call to drop them, when it ends.
        """
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        """Drop what is left of a redactor that is closed, unless a call is under way, which does so in the end."""
        ours = self._process_id == os.getpid()
        # What was under way when the process was forked does not go on in the child.
        if self._busy.acquire(blocking=False) or not ours:
            self._queue.close()
            if ours:
                self._detector.close()
                self._busy.release()

    @contextmanager
    def _alone(self, *, closed: bool = False) -> Iterator[None]:
        """Have no two calls give frames at once: they would get each other's frames; `closed` ones are refused, too."""
        if self._process_id != os.getpid():
            raise ConfigurationUnsupportedError("the redactor was made before this process was forked; make one in it")
        if not self._busy.acquire(blocking=False):
            raise ConfigurationUnsupportedError(
                "the redactor is amid another call, of another thread or of the one that called this function; "
                "give it one frame at a time, or make a redactor for each thread"
            )
        try:
            if self._closed and not closed:
                raise ConfigurationUnsupportedError("the redactor is closed; make another")
            yield
        finally:
            self._busy.release()
            if self._closed:
                self._drop()
