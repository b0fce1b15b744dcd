"""What a job has finished so far, kept beside its output, so that after a kill another one can go on from there.

It is a directory that only its owner may enter, locked as long as the job lives. A manifest in it says of which input,
and with which settings, it is; and which directory of which device it is: what was copied from elsewhere is not ours,
and is neither believed nor touched. Pieces appear in it under their names when they are whole and on the disk.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from facered.errors import ConfigurationUnsupportedError, FaceredError, ServiceError
from facered.runtime import durable
from facered.runtime.replace import MAX_NAME_BYTES

VERSION = 1
"""Of the directory's layout and of what pieces hold: another one is not taken up."""
_END, _DRAFT, _MANIFEST = ".resume", ".new", "manifest.json"
_MAX_MANIFEST_BYTES = 1 << 20

Facts = Mapping[str, object]
"""By its name in messages, what must be the same; of JSON's kinds."""


class State:
    """The pieces of one job; a context, at whose end they are gone, unless by an error after which one can go on.

    The directory is made with the first piece. See `open_state`.

    Attributes
    ----------
    place : Path
        The directory.
    """

    def __init__(self, output: Path, facts: Callable[[], Facts | None], descriptor: int | None = None) -> None:
        self.place = place_of(output)
        self._output, self._facts, self._descriptor = output, facts, descriptor
        self._useless, self._lock = False, threading.Lock()

    def __enter__(self) -> State:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        wrong = kind is not None and issubclass(kind, FaceredError) and not issubclass(kind, ServiceError)
        if kind is None or wrong or issubclass(kind, KeyboardInterrupt):
            self.remove()
        self.close()

    def find(self, name: str) -> Path | None:
        """Return a piece that is whole, None where there is none."""
        path = self.place / name
        return path if self._descriptor is not None and path.is_file() else None

    def draft(self, name: str) -> Path | None:
        """Return where to write a piece; None where none can be kept, as the input could not be known again.

        Raises
        ------
        OSError
            The directory cannot be made.
        """
        with self._lock:
            if self._descriptor is None and not self._useless:
                facts = self._facts()
                self._useless = facts is None or not self._make(facts)
        return None if self._useless else self.place / f"{name}{_DRAFT}"

    def save(self, name: str) -> None:
        """Have the draft of a piece be on the disk, and give it its name.

        Raises
        ------
        OSError
            It cannot be written.
        """
        draft = self.place / f"{name}{_DRAFT}"
        durable.sync(draft)
        draft.replace(self.place / name)
        durable.sync(self.place)

    def remove(self) -> None:
        """Delete all pieces."""
        if self._descriptor is not None:
            _empty(self.place)

    def close(self) -> None:
        """Leave the pieces to the next job; a thread that still goes on keeps no more."""
        with self._lock:
            self._useless = True
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _make(self, facts: Facts) -> bool:
        """Make the directory; return whether it is ours."""
        made = False
        with suppress(FileExistsError):
            self.place.mkdir(0o700)
            made = True
        descriptor = _lock(self.place)
        if descriptor is None or not _is_ours(self.place):
            if descriptor is not None:
                os.close(descriptor)
            elif made:  # there are file systems without locks
                self.place.rmdir()
            return False
        self._descriptor = descriptor
        (self.place / f"{_MANIFEST}{_DRAFT}").write_text(json.dumps(_manifest(self.place, facts)))
        self.save(_MANIFEST)
        durable.sync(self.place.parent)
        return True


def open_state(output: Path, facts: Callable[[], Facts | None], *, resume: bool) -> State:
    """Return the state of a job that makes an output, which nobody else makes meanwhile.

    Parameters
    ----------
    output : Path
    facts : callable
        Returns what must be the same for pieces to be used again, None where nobody can tell; asked for only if there
        are pieces, or some are to be kept.
    resume : bool
        Whether to take up what a dead job has left. Otherwise it is deleted.

    Raises
    ------
    ConfigurationUnsupportedError
        What is there is of another input or of other settings, or of a job that lives; the message says which.
    """
    place = place_of(output)
    descriptor = _lock(place)
    if descriptor is None:
        if resume and place.is_dir():
            raise ConfigurationUnsupportedError(f"{output}: {place} is another job's, or not ours; leave out --resume")
        return State(output, facts)
    try:
        left = _left(place)
        if left is not None and resume:
            _check_same(output, left, facts())
            for path in place.glob(f"*{_DRAFT}"):
                path.unlink()
            return State(output, facts, descriptor)
        if left is not None or _is_ours(place):
            _empty(place)
        os.close(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return State(output, facts)


def place_of(output: Path) -> Path:
    """Return the directory of the state of the job that makes an output."""
    name, end = output.name, _END
    if len(os.fsencode(f".{name}{end}")) > MAX_NAME_BYTES:
        end = f".{zlib.crc32(os.fsencode(name)):08x}{end}"
        name = os.fsencode(name)[: MAX_NAME_BYTES - len(f".{end}")].decode("utf-8", "ignore")
    return output.with_name(f".{name}{end}")


def _manifest(place: Path, facts: Facts) -> dict[str, Any]:
    about = place.lstat()
    return {"state": VERSION, "place": [about.st_dev, about.st_ino], "facts": json.loads(json.dumps(facts))}


def _left(place: Path) -> dict[str, Any] | None:
    """Return the facts of a directory of ours that somebody has left; None where it is none, or not finished."""
    path = place / _MANIFEST
    try:
        if path.is_symlink() or path.stat().st_size > _MAX_MANIFEST_BYTES:
            return None
        found = json.loads(path.read_text())
        known = _manifest(place, {})
        if not isinstance(found["facts"], dict) or found["place"] != known["place"]:
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    facts: dict[str, Any] = found["facts"]
    return facts | {"version of the state": found.get("state")}


def _check_same(output: Path, left: dict[str, Any], facts: Facts | None) -> None:
    if facts is None:
        raise ConfigurationUnsupportedError(
            f"{output}: nobody can tell whether the input is still the same; leave out --resume"
        )
    now = {**json.loads(json.dumps(facts)), "version of the state": VERSION}
    for name in [*now, *left]:
        if now.get(name) != left.get(name):
            was, becomes = (_shown(values.get(name)) for values in (left, now))
            told = f"{name} was {was} and is {becomes}" if was != becomes else f"{name} is not the same"
            raise ConfigurationUnsupportedError(
                f"{output}: what was begun cannot be gone on with, as {told}; leave out --resume to begin anew"
            )


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _is_ours(place: Path) -> bool:
    """Tell whether a directory that we have locked is one of ours, or one that we had just begun to make."""
    return _left(place) is not None or {entry.name for entry in place.iterdir()} <= {f"{_MANIFEST}{_DRAFT}"}


def _empty(place: Path) -> None:
    """Delete one of our directories: the manifest last, by which it is known."""
    for path in place.iterdir():
        if path.name != _MANIFEST:
            path.unlink()
    shutil.rmtree(place)


def _lock(place: Path) -> int | None:
    """Lock a directory and return the descriptor that holds the lock; None where it is none, or another's."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        about = os.fstat(descriptor)
        if about.st_uid != os.geteuid() or place.lstat().st_ino != about.st_ino:
            raise PermissionError(errno.EPERM, "it is not ours", os.fspath(place))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
