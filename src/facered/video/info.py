"""What a picture stream and its first frame say: size, clock, orientation, colours, light."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, cast

import av
from av.format import Flags
from av.sidedata.sidedata import Type as SideDataType

from facered.errors import ContentMalformedError, ContentUnsupportedError, ServiceError
from facered.video import formats
from facered.video.orientation import UPRIGHT, Orientation

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_PRIMING = Fraction(1, 5)
"""Seconds before time 0 in which sound prepares its decoder and is not heard, at most; by hand. With less, good files
would be shifted; with more, sound before the first picture would be lost."""
MAX_ASPECT = 1000
"""By how much one side of a picture may be longer than the other; by hand. With more, nothing is left of the other when
the picture is made smaller for the detector."""
MAX_SIDE = 1 << 16
"""Pixels of a side, at most: what annotations hold."""
NO_TIMES = cast("int", Flags.no_timestamps.value)
"""FFmpeg's flag of containers that tell no times: bare pictures one behind the other."""
TURNS = {90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
"""The turning part of the display matrix by degrees counterclockwise."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What a picture's samples mean, by the code points of ISO/IEC 23091-2; 2, or 0 for the range, is unspecified."""

    range: int = 0
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2

    @classmethod
    def of(cls, frame: VideoFrame) -> Colours:
        """Return those of a frame."""
        return cls(int(frame.color_range), int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What there is to know about the picture stream once its first frame is decoded.

    Attributes
    ----------
    width, height : int
        Size of the shown picture in pixels.
    rate : Fraction
        Average frames per second.
    time_base : Fraction
        Seconds per tick of the stream's clock.
    frames : int
        Expected number of frames, for showing progress; 0 where unknown.
    pixel_format : str
        FFmpeg's name.
    orientation : Orientation
        How the stored picture is turned when it is shown.
    display_matrix : tuple of nine int
        The same as the file has it; empty where it has none.
    interlaced : bool
        Whether even and odd rows are pictures of different moments.
    colours : Colours
        Of the frames in the working format.
    sample_aspect_ratio : Fraction or None
    mastering, light : tuple of int
        See `mastering_display` and `light_level`.
    lead : Fraction
        Seconds by which all times of a copy are later, so that none is negative; 0 where none is.
    """

    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    frames: int
    pixel_format: str
    orientation: Orientation = UPRIGHT
    display_matrix: tuple[int, ...] = ()
    interlaced: bool = False
    colours: Colours = field(default_factory=Colours)
    sample_aspect_ratio: Fraction | None = None
    mastering: tuple[int, ...] = ()
    light: tuple[int, ...] = ()
    lead: Fraction = Fraction(0)

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is stored."""
        return self.orientation.size(self.width, self.height)

    def check_frame(self, frame: VideoFrame) -> None:
        """Make sure that a frame is of this video's kind: boxes would be in the wrong place.

        Raises
        ------
        ServiceError
            It is not.
        """
        if (frame.width, frame.height) != self.stored_size or frame.pts is None:
            raise ServiceError(
                f"a frame of {frame.width}x{frame.height} at {frame.pts} among those of {self.stored_size}; please "
                "report it"
            )

    @property
    def working_format(self) -> str:
        """The pixel format in which the kernels work on its frames."""
        return formats.working_format(self.pixel_format)

    @property
    def full_range(self) -> bool:
        """Whether black is 0 and white 255, or so many times more where samples have more bits."""
        return self.colours.range == formats.FULL_RANGE or self.working_format.startswith("yuvj")


def describe(
    frame: VideoFrame, stream: VideoStream, container: InputContainer, name: object, rate: Fraction
) -> VideoInfo:
    """Return what a stream's first frame, as decoded, and its container say.

    `name` stands in errors; `rate` is how many frames a second there are.

    Raises
    ------
    ContentMalformedError
        The stream has no clock.
    ContentUnsupportedError
        The picture is a mere line, or too large.
    """
    if max(frame.width, frame.height) > MAX_ASPECT * min(frame.width, frame.height):
        raise ContentUnsupportedError(
            f"{name}: the picture is a line of {frame.width}x{frame.height} pixels; there is no face in it"
        )
    if max(frame.width, frame.height) > MAX_SIDE:
        raise ContentUnsupportedError(
            f"{name}: a picture of {frame.width}x{frame.height} pixels; a side can have at most {MAX_SIDE}"
        )
    time_base = stream.time_base
    if time_base is None:
        raise ContentMalformedError(f"{name}: the video stream has no time base")
    count = stream.frames
    if not count and stream.duration:
        count = round(stream.duration * time_base * rate)
    elif not count and container.duration:
        count = round(Fraction(container.duration, av.time_base) * rate)
    matrix = display_matrix(frame)
    orientation = Orientation.of_matrix(matrix) if matrix else UPRIGHT
    size = orientation.size(frame.width, frame.height)
    return VideoInfo(
        *size,
        rate=rate,
        time_base=time_base,
        frames=count,
        pixel_format=frame.format.name,
        orientation=orientation,
        display_matrix=matrix,
        interlaced=frame.interlaced_frame,
        sample_aspect_ratio=stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio,
        mastering=mastering_display(frame),
        light=light_level(frame),
        lead=_lead(frame, time_base, container),
    )


def _lead(frame: VideoFrame, time_base: Fraction, container: InputContainer) -> Fraction:
    """Return by how much times have to be later to begin at 0: players do not show what is before that."""
    pts = frame.pts if frame.pts is not None else frame.dts
    first = (pts or 0) * time_base
    lead = max(-first, Fraction(0))
    begin = Fraction(container.start_time or 0, av.time_base)
    # What an MP4 file has before 0 its own edit list hides; what sound in Matroska has a little before is not heard.
    name = container.format.name
    priming = MAX_PRIMING if name.startswith("matroska") and not lead else Fraction(0)
    if begin < -priming and not name.startswith("mov"):
        lead = max(lead, ceil(-begin / time_base) * time_base)  # pictures stay on their ticks
    return lead


def display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    """Return the nine numbers that say how a frame is turned when it is shown; none where it is not."""
    try:
        matrix = side_data(frame, SideDataType.DISPLAYMATRIX, "i")
    except ValueError:  # PyAV does not know what photos have beside it, and tells the angle only
        a, b, c, d = TURNS.get(frame.rotation % 360, (1, 0, 0, 1))
        return (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30) if frame.rotation else ()
    return tuple(matrix)


def side_data(frame: VideoFrame, kind: SideDataType, numbers: str) -> list[int]:
    """Return a frame's side data as numbers of a `struct` format; nothing where there is none.

    Raises
    ------
    ValueError
        The frame has side data of kinds that PyAV does not know.
    """
    data = frame.side_data.get(kind)  # type: ignore[call-overload]
    return memoryview(data).cast("B").cast(numbers).tolist() if data is not None else []  # type: ignore[call-overload]


def has_captions(frame: VideoFrame) -> bool:
    """Tell whether a frame brings closed captions along."""
    with suppress(ValueError):
        return frame.side_data.get(SideDataType.A53_CC) is not None  # type: ignore[call-overload]
    return False


def _known_side_data(frame: VideoFrame, kind: SideDataType, numbers: str) -> list[int]:
    with suppress(ValueError):
        return side_data(frame, kind, numbers)
    return []


def mastering_display(frame: VideoFrame) -> tuple[int, ...]:
    """Return the mastering display of a frame: x and y of red, green, blue and white, least and greatest light.

    In units of 1/50,000 and of 1/10,000 candela a square metre; empty where the frame does not say all of it.
    """
    numbers = _known_side_data(frame, SideDataType.MASTERING_DISPLAY_METADATA, "i")
    if not numbers or not (numbers[20] and numbers[21]) or 0 in numbers[1:20:2]:
        return ()
    units = [50000] * 8 + [10000] * 2
    return tuple(
        round(unit * numerator / denominator)
        for unit, numerator, denominator in zip(units, numbers[0:20:2], numbers[1:20:2], strict=True)
    )


def light_level(frame: VideoFrame) -> tuple[int, ...]:
    """Return the greatest light of a pixel and of a frame's average, in candela a square metre, or nothing."""
    return tuple(_known_side_data(frame, SideDataType.CONTENT_LIGHT_LEVEL, "I")[:2])
