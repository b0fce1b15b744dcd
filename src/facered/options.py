"""What a caller may choose, checked once."""

from __future__ import annotations

import operator
import os
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from typing import TypeGuard, cast

from facered.errors import ConfigurationUnsupportedError

STYLES = ("Low", "Med", "High", "Box", "Black", "Mosaic")
"""How faces are hidden; Box only outlines them, for checking."""

SHAPES = ("ellipse", "rectangle")

DETECTIONS = ("auto", "every")
"""When the detector looks: where following is not certain, and once in a while; or at every frame."""

RESOLUTIONS = ("SourceResolution", "StandardDefinition")
"""What the detector works on: the picture as it is, or a smaller one."""

PRECISIONS = ("auto", "fp32", "int8")
"""Numbers that the detector computes with; auto takes 8-bit integers where the processor is faster with them."""

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
"""The encoders' presets, fastest first."""

CODECS = ("h264", "hevc", "av1", "prores")
"""What pictures can be encoded with."""

AUDIO = ("copy", "aac", "none")
"""What becomes of sound: bit for bit where the container holds it, always AAC, or left out."""

MAX_ID = 2**31 - 1
"""The largest id of a face, wherever ids are given."""

MAX_SECONDS = 1e9
MIN_BITRATE, MAX_BITRATE = 1000, 2**40
_BITRATE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([kKmM]?)", re.ASCII)
_NAME = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
_TIME = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,9}(?:\.\d{1,12})?)", re.ASCII)
_ID_LIST = re.compile(r"[\d\s,]+", re.ASCII)

_ID_CHOICES = f"whole numbers from 0 to {MAX_ID}, such as 1,3"

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a job.

    Names among choices are matched without regard to case and stored as they are spelt here.

    Attributes
    ----------
    threshold : float
        Least score, 0 to 1, of a detection that shows a new face; half of it is enough for a face already followed.
    margin : float
        How much larger the hidden shape is than the detected face; at least 1.
    blur : str
        How faces are hidden; one of `STYLES`.
    shape : str
        What is hidden of a face's box; one of `SHAPES`.
    feather : float
        Width of the fading rim around the shape, as a part of its semi-axes.
    blur_radius : float or None
        Radius of the blur as a part of the hidden shape's width; None takes what `blur` says.
    resolution : str
        What the detector works on; one of `RESOLUTIONS`.
    max_faces : int or None
        Most faces in a frame; None, or the text ``"all"``, hides any number.
    detect : str
        When the detector looks at a frame; one of `DETECTIONS`.
    detect_size : int or None
        Longer side, in pixels, of the picture that the detector sees; None chooses by the size of the video, and looks
        for smaller faces on a larger picture now and then.
    precision : str
        Numbers that the detector computes with; one of `PRECISIONS`.
    model : path-like or None
        An ONNX model instead of the one that the package ships.
    ids : tuple of int or None
        The faces to hide; None hides all. Any iterable of integers will do, or a text such as ``"1,3"``.
    except_ids : tuple of int or None
        The faces not to hide, given like `ids` and not together with it.
    start, end : float or None
        First and last moment in seconds; None is where the video begins and ends. Texts such as ``"90"``, ``"1:30"``
        and ``"0:01:30.5"`` will do.
    codec : str or None
        One of `CODECS`; None takes H.264 for 8 bits and HEVC for more.
    preset : str
        One of `PRESETS`, of x264, x265 or, as near as can be, SVT-AV1.
    crf : float
        The encoder's constant rate factor, 0 (lossless) to 51.
    bitrate : int or None
        Bits a second instead of a constant rate factor; a text such as ``"4M"`` or ``"800k"`` will do.
    pix_fmt : str or None
        FFmpeg's name of the pixel format to encode; None keeps the source's, as far as the encoder takes it.
    encoder_options : mapping of str to str
        Further options of FFmpeg's encoder.
    audio : str
        One of `AUDIO`; a voice identifies too.
    keep_location : bool
        Whether to keep the tag that says where the video was recorded.
    stream : int or None
        Which of several video streams to work on, from 0; None takes the first. The others are left out.
    strict : bool
        Whether damage in the video is an error.
    threads : int
        Threads for decoding, detecting and encoding each; 0 takes as many as there are cores that the process may use;
        1 does one thing after the other.
    overwrite : bool
        Whether existing outputs may be replaced.

    Raises
    ------
    ConfigurationUnsupportedError
        A value is out of its range, or two do not go together.
    """

    threshold: float = 0.3
    margin: float = 1.4
    blur: str = "Med"
    shape: str = "ellipse"
    feather: float = 0.15
    blur_radius: float | None = None
    resolution: str = "SourceResolution"
    max_faces: int | None = 64
    detect: str = "auto"
    detect_size: int | None = None
    precision: str = "auto"
    model: str | os.PathLike[str] | None = None
    ids: tuple[int, ...] | None = None
    except_ids: tuple[int, ...] | None = None
    start: float | None = None
    end: float | None = None
    codec: str | None = None
    preset: str = "veryfast"
    crf: float = 18.0
    bitrate: int | None = None
    pix_fmt: str | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    audio: str = "copy"
    keep_location: bool = False
    stream: int | None = None
    strict: bool = False
    threads: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if self.ids is not None and self.except_ids is not None:
            raise ConfigurationUnsupportedError("ids and except_ids are both given; give one of them")
        if self.end is not None and self.end <= (self.start or 0):
            raise ConfigurationUnsupportedError(f"end is {self.end!r}; it must be after start, {self.start or 0.0!r}")

    @classmethod
    def of(cls, mapping: Mapping[str, object]) -> Options:
        """Return the options that a mapping holds, by the names of the fields.

        Parameters
        ----------
        mapping : Mapping
            Fields that are not in it keep their defaults.

        Returns
        -------
        Options

        Raises
        ------
        ConfigurationUnsupportedError
            A key is not the name of a field, or a value is wrong.
        """
        for name in mapping:
            if name not in cls.__dataclass_fields__:
                known = ", ".join(cls.__dataclass_fields__)
                raise ConfigurationUnsupportedError(f"unknown option {shown(name)}; there are {known}")
        return cls(**mapping)  # type: ignore[arg-type]  # checked when it is made


def parse_ids(text: str, name: str = "ids") -> tuple[int, ...] | None:
    """Return the ids that a text lists, or None if it is no list and so the name of a file.

    Parameters
    ----------
    text : str
        A list holds digits, commas and blanks only, and at least one id.
    name : str
        What the ids are called in messages.

    Returns
    -------
    tuple of int or None

    Raises
    ------
    ConfigurationUnsupportedError
        It is a list, and an id in it is larger than `MAX_ID`.
    """
    if _ID_LIST.fullmatch(text) is None:
        return None
    digits = [number.lstrip("0") or "0" for number in re.findall("[0-9]+", text)]
    # Python does not convert thousands of digits.
    if any(len(number) > len(str(MAX_ID)) or int(number) > MAX_ID for number in digits):
        raise _unfit(name, text, _ID_CHOICES)
    return tuple(map(int, digits)) or None


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return the one of several names that a value is, whatever its case.

    Raises
    ------
    ConfigurationUnsupportedError
        It is none of them.
    """
    if isinstance(value, str):
        for candidate in choices:
            if candidate.lower() == value.lower():
                return candidate
    raise _unfit(name, value, ", ".join(choices))


def shown(value: object) -> str:
    """Return a value as it stands in a message: on one line and cut short."""
    try:
        return _REPR.repr(value).replace("\n", " ")
    except ValueError:  # an integer of more digits than Python prints
        return f"<{type(value).__name__}>"


def _unfit(name: str, value: object, choices: str) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(f"{name} is {shown(value)}; it can be {choices}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def _number(name: str, value: object, low: float, high: float) -> float:
    # Compared before it is converted: an integer may be too large for a float.
    if not _is_number(value) or not low <= value <= high:
        raise _unfit(name, value, f"a number from {low:g} to {high:g}")
    return float(value)


def _number_or_none(name: str, value: object, low: float, high: float) -> float | None:
    return None if value is None else _number(name, value, low, high)


def _whole(name: str, value: object, low: int, high: int, otherwise: str = "") -> int:
    if not _is_number(value) or not low <= value <= high or value != int(value):
        raise _unfit(name, value, f"a whole number from {low} to {high}{otherwise}")
    return int(value)


def _whole_or_none(name: str, value: object, low: int, high: int) -> int | None:
    return None if value is None else _whole(name, value, low, high)


def _whole_or_all(name: str, value: object, low: int, high: int) -> int | None:
    if value is None or (isinstance(value, str) and value.lower() == "all"):
        return None
    return _whole(name, value, low, high, ", or all")


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _unfit(name, value, "true or false")
    return value


def _choice_or_none(name: str, value: object, choices: tuple[str, ...]) -> str | None:
    return None if value is None else choice(name, value, choices)


def _name_or_none(name: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and _NAME.fullmatch(value)):
        return value
    raise _unfit(name, value, "the name of a pixel format, such as yuv420p")


def _bitrate(name: str, value: object) -> int | None:
    if isinstance(value, str) and (match := _BITRATE.fullmatch(value.strip())):
        value = round(float(match[1]) * {"": 1, "k": 1000, "m": 1000000}[match[2].lower()])
    if value is None or (_is_number(value) and MIN_BITRATE <= value <= MAX_BITRATE):
        return None if value is None else int(value)
    raise _unfit(name, value, f"bits a second from {MIN_BITRATE}, or a text such as 4M or 800k")


def _texts(name: str, value: object) -> dict[str, str]:
    if isinstance(value, Mapping) and all(isinstance(key, str) and key for key in value):
        texts = {key: str(entry) for key, entry in value.items() if isinstance(entry, str | int | float)}
        if len(texts) == len(value):
            return texts
    raise _unfit(name, value, "names with values, such as {'tune': 'film'}")


def _path(name: str, value: object) -> str | os.PathLike[str] | None:
    if value is None or (isinstance(value, (str, os.PathLike)) and value != ""):
        return value
    raise _unfit(name, value, "the name of a file")


def _ids(name: str, value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    ids = parse_ids(value, name) if isinstance(value, str) else _listed_ids(value)
    if ids is None:
        raise _unfit(name, value, _ID_CHOICES)
    return ids


def _some_ids(name: str, value: object) -> tuple[int, ...] | None:
    ids = _ids(name, value)
    if ids == ():
        raise ConfigurationUnsupportedError(
            f"{name} is empty, so that nobody would be hidden; leave it out for everyone"
        )
    return ids


def _listed_ids(value: object) -> tuple[int, ...] | None:
    """Return the ids in an iterable, or None if there is anything else in it."""
    # Bytes are iterables of integers too, but not of those that they spell.
    if isinstance(value, (bytes, bytearray, memoryview, Mapping)):
        return None
    try:
        items = list(cast("Iterable[object]", value))
        ids = tuple(operator.index(item) for item in items)  # type: ignore[arg-type]
    except TypeError:
        return None
    fit = all(0 <= number <= MAX_ID for number in ids) and not any(isinstance(item, bool) for item in items)
    return ids if fit else None


def _time(name: str, value: object) -> float | None:
    if value is None:
        return None
    seconds = _seconds(value) if isinstance(value, str) else value
    if not _is_number(seconds) or not 0 <= seconds <= MAX_SECONDS:
        raise _unfit(name, value, "seconds from 0, or a time such as 1:30 or 0:01:30.5")
    return float(seconds)


def _seconds(text: str) -> float | None:
    """Return the seconds in a text such as 90, 1:30 or 0:01:30.5, or None."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    if (minutes is not None and float(seconds) >= 60) or (hours is not None and int(minutes) >= 60):
        return None
    return (int(hours or 0) * 60 + int(minutes or 0)) * 60 + float(seconds)


_CHECKS: dict[str, Callable[[str, object], object]] = {
    "threshold": partial(_number, low=0.01, high=1),
    "margin": partial(_number, low=1, high=4),
    "blur": partial(choice, choices=STYLES),
    "shape": partial(choice, choices=SHAPES),
    "feather": partial(_number, low=0.01, high=1),
    "blur_radius": partial(_number_or_none, low=0.05, high=4),
    "resolution": partial(choice, choices=RESOLUTIONS),
    "max_faces": partial(_whole_or_all, low=1, high=4096),
    "detect": partial(choice, choices=DETECTIONS),
    "detect_size": partial(_whole_or_none, low=32, high=8192),
    "precision": partial(choice, choices=PRECISIONS),
    "model": _path,
    "ids": _some_ids,
    "except_ids": _ids,
    "start": _time,
    "end": _time,
    "preset": partial(choice, choices=PRESETS),
    "codec": partial(_choice_or_none, choices=CODECS),
    "crf": partial(_number, low=0, high=51),
    "bitrate": _bitrate,
    "pix_fmt": _name_or_none,
    "encoder_options": _texts,
    "audio": partial(choice, choices=AUDIO),
    "keep_location": _flag,
    "stream": partial(_whole_or_none, low=0, high=1024),
    "strict": _flag,
    "threads": partial(_whole, low=0, high=1024),
    "overwrite": _flag,
}
