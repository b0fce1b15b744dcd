"""NUT files as FFmpeg reads them, and their checksums, which FFmpeg does not look at everywhere."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facered.video.output.nut import AUDIO, SUBTITLE, VIDEO, NutStream, NutWriter

PICTURES = NutStream(VIDEO, b"I420", Fraction(1, 90000), width=16, height=8, sample_aspect_ratio=Fraction(4, 3))
SOUND = NutStream(AUDIO, b"PSD\x10", Fraction(1, 48000), sample_rate=48000, channels=2, tags={"language": "fre"})
SIZES = st.sampled_from([1, 254, 255, 256, 700, 70000])
TEXT = NutStream(SUBTITLE, b"UTF8", Fraction(1, 1000))


def written(streams: Sequence[NutStream], packets: Sequence[tuple[int, int, bytes]]) -> bytes:
    file = io.BytesIO()

    def write(pieces: Sequence[Any]) -> None:
        for piece in pieces:
            file.write(piece)

    writer = NutWriter(write, streams)
    for stream, pts, data in packets:
        writer.write_packet(stream, pts, [data[:3], data[3:]])
    return file.getvalue()


def crc(data: bytes) -> int:
    """Return the CRC-32 of https://ffmpeg.org/nut.html, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


@settings(deadline=None, max_examples=30)
@given(
    packets=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2**40), st.sampled_from([1, 254, 255, 256, 700, 70000]))
    ),
)
def test_packets_come_back_in_order(packets: list[tuple[int, int, int]]) -> None:
    sent = [(stream, pts, bytes([number % 251]) * size) for number, (stream, pts, size) in enumerate(packets)]
    # What FFmpeg needs to see before it believes in the streams.
    sent = [(0, 0, b"\x80" * 192), (1, 0, b"\0" * 64), (2, 0, b"hello"), *sent]
    with av.open(io.BytesIO(written([PICTURES, SOUND, TEXT], sent)), format="nut") as container:
        bases = [stream.time_base for stream in container.streams]
        received = [(p.stream_index, p.pts, bytes(p)) for p in container.demux() if p.size]
    assert bases == [Fraction(1, 90000), Fraction(1, 48000), Fraction(1, 1000)]
    assert received == sent


def test_headers_tell_of_the_streams() -> None:
    data = written([PICTURES, SOUND, TEXT], [(0, 0, b"\x80" * 192), (1, 0, b"\0" * 64), (2, 0, b"hello")])
    with av.open(io.BytesIO(data), format="nut") as container:
        pictures, sound = container.streams.video[0], container.streams.audio[0]
        assert (pictures.width, pictures.height, pictures.pix_fmt) == (16, 8, "yuv420p")
        assert pictures.sample_aspect_ratio == Fraction(4, 3)
        assert (sound.codec_context.name, sound.codec_context.sample_rate) == ("pcm_s16le", 48000)
        assert sound.metadata["language"] == "fre"
        assert container.streams.subtitles[0].codec_context.name == "text"


@pytest.mark.parametrize("setup", [b"", b"s" * 5000])
def test_headers_have_checksums(setup: bytes) -> None:
    stream = NutStream(AUDIO, b"PSD\x10", Fraction(1, 48000), setup, sample_rate=48000, channels=2)
    data = written([stream], [(0, 1234, b"sound")])
    position, kinds = data.index(b"NM"), []
    while data[position : position + 1] == b"N":
        kinds.append(data[position : position + 2])
        end, length = position + 8, 0
        while True:
            length, end = length << 7 | data[end] & 127, end + 1
            if data[end - 1] < 128:
                break
        if length > 4096:
            assert crc(data[position : end + 4]) == 0
            end += 4
        assert crc(data[end : end + length]) == 0  # of what is followed by its own checksum
        position = end + length
    assert kinds == [b"NM", b"NS", b"NK"]
    assert data.endswith(b"sound")
    assert crc(data[position : -len(b"sound")]) == 0
