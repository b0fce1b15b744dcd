"""What transport streams of television bring along: several programmes, closed captions, interlaced stretches."""

from __future__ import annotations

import zlib
from pathlib import Path

import av
import pytest
from av.sidedata.sidedata import Type

import facered
import videos

PACKET = 188


def crc(section: bytes) -> bytes:
    """Return the checksum at the end of a table: CRC-32 with the bits of each byte the other way round."""
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in section)
    value = zlib.crc32(turned) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2).to_bytes(4, "big")


def table(pid: int, section: bytes) -> bytes:
    """Return the packet of a transport stream that holds a table without its checksum."""
    content = b"\x00" + section + crc(section)
    return b"\x47" + (0x4000 | pid).to_bytes(2, "big") + b"\x10" + content.ljust(PACKET - 4, b"\xff")


def section(number: int, identifier: int, body: bytes) -> bytes:
    return (
        bytes((number,))
        + (0xB000 | len(body) + 9).to_bytes(2, "big")
        + identifier.to_bytes(2, "big")
        + b"\xc1\0\0"
        + body
    )


@pytest.fixture
def two(carphone: Path, tmp_path: Path) -> Path:
    """Return a transport stream of two programmes, each with pictures and sound."""
    frames = videos.decode(carphone, 12)
    data = videos.encode(tmp_path / "one.ts", frames, audio="mp2").read_bytes()
    pieces = [data[start : start + PACKET] for start in range(0, len(data), PACKET)]
    pids = [(piece[1] & 31) << 8 | piece[2] for piece in pieces]
    tables = [
        table(0, section(0, 1, b"\x00\x01\xf0\x00\x00\x02\xf0\x10")),
        *(
            table(
                0x1000 + 16 * number,
                section(2, number + 1, (0xE100 + 16 * number).to_bytes(2, "big") + b"\xf0\0"
                        + b"\x1b" + (0xE100 + 16 * number).to_bytes(2, "big") + b"\xf0\0"
                        + b"\x03" + (0xE101 + 16 * number).to_bytes(2, "big") + b"\xf0\0"),
            )
            for number in range(2)
        ),
    ]  # fmt: skip
    out = list(tables)
    for piece, pid in zip(pieces, pids, strict=True):
        if pid in (0x100, 0x101):
            other = pid + 16
            out += [
                piece,
                piece[:1] + (piece[1] & 0xE0 | other >> 8).to_bytes(1, "big") + bytes((other & 255,)) + piece[3:],
            ]
    path = tmp_path / "two.ts"
    path.write_bytes(b"".join(out))
    return path


@pytest.mark.parametrize("number", [0, 1])
def test_only_the_sound_of_the_programme_itself_comes_along(
    two: Path, tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    with av.open(str(two)) as container:
        assert (len(container.streams.video), len(container.streams.audio)) == (2, 2)
        foreign = sorted(stream.index for stream in container.streams.audio)[1 - number]
    result = facered.combined(two, tmp_path, stream=number)
    with av.open(str(result.video_path)) as container:
        assert len(container.streams.audio) == 1
    assert f"audio stream {foreign} (mp2) is left out; it is of another programme" in caplog.text


@pytest.fixture
def captioned(carphone: Path, tmp_path: Path) -> Path:
    """Return ten frames with closed captions."""
    caption = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x2c\xff"  # a message of the decoder to itself, ATSC A/53
    message = b"\0\0\1\x06\x04" + bytes((len(caption),)) + caption + b"\x80"
    plain = videos.encode(
        tmp_path / "plain.h264", videos.decode(carphone, 10), container_format="h264", options={"bf": "0"}
    )
    path = tmp_path / "foo.h264"
    with av.open(str(plain)) as container:
        pictures = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    with path.open("wb") as file:
        for data in pictures:
            slice_at = min(at for at in (data.find(b"\0\0\1\x65"), data.find(b"\0\0\1\x41"), data.find(b"\0\0\1\x61"),
                                         data.find(b"\0\0\1\x01")) if at >= 0)  # fmt: skip
            file.write(data[:slice_at] + message + data[slice_at:])
    return path


def captions(path: Path) -> int:
    return sum(frame.side_data.get(Type.A53_CC) is not None for frame in videos.decode(path))


@pytest.mark.parametrize(("codec", "kept"), [("h264", 10), ("hevc", 10), ("av1", 0)])
def test_closed_captions_are_kept_or_that_they_are_not_is_said(
    captioned: Path, tmp_path: Path, codec: str, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert captions(captioned) == 10
    result = facered.combined(captioned, tmp_path, codec=codec)
    assert captions(result.video_path) == kept
    assert caplog.text.count("closed captions are lost") == (kept == 0)


def test_interlaced_frames_after_progressive_ones_are_told(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = videos.decode(carphone, 10)
    flags = {"flags": "+ildct+ilme"}
    parts = [
        videos.encode(
            tmp_path / f"{number}.m2v", frames, codec="mpeg2video", container_format="mpeg2video", options=options
        )
        for number, options in enumerate(({}, flags))
    ]
    source = tmp_path / "foo.m2v"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    interlaced = [frame.interlaced_frame for frame in videos.decode(source)]
    assert (interlaced[0], interlaced[-1]) == (False, True)
    facered.combined(source, tmp_path)
    assert caplog.text.count("interlaced frames are encoded as progressive, as the first one is") == 1
