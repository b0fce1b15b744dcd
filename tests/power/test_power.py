"""The power fails at any moment: the old set of files is there or the new one, after the next run has looked."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import videos
from facered.runtime.replace import recover
from facered.video.output.images import encode_image
from power.disk import DIRECTORY, Disk
from thinned import thinned

OLD = {
    "combined": ("foo_annotations.json", "foo_redacted.mp4"),
    "analyze": ("foo_annotations.json", "foo_thumb000001.jpg", "foo_thumb000002.jpg", "foo_thumb000007.jpg"),
    "redact": ("foo_redacted.mp4",),
    "pictures": ("bar00.png", "bar01.png", "bar02.png", "bar03.png", "bar04.png"),
}
CALLS: dict[str, list[str]] = {
    "combined": ["combined", "foo.mp4", "-o", "out", "--annotations"],
    "analyze": ["analyze", "foo.mp4", "-o", "out"],
    "redact": ["redact", "foo.mp4", "-o", "out", "--annotations", "given.json"],
    "pictures": ["combined", "foo%02d.png", "-o", "out/bar%02d.png"],
}
LOSSES = 40
"""How often the power fails at each moment."""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("power") / "writes.so"
    source = Path(__file__).with_name("writes.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl", "-lpthread"], check=True)
    return made


@pytest.fixture(scope="session")
def place(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    frames = videos.decode(carphone, 4)
    videos.encode(folder / "foo.mp4", frames)
    for number, frame in enumerate(frames[:3]):
        (folder / f"foo{number:02d}.png").write_bytes(encode_image(frame.reformat(format="rgb24"), "png"))
    facered(folder, "analyze", "foo.mp4", "-o", ".")
    (folder / "foo_annotations.json").rename(folder / "given.json")
    return folder


def facered(folder: Path, *arguments: object, **environment: str) -> None:
    command = [sys.executable, "-m", "facered", *map(str, arguments), "--overwrite", "-q"]
    subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True, timeout=120)


def moments(library: Path, place: Path, folder: Path, call: str) -> tuple[Disk, list[str], dict[str, bytes]]:
    """Carry out a call, and return the disk before, what was done to it, and the new files."""
    out = folder / "out"
    out.mkdir()
    for path in place.iterdir():
        (folder / path.name).symlink_to(path)
    for name in OLD[call]:
        (out / name).write_bytes(f"old {name}".encode())
    disk = Disk(out)
    log = folder / "log"
    facered(folder, *CALLS[call], LD_PRELOAD=str(library), FILES_BELOW=str(out), FILES_LOG=str(log))
    return disk, log.read_text().splitlines(), {path.name: path.read_bytes() for path in out.iterdir()}


def put_there(files: dict[str, bytes | None], under: str, into: Path) -> None:
    """Make files; what tells a directory for ours tells it where it is now."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    for name, content in files.items():
        path = into / Path(name).relative_to(under)
        if content is None:
            path.mkdir(0o700)
        else:
            marks = path.name == "mark" and len(content.split()) == 2 and content[-1:].isdigit() and 0 not in content
            about = path.parent.stat()
            path.write_bytes(f"{about.st_dev} {about.st_ino}".encode() if marks else content)


def lose(library: Path, place: Path, folder: Path, call: str, losses: int, seed: int = 1) -> int:
    """Have the power fail after each thing that is done; return how often it did."""
    disk, records, new = moments(library, place, folder, call)
    old = {name: f"old {name}".encode() for name in OLD[call]}
    assert set(new) <= {*old, "foo_thumb000001.jpg"}
    chance, count, seen = random.Random(seed), 0, set()  # noqa: S311
    for record in ["", *records]:
        what = disk.take(record) if record else ""
        for _ in range(1 if what in ("write", "create", "truncate", DIRECTORY) else losses):
            put_there(disk.after_loss(chance), disk.folder, folder / "after")
            recover(folder / "after")
            left = {path.name: path.read_bytes() for path in (folder / "after").iterdir()}
            assert left in (old, new), f"after {record[:200]}: {sorted(left)}"
            seen.add(left == new)
            count += 1
    assert seen == {False, True}
    return count


@pytest.mark.parametrize("call", thinned(CALLS))
def test_the_old_set_is_there_or_the_new_one(library: Path, place: Path, tmp_path: Path, call: str) -> None:
    assert lose(library, place, tmp_path, call, 4) > 40


@pytest.mark.soak
@pytest.mark.parametrize("call", CALLS)
def test_the_old_set_is_there_or_the_new_one_however_it_fails(
    library: Path, place: Path, tmp_path: Path, call: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("losses", lose(library, place, tmp_path, call, LOSSES, seed=2))
