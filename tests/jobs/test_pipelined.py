"""Both passes of combined side by side: what is finished is encoded while the rest is analyzed."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext

import facered
import videos
from facered.jobs.progress import Progress
from facered.video.output.file import Writer
from lumas import texture

SHOTS, LENGTH, WALL = 6, 55, 45


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of twelve shots, of 31 seconds: a man, and a wall, by turns."""
    man, frames = videos.decode(carphone), []
    for number in range(SHOTS):
        light = texture(number, 176, 144, 12)
        wall = av.VideoFrame.from_ndarray(np.repeat(light[..., None], 3, axis=2), format="rgb24")
        frames += man[5 * number : 5 * number + LENGTH] + [wall.reformat(format="yuv420p")] * WALL
    return videos.encode(tmp_path_factory.mktemp("films") / "foo.mp4", frames, options={"crf": "16"}, audio="aac")


@pytest.mark.parametrize("threads", [0, 1])
def test_the_first_part_is_encoded_long_before_the_last_frame_is_analyzed(
    film: Path, tmp_path: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyzed, at_end_of_part = [0], []
    begin_part = Writer.begin_part

    def noted(self: Writer, number: int, **settings: Any) -> None:
        if number:
            at_end_of_part.append((number, analyzed[0]))
        begin_part(self, number, **settings)

    def tell(progress: Progress) -> None:
        if progress.stage == "analyze":
            analyzed[0] = progress.done

    monkeypatch.setattr(Writer, "begin_part", noted)
    facered.combined(film, tmp_path, threads=threads, progress=tell, preset="ultrafast")
    assert len(at_end_of_part) >= 2
    number, seen = at_end_of_part[0]
    assert 250 <= number <= 400
    assert seen < SHOTS * (LENGTH + WALL)
    if threads:
        assert seen < number + 25 * 8  # of the next segment, and some seconds behind it


def test_it_makes_what_analyze_and_redact_make(film: Path, tmp_path: Path) -> None:
    one = facered.combined(film, tmp_path / "one.mp4", preset="ultrafast")
    found = facered.analyze(film, tmp_path / "found")
    other = facered.redact(film, tmp_path / "other.mp4", annotations=found.annotations_path, preset="ultrafast")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()
    assert one.parts == other.parts == 3
    assert one.frames == other.frames == SHOTS * (LENGTH + WALL)


def test_stages_are_told_one_after_the_other(film: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    facered.combined(film, tmp_path, progress=told.append, preset="ultrafast")
    stages = [progress.stage for progress in told]
    assert stages == sorted(stages)
    assert set(stages) == {"analyze", "redact"}
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert told[-1].done == SHOTS * (LENGTH + WALL)


def test_an_error_of_the_first_pass_leaves_nothing(film: Path, tmp_path: Path) -> None:
    """Parts are encoded by then."""

    def fail(progress: Progress) -> None:
        if progress.stage == "analyze" and progress.done == 540:
            raise LookupError("that is enough")

    with pytest.raises(LookupError, match="that is enough"):
        facered.combined(film, tmp_path / "bar.mp4", progress=fail, preset="ultrafast")
    assert not any(path.suffix == ".mp4" for path in tmp_path.iterdir())


def test_everybody_is_hidden_in_every_shot(film: Path, tmp_path: Path) -> None:
    facered.combined(film, tmp_path / "bar.mp4", preset="ultrafast", crf=10, blur="Black")
    pairs = zip(videos.decode(film), videos.decode(tmp_path / "bar.mp4"), strict=True)
    for number, (before, after) in enumerate(pairs):
        luma = videos.samples(after)[0][40:90, 60:100]
        if number % (LENGTH + WALL) < LENGTH:
            assert float((luma < 24).mean()) > 0.3
        assert before.pts == after.pts


def test_an_error_of_the_first_pass_does_not_wait_for_what_is_to_be_encoded(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_frame, written = Writer.write_frame, []

    def slowly(self: Writer, frame: av.VideoFrame) -> None:
        written.append(frame.pts)
        time.sleep(0.05)
        write_frame(self, frame)

    def fail(progress: Progress) -> None:
        if progress.stage == "analyze" and progress.done == 540:
            failed.append(len(written))
            raise LookupError("that is enough")

    failed: list[int] = []
    monkeypatch.setattr(Writer, "write_frame", slowly)
    with pytest.raises(LookupError, match="that is enough"):
        facered.combined(film, tmp_path / "bar.mp4", progress=fail, preset="ultrafast")
    assert len(written) - failed[0] < 10


def test_the_first_pass_ends_with_the_second_one(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its next segment would be long in coming."""
    man, light = videos.decode(carphone), texture(1, 176, 144, 12)
    wall = av.VideoFrame.from_ndarray(np.repeat(light[..., None], 3, axis=2), format="rgb24")
    frames = [wall.reformat(format="yuv420p")] * WALL + man * 8
    long = videos.encode(tmp_path / "foo.mp4", frames, options={"preset": "ultrafast"})

    def full(*_: object) -> None:
        raise MemoryError

    told: list[Progress] = []
    monkeypatch.setattr(Writer, "write_frame", full)
    with pytest.raises(facered.ServiceError, match="out of memory"):
        facered.combined(long, tmp_path / "bar.mp4", progress=told.append, preset="ultrafast")
    assert told[-1].done < len(frames) - 300
    assert "facered analyze" not in [thread.name for thread in threading.enumerate()]
    assert told[-1].stage == "analyze"


def test_an_address_is_read_by_one_pass_at_a_time(film: Path, tmp_path: Path) -> None:
    """Its server may not answer two at once, and hangs up on whoever waits long."""
    content, finished, asked = (film.with_suffix(".ts")), [False], []
    with av.open(str(film)) as source, av.open(str(content), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            packet.stream = copy
            if packet.dts is not None:
                target.mux(packet)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(finished[0])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    def tell(progress: Progress) -> None:
        finished[0] |= progress.stage == "analyze" and progress.finished

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/foo.ts"
            facered.combined(address, tmp_path / "bar.mp4", progress=tell, preset="ultrafast")
        finally:
            server.shutdown()
            thread.join()
    assert asked == [False, True]


def test_frames_that_a_decoder_drops_without_a_word_make_no_difference(carphone: Path, tmp_path: Path) -> None:
    """Streams joined at a picture that others before it look back from: HEVC decoders leave those out."""
    man, light = videos.decode(carphone), texture(1, 176, 144, 12)
    wall = av.VideoFrame.from_ndarray(np.repeat(light[..., None], 3, axis=2), format="rgb24")
    walls = [wall.reformat(format="yuv420p")] * 190
    options = "log-level=none:keyint=30:min-keyint=30:open-gop=1:bframes=4:scenecut=0:repeat-headers=1"
    whole = videos.encode(
        tmp_path / "whole.mkv", walls[:40] + man[:55] + walls[:35] + man[:30] + walls, codec="libx265",
        options={"preset": "ultrafast", "x265-params": options},
    )  # fmt: skip
    with av.open(str(whole)) as source:
        filtered = BitStreamFilterContext("hevc_mp4toannexb", source.streams.video[0])
        packets = [one for packet in source.demux(video=0) if packet.size for one in filtered.filter(packet)]
    at = [number for number, packet in enumerate(packets) if packet.is_keyframe][3]
    end_of_sequence = b"\0\0\0\1\x48\x01"
    film = tmp_path / "foo.hevc"
    film.write_bytes(b"".join(map(bytes, packets[:at])) + end_of_sequence + b"".join(map(bytes, packets[at:])))
    one = facered.combined(film, tmp_path / "one.mp4", preset="ultrafast")
    found = facered.analyze(film, tmp_path / "found")
    facered.redact(film, tmp_path / "other.mp4", annotations=found.annotations_path, preset="ultrafast")
    assert one.frames < len(packets)
    assert one.damaged_frames
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()
