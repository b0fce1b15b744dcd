"""`Redactor`: frame in, frame out, the faces hidden."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from facered.detect.detector import Detector
from facered.errors import ConfigurationUnsupportedError
from facered.hide import areas
from facered.hide.hider import Hider
from facered.hide.style import chosen_style
from facered.live.detection import LiveDetector
from facered.live.face import Face, Stats
from facered.live.input import Given, GivenFrame, Orientations, Planes, given_planes
from facered.live.settings import Settings
from facered.live.stream import DEFAULT_RATE, Stream
from facered.runtime.profiling import timed

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from facered.checks import Polygon
    from facered.hide.areas import Area
    from facered.track.online import Presence
    from facered.video.picture import Picture, VideoFrame

T = TypeVar("T")


class Redactor:
    """Hides the faces in frames as they come, for use between a decoder or a camera and an encoder.

    One stream each; several in threads of their own share the model's session.

    Parameters
    ----------
    blur, shape, feather, blur_radius, margin, threshold, max_faces, detect_size, precision, model
        As in `facered.Options`. With ``detect_size`` every detection takes equally long; without it smaller faces are
        looked for on a larger picture now and then, which takes several times as long.
    rate : float, optional
        Frames a second; by default what the first frame's duration says, else 25.
    lookahead : int
        By how many frames the stream is delayed. 0 returns each frame at once. With more, what is known by then is used
        to go backwards in time: faces are hidden before they are first detected, gaps are filled, and masks are smooth.
    detect : str or int
        ``"sync"`` detects where the tracker wants it, while the frame waits; a number, in every n-th frame of a shot;
        ``"async"``, in a thread beside the stream, whenever that is free; only the stream's very first frame waits.
    threads : int
        Threads that the detector uses for a picture; 0 takes as many as there are cores.
    deadline_ms : float, optional
        No frame waits longer for the detector; what comes later is used when it comes.
    on_overload : str
        What becomes of a frame when there is no detection that is recent enough, half a second in the same shot:
        ``"grow"`` lets masks grow as places become uncertain, ``"hide"`` hides the whole frame. Before the first
        detection of a stream has been completed, the whole frame is hidden anyway.
    select : callable, optional
        Told a `Face`, says whether it is hidden; by default everyone is.
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
        on_overload: str = "grow",
        select: Callable[[Face], bool] | None = None,
        on_faces: Callable[[Any, tuple[Face, ...]], None] | None = None,
        hide_regions: Iterable[Polygon] = (),
        show_regions: Iterable[Polygon] = (),
    ) -> None:
        wanted = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        self._settings = Settings.of(wanted)
        options = self._settings.options
        detector = Detector(options.model, options.threads, options.detect_size, options.precision, shared=True)
        self._detector = LiveDetector(detector, self._settings)
        style = chosen_style(options)
        self._hider, self._whole = Hider(style), Hider(replace(style, rectangle=True))
        self._stream: Stream | None = None
        self._next_key = 0
        self._orientations = Orientations()
        self._waiting: deque[Given] = deque()
        self._faces: tuple[Face, ...] = ()
        self._asked: dict[int, bool] = {}
        self._lock = threading.Lock()
        self._stats = Stats()
        self._areas: list[Area] = []
        self._spared: NDArray[np.bool_] | None = None
        self._closed = False

    def __enter__(self) -> Redactor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def faces(self) -> tuple[Face, ...]:
        """The faces of the frame just given, by what is known so far."""
        return self._faces

    @property
    def stats(self) -> Stats:
        """What has happened since the redactor was made."""
        return replace(self._stats, detections=self._detector.detections, late=self._detector.late)

    def process(self, frame: VideoFrame) -> list[VideoFrame]:
        """Take the next frame; return those that are ready, the very objects, in order.

        A frame in which nothing is hidden is not touched. Another is written into where it lies in memory if nobody
        else uses that, as decoders do; else it is given a copy first.

        Parameters
        ----------
        frame : av.VideoFrame
            In one of the native formats. With another size, format or orientation than the one before, it begins a new
            stream, and all frames before it are returned at once.

        Raises
        ------
        ContentUnsupportedError
            Its pixel format is not native; the message names one to convert it to.
        """
        seconds = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        return self._process(GivenFrame(frame, self._orientations), seconds)

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
        """
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
        return self._process(given, 0.0)

    def flush(self) -> list[Any]:
        """Return the frames that are left; what is given next begins a new stream."""
        ready = [self._release() for _ in range(len(self._waiting))]
        if self._stream is not None:
            self._detector.forget()
            self._next_key = self._stream.next_key
        self._stream, self._faces, self._orientations = None, (), Orientations()
        return ready

    def show(self, id: int) -> None:  # noqa: A002
        """Hide this person no more, whatever `select` says; from the next frame that is returned on."""
        with self._lock:
            self._asked[id] = False

    def hide(self, id: int) -> None:  # noqa: A002
        """Hide this person, whatever `select` says; from the next frame that is returned on."""
        with self._lock:
            self._asked[id] = True

    def close(self) -> None:
        """End the detector's thread; frames that were not returned are dropped, and no more are taken."""
        self._closed = True
        self._waiting.clear()
        self._stream = None
        self._detector.close()

    def _process(self, given: Given, seconds: float) -> list[Any]:
        if self._closed:
            raise ConfigurationUnsupportedError("the redactor is closed; make another")
        deadline = self._settings.deadline
        until = math.inf if deadline is None else time.monotonic() + deadline
        ready = []
        if self._stream is not None and not self._stream.fits(given.picture):
            ready = self.flush()
        stream = self._stream or self._begin(given.picture, seconds)
        stream.take(given.picture, until, None if self._settings.rate else given.seconds)
        self._faces = self._told(stream.present, given.picture)
        self._waiting.append(given)
        if len(self._waiting) > self._settings.lookahead:
            ready.append(self._release())
        return ready

    def _begin(self, picture: Picture, seconds: float) -> Stream:
        rate = self._settings.rate or (1 / seconds if 0.001 <= seconds <= 1 else DEFAULT_RATE)
        self._stream = Stream(picture, rate, self._settings, self._detector, self._next_key)
        self._areas = areas.areas(self._settings.hide_regions, picture)
        self._spared = areas.spared(self._settings.show_regions, picture)
        return self._stream

    def _release(self) -> Any:
        """Hide the faces of the frame that has waited longest, and return it."""
        stream = self._stream
        assert stream is not None
        ago = len(self._waiting) - 1
        given = self._waiting.popleft()
        found = stream.past(ago)
        faces = self._told(found, given.picture) if ago else self._faces
        hidden = [face for face in faces if face.hidden]
        watched = stream.is_watched(ago)
        whole = stream.is_blind or (self._settings.on_overload == "hide" and not watched)
        touched, copied = bool(hidden or self._areas or whole), 0
        if touched:
            with timed("copy"):
                picture, copied = given.writable()
            with timed("hide"):
                self._hide(picture, hidden, whole)
        stats = self._stats
        self._stats = replace(
            stats,
            frames=stats.frames + 1,
            hidden=stats.hidden + touched,
            overloaded=stats.overloaded + (not watched),
            crowded=stats.crowded + (len(found) > len(faces)),
            copied=stats.copied + bool(copied),
            bytes_copied=stats.bytes_copied + copied,
        )
        if self._settings.on_faces is not None:
            self._settings.on_faces(given.result, faces)
        return given.result

    def _hide(self, picture: Picture, faces: Sequence[Face], whole: bool) -> None:
        width, height = picture.shown_size
        if whole:
            self._whole.hide(picture, np.array([[0.0, 0.0, width, height]]))
            return
        boxes = np.array([[f.x, f.y, f.x + f.width, f.y + f.height] for f in faces]).reshape(-1, 4)
        self._hider.hide(picture, boxes * ([width, height] * 2), [face.id for face in faces], self._spared)
        for area in self._areas:
            self._hider.hide_area(picture, area)

    def _told(self, found: Sequence[Presence], picture: Picture) -> tuple[Face, ...]:
        """Return faces, those that have been followed for longest first, as many as may be hidden."""
        most = self._settings.options.max_faces
        ranked = sorted(found, key=lambda presence: presence.key)[:most]
        return tuple(self._face(presence, *picture.shown_size) for presence in ranked)

    def _face(self, presence: Presence, width: int, height: int) -> Face:
        across, down = presence.box[2:] * self._settings.options.margin
        x, y = presence.box[:2] - (across / 2, down / 2)
        id_ = presence.key + 1
        face = Face(
            id_, float(x / width), float(y / height), float(across / width), float(down / height), presence.score
        )
        with self._lock:
            asked = self._asked.get(id_)
        select = self._settings.select
        return replace(face, hidden=asked if asked is not None else select is None or bool(select(face)))
