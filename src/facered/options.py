"""What a caller may choose: one table, from which the command line, job configurations, checks and docs are made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from facered import checks
from facered.checks import Kind, shown
from facered.errors import ConfigurationUnsupportedError

BLURS = ("Low", "Med", "High", "Box", "Black", "Mosaic")
"""How faces are hidden; Box only outlines them, for checking."""
SHAPES = ("ellipse", "rectangle")
DETECTIONS = ("auto", "every")
LIVE_DETECTIONS = ("sync", "async")
RESOLUTIONS = ("SourceResolution", "StandardDefinition")
PRECISIONS = ("auto", "fp32", "int8")
PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
"""The encoders' presets, fastest first."""
CODECS = ("h264", "hevc", "av1", "prores")
AUDIO_CHOICES = ("copy", "aac", "none")
OVERLOADS = ("grow", "hide")
NEW_SHOTS = ("show", "hide")
DOUBTS = ("hide", "show")

FILES, LIVE, BOTH = "files", "live", "files and live"


class Option(NamedTuple):
    """One thing that may be chosen.

    Attributes
    ----------
    name : str
        In Python and, but for hyphens and case, in job configurations and on the command line.
    group : str
        The heading that it stands under.
    kind : Kind
        What it can be.
    default : object
    help : str
        One sentence, without its default.
    metavar : str
        What stands for its value on the command line; nothing for a flag.
    usual : str
        The default in words, where its value does not say it.
    use : str
        `FILES`, `LIVE` or `BOTH`.
    """

    name: str
    group: str
    kind: Kind
    default: object
    help: str
    metavar: str = ""
    usual: str = ""
    use: str = BOTH

    @property
    def shown_default(self) -> str:
        """The default as people read it."""
        if self.usual or self.default is None:
            return self.usual or "none"
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + self.name.removesuffix("s" if self.name in REPEATED else "").replace("_", "-")


REPEATED = ("encoder_options", "hide_regions", "show_regions")
"""Options that collect what is given several times on the command line."""

MAX_PIXELS = 50_000_000
"""Most pixels of a picture, by default: half as many again as 8K, and what cameras of telephones make; by hand. With
more, a small file takes more than a gigabyte of memory."""
_THREADS = checks.whole(0, 1024)
TABLE = (
    Option("threshold", "detection", checks.number(0.01, 1), 0.3,
        "least score, 0 to 1, of a face; lower finds more, and errs more", "SCORE"),
    Option("margin", "detection", checks.number(1, 4), 1.4,
        "how much larger the hidden box is than the detected face", "FACTOR"),
    Option("max_faces", "detection", checks.whole(1, 4096).or_word("all"), 64,
        "most faces followed in a frame, or 'all'", "N"),
    Option("detect", "detection", checks.choice(DETECTIONS), "auto",
        "auto or every: where following faces is not certain, or in every frame", "WHEN", use=FILES),
    Option("detect", "detection", checks.choice_or_whole(LIVE_DETECTIONS, 1, 1000), "sync",
        "sync, async, or a number N: where following faces is not certain, beside the stream whenever the detector is "
        "free, or in every N-th frame", "WHEN", "sync; async for cameras and addresses", LIVE),
    Option("detect_size", "detection", checks.whole(32, 8192).or_none(), None,
        "longer side of the picture that the detector sees; more finds smaller faces", "PIXELS",
        "320 to 640, now and then 1280 or half the video's own"),
    Option("resolution", "detection", checks.choice(RESOLUTIONS), "SourceResolution",
        "SourceResolution or StandardDefinition: the latter detects on a smaller picture", "NAME", use=FILES),
    Option("precision", "detection", checks.choice(PRECISIONS), "auto",
        "auto, fp32 or int8: the numbers that the built-in detector computes with; int8 is faster where the processor "
        "has VNNI, and leaves more faces bare; auto takes fp32", "NAME"),
    Option("model", "detection", checks.FILE.or_none(), None, "another ONNX detector: CenterFace, YuNet or SCRFD",
        "FILE", "$FACERED_MODEL, or the built-in CenterFace"),
    Option("blur", "hiding", checks.choice(BLURS), "Med",
        f"{', '.join(BLURS)}; Low is for looks only, faces can still be found in it; Box draws outlines and ids and "
        "hides nobody", "STYLE"),
    Option("blur_radius", "hiding", checks.number(0.05, 4).or_none(), None,
        "radius of the blur as a part of the box's width; less than 0.5 may hide nobody", "PART", "the style's"),
    Option("shape", "hiding", checks.choice(SHAPES), "ellipse", "ellipse or rectangle", "SHAPE"),
    Option("feather", "hiding", checks.number(0.01, 1), 0.15,
        "width of the fading rim outside the shape, as a part of its size", "PART"),
    Option("doubtful", "hiding", checks.choice(DOUBTS), "hide",
        "hide or show: what becomes of those who may be faces and are not certain to be; ids that are asked for are "
        "hidden in any case", "HOW"),
    Option("ids", "whom to hide", checks.IDS.or_none(), None,
        "ids with commas, or a file with one a line", "IDS", "foo_IDList.txt, or everyone", FILES),
    Option("except_ids", "whom to hide", checks.IDS.or_none(), None, "hide everyone but these, with commas", "IDS",
        "nobody", FILES),
    Option("codec", "encoding", checks.choice(CODECS).or_none(), None,
        f"{', '.join(CODECS)}; prores goes into .mov", "NAME", "h264 for 8 bits, hevc for more"),
    Option("preset", "encoding", checks.choice(PRESETS), "veryfast",
        "the encoder's, ultrafast to placebo: slower makes smaller files", "NAME"),
    Option("crf", "encoding", checks.number(0, 51), 18.0, "the encoder's quality, 0 (lossless) to 51", "N"),
    Option("bitrate", "encoding", checks.BITRATE.or_none(), None,
        "bits a second, such as 4M or 800k, instead of a quality", "RATE", "by quality"),
    Option("pix_fmt", "encoding", checks.PIXEL_FORMAT.or_none(), None, "pixel format, by FFmpeg's name", "NAME",
        "the source's"),
    Option("encoder_options", "encoding", checks.TEXTS, {}, "an option of FFmpeg's encoder; can be given several times",
        "KEY=VALUE", "none"),
    Option("encoder_threads", "encoding", checks.whole(1, 128).or_none(), None,
        "threads of the encoder; with others it makes other files", "N", "by the picture's height, at most 4", FILES),
    Option("audio", "encoding", checks.choice(AUDIO_CHOICES), "copy",
        "copy, aac, none: a voice identifies too", "HOW", "copy, or AAC where that cannot be"),
    Option("keep_location", "encoding", checks.FLAG, False, "keep the tag that says where the video was recorded",
        use=FILES),
    Option("overwrite", "results", checks.FLAG, False, "replace results that exist", use=FILES),
    Option("resume", "results", checks.FLAG, False,
        "go on with what a job of the same call had finished when it was killed, or ran out of disk", use=FILES),
    Option("start", "results", checks.TIME.or_none(), None,
        "work from here on: seconds, or 1:30, or 0:01:30; what is before is passed through BARE", "TIME",
        "the beginning", FILES),
    Option("end", "results", checks.TIME.or_none(), None,
        "work up to here; the rest is passed through BARE", "TIME", "the end", FILES),
    Option("stream", "results", checks.whole(0, 1024).or_none(), None,
        "which of several video streams, from 0; the others are left out", "N", "the first", FILES),
    Option("input_format", "results", checks.FORMAT.or_none(), None,
        "format of the videos, by FFmpeg's name; hls or concat: a list, whose files are read, whatever they are",
        "NAME", "found out; no lists", FILES),
    Option("max_pixels", "results", checks.whole(1, 2**31 - 1), MAX_PIXELS,
        "most pixels of a picture, width by height; each takes 25 to 75 bytes of memory", "N", use=FILES),
    Option("strict", "results", checks.FLAG, False, "stop at damage instead of working on what is left", use=FILES),
    Option("threads", "general", _THREADS, 0,
        "threads for each of decoding and detecting; 1: one thing after the other", "N", "all cores", FILES),
    Option("threads", "general", _THREADS, 1,
        "threads for each detection, and for encoding; 0: all cores", "N", "1, and all for encoding", LIVE),
    Option("memory", "general", checks.SIZE.or_none(), None,
        "memory for doing several parts of a film at once, such as 4G; with too little, one after the other",
        "SIZE", "half of what is free", FILES),
    Option("rate", "delay", checks.number(1, 1000).or_none(), None,
        "frames a second, instead of what the frames' times say", "",
        "what the times say, 25 where there are none", LIVE),
    Option("lookahead", "delay", checks.whole(0, 1000), 0,
        "delay the stream by N frames, so that faces are hidden before they are first detected", "N", use=LIVE),
    Option("deadline_ms", "delay", checks.number(0, 60_000).or_none(), None,
        "the longest that a frame waits for the detector", "MS", "as long as that takes", LIVE),
    Option("max_lag_ms", "delay", checks.number(0, 3_600_000).or_none(), None,
        "how late frames may come; where all do for ten seconds, they are looked at less until the stream has caught "
        "up, and hidden whole without a recent detection", "MS", "none; 500 for cameras and addresses", LIVE),
    Option("on_overload", "delay", checks.choice(OVERLOADS), "grow",
        "grow or hide: what becomes of frames without a detection that is recent enough; larger masks, or all of the "
        "picture hidden", "HOW", use=LIVE),
    Option("on_new_shot", "delay", checks.choice(NEW_SHOTS), "show",
        "show or hide: what becomes of the frames of a shot that come before its first detection, in which only those "
        "are hidden who were there before; hide hides all of the picture", "HOW",
        "show; hide for cameras and addresses", LIVE),
    Option("hide_regions", "regions", checks.POLYGONS, (), "always hide what lies in it; can be given several times",
        "CORNERS", "none", LIVE),
    Option("show_regions", "regions", checks.POLYGONS, (), "hide no face in it; can be given several times", "CORNERS",
        "none", LIVE),
    Option("select", "python", checks.FUNCTION, None, "told a face, says whether it is hidden", "", "all are", LIVE),
    Option("on_faces", "python", checks.FUNCTION, None, "told every frame that is returned, and its faces", "",
        "nobody", LIVE),
)  # fmt: skip
"""Everything that may be chosen; an option that differs live stands twice."""


def options_for(use: str) -> dict[str, Option]:
    """Return the options of `FILES` or of `LIVE` by their names."""
    return {option.name: option for option in TABLE if option.use in (use, BOTH)}


_FILES = options_for(FILES)


_DEFAULTS: dict[str, Any] = {name: option.default for name, option in _FILES.items()}


def _attribute_lines() -> Iterator[str]:
    """Yield the section of a docstring that says what each option is."""
    yield from ("    Attributes", "    ----------")
    for option in _FILES.values():
        yield f"    {option.name} : {option.kind.range}"
        yield f"        {option.help[:1].upper()}{option.help[1:]} (default: {option.shown_default})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a job on a file, checked when they are made; see also `TABLE`.

    Names among choices are matched without regard to case. Times and bit rates may be texts, and so may lists of ids.

    Raises
    ------
    ConfigurationUnsupportedError
        A value is out of its range, or two do not go together.
    """

    threshold: float = _DEFAULTS["threshold"]
    margin: float = _DEFAULTS["margin"]
    blur: str = _DEFAULTS["blur"]
    shape: str = _DEFAULTS["shape"]
    feather: float = _DEFAULTS["feather"]
    blur_radius: float | None = _DEFAULTS["blur_radius"]
    doubtful: str = _DEFAULTS["doubtful"]
    resolution: str = _DEFAULTS["resolution"]
    max_faces: int | None = _DEFAULTS["max_faces"]
    detect: str = _DEFAULTS["detect"]
    detect_size: int | None = _DEFAULTS["detect_size"]
    precision: str = _DEFAULTS["precision"]
    model: str | os.PathLike[str] | None = _DEFAULTS["model"]
    ids: tuple[int, ...] | None = _DEFAULTS["ids"]
    except_ids: tuple[int, ...] | None = _DEFAULTS["except_ids"]
    start: float | None = _DEFAULTS["start"]
    end: float | None = _DEFAULTS["end"]
    codec: str | None = _DEFAULTS["codec"]
    preset: str = _DEFAULTS["preset"]
    crf: float = _DEFAULTS["crf"]
    bitrate: int | None = _DEFAULTS["bitrate"]
    pix_fmt: str | None = _DEFAULTS["pix_fmt"]
    encoder_options: Mapping[str, str] = field(default_factory=lambda: _DEFAULTS["encoder_options"])
    encoder_threads: int | None = _DEFAULTS["encoder_threads"]
    audio: str = _DEFAULTS["audio"]
    keep_location: bool = _DEFAULTS["keep_location"]
    stream: int | None = _DEFAULTS["stream"]
    input_format: str | None = _DEFAULTS["input_format"]
    max_pixels: int = _DEFAULTS["max_pixels"]
    strict: bool = _DEFAULTS["strict"]
    threads: int = _DEFAULTS["threads"]
    memory: int | None = _DEFAULTS["memory"]
    overwrite: bool = _DEFAULTS["overwrite"]
    resume: bool = _DEFAULTS["resume"]

    def __post_init__(self) -> None:
        for name, option in _FILES.items():
            object.__setattr__(self, name, option.kind.check(name, getattr(self, name)))
        if self.ids == ():
            raise ConfigurationUnsupportedError(
                "ids is empty, so that nobody would be hidden; leave it out for everyone"
            )
        if self.ids is not None and self.except_ids is not None:
            raise ConfigurationUnsupportedError("ids and except_ids are both given; give one of them")
        if self.end is not None and self.end <= (self.start or 0):
            raise ConfigurationUnsupportedError(f"end is {self.end!r}; it must be after start, {self.start or 0.0!r}")

    @classmethod
    def of(cls, mapping: Mapping[str, object]) -> Options:
        """Return the options that a mapping holds, by the names of the fields; others keep their defaults.

        Raises
        ------
        ConfigurationUnsupportedError
            A key is not the name of a field, or a value is wrong.
        """
        for name in mapping:
            if name not in _FILES:
                known = ", ".join(cls.__dataclass_fields__)
                raise ConfigurationUnsupportedError(f"unknown option {shown(name)}; there are {known}")
        return cls(**mapping)  # type: ignore[arg-type]  # checked when it is made


if Options.__doc__:  # not where Python leaves docstrings out
    Options.__doc__ = Options.__doc__.replace("    Raises", "\n".join(_attribute_lines()) + "\n\n    Raises", 1)
