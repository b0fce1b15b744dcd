"""Which streams of a broadcast belong to the same programme as its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from av.stream import Disposition

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_KINDS: tuple[Literal["audio", "subtitle"], ...] = ("audio", "subtitle")


def foreign(container: InputContainer, pictures: Stream) -> set[int]:
    """Return the indices of sound and subtitles that belong to other programmes than a stream of pictures.

    FFmpeg tells the best stream of a kind in the programme of another one, and no more: each stream in turn is made
    the best, and is of the programme if FFmpeg agrees. Where a file has no programmes, all are of the same one.
    """
    found: set[int] = set()
    for kind in _KINDS:
        streams = [stream for stream in container.streams if stream.type == kind]
        known = [stream.disposition for stream in streams]
        try:
            for candidate in streams:
                for stream in streams:
                    stream.disposition = Disposition.default if stream is candidate else Disposition(0)
                known_at_all = container.streams.best(kind) is candidate  # some have no rate or channels
                if known_at_all and container.streams.best(kind, related=pictures) is not candidate:
                    found.add(candidate.index)
        finally:
            for stream, disposition in zip(streams, known, strict=True):
                stream.disposition = disposition
    return found
