"""A frame as it was given, and as planes: PyAV's, or planes of the caller's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from facered.checks import shown
from facered.errors import ConfigurationUnsupportedError, ContentUnsupportedError
from facered.video import formats
from facered.video.info import display_matrix
from facered.video.orientation import UPRIGHT, Orientation
from facered.video.picture import VideoFrame, has_stray_bits, view

if TYPE_CHECKING:
    from facered.video.picture import Picture


@dataclass(frozen=True, slots=True)
class Planes:
    """What `facered.Redactor.process_planes` was given, redacted.

    Attributes
    ----------
    pts : object
    planes : tuple
        The very objects.
    """

    pts: Any
    planes: tuple[Any, ...]


class Given(Protocol):
    """A frame that waits to be returned."""

    @property
    def result(self) -> Any:
        """What is returned."""

    @property
    def picture(self) -> Picture:
        """Its planes, to be read."""

    @property
    def seconds(self) -> float | None:
        """Its time, where it says so."""

    @property
    def duration(self) -> float:
        """For how many seconds it is shown; 0 where it does not say so."""

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, to be written into, and how many bytes were copied for that."""


class Orientations:
    """Tells how frames of a stream are turned; asks one in full only when that may have changed.

    What PyAV tells in full of a frame keeps it alive until the garbage collector comes.
    """

    def __init__(self) -> None:
        self._about: tuple[int, ...] = ()
        self._orientation = UPRIGHT

    def of(self, frame: VideoFrame) -> Orientation:
        """Return how a frame is turned when it is shown."""
        about = frame.rotation, frame.width, frame.height
        if about != self._about:
            matrix = display_matrix(frame)
            self._about, self._orientation = about, Orientation.of_matrix(matrix) if matrix else UPRIGHT
        return self._orientation


class GivenFrame:
    """A frame of PyAV.

    Parameters
    ----------
    frame : av.VideoFrame
    orientations : Orientations

    Raises
    ------
    ConfigurationUnsupportedError
        Its samples cannot be of its pixel format.
    ContentUnsupportedError
        That is not one that the kernels work on.
    """

    def __init__(self, frame: VideoFrame, orientations: Orientations) -> None:
        name = frame.format.name
        if formats.layout(name) is None:
            raise ContentUnsupportedError(
                f"frames in {name} are not redacted as they are; "
                f"convert them: frame.reformat(format={formats.working_format(name)!r})"
            )
        if has_stray_bits(frame):
            raise ConfigurationUnsupportedError(f"the frame has samples that are larger than those of {name} can be")
        self.result = frame
        self._orientations = orientations
        self._orientation = UPRIGHT
        self._picture: Picture | None = None

    @property
    def picture(self) -> Picture:
        """Its planes, to be read."""
        if self._picture is None:
            self._orientation = self._orientations.of(self.result)
            self._picture = view(self.result, self._orientation)
        return self._picture

    @property
    def seconds(self) -> float | None:
        """Its time, where it says so."""
        pts, base = self.result.pts, self.result.time_base
        return None if pts is None or base is None else float(pts * base)

    @property
    def duration(self) -> float:
        """For how many seconds it is shown; 0 where it does not say so."""
        duration, base = self.result.duration, self.result.time_base
        return float(duration * base) if duration and base else 0.0

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, to be written into, and how many bytes were copied for that."""
        frame, picture = self.result, self.picture
        before = frame.planes[0].buffer_ptr
        frame.make_writable()
        if frame.planes[0].buffer_ptr == before:
            return picture, 0
        self._picture = picture = view(frame, self._orientation)
        return picture, sum(plane.buffer_size for plane in frame.planes)


def nothing(width: int, height: int, pixel_format: str) -> VideoFrame:
    """Return a frame of a native format whose samples are all 0.

    Raises
    ------
    ContentUnsupportedError
        The pixel format is not native.
    """
    if formats.layout(pixel_format) is None:
        raise ContentUnsupportedError(f"there are no frames in {shown(pixel_format)} that are redacted as they are")
    frame = VideoFrame(width, height, pixel_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


class GivenPlanes:
    """Planes in memory of the caller's.

    Parameters
    ----------
    record : Planes
    picture : Picture
    """

    def __init__(self, record: Planes, picture: Picture) -> None:
        self.result, self.picture = record, picture
        self.seconds: float | None = None  # their time is in units that only the caller knows
        self.duration = 0.0

    def writable(self) -> tuple[Picture, int]:
        """Return its planes, which are written into where they are."""
        return self.picture, 0
