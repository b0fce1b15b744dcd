"""Ways of working, and a film of a face in a known place: what they made is whole, and nobody is bare in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np

import facered
import videos
from facered.annotations.model import Annotations
from facered.cli.main import main
from facered.jobs.api import make_task
from facered.jobs.job import Job

COUNT = 16
DARK = 40
OLD = b"made before"


@dataclass(frozen=True)
class Film:
    """A film of one face, the same as numbered pictures, and where the face is in each frame."""

    path: Path
    pictures: Path
    annotations: Annotations
    places: list[tuple[float, ...]]

    def bare(self, frames: Iterable[av.VideoFrame]) -> list[int]:
        """Return which frames, known by their order, show the face."""
        found = []
        for number, frame in enumerate(frames):
            luma = frame.to_ndarray(format="gray")
            x1, y1, x2, y2 = self.places[number]
            left, top = (3 * x1 + x2) / 4, (3 * y1 + y2) / 4
            right, bottom = (x1 + 3 * x2) / 4, (y1 + 3 * y2) / 4
            if (luma[int(top) : int(bottom), int(left) : int(right)] < DARK).mean() < 0.8:
                found.append(number)
        return found


def decoded(path: Path) -> list[av.VideoFrame]:
    """Return all frames that can be had of a file, which may have been left unfinished."""
    frames: list[av.VideoFrame] = []
    with suppress(av.error.FFmpegError, IndexError), av.open(str(path)) as container:
        for frame in container.decode(video=0):
            frames.append(frame)  # noqa: PERF402  # those before an error count
    return frames


class Way:
    """A way of working, in a directory with what was made before."""

    files: tuple[str, ...] = ()

    def prepare(self, folder: Path) -> None:
        for name in self.files:
            (folder / name).write_bytes(OLD)

    def run(self, film: Film, folder: Path) -> None:
        raise NotImplementedError

    def submit(self, film: Film, folder: Path) -> facered.Job:
        raise NotImplementedError

    def came_out(self, folder: Path) -> list[av.VideoFrame]:
        return decoded(folder / "foo_redacted.mp4")

    def check_files(self, film: Film, folder: Path, *, failed: bool) -> None:
        """Make sure that the old set is there or the new one, nothing of both and nothing else."""
        contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("given.json",)}
        old = {name for name, content in contents.items() if content == OLD}
        assert old in (set(), set(self.files)), "old and new are mixed"
        if old:
            assert failed
            assert set(contents) == old, "something is left"
        else:
            self.check_new(film, folder, contents)

    def check_new(self, film: Film, folder: Path, contents: dict[str, bytes]) -> None:
        assert {name for name in contents if "thumb" not in name} == {
            name for name in self.files if "thumb" not in name
        }
        if "foo_annotations.json" in contents:
            assert (np.diff(facered.Annotations.read(folder / "foo_annotations.json").starts) > 0).all()
        if "foo_redacted.mp4" in contents:
            frames = self.came_out(folder)
            assert len(frames) == COUNT
            assert not film.bare(frames)


class Analyze(Way):
    files = ("foo_annotations.json", "foo_thumb000001.jpg")
    mode = "analyze"
    more: ClassVar[dict[str, Any]] = {}

    def submit(self, film: Film, folder: Path) -> facered.Job:
        return facered.submit(film.path, folder, mode=self.mode, overwrite=True, **self.more)

    def run(self, film: Film, folder: Path) -> None:
        getattr(facered, self.mode)(film.path, folder, overwrite=True, **self.more)


class Redact(Analyze):
    files = ("foo_redacted.mp4",)
    mode = "redact"
    more: ClassVar[dict[str, Any]] = {"blur": "Black"}

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        self.given = folder / "given.json"

    def run(self, film: Film, folder: Path) -> None:
        film.annotations.write(self.given)
        facered.redact(film.path, folder, annotations=self.given, overwrite=True, **self.more)

    def submit(self, film: Film, folder: Path) -> facered.Job:
        film.annotations.write(self.given)
        return facered.submit(film.path, folder, mode="redact", annotations=self.given, overwrite=True, **self.more)


class Combined(Analyze):
    files = ("foo_annotations.json", "foo_redacted.mp4")
    mode = "combined"
    more: ClassVar[dict[str, Any]] = {"blur": "Black", "annotations": True}

    def submit(self, film: Film, folder: Path) -> facered.Job:
        return facered.submit(film.path, folder, overwrite=True, blur="Black")


class OneThread(Combined):
    more: ClassVar[dict[str, Any]] = {**Combined.more, "threads": 1}


class Pictures(Way):
    files = tuple(f"p{number:02d}.png" for number in range(COUNT))

    def run(self, film: Film, folder: Path) -> None:
        facered.combined(film.pictures, folder / "p%02d.png", blur="Black", overwrite=True)

    def check_new(self, film: Film, folder: Path, contents: dict[str, bytes]) -> None:
        assert set(contents) == set(self.files)
        assert not film.bare(frame for name in self.files for frame in decoded(folder / name))


class Streamed(Way):
    """To standard output, as it is made: what has been written is there."""

    def run(self, film: Film, folder: Path) -> None:
        with (folder / "out.nut").open("wb") as file:
            options = {"blur": "Black"}
            Job(make_task("combined", film.path, folder, options=options, stream=(file.fileno(), "nut"))).run()

    def check_files(self, film: Film, folder: Path, *, failed: bool) -> None:
        frames = decoded(folder / "out.nut")
        assert {path.name for path in folder.iterdir()} <= {"out.nut"}
        assert failed or len(frames) == COUNT
        assert not film.bare(frames)


class Piped(Way):
    def run(self, film: Film, folder: Path) -> None:
        code = main(["pipe", str(film.path), "-o", str(folder / "out.nut"), "--blur", "Black", "--lookahead", "3"])
        if code:
            raise facered.ServiceError(f"code {code}")

    def check_files(self, film: Film, folder: Path, *, failed: bool) -> None:
        frames = decoded(folder / "out.nut")
        assert failed or len(frames) == COUNT
        assert not film.bare(frames)


class Live(Way):
    settings: ClassVar[dict[str, Any]] = {}
    pause = 0.0

    def run(self, film: Film, _: Path) -> None:
        """Redact; an error is raised in the end."""
        self.frames: list[av.VideoFrame] = []
        errors: list[BaseException] = []
        given = videos.decode(film.path)
        with facered.Redactor(blur="Black", **self.settings) as redactor:
            calls: list[Callable[[], list[av.VideoFrame]]] = [lambda f=frame: redactor.process(f) for frame in given]
            for call in [*calls, redactor.flush, redactor.flush]:
                time.sleep(self.pause)
                try:
                    self.frames += call()
                except BaseException as error:
                    errors.append(error)
        assert [id(frame) for frame in self.frames] == [id(frame) for frame in given], "a frame is lost"
        if errors:
            raise errors[0]

    def check_files(self, film: Film, _: Path, **__: bool) -> None:
        assert not film.bare(self.frames)


class LiveAhead(Live):
    settings: ClassVar[dict[str, Any]] = {"lookahead": 4}


class LiveBeside(Live):
    """The detector is so slow that its detections have to be brought forward."""

    settings: ClassVar[dict[str, Any]] = {"detect": "async", "lookahead": 2, "threads": 1}
    pause = 0.02


WAYS: dict[str, type[Way]] = {
    "analyze": Analyze,
    "redact": Redact,
    "combined": Combined,
    "combined, one thread": OneThread,
    "combined, pictures": Pictures,
    "combined, streamed": Streamed,
    "pipe": Piped,
    "live": Live,
    "live, lookahead": LiveAhead,
    "live, async": LiveBeside,
}
