"""A job that is killed at any moment leaves the old files or the new ones, and the next one works."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import videos
from facered.runtime.replace import recover
from facered.video.output.images import encode_image

CALLS: dict[str, list[str]] = {
    "analyze": ["analyze", "foo.mp4", "-o", "out"],
    "redact": ["redact", "foo.mp4", "-o", "out", "--annotations", "given.json"],
    "combined": ["combined", "foo.mp4", "-o", "out", "--annotations"],
    "pictures": ["combined", "foo%02d.png", "-o", "out/bar%02d.png"],
}
PIPE = ["pipe", "foo.mp4", "-o", "out/foo.nut"]
DYING = """
import os, signal, sys
from pathlib import Path
from facered.cli.entry import main

left, after = int(sys.argv[1]), sys.argv[2] == "after"

def dies(step):
    def dying(*arguments, **settings):
        global left
        left -= 1
        if left == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        given = step(*arguments, **settings)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return given
    return dying

for owner, name in [(Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "rmdir"), (os, "link")]:
    setattr(owner, name, dies(getattr(owner, name)))
sys.argv[1:] = sys.argv[3:]
sys.exit(main())
"""


@pytest.fixture(scope="module")
def place(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    frames = videos.decode(carphone, 6)
    videos.encode(folder / "foo.mp4", frames)
    for number, frame in enumerate(frames[:4]):
        (folder / f"foo{number:02d}.png").write_bytes(encode_image(frame.reformat(format="rgb24"), "png"))
    subprocess.run(command(CALLS["analyze"]), cwd=folder, check=True)
    (folder / "out" / "foo_annotations.json").rename(folder / "given.json")
    shutil.rmtree(folder / "out")
    return folder


def command(call: list[str], *program: object) -> list[str]:
    return [sys.executable, *map(str, program or ("-m", "facered")), *call, "--overwrite", "-q"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


class Killed:
    """A call that is killed, over and over, in a directory with what was made before."""

    def __init__(self, place: Path, folder: Path, call: list[str]) -> None:
        self._call, self.folder = call, folder
        for path in place.iterdir():
            (folder / path.name).symlink_to(path)
        begun = time.monotonic()
        self.run()
        self.seconds, self.new = time.monotonic() - begun, contents(folder / "out")
        self.old = {name: b"old " + name.encode() for name in self.new}
        assert self.new
        assert not any(name.startswith(".") for name in self.new)

    def run(self, *program: object) -> int:
        """Make the files with nobody in the way, or as a program says; return the code."""
        return subprocess.run(command(self._call, *program), cwd=self.folder, check=not program).returncode

    def prepare(self) -> Path:
        """Put the old files there."""
        out = self.folder / "out"
        for name, content in self.old.items():
            (out / name).write_bytes(content)
        return out

    def kill_after(self, seconds: float) -> bool:
        """Kill it after a while; return whether the new files are there."""
        self.prepare()
        job = subprocess.Popen(command(self._call), cwd=self.folder, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        job.kill()
        job.wait()
        return self.is_new()

    def is_new(self) -> bool:
        """Have the next look at the directory; return whether the new files are there, or fail where it is neither."""
        out = self.folder / "out"
        recover(out)
        left = contents(out)
        assert left in (self.old, self.new), sorted(left)
        return left == self.new

    def works(self) -> None:
        """Make sure that the next run makes what it should."""
        self.run()
        assert contents(self.folder / "out") == self.new


@pytest.mark.parametrize(
    ("call", "kills"), [("combined", 3), *(pytest.param(call, 50, marks=pytest.mark.soak) for call in CALLS)]
)
def test_at_any_moment(
    place: Path, tmp_path: Path, call: str, kills: int, record_property: Callable[[str, object], None]
) -> None:
    killed, chance = Killed(place, tmp_path, CALLS[call]), random.Random(kills)  # noqa: S311
    seen = {killed.kill_after(chance.uniform(0.3, 1.15) * killed.seconds) for _ in range(kills)}
    seen.add(killed.kill_after(0.1 * killed.seconds))  # whatever else the machine has to do
    killed.works()
    assert False in seen
    record_property("kills", kills)


@pytest.mark.parametrize(
    ("call", "when", "every"),
    [
        ("combined", "before", 9),
        *(pytest.param(call, when, 1, marks=pytest.mark.soak) for call in CALLS for when in ("before", "after")),
    ],
)
def test_at_every_step_of_publishing(
    place: Path, tmp_path: Path, call: str, when: str, every: int, record_property: Callable[[str, object], None]
) -> None:
    killed, seen, step = Killed(place, tmp_path, CALLS[call]), [], 0
    while True:
        step += every
        killed.prepare()
        code = killed.run("-c", DYING, step, when)
        assert code in (0, -9)
        if code == 0:
            break
        seen.append(killed.is_new())
    killed.works()
    assert seen == sorted(seen)  # once the new ones are there they stay
    assert set(seen) == {False, True}
    record_property("kills amid publishing", len(seen))


@pytest.mark.soak
@pytest.mark.parametrize("kills", [20])
def test_a_stream_into_a_file_shows_nobody_and_the_next_run_works(
    place: Path, tmp_path: Path, kills: int, record_property: Callable[[str, object], None]
) -> None:
    """It is written as it comes: what is there of it is the beginning of the whole one."""
    (tmp_path / "out").mkdir()
    killed, chance = Killed(place, tmp_path, PIPE), random.Random(3)  # noqa: S311
    for _ in range(kills):
        (tmp_path / "out" / "foo.nut").unlink()
        job = subprocess.Popen(command(PIPE), cwd=tmp_path, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.4, 1.0) * killed.seconds)
        job.kill()
        job.wait()
        left = contents(tmp_path / "out")
        assert set(left) <= {"foo.nut"}
        assert killed.new["foo.nut"].startswith(left.get("foo.nut", b""))
        killed.works()
    record_property("kills of pipe", kills)
