"""The pictures of a film once more: opened anew, for a decoder of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from facered.video.input.decode import PictureStream
from facered.video.input.decoding import Replay
from facered.video.input.preview import PICTURES

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream


def demuxed(pictures: PictureStream) -> Iterator[Packet[Stream]]:
    """Yield the packets of a film's pictures and of what goes along."""
    # Other pictures, covers among them, are not even looked at.
    others = [stream for stream in pictures.container.streams if stream.type != "video"]
    return pictures.demux(others, PICTURES)


def reopened(
    open_it: Callable[[], InputContainer], number: int, path: Path, max_pixels: int, threads: int
) -> PictureStream:
    """Return a film's pictures from a container that is opened anew."""
    container = open_it()
    try:
        return PictureStream(container, number, path, thread_type="AUTO", threads=threads, max_pixels=max_pixels)
    except BaseException:
        container.close()
        raise


def replayed(reopen: Callable[[int], PictureStream]) -> Replay:
    """Return all packets of the pictures, and a decoder of one thread."""
    pictures = reopen(1)
    packets = (packet for packet in demuxed(pictures) if pictures.holds(packet))
    return Replay(pictures.stream, packets, pictures.container.close)
