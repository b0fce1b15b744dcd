"""Files that hold the encoded pictures of one part of a film, bit for bit, with their times."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from facered.errors import ServiceError
from facered.video.output.pictures import EncodedPicture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BEGIN = b"facered part 1\n"
_LENGTH = struct.Struct("<I")
_PICTURE = struct.Struct("<qqqBII")  # pts, dts, duration, key, bytes, checksum
_END = struct.Struct("<8sQ")  # a mark, and how many pictures there are
_MARK = b"the end\n"


class PartStore(Protocol):
    """Where part files are kept, by their names."""

    def find(self, name: str) -> Path | None:
        """Return a file that is whole, None where there is none."""

    def draft(self, name: str) -> Path | None:
        """Return where to write a file; None where none is kept."""

    def save(self, name: str) -> None:
        """Keep the file that was written as a draft: it is whole."""


def part_name(number: int) -> str:
    """Return the name of the file of the part that begins at a frame."""
    return f"part{number:09d}"


class PartFile:
    """A part file in the making; the caller sees to it that nobody takes it for whole before it is closed.

    Parameters
    ----------
    path : Path
    extradata : bytes
        The parameter sets of the encoder.

    Raises
    ------
    OSError
        It cannot be written.
    """

    def __init__(self, path: Path, extradata: bytes) -> None:
        self._count = 0
        self._file = path.open("wb")
        self._file.write(_BEGIN + _LENGTH.pack(len(extradata)) + extradata)

    def write(self, picture: EncodedPicture) -> None:
        """Add a picture."""
        data, checksum = picture.data, zlib.crc32(picture.data)
        self._file.write(_PICTURE.pack(picture.pts, picture.dts, picture.duration, picture.key, len(data), checksum))
        self._file.write(data)
        self._count += 1

    def finish(self) -> None:
        """Write the end."""
        self._file.write(_END.pack(_MARK, self._count))
        self._file.close()

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()


class StoredPart:
    """The pictures of a part file, one after the other.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    extradata : bytes

    Raises
    ------
    ServiceError
        It is no whole part file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            head = file.read(len(_BEGIN) + _LENGTH.size)
            size = path.stat().st_size
            if not head.startswith(_BEGIN) or size < len(head) + _END.size:
                raise self._damaged()
            self.extradata = file.read(*_LENGTH.unpack(head[len(_BEGIN) :]))
            self._first = file.tell()
            file.seek(size - _END.size)
            mark, self._count = _END.unpack(file.read())
        if mark != _MARK:
            raise self._damaged()

    def pictures(self) -> Iterator[EncodedPicture]:
        """Yield them, in order of decoding."""
        with self._path.open("rb") as file:
            file.seek(self._first)
            for _ in range(self._count):
                head = file.read(_PICTURE.size)
                if len(head) < _PICTURE.size:
                    raise self._damaged()
                pts, dts, duration, key, size, checksum = _PICTURE.unpack(head)
                data = file.read(size)
                if len(data) < size or zlib.crc32(data) != checksum:
                    raise self._damaged()
                yield EncodedPicture(data, pts, dts, duration, bool(key))

    def _damaged(self) -> ServiceError:
        return ServiceError(f"{self._path}: is damaged; begin anew without --resume")


class Playback:
    """Pictures of a part that is encoded already, in place of frames, one by one.

    Parameters
    ----------
    part : StoredPart
    source : object
        What the film is called in messages.
    """

    def __init__(self, part: StoredPart, source: object) -> None:
        self._pictures, self._source = part.pictures(), source
        self._frames: list[int] = []
        self._shown: list[int] = []

    def take(self, pts: int | None) -> EncodedPicture:
        """Return the next picture, for the frame of a time, which is that of one of the part's pictures.

        Raises
        ------
        ServiceError
            There is none.
        """
        picture = next(self._pictures, None)
        if picture is None or pts is None:
            raise self._other()
        self._frames.append(pts)
        self._shown.append(picture.pts)
        return picture

    def finish(self) -> None:
        """Make sure that the pictures were those of the frames.

        Raises
        ------
        ServiceError
            They were not.
        """
        if next(self._pictures, None) is not None or sorted(self._shown) != self._frames:
            raise self._other()

    def _other(self) -> ServiceError:
        return ServiceError(
            f"{self._source}: has other frames than when its parts were made; begin anew without --resume"
        )


def write_all(file: PartFile | None, pictures: Iterable[EncodedPicture]) -> Iterator[EncodedPicture]:
    """Yield pictures, each when it is in a file, if there is one."""
    for picture in pictures:
        if file is not None:
            file.write(picture)
        yield picture
