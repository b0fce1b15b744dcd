"""Files that appear under their names when they are complete, and all those that belong together at once.

While they are made they are in a directory beside their places that only their owner may enter. It is locked as long as
the process lives, so that nobody else makes the same files meanwhile; what a process that is gone has left is cleaned
up by the next one. A file in it says which directory of which device it is: what came from elsewhere, in an archive or
on a disk, is not ours, and is neither believed nor touched.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from facered.runtime import durable

MAX_NAME_BYTES = 255
"""How long a file's name can be on the file systems there are."""
_END = ".facered"
_NEW, _OLD, _COMMIT, _MARK = "new", "old", "commit", "mark"
_MAX_JOURNAL_BYTES = 1 << 26
_ATTEMPTS = 8


class BusyError(OSError):
    """Another job makes the same file."""


class ForeignError(OSError):
    """What is where files are to be made was not made by us."""


class FileSet:
    """Files of one directory that appear together, or not at all.

    A context: nobody else makes files of the same names in it. When it ends, what was not published is gone.

    Parameters
    ----------
    names : sequence of Path
        The files that others must not make meanwhile; they get their names last, in this order.

    Raises
    ------
    BusyError
        Somebody makes one of them.
    OSError
        The directory cannot be written.
    """

    def __init__(self, names: Sequence[Path]) -> None:
        self._names = list(names)
        self._claims: list[tuple[Path, int]] = []

    def __enter__(self) -> FileSet:
        return self.claim()

    def __exit__(self, *_: object) -> None:
        self.release()

    def claim(self) -> FileSet:
        """Keep others from making files of these names, until `release`."""
        try:
            if self._names:
                recover(self._names[0].parent)
            # Two jobs that ask for the same files in another order must not stand in each other's way.
            for name in sorted(self._names):
                self._claims.append(_claim(name))
            if self._names:
                (self._place / _NEW).mkdir()
        except BaseException:
            self.release()
            raise
        return self

    def release(self) -> None:
        """Delete what was not published."""
        for place, descriptor in reversed(self._claims):
            with suppress(OSError):
                _remove(place)
            os.close(descriptor)
        self._claims.clear()

    def file(self, path: Path) -> Path:
        """Return where to write what is to be the file `path`, of the same directory as the set's names."""
        return self._place / _NEW / path.name

    def publish(self, gone: Iterable[Path] = (), *, overwrite: bool = True) -> None:
        """Give the files their names, and delete `gone`, files of the same directory that do not belong to the set.

        A process that ends amid this leaves it to be finished by the next one that looks at the directory.

        Raises
        ------
        OSError
            It cannot be done, or a file has come in the way that is not to be overwritten; all is as it was.
        """
        last = [path.name for path in self._names]
        made = {path.name for path in (self._place / _NEW).iterdir()}
        order = [*sorted(made - set(last)), *(name for name in last if name in made)]
        deleted = [path.name for path in gone]
        for path in () if overwrite else (self._folder / name for name in order):
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
        durable.sync_files(self._place / _NEW, order)
        if len(order) == 1 and not deleted:  # one file replaces another in one step anyway
            (self._place / _NEW / order[0]).replace(self._folder / order[0])
            return
        draft = self._place / f"{_COMMIT}.{_NEW}"
        with draft.open("w") as file:
            json.dump([order, deleted], file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._place / _COMMIT)
        (self._place / _OLD).mkdir()
        durable.sync(self._place)  # the journal cannot be lost any more
        try:
            for name in order:
                _keep(self._folder / name, self._place / _OLD / name)
                (self._place / _NEW / name).replace(self._folder / name)
        except BaseException:
            self._take_back(order)
            raise
        _finish(self._place)

    @property
    def _place(self) -> Path:
        return self._claims[0][0]

    @property
    def _folder(self) -> Path:
        return self._names[0].parent

    def _take_back(self, order: list[str]) -> None:
        """Undo what was done of publishing; whoever finishes it meanwhile finds the new files where they were."""
        for name in reversed(order):
            new, old = self._place / _NEW / name, self._place / _OLD / name
            if not new.exists():
                (self._folder / name).replace(new)
            if old.exists():
                old.replace(self._folder / name)
        durable.sync(self._folder)
        (self._place / _COMMIT).unlink()


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, given at once or piece by piece, that appears under its name when it is complete.

    Raises
    ------
    OSError
        It cannot be written; what was there before is still there.
    """
    with FileSet([path]) as files:
        with files.file(path).open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        files.publish()


def final_name(path: str | os.PathLike[str]) -> Path:
    """Return what a file is to be called that is made for a set; other names stay."""
    place = Path(path).parent.parent
    return place.parent / Path(path).name if place.name.endswith(_END) else Path(path)


def recover(folder: Path) -> None:
    """Finish what processes that are gone were publishing in a directory, and delete what else they left.

    Raises
    ------
    OSError
        What was being published cannot be finished.
    """
    try:
        places = [Path(entry) for entry in os.scandir(folder) if entry.name.endswith(_END) and entry.name[0] == "."]
    except OSError:  # whoever writes or reads there says what is wrong
        return
    for place in places:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError, BusyError, ForeignError), _locked(place):
            _settle(place)
            _remove(place)


def _keep(path: Path, copy: Path) -> None:
    """Give a file that is about to be replaced a second name."""
    with suppress(FileNotFoundError):
        try:
            os.link(path, copy, follow_symlinks=False)
        except OSError:  # a directory, which will stop us, or a file system on which files have one name
            if not path.is_dir():
                path.replace(copy)


def _claim(path: Path) -> tuple[Path, int]:
    """Return the directory in which a file is made, and the descriptor that keeps it locked."""
    place = path.with_name(_place_name(path.name))
    for _ in range(_ATTEMPTS):
        with suppress(FileExistsError):
            place.mkdir(0o700)
        try:
            descriptor = _lock(place)
        except FileNotFoundError:  # it was somebody's, who has just finished
            if not path.parent.is_dir():
                raise
            continue
        try:
            _settle(place)
            (place / _MARK).write_text(_mark(place))
            durable.sync_files(place, [_MARK])  # or after a loss of power what is in it is not believed to be ours
        except BaseException:
            os.close(descriptor)
            raise
        return place, descriptor
    raise BusyError(errno.EBUSY, os.strerror(errno.EBUSY), os.fspath(path))


def _lock(place: Path) -> int:
    """Lock one of our directories and return the descriptor that holds the lock."""
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it is somebody else's", os.fspath(place))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(errno.EBUSY, os.strerror(errno.EBUSY), os.fspath(place)) from None
        if place.lstat().st_ino != os.fstat(descriptor).st_ino:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(place))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    descriptor = _lock(place)
    try:
        yield
    finally:
        os.close(descriptor)


def _settle(place: Path) -> None:
    """Finish what was being published from a directory that we have locked, and empty it but for its mark.

    Raises
    ------
    ForeignError
        It is not ours.
    """
    if {entry.name for entry in place.iterdir()} - {_MARK} and _content(place / _MARK) != _mark(place):
        raise ForeignError(errno.EEXIST, "is in the way and not ours", os.fspath(place))
    if _journal(place) is not None:
        _finish(place)
    _empty(place)


def _empty(place: Path) -> None:
    for name in (_NEW, _OLD):
        if (place / name).is_symlink():
            (place / name).unlink()
        shutil.rmtree(place / name, ignore_errors=True)
    for name in (_COMMIT, f"{_COMMIT}.{_NEW}"):
        (place / name).unlink(missing_ok=True)


def _remove(place: Path) -> None:
    """Delete one of our directories; it is known for ours until it is empty."""
    _empty(place)
    (place / _MARK).unlink(missing_ok=True)
    place.rmdir()


def _mark(place: Path) -> str:
    """Return what only one directory of one device can be told by."""
    found = place.lstat()
    return f"{found.st_dev} {found.st_ino}"


def _content(file: Path) -> str | None:
    """Return what is in a file of ours; None where it is none."""
    try:
        about = file.lstat()
        if stat.S_ISREG(about.st_mode) and about.st_size <= _MAX_JOURNAL_BYTES:
            return file.read_text()
    except (OSError, ValueError):
        pass
    return None


def _journal(place: Path) -> tuple[list[str], list[str]] | None:
    """Return which files get their names and which are deleted; None where nothing was being published."""
    try:
        order, gone = json.loads(_content(place / _COMMIT) or "")
        names = [*order, *gone]
    except (ValueError, TypeError, RecursionError):
        return None
    return (order, gone) if all(map(_is_plain, names)) else None


def _is_plain(name: object) -> bool:
    """Tell whether something is the name of a file of one directory."""
    return isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\0"} & set(name)


def _finish(place: Path) -> None:
    """Give those files of a set their names that have not got them yet, and delete what does not belong to it."""
    order, gone = _journal(place) or ([], [])
    for name in order if not (place / _NEW).is_symlink() else ():
        with suppress(FileNotFoundError):
            (place / _NEW / name).replace(place.parent / name)
    for name in gone:
        (place.parent / name).unlink(missing_ok=True)
    durable.sync(place.parent)  # the names before the journal goes
    (place / _COMMIT).unlink()


def _place_name(name: str) -> str:
    """Return what the directory is called in which a file is made; of a long name only the beginning and a sum."""
    encoded, end = os.fsencode(name), _END
    if len(encoded) > MAX_NAME_BYTES - len(f".{end}"):
        end = f".{zlib.crc32(encoded):08x}{end}"
        # A character that is cut in half is left out.
        name = encoded[: MAX_NAME_BYTES - len(f".{end}")].decode("utf-8", "ignore")
    return f".{name}{end}"
