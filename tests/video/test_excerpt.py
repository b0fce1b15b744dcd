"""Frames from the middle of a film: those that there are from the start, or none."""

from __future__ import annotations

import zlib
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest

import videos
from facered.video.input.excerpt import Excerpts, OtherFramesError, Recording
from facered.video.input.file import Reader
from facered.video.input.places import MAX_EXPECTED, Places
from facered.video.picture import view
from facered.video.shrink import Shrinker
from thinned import thinned

TICKS = list(chain.from_iterable((40 * n, 40 * n + 17 if n % 3 else 40 * n + 26) for n in range(60)))
KINDS = {
    "h264 with open groups.mp4": ("libx264", {"x264-params": "open-gop=1:bframes=5:keyint=30", "sc_threshold": "0"}),
    "mpeg2.mpg": ("mpeg2video", {"g": "12", "bf": "2", "b": "2M"}),
    "hevc with open groups.mkv": (
        "libx265", {"x265-params": "open-gop=1:keyint=30:min-keyint=10:bframes=4:log-level=error"}
    ),
    "mpeg4.avi": ("mpeg4", {"g": "25", "b": "1M"}),
    "refreshed bit by bit.mkv": ("libx264", {"x264-params": "intra-refresh=1:keyint=30"}),
    "h264.ts": ("libx264", {"g": "40", "bf": "3"}),
    "one group.mov": ("libx264", {"g": "1000"}),
    "vp9.webm": ("libvpx-vp9", {"g": "30", "deadline": "realtime", "cpu-used": "8", "b": "500k"}),
    "wmv.wmv": ("wmv2", {"g": "20", "b": "1M"}),
    "whole.mov": ("prores_ks", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", thinned(KINDS, 2))
def test_frames_are_those_of_a_walk_from_the_start(carphone: Path, tmp_path: Path, name: str) -> None:
    codec, options = KINDS[name]
    kind = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    varied = {"ticks": TICKS, "time_base": Fraction(1, 1000)} if name.endswith(("mkv", "mp4", "webm")) else {}
    film = videos.encode(tmp_path / name, videos.decode(carphone), codec=codec, options=options, pixel_format=kind,
        **varied)  # type: ignore[arg-type]  # fmt: skip
    recording, shrink, known = Recording(), Shrinker(), []
    with Reader(film, report=False) as reader:
        for frame in reader.frames():
            recording.add(frame, shrink(view(frame, reader.info.orientation)))
            known.append((frame.pts, frame.duration, whole(frame)))
    with Reader(film, report=False) as reader:
        excerpts = Excerpts(reader, 2)
        for first, end in ((70, 120), (29, 33), (0, 5), (59, 61), (111, 112), (1, 40)):
            found = [
                (frame.pts, frame.duration, whole(frame)) for frame, _ in excerpts.frames(recording.run(first, end))
            ]
            assert found == known[first:end]
        excerpts.close()
    assert len(recording) == 120


def whole(frame: av.VideoFrame) -> int:
    return zlib.crc32(b"".join(bytes(plane) for plane in frame.reformat(format="gbrp").planes))


def test_another_film_is_noticed(carphone: Path, tmp_path: Path) -> None:
    frames = videos.decode(carphone)
    one, other = (
        videos.encode(tmp_path / f"{name}.mp4", pictures, options={"g": "20"})
        for name, pictures in (("one", frames), ("other", [*frames[:60], *frames[59:-1]]))
    )
    recording, shrink = Recording(), Shrinker()
    with Reader(one) as reader:
        for frame in reader.frames():
            recording.add(frame, shrink(view(frame, reader.info.orientation)))
    with Reader(other) as reader:
        excerpts = Excerpts(reader, 1)
        with pytest.raises(OtherFramesError, match="another frame"):
            list(excerpts.frames(recording.run(50, 70)))
        recorded = recording.run(100, 120)
        longer = recorded._replace(pts=np.append(recorded.pts, recorded.pts[-1] + 9999))
        with pytest.raises(OtherFramesError):
            list(excerpts.frames(longer))
        late = recorded._replace(pts=recorded.pts + 10**7)
        with pytest.raises(OtherFramesError, match="the film ends"):
            list(excerpts.frames(late))
        excerpts.close()
    with Reader(one) as reader:
        excerpts = Excerpts(reader, 1)
        assert len(list(excerpts.frames(recorded))) == 20
        shifted = recorded._replace(pts=recorded.pts + (recorded.pts == recorded.pts[7]))
        with pytest.raises(OtherFramesError, match="another frame"):
            list(excerpts.frames(shifted))
        excerpts.close()


def test_sound_behind_pictures_that_give_no_frame_is_not_lost() -> None:
    places, sound = Places(), [av.Packet(1) for _ in range(3)]
    assert list(places.packet(sound[0])) == [sound[0]]
    assert list(places.expect()) == []
    assert list(places.packet(sound[1])) == []
    for _ in range(MAX_EXPECTED - 1):
        assert list(places.expect()) == []
    assert list(places.packet(sound[2])) == []
    assert list(places.expect()) == [sound[1]]
    assert list(places.rest()) == [sound[2]]


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_frames_and_sound_come_in_one_order_whatever_the_threads(carphone: Path, tmp_path: Path, suffix: str) -> None:
    ticks, tick = range(0, 120 * 3600, 3600), Fraction(1, 90000)
    film = videos.encode(
        tmp_path / f"foo.{suffix}", videos.decode(carphone), ticks=ticks, time_base=tick, audio="aac", audio_seconds=4.5
    )
    orders = []
    for threads in (1, 2, 7):
        with Reader(film, threads) as reader:
            items = reader.demux(*reader.container.streams.audio)
            orders.append([isinstance(item, av.VideoFrame) for item in items])
    assert orders[0] == orders[1] == orders[2]
    assert orders[0].count(True) == 120
    assert orders[0].count(False) > 50
