"""A redaction that was killed is gone on with, and makes the same file."""

from __future__ import annotations

import errno
import http.server
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facered
import videos
from facered.annotations.table import Extras
from facered.jobs.state import State, place_of
from facered.video.output.images import encode_image
from facered.video.output.pictures import PartEncoder

PARTS = list(range(0, 1500, 250))


@pytest.fixture(scope="module")
def place(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a film of 1560 frames, annotations that tell of six parts, and what comes of both."""
    folder = tmp_path_factory.mktemp("films")
    film = videos.repeat(folder / "foo.mp4", carphone, 13)
    found = facered.analyze(carphone, folder / "once").annotations
    steps, faces = len(found.pts) * int(found.pts[1] - found.pts[0]), int(found.starts[-1])
    given = {name: np.concatenate([getattr(found, name)] * 13) for name in ("ids", "boxes", "scores", "doubtful")}
    given["pts"] = np.concatenate([found.pts + turn * steps for turn in range(13)])
    given["starts"] = np.append(0, np.concatenate([found.starts[1:] + turn * faces for turn in range(13)]))
    replace(found, **given, extras=Extras(document={"segments": PARTS})).write(folder / "given.json")
    redacted(film, folder / "whole.mp4", folder)
    return folder


def redacted(film: Path, output: Path, place: Path, **options: Any) -> bytes:
    facered.redact(film, output, annotations=place / "given.json", preset="ultrafast", **options)
    return output.read_bytes()


def parts_left(output: Path) -> int:
    return len(list(place_of(output).glob("part*[0-9]")))


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_after_kills_at_any_moment_it_is_the_same_film(
    place: Path, tmp_path: Path, kills: int, record_property: Callable[[str, object], None]
) -> None:
    chance, output = random.Random(kills), tmp_path / "bar.mp4"  # noqa: S311
    call = [sys.executable, "-m", "facered", "redact", str(place / "foo.mp4"), "-o", str(output), "-q"]
    call += ["--annotations", str(place / "given.json"), "--preset", "ultrafast"]
    begun = time.monotonic()
    subprocess.run(call, check=True)
    seconds, whole = time.monotonic() - begun, output.read_bytes()
    assert whole == (place / "whole.mp4").read_bytes()
    output.unlink()
    left: list[int] = []
    for turn in range(kills):
        job = subprocess.Popen([*call, "--resume"])
        if turn < kills - 1:
            time.sleep(chance.uniform(0.4, 0.95) * seconds)
        while turn == kills - 1 and job.poll() is None and not parts_left(output):  # however busy the machine is
            time.sleep(0.001)
        job.kill()
        job.wait()
        left.append(parts_left(output))
        if output.exists():  # it was done
            assert output.read_bytes() == whole
            output.unlink()
    subprocess.run([*call, "--resume"], check=True)
    assert output.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["bar.mp4"]
    assert any(left)
    record_property("kills with --resume", kills)


@pytest.fixture
def interrupted(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the output of a job whose disk was full when the third part was kept."""
    output, save = tmp_path / "bar.mp4", State.save

    def full(self: State, name: str) -> None:
        if name.endswith("500"):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(State, "save", full)
        with pytest.raises(facered.ServiceError, match="No space left on device"):
            redacted(place / "foo.mp4", output, place)
    assert not output.exists()
    return output


def test_parts_that_are_whole_are_not_encoded_again(
    place: Path, interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded, encode = [], PartEncoder.encode

    def count(self: PartEncoder, frame: Any) -> Any:
        encoded.append(frame.pts)
        return encode(self, frame)

    monkeypatch.setattr(PartEncoder, "encode", count)
    whole = (place / "whole.mp4").read_bytes()
    assert redacted(place / "foo.mp4", interrupted, place, resume=True) == whole
    assert len(encoded) == 1560 - 500
    assert [path.name for path in interrupted.parent.iterdir()] == ["bar.mp4"]


def test_other_settings_are_told_and_another_run_begins_anew(place: Path, interrupted: Path) -> None:
    others: list[tuple[str, dict[str, Any]]]
    others = [("crf was 18.0 and is 30.0; leave", {"crf": 30}), ("margin was", {"margin": 2})]
    for told, options in others:
        with pytest.raises(facered.ConfigurationUnsupportedError, match=told):
            redacted(place / "foo.mp4", interrupted, place, resume=True, **options)
    assert place_of(interrupted).is_dir()
    redacted(place / "foo.mp4", interrupted, place, crf=30)
    assert not place_of(interrupted).exists()


def test_other_faces_are_told(place: Path, interrupted: Path) -> None:
    other = facered.Annotations.read(place / "given.json").enlarged(1.1)
    with pytest.raises(facered.ConfigurationUnsupportedError, match="what is hidden was"):
        facered.redact(place / "foo.mp4", interrupted, annotations=other, preset="ultrafast", resume=True)


def test_another_input_is_told(place: Path, interrupted: Path, tmp_path: Path) -> None:
    other = tmp_path / "foo.mp4"
    other.write_bytes((place / "foo.mp4").read_bytes())
    with pytest.raises(facered.ConfigurationUnsupportedError, match="inode of the input was"):
        redacted(other, interrupted, place, resume=True)


def test_threads_may_be_others(place: Path, interrupted: Path) -> None:
    whole = (place / "whole.mp4").read_bytes()
    assert redacted(place / "foo.mp4", interrupted, place, resume=True, threads=1) == whole


def test_what_cannot_be_gone_on_with_says_so(carphone: Path, tmp_path: Path) -> None:
    picture = tmp_path / "foo.png"
    picture.write_bytes(encode_image(videos.decode(carphone, 1)[0].reformat(format="rgb24"), "png"))
    with pytest.raises(facered.ConfigurationUnsupportedError, match="leave out --resume"):
        facered.combined(picture, tmp_path, resume=True)


def test_with_nothing_to_go_on_with_it_begins(carphone: Path, tmp_path: Path) -> None:
    facered.combined(carphone, tmp_path / "one.mp4")
    facered.combined(carphone, tmp_path / "two.mp4", resume=True)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


@pytest.mark.parametrize(
    ("etag", "again", "told"),
    [
        ('"a"', '"a"', None),
        ('"a"', '"b"', "ETag of the input was"),
        pytest.param('"a"', 'W/"a"', "nobody can tell whether", marks=pytest.mark.soak),
    ],
)
def test_an_address_is_known_by_its_etag(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, etag: str, again: str, told: str | None
) -> None:
    class Handler(http.server.SimpleHTTPRequestHandler):
        tag = etag

        def log_message(self, *_: object) -> None:
            pass

        def end_headers(self) -> None:
            self.send_header("ETag", self.tag)
            super().end_headers()

    def full(self: State, name: str) -> None:
        if name.endswith("500"):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, name)

    save, output = State.save, tmp_path / "bar.mp4"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(place))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        call = partial(
            facered.redact,
            f"http://127.0.0.1:{running.server_port}/whole.mp4",
            output,
            annotations=place / "given.json",
            preset="ultrafast",
        )
        with monkeypatch.context() as patched:
            patched.setattr(State, "save", full)
            with pytest.raises(facered.ServiceError, match="No space left on device"):
                call()
        Handler.tag = again
        if told is None:
            call(resume=True)
            assert output.read_bytes() == redacted(place / "whole.mp4", tmp_path / "local.mp4", place)
        else:
            with pytest.raises(facered.ConfigurationUnsupportedError, match=told):
                call(resume=True)
        running.shutdown()
        thread.join()
