"""How pictures are encoded: which encoder, in which pixel format, with what settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from av.codec import Codec

from facered._native import cpu
from facered.errors import ConfigurationUnsupportedError
from facered.options import PRESETS, Options
from facered.runtime import cores
from facered.video import formats

if TYPE_CHECKING:
    from av.video.stream import VideoStream

    from facered.video.info import VideoInfo

ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "prores": "prores_ks"}
"""FFmpeg's encoders by the names of `facered.options.CODECS`."""
PARAMETERS = {"h264": "x264-params", "hevc": "x265-params", "av1": "svtav1-params"}
"""The option of each encoder that takes further ones, with colons between."""
SVT_PRESETS = dict(zip(PRESETS, ("12", "11", "10", "9", "8", "7", "6", "5", "4", "2"), strict=True))
"""The presets of SVT-AV1 by the names of x264's; chosen by hand: from fast to slow as those are."""
PRORES_PROFILES = {2: "3", 1: "4"}
"""422 HQ and 4444, by the luma samples that share a chroma sample along a row."""
MAX_H264_DEPTH = 10
"""Bits of a sample that x264 encodes at most."""
LARGE_BYTES = 30_000_000
"""Bytes of a picture from which on encoders keep as few of them as they can: 20 million pixels of 4:2:0 and 8 bits; by
hand. More: memory; x264 takes 4.6 GB for pictures of 49 million pixels, so 1.0. Fewer: results of cameras grow."""
FEW_PICTURES = {
    "h264": "rc-lookahead=0:sync-lookahead=0:bframes=0",
    "hevc": "frame-threads=1:rc-lookahead=1:bframes=0",
}
"""Parameters of encoders that keep few pictures."""
ENCODER_THREADS = 4
"""Threads of an encoder, for pictures that are not low: what it makes depends on how many there are. More: files grow,
and little is gained; where there are more cores, several parts are encoded at once. Fewer: it takes longer."""
ROWS_PER_THREAD = 32
"""Rows of a picture for each of them at least: x264 takes no more."""
MAX_H264_THREADS = 128
"""Threads that x264 takes at most."""
_FRAME_DURATION, _INTERLACED_DCT, _INTERLACED_ME = 1 << 8, 1 << 18, 1 << 29  # FFmpeg's flags


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a caller chooses about the result; see the fields of `facered.options.Options`.

    `encoder_threads` may be 0: as many as the machine has cores for, which makes other files on other machines.
    """

    codec: str | None = None
    preset: str = "veryfast"
    crf: float = 18
    bitrate: int | None = None
    pix_fmt: str | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    encoder_threads: int | None = None
    audio: str = "copy"
    keep_location: bool = False

    @classmethod
    def of(cls, options: Options) -> Encoding:
        """Return what the options of a job say."""
        return cls(**{field.name: getattr(options, field.name) for field in fields(cls)})


def choose_codec(info: VideoInfo, encoding: Encoding) -> str:
    """Return the codec asked for, or the usual one that keeps the depth of the source.

    HEVC has no tools for interlaced pictures, so those stay H.264 as long as it can hold them.
    """
    if encoding.codec is not None:
        return encoding.codec
    depth = formats.bits(info.working_format)
    return "h264" if depth <= (MAX_H264_DEPTH if info.interlaced else 8) else "hevc"


def choose_format(info: VideoInfo, encoding: Encoding, codec: str) -> str:
    """Return the pixel format, of those that the encoder takes, that keeps most of the source's.

    Raises
    ------
    ConfigurationUnsupportedError
        The one asked for is not among them.
    """
    taken = [form.name for form in Codec(ENCODERS[codec], "w").video_formats or ()]
    if encoding.pix_fmt is not None:
        if encoding.pix_fmt not in taken or formats.layout(encoding.pix_fmt) is None:
            known = ", ".join(name for name in taken if formats.layout(name))
            raise ConfigurationUnsupportedError(f"pix_fmt is {encoding.pix_fmt!r}; for {codec} it can be {known}")
        return encoding.pix_fmt
    source = info.working_format
    wanted = formats.layout(source)
    assert wanted is not None
    width, height = info.stored_size

    def cost(name: str) -> tuple[object, ...]:
        form = formats.layout(name)
        assert form is not None
        lost = max(formats.bits(source) - formats.bits(name), 0)
        gained = max(formats.bits(name) - formats.bits(source), 0)
        # Only AV1 and ProRes know odd sizes where chroma is subsampled; the size is kept and the chroma enlarged.
        uneven = codec in ("h264", "hevc") and (width % form.across or height % form.down) and form.chroma != "none"
        return (
            bool(uneven),
            lost,
            form.chroma == "none" and wanted.chroma != "none",
            max(form.across / wanted.across, 1) * max(form.down / wanted.down, 1),
            gained,
            form.chroma != "none" and wanted.chroma == "none",
            wanted.across * wanted.down / (form.across * form.down),
            name != source,
            name.startswith("yuvj") != source.startswith("yuvj"),
            form.chroma not in ("planar", "none"),
        )

    return min((name for name in taken if formats.layout(name)), key=cost)


def configure(video: VideoStream, info: VideoInfo, encoding: Encoding, codec: str, pixel_format: str) -> None:
    """Set up the encoder of a stream that was added for it."""
    context = video.codec_context
    context.width, context.height = info.stored_size
    context.pix_fmt = pixel_format
    context.time_base = info.time_base
    # PyAV's default, slices, makes x264 slower and its files larger, but threads a frame hold frames.
    context.thread_type = "SLICE" if _is_large(info, pixel_format) else "FRAME"
    context.thread_count = encoder_threads(info, encoding, codec)
    colours = info.colours
    context.color_range, context.color_primaries = colours.range, colours.primaries
    context.color_trc, context.colorspace = colours.transfer, colours.matrix
    if info.sample_aspect_ratio:
        context.sample_aspect_ratio = info.sample_aspect_ratio
    context.flags |= _FRAME_DURATION
    if info.interlaced and codec in ("h264", "prores"):
        context.flags |= _INTERLACED_DCT | (_INTERLACED_ME if codec == "h264" else 0)
    if encoding.bitrate:
        context.bit_rate = encoding.bitrate
    known = context.supported_options
    names = {option.name for option in (*known.generic, *known.private)}
    for name in encoding.encoder_options:
        if name not in names:
            raise ConfigurationUnsupportedError(f"encoder option {name!r} is not known to {ENCODERS[codec]}")
    context.options = encoder_options(info, encoding, codec, pixel_format)


def encoder_options(info: VideoInfo, encoding: Encoding, codec: str, pixel_format: str) -> dict[str, str]:
    """Return the options of the encoder, with those of the caller last."""
    options: dict[str, str] = {}
    parameters: list[str] = []
    if codec == "prores":
        form = formats.layout(pixel_format)
        assert form is not None
        options["profile"] = PRORES_PROFILES[form.across]
    else:
        options["preset"] = SVT_PRESETS[encoding.preset] if codec == "av1" else encoding.preset
        if not encoding.bitrate:
            options["crf"] = str(round(encoding.crf) if codec == "av1" else encoding.crf)
        parameters += light_parameters(info.mastering, info.light, codec)
    if codec == "h264" and info.stored_size[0] % 128 and cpu.has_avx2():
        # At such widths x264's AVX-512 code reads memory that it never wrote, and the same frames give other bytes with
        # every run (found by filling fresh memory with different values).
        parameters.append("asm=avx2")
    if codec == "hevc":
        options["a53cc"] = "1"  # closed captions; FFmpeg does so by itself for H.264
        parameters.append("log-level=error")
        threads = encoder_threads(info, encoding, codec) or cores.available()
        parameters.append(f"pools={threads}")
        if encoding.encoder_threads != 0 and not _is_large(info, pixel_format):
            parameters.append(f"frame-threads={(threads + 1) // 2}")  # where x265 is left to choose, it counts cores
    if codec in FEW_PICTURES and _is_large(info, pixel_format):
        parameters.append(FEW_PICTURES[codec])
    if codec == "av1":
        os.environ.setdefault("SVT_LOG", "1")  # the encoder chatters on the standard error stream otherwise
    given = dict(encoding.encoder_options)
    key = PARAMETERS.get(codec)
    if key and (parameters or key in given):
        options[key] = ":".join([*parameters, *([given.pop(key)] if key in given else [])])
    return options | given


def light_parameters(mastering: tuple[int, ...], light: tuple[int, ...], codec: str) -> list[str]:
    """Return what tells the encoder of `mastering_display` and `light_level`."""
    parameters = []
    if mastering:
        scales = (50000, 10000) if codec == "av1" else (1, 1)
        colours = [f"{value / scales[0]:g}" for value in mastering[:8]]
        low, high = (f"{value / scales[1]:.10g}" for value in mastering[8:])
        red, green, blue, white = (f"({x},{y})" for x, y in zip(colours[0::2], colours[1::2], strict=True))
        name = {"hevc": "master-display"}.get(codec, "mastering-display")
        parameters.append(f"{name}=G{green}B{blue}R{red}WP{white}L({high},{low})")
    if light:
        name = {"h264": "cll", "hevc": "max-cll", "av1": "content-light"}[codec]
        parameters.append(f"{name}={light[0]},{light[1]}")
    return parameters


def _is_large(info: VideoInfo, pixel_format: str) -> bool:
    width, height = info.stored_size
    return width * height * formats.picture_bits(pixel_format) // 8 > LARGE_BYTES


def encoder_threads(info: VideoInfo, encoding: Encoding, codec: str) -> int:
    """Return how many threads an encoder has; 0 leaves it to the encoder.

    They follow from the picture's height alone: files would differ from machine to machine otherwise.
    """
    height = info.stored_size[1]
    rows = max(1, (height + ROWS_PER_THREAD // 2 - 1) // ROWS_PER_THREAD)
    if encoding.encoder_threads is None:
        return min(ENCODER_THREADS, rows)
    if encoding.encoder_threads or codec != "h264":
        return encoding.encoder_threads
    # What x264 itself chooses, but for the cores that the container leaves: one and a half a core.
    return max(1, min(cores.available() * 3 // 2, rows, MAX_H264_THREADS))
