"""What can be on the disk when the power fails: of what a program did to files, what was not synced may be lost.

`Disk` takes what `writes.c` has noted. Two models are tried: names change in the order in which they were changed, as
on file systems with a journal, or in any order, directory by directory, as POSIX allows. Bytes that were not synced may
be there, missing, or zero.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

DIRECTORY = "directory"


@dataclass(eq=False)
class Inode:
    kind: str
    now: bytearray = field(default_factory=bytearray)
    safe: bytes = b""

    def after_loss(self, chance: random.Random) -> bytes:
        if bytes(self.now) == self.safe:
            return self.safe
        end = chance.randrange(len(self.now) + 1)
        return chance.choice([self.safe, bytes(self.now), bytes(self.now[:end]), bytes(len(self.now))])


Names = dict[str, Inode]


@dataclass
class Change:
    """A change of names: those that go and those that come, at once."""

    gone: list[str]
    come: Names

    @property
    def folders(self) -> set[str]:
        return {str(PurePosixPath(name).parent) for name in (*self.gone, *self.come)}

    def apply(self, names: Names) -> None:
        for name in self.gone:
            names.pop(name, None)
        names.update(self.come)


class Disk:
    """A directory whose files exist already, and all that is done to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.inodes: dict[int, Inode] = {}
        self.now: Names = {}
        for path in folder.iterdir():
            content = path.read_bytes()
            self.inodes[path.stat().st_ino] = self.now[str(path)] = Inode("file", bytearray(content), content)
        self.safe = dict(self.now)
        self.waiting: list[Change] = []

    def take(self, record: str) -> str:
        """Take a line of the log, and return what it told of."""
        what, number, name, other, offset, digits = record.split("\t")
        inode = self.inodes.get(int(number))
        if what in ("create", DIRECTORY):
            self.inodes[int(number)] = inode = Inode(what)
            self._change(Change([], {name: inode}))
        elif what == "sync all":
            for one in self.inodes.values():
                one.safe = bytes(one.now)
            self._sync(None)
        elif inode is None:
            assert name == self.folder, record  # the directory itself
            self._sync(name)
        elif what == "sync" and inode.kind == DIRECTORY:
            self._sync(name)
        elif what == "sync":
            inode.safe = bytes(inode.now)
        elif what == "write":
            begin, content = int(offset), bytes.fromhex(digits)
            inode.now.extend(bytes(max(begin - len(inode.now), 0)))
            inode.now[begin : begin + len(content)] = content
        elif what == "truncate":
            del inode.now[int(offset) :]
        else:
            gone = {"rename": [name], "unlink": [name], "link": []}[what]
            self._change(Change(gone, {other: inode} if other else {}))
        return what

    def _change(self, change: Change) -> None:
        change.apply(self.now)
        self.waiting.append(change)

    def _sync(self, folder: str | None) -> None:
        """Bring the names in a directory to the disk, and what was changed together with them."""
        folders = {folder}
        needed = []
        for change in reversed(self.waiting):
            if folder is None or change.folders & folders:
                folders |= change.folders
                needed.append(change)
        for change in reversed(needed):
            change.apply(self.safe)
        self.waiting = [change for change in self.waiting if change not in needed]

    def after_loss(self, chance: random.Random) -> dict[str, bytes | None]:
        """Return the files that may be there after a loss of power; None is a directory."""
        names = dict(self.safe)
        ordered, stop = chance.random() < 0.5, chance.choice([0.0, 0.1, 0.5])
        late: set[str] = set()
        for change in self.waiting:
            if late & change.folders or (late and ordered) or chance.random() < stop:
                late |= change.folders
            else:
                change.apply(names)
        found: dict[str, bytes | None] = {}
        for name, inode in sorted(names.items()):
            above = str(PurePosixPath(name).parent)
            if above == self.folder or above in found:  # else its directory has got lost
                found[name] = None if inode.kind == DIRECTORY else inode.after_loss(chance)
        return found
