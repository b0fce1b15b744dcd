"""Making and reading small videos."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def decode(path: Path, count: int | None = None) -> list[av.VideoFrame]:
    """Return the first frames of a video."""
    with av.open(str(path)) as container:
        frames = []
        for frame in container.decode(video=0):
            frames.append(frame)
            if len(frames) == count:
                break
        return frames


def times(path: Path) -> list[Fraction]:
    """Return the time of each frame in seconds, exactly."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """Return time and content of every packet of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


def samples(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """Return copies of the visible samples of each plane of an 8-bit frame."""
    planes = []
    for plane in frame.planes:
        width = plane.width * (2 if frame.format.name == "nv12" and plane.index == 1 else 1)
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        planes.append(rows[: plane.height, :width].copy())
    return planes


def encode(
    path: Path,
    frames: Iterable[av.VideoFrame],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    time_base: Fraction = Fraction(1, 25),
    ticks: Iterable[int] | None = None,
    options: dict[str, str] | None = None,
    audio: str | None = None,
    container_format: str | None = None,
    display_matrix: list[int] | None = None,
    tags: dict[str, int | Fraction] | None = None,
    rate: Fraction = Fraction(25),
    audio_start: Fraction = Fraction(0),
    audio_seconds: float = 0.5,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write frames to a video, at the given ticks (0, 1, 2 ... by default), perhaps with a tone."""
    frames = list(frames)
    ticks = list(range(len(frames)) if ticks is None else ticks)
    with av.open(str(path), "w", format=container_format, container_options=container_options or {}) as output:
        video = output.add_stream(codec, rate=rate, options=options or {})
        video.codec_context.width, video.codec_context.height = frames[0].width, frames[0].height
        video.codec_context.pix_fmt = pixel_format
        video.codec_context.time_base = time_base
        for name, value in (tags or {}).items():
            setattr(video.codec_context, name, value)
        if display_matrix is not None:
            video.set_display_matrix(display_matrix)
        hertz = 48000 if audio == "libopus" else 44100
        sound = output.add_stream(audio, rate=hertz) if audio else None
        if sound is not None:
            sound.codec_context.bit_rate = 128000
            sound.codec_context.open()
            tone = np.sin(np.arange(round(44100 * audio_seconds)) / 20).astype(np.float32)[None]
            piece = av.AudioFrame.from_ndarray(np.repeat(tone, 2, axis=0), format="fltp", layout="stereo")
            piece.sample_rate, piece.pts, piece.time_base = 44100, round(audio_start * 44100), Fraction(1, 44100)
            resampler = av.AudioResampler(sound.codec_context.format, "stereo", hertz, sound.codec_context.frame_size)
            for part in resampler.resample(piece):
                output.mux(sound.encode(part))
            output.mux(sound.encode(None))
        for frame, tick in zip(frames, ticks, strict=True):
            picture = frame.reformat(format=pixel_format) if frame.format.name != pixel_format else frame
            picture.pts, picture.time_base, picture.pict_type = tick, time_base, 0
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
    return path


def damage_sound(path: Path, numbers: Iterable[int]) -> Path:
    """Overwrite the beginning of some packets of sound."""
    data = bytearray(path.read_bytes())
    known = packets(path, "audio")
    for number in numbers:
        begin = data.find(known[number][1][:12])
        assert begin > 0
        data[begin : begin + 12] = b"\x0b\x00\x0c\x0d" * 3
    path.write_bytes(data)
    return path


def begin_before_zero(path: Path, source: Path, by: int) -> Path:
    """Write a Matroska file of one cluster again, its pictures so many milliseconds earlier."""
    data = bytearray(source.read_bytes())
    cluster = data.index(b"\x1f\x43\xb6\x75")
    # The blocks' times are relative to that of their cluster, and may be negative.
    with av.open(str(source)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                begin = data.index(bytes(packet)[:24], cluster) - 3
                time = int.from_bytes(data[begin : begin + 2], "big")
                data[begin : begin + 2] = (time - by).to_bytes(2, "big", signed=True)
    path.write_bytes(data)
    return path


def set_back(path: Path, source: Path, at: int, by: int) -> Path:
    """Write a Matroska file again whose clock is set back from the first cluster after a time on, in milliseconds."""
    data = bytearray(source.read_bytes())
    cluster = -1
    while (cluster := data.find(b"\x1f\x43\xb6\x75", cluster + 1)) >= 0:
        begin = cluster + 4 + 9 - data[cluster + 4].bit_length()
        if data[begin] == 0xBF:  # a checksum, which becomes something void
            data[begin] = 0xEC
            begin += 6
        assert data[begin] == 0xE7
        end = begin + 2 + (data[begin + 1] & 0x7F)
        time = int.from_bytes(data[begin + 2 : end], "big")
        if time > at:
            data[begin + 2 : end] = (time - by).to_bytes(end - begin - 2, "big")
    path.write_bytes(data)
    return path


def repeat(path: Path, source: Path, times: int) -> Path:
    """Write the pictures of a video several times over, without decoding them."""
    with av.open(str(source)) as container, av.open(str(path), "w") as output:
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        assert stream.duration is not None
        for turn in range(times):
            container.seek(0)
            for packet in container.demux(stream):
                if packet.size:
                    packet.pts, packet.dts = packet.pts + turn * stream.duration, packet.dts + turn * stream.duration
                    packet.stream = copy
                    output.mux(packet)
    return path


def enlarge(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """Return the frame at another size, in yuv420p."""
    return frame.reformat(width=width, height=height, format="yuv420p")
