"""Somebody else's process: another user, who has no home and may not write into the package."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import facered

NOBODY = 65534
LIVE = """
import av, facered, sys
with av.open(sys.argv[1]) as film, facered.Redactor() as redactor:
    frames = [clean for frame in film.decode(video=0) for clean in redactor.process(frame)]
print(len(frames), max(face.id for face in redactor.faces))
"""
PIPED = """
import sys
from facered.cli.main import main
sys.exit(main(["pipe", sys.argv[1], "-o", sys.argv[2]]))
"""


@dataclass(frozen=True)
class Elsewhere:
    """A folder that the other user may write to, and a way to run Python as that user."""

    folder: Path
    user: int | None
    package: Path
    interpreter: str

    def python(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python without any variable but the path, and without a home."""
        paths = [str(self.package.parent), *(path for path in sys.path if path.endswith("site-packages"))]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), **more}
        return subprocess.run(
            [self.interpreter, *map(str, arguments)],
            cwd="/",
            env=environment,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )


def interpreters() -> list[str]:
    """Return this Python, and the system's of the same version: this one may lie in a folder that only root sees."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [sys.executable, *filter(None, [shutil.which(name, path=os.defpath)])]


def can_run(place: Elsewhere) -> bool:
    try:
        return place.python("-c", "import numpy").returncode == 0
    except PermissionError:
        return False


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    folder = Path(tempfile.mkdtemp(prefix="facered-elsewhere-"))
    package, writable = folder / "site" / "facered", folder / "writable"
    try:
        shutil.copytree(Path(facered.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
        writable.mkdir()
        folder.chmod(0o755)
        writable.chmod(0o777)
        user = NOBODY if os.geteuid() == 0 else None
        for path in (package.parent, package, *package.rglob("*")):
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
        places = [Elsewhere(writable, user, package, interpreter) for interpreter in interpreters()]
        usable = [place for place in places if can_run(place)]
        if not usable:
            pytest.skip("no Python of this version can be run by another user")
        yield usable[0]
    finally:
        for path in (package.parent, package, *package.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
        shutil.rmtree(folder)


@pytest.fixture
def film(elsewhere: Elsewhere, carphone: Path) -> Path:
    return Path(shutil.copy(carphone, elsewhere.folder / "foo.mp4"))


def test_nothing_can_be_written_but_the_results(elsewhere: Elsewhere) -> None:
    code = f"""
import os, facered
print(facered.__file__.startswith({str(elsewhere.package)!r}), os.access(os.path.dirname(facered.__file__), os.W_OK))
print(os.path.exists(os.path.expanduser("~")), "HOME" in os.environ)
"""
    expected = "True False\nFalse False\n" if elsewhere.user is not None else "True False\n"
    assert elsewhere.python("-c", code).stdout.startswith(expected)


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (["analyze"], ["foo_annotations.json", "foo_thumb000001.jpg"]),
        (["combined", "--annotations"], ["foo_annotations.json", "foo_redacted.mp4"]),
    ],
)
def test_jobs(elsewhere: Elsewhere, film: Path, command: list[str], written: list[str]) -> None:
    out = elsewhere.folder / command[0]
    done = elsewhere.python("-m", "facered", *command, film, "-o", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == written
    assert not list(elsewhere.package.rglob("__pycache__"))


def test_redact(elsewhere: Elsewhere, film: Path) -> None:
    out = elsewhere.folder / "redact"
    facered.analyze(film, out)
    out.chmod(0o777)
    done = elsewhere.python("-m", "facered", "redact", film, "-o", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "foo_redacted.mp4").is_file()


def test_pipe(elsewhere: Elsewhere, film: Path) -> None:
    done = elsewhere.python("-c", PIPED, film, elsewhere.folder / "piped.mkv")
    assert (done.returncode, done.stderr) == (0, "")
    assert (elsewhere.folder / "piped.mkv").stat().st_size > 10_000


def test_live(elsewhere: Elsewhere, film: Path) -> None:
    done = elsewhere.python("-c", LIVE, film)
    assert (done.stdout, done.stderr) == ("120 1\n", "")


@pytest.mark.soak
def test_numba_that_cannot_keep_anything(elsewhere: Elsewhere, film: Path) -> None:
    pytest.importorskip("numba", reason="Numba is not installed")
    out = elsewhere.folder / "jit"
    done = elsewhere.python("-m", "facered", "analyze", film, "-o", out, "--end", 1, FACERED_JIT="1")
    assert (done.returncode, done.stderr.splitlines()[1:]) == (0, [])
    assert (out / "foo_annotations.json").is_file()
