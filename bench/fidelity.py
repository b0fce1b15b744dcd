"""Whether the same film comes back: source, facered and deface side by side, property by property.

    python -m bench.fidelity

Four files are made: a portrait film as phones write it, a screen recording of varying rate, 10-bit HDR, and Windows
Media.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.video.frame import PictureType, VideoFrame

import facered
from bench import clips, report
from bench.job import DEFACE, execute
from facered.video.input.file import Reader
from facered.video.picture import view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FRAMES = 48
HDR = (
    "log-level=none:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    ":max-cll=1000,400"
)
QUARTER = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
"""The display matrix of a phone held upright."""
MIN_SIMILARITY = 0.98
BLOCK = 8


@dataclass(frozen=True, slots=True)
class Film:
    """What there is to say about a video file.

    Attributes
    ----------
    facts : dict of str to str
        By the names of the properties, for people.
    times : tuple of Fraction
        Of the frames, in seconds from the first.
    sound : tuple of (bytes, tuple of Fraction)
        A digest of each track's packets, and their times in seconds from the first frame.
    """

    facts: dict[str, str]
    times: tuple[Fraction, ...]
    sound: tuple[tuple[bytes, tuple[Fraction, ...]], ...]

    def sounds_like(self, other: Film) -> bool:
        """Return whether the sound is the same to the bit, at the same times but for the rounding of clocks."""
        if [digest for digest, _ in self.sound] != [digest for digest, _ in other.sound]:
            return False
        pairs = zip(
            (time for _, times in self.sound for time in times),
            (time for _, times in other.sound for time in times),
            strict=True,
        )
        return all(abs(one - another) <= Fraction(1, 1000) for one, another in pairs)


def describe(path: Path) -> Film:
    """Return what there is to say about a video file, as a decoder sees it."""
    with Reader(path, report=False) as reader:
        info, container, stream = reader.info, reader.container, reader.stream
        first: VideoFrame | None = None
        times: list[Fraction] = []
        others = [track for track in container.streams if track.type in ("audio", "subtitle")]
        packets: dict[int, list[tuple[Fraction, bytes]]] = {track.index: [] for track in others}
        for item in reader.demux(*others):
            if isinstance(item, VideoFrame):
                first = first or item
                times.append(item.pts * info.time_base)  # type: ignore[operator]
            elif item.pts is not None:
                packets[item.stream_index].append((item.pts * item.time_base, bytes(item)))
        tags = {key.lower(): value for key, value in container.metadata.items()}
        video = {key.lower(): value for key, value in stream.metadata.items()}
        steps = {later - earlier for earlier, later in pairwise(times)}
        start = times[0]
        sound = [track for track in others if track.type == "audio"]
        facts = {
            "frames": str(len(times)),
            "codec": stream.codec_context.codec.canonical_name,
            "pixel format": info.pixel_format,
            "size as shown": f"{info.width}x{info.height}",
            "turned": "yes" if info.orientation else "no",
            "fields": "interlaced" if info.interlaced else "no",
            "aspect of a pixel": str(info.sample_aspect_ratio or 1),
            "range, matrix": f"{info.colours.range or 1}, {info.colours.matrix}",
            "primaries, transfer": f"{info.colours.primaries}, {info.colours.transfer}",
            "mastering, light": "yes" if info.mastering and info.light else "no",
            "times": f"{float(times[-1] - start):.3f} s, {'one step' if len(steps) < 2 else f'{len(steps)} steps'}",
            "average rate": f"{float(stream.average_rate or 0):.3f}",
            "sound": ", ".join(track.codec_context.codec.canonical_name for track in sound) or "none",
            "sound after picture": ", ".join(
                f"{float((packets[t.index][0][0] - start) * 1000):.0f} ms" for t in sound if packets[t.index]
            ),
            "languages": ", ".join(track.metadata.get("language", "-") for track in sound),
            "subtitles": str(sum(track.type == "subtitle" for track in others)),
            "chapters": str(len(container.chapters())),
            "title": tags.get("title", "-"),
            "recorded": tags.get("creation_time", "-")[:10],
            "timecode": video.get("timecode", "-"),
            "place": "yes" if any("location" in key for key in tags) else "no",
        }
        sounds = []
        for track in sound:
            data = hashlib.sha256(b"".join(content for _, content in packets[track.index])).digest()
            sounds.append((data, tuple(time - start for time, _ in packets[track.index])))
    return Film(facts, tuple(time - start for time in times), tuple(sounds))


def similarity(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the structural similarity (SSIM) of two gray pictures of 8 bits, for each block of 8 x 8."""

    def blocks(picture: NDArray[Any]) -> NDArray[np.float64]:
        rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
        cut = picture[: rows * BLOCK, : columns * BLOCK].astype(np.float64)
        return cut.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(rows, columns, -1)

    a, b = blocks(one), blocks(other)
    mean_a, mean_b = a.mean(axis=2), b.mean(axis=2)
    shared = (a * b).mean(axis=2) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * shared + c2)
    result: NDArray[np.float64] = top / ((mean_a**2 + mean_b**2 + c1) * (a.var(axis=2) + b.var(axis=2) + c2))
    return result


def luma(path: Path) -> Iterator[NDArray[Any]]:
    """Yield each frame's luma as it is shown, brought to 8 bits of full range."""
    with Reader(path, report=False) as reader:
        for frame in reader.frames():
            picture = view(frame, reader.info.orientation).upright()
            samples = picture.y / (1 << (picture.depth - 8))
            yield samples if picture.full_range else (samples - 16) * 255 / 219


def outside(source: Path, result: Path, annotations: facered.Annotations) -> float | None:
    """Return the mean SSIM of the blocks that no hidden box touches; None where pictures differ in size or number."""
    means = []
    pairs = list(zip(luma(source), luma(result), strict=False))
    if len(pairs) != len(annotations.pts):
        return None
    for index, (before, after) in enumerate(pairs):
        if before.shape != after.shape:
            return None
        free = np.ones((before.shape[0] // BLOCK, before.shape[1] // BLOCK), bool)
        for x1, y1, x2, y2 in annotations.pixel_boxes(index):
            grow = 0.4 * (x2 - x1)  # the rim, and what other tools hide
            top, bottom = (max(int(y) // BLOCK, 0) for y in (y1 - grow, y2 + grow + BLOCK))
            left, right = (max(int(x) // BLOCK, 0) for x in (x1 - grow, x2 + grow + BLOCK))
            free[top:bottom, left:right] = False
        if free.any():
            means.append(float(similarity(before, after)[free].mean()))
    return float(np.mean(means))


def make(
    path: Path,
    pictures: Iterator[VideoFrame],
    codec: str,
    pixel_format: str,
    ticks: Sequence[int],
    time_base: Fraction,
    *,
    rate: Fraction = Fraction(25),
    options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    colours: dict[str, int] | None = None,
    aspect: Fraction | None = None,
    sound: Sequence[tuple[str, str]] = (),
    tags: dict[str, str] | None = None,
    about: dict[str, str] | None = None,
    chapters: bool = False,
) -> Path:
    """Write a film with as many frames as `ticks`, and sound tracks by codec and language."""
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=rate, options=options or {})
        context = video.codec_context
        tracks = []
        for name, language in sound:
            hertz = 48000 if name == "libopus" else 44100
            track = output.add_stream(name, rate=hertz)
            track.metadata["language"] = language
            track.codec_context.bit_rate = 128000
            tracks.append(track)
        video.metadata.update(about or {})
        output.metadata.update(tags or {})
        if chapters:
            half = int((ticks[-1] + 1) * time_base * 500)
            spans = [(0, half, "One"), (half, 2 * half, "Two")]
            output.set_chapters(
                [
                    {"id": n, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                    for n, (start, end, title) in enumerate(spans)
                ]
            )
        if matrix is not None:
            video.set_display_matrix(matrix)
        for number, (tick, frame) in enumerate(zip(ticks, pictures, strict=False)):
            native = frame.reformat(format=pixel_format)
            if not number:
                context.width, context.height, context.pix_fmt = native.width, native.height, pixel_format
                context.time_base = time_base
                if aspect is not None:
                    context.sample_aspect_ratio = aspect
                for name, value in (colours or {}).items():
                    setattr(context, name, value)
            native.pts, native.time_base, native.pict_type = tick, time_base, PictureType.NONE
            output.mux(video.encode(native))
            if not number:
                for pitch, track in enumerate(tracks, 20):
                    _play(output, track, pitch, float((ticks[-1] + 1) * time_base))
        output.mux(video.encode(None))
    return path


def _play(output: Any, track: Any, pitch: int, seconds: float) -> None:
    tone = np.sin(np.arange(int(44100 * seconds)) / pitch).astype(np.float32)[None].repeat(2, axis=0)
    piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="stereo")
    piece.sample_rate, piece.pts = 44100, 0
    size = track.codec_context.frame_size or 1024
    resampler = AudioResampler(track.codec_context.format, "stereo", track.codec_context.sample_rate, size)
    for part in resampler.resample(piece):
        output.mux(track.encode(part))
    output.mux(track.encode(None))


def pictures(width: int, height: int) -> Iterator[VideoFrame]:
    """Return the beginning of the clip with a face, at a size."""
    return islice(clips.scaled(width, height), FRAMES)


def quarter_turned(width: int, height: int) -> Iterator[VideoFrame]:
    """Yield upright pictures as a phone stores them, turned to the left."""
    for frame in pictures(width, height):
        turned = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), 1))
        yield VideoFrame.from_ndarray(turned, format="rgb24")


def phone(directory: Path) -> Path:
    """Write a portrait film in MOV: turned by a matrix, with place, date, title and two languages."""
    return make(
        directory / "phone.mov", quarter_turned(360, 640), "libx264", "yuvj420p",
        [n * 1001 for n in range(FRAMES)], Fraction(1, 30000), rate=Fraction(30000, 1001),
        options={"crf": "12"}, matrix=QUARTER,
        sound=[("aac", "eng"), ("aac", "ger")], about={"timecode": "10:20:30:05"},
        tags={"title": "Exhibit 7", "location": "+48.1000+011.5000/", "creation_time": "2020-01-02T03:04:05.000000Z"},
    )  # fmt: skip


def screen(directory: Path) -> Path:
    """Write a screen recording: a frame when something moves, 4:4:4, pixels that are not square, no sound."""
    steps = np.random.default_rng(6).integers(1, 9, FRAMES)
    return make(
        directory / "screen.mp4", pictures(640, 360), "libx264", "yuv444p", np.cumsum(steps * 250).tolist(),
        Fraction(1, 15000), options={"crf": "12"}, aspect=Fraction(4, 3),
    )  # fmt: skip


def hdr(directory: Path) -> Path:
    """Write HDR: HEVC of 10 bits, BT.2020, PQ, mastering display and light level."""
    return make(
        directory / "hdr.mp4", pictures(640, 360), "libx265", "yuv420p10le",
        [n * 1001 for n in range(FRAMES)], Fraction(1, 24000), rate=Fraction(24000, 1001),
        options={"crf": "12", "x265-params": HDR},
        colours={"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}, sound=[("ac3", "fra")],
    )  # fmt: skip


def windows_media(directory: Path) -> Path:
    """Write WMV with WMA."""
    return make(
        directory / "media.wmv", pictures(352, 288), "wmv2", "yuv420p",
        [n * 40 for n in range(FRAMES)], Fraction(1, 1000), options={"b": "3000k"}, sound=[("wmav2", "eng")],
        tags={"title": "Hearing"},
    )  # fmt: skip


FILMS: tuple[Callable[[Path], Path], ...] = (phone, screen, hdr, windows_media)


def compare(source: Path, directory: Path) -> tuple[list[list[str]], dict[str, Any]]:
    """Return the table's rows, and what goes into the JSON."""
    result = facered.combined(source, directory / "facered.mp4", overwrite=True)
    assert result.video_path is not None
    made: list[tuple[str, Path | None]] = [("source", source), ("facered", result.video_path)]
    rival = directory / f"deface{source.suffix}"
    if find_spec("deface") is not None:
        try:
            execute([*DEFACE, str(source), "-o", str(rival), "--keep-audio", "--backend", "onnxrt"])
        except SystemExit as failure:
            print(f"deface failed on {source.name}: {str(failure).splitlines()[-1]}", file=sys.stderr)
        made.append(("deface", rival if rival.is_file() else None))
    films = [(name, describe(path) if path is not None else None) for name, path in made]
    origin = films[0][1]
    assert origin is not None
    rows = [[name, *(film.facts[name] if film else "fails" for _, film in films)] for name in origin.facts]
    rows.append(["times are the source's", *(_yes(film, lambda f: f.times == origin.times) for _, film in films)])
    rows.append(["sound to the bit", *(_yes(film, origin.sounds_like) for _, film in films)])
    similar = [outside(source, path, result.annotations) if path is not None else None for _, path in made]
    rows.append(["SSIM outside the masks", *("-" if value is None else f"{value:.4f}" for value in similar)])
    return rows, {row[0]: row[1:] for row in rows}


def _yes(film: Film | None, holds: Callable[[Film], bool]) -> str:
    return "fails" if film is None else "yes" if holds(film) else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table a film and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.fidelity", description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    kept = {}
    with tempfile.TemporaryDirectory() as name:
        for film in FILMS:
            try:
                source = film(Path(name))
            except clips.MaterialMissingError as missing:
                print(f"skipped: {missing}", file=sys.stderr)
                return 0
            rows, kept[source.name] = compare(source, Path(name))
            heads = [source.name, "source", "facered", "deface"][: len(rows[0])]
            print(report.table(heads, rows), end="\n\n")
    print(report.save("bench-fidelity.json", kept))
    return 0


if __name__ == "__main__":
    sys.exit(main())
