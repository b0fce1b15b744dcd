"""Damage belongs to packets: which frames it concerns does not depend on how many threads decode them."""

from __future__ import annotations

import random
from pathlib import Path

import av
import pytest

import videos
from facered.video.input.file import Reader

KINDS = [("libx264", "mp4"), ("libx264", "mkv"), ("libx264", "ts"), ("libx265", "mkv"), ("mpeg2video", "ts")]
FRAMES = 60


@pytest.fixture(scope="module")
def sound(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bytes]:
    """Return films of several kinds, with a key frame every twenty frames."""
    folder, found = tmp_path_factory.mktemp("sound"), {}
    for codec, suffix in KINDS:
        path = folder / f"{codec}.{suffix}"
        options = {"g": "300", "x264-params": "slices=4"} if (codec, suffix) == ("libx264", "mkv") else {"g": "20"}
        videos.encode(path, videos.decode(carphone, FRAMES), codec=codec, options=options)
        found[codec, suffix] = path.read_bytes()
    return found


def broken(content: bytes, seed: int) -> bytes:
    """Return a film with some bytes in its middle that are others."""
    chance, data = random.Random(seed), bytearray(content)  # noqa: S311
    for _ in range(chance.choice([1, 3])):
        at, size = chance.randrange(len(data) // 10, len(data) * 8 // 10), chance.choice([1, 60, 400])
        data[at : at + size] = chance.randbytes(len(data[at : at + size]))
    return bytes(data)


def damaged(path: Path, threads: int) -> tuple[int, set[int]]:
    with Reader(path, threads) as reader:
        return len(list(reader.frames())), reader.damaged


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_what_is_damaged_does_not_depend_on_the_threads(
    sound: dict[tuple[str, str], bytes], tmp_path: Path, kind: tuple[str, str]
) -> None:
    marked = 0
    for seed in range(8):
        path = tmp_path / f"{seed}.{kind[1]}"
        path.write_bytes(broken(sound[kind], seed))
        one, two, eight = (damaged(path, threads) for threads in (1, 2, 8))
        assert one == two == eight
        marked += len(one[1])
    assert 0 < marked < 8 * FRAMES


def test_sound_films_have_none(sound: dict[tuple[str, str], bytes], tmp_path: Path) -> None:
    for (codec, suffix), content in sound.items():
        path = tmp_path / f"{codec}.{suffix}"
        path.write_bytes(content)
        assert damaged(path, 0) == (FRAMES, set())


def test_damage_reaches_from_its_packet_to_the_next_key_frame(carphone: Path, tmp_path: Path) -> None:
    """Without frames that look ahead, packets are in the order of frames."""
    path = videos.encode(tmp_path / "foo.mkv", videos.decode(carphone, FRAMES), options={"g": "20", "bf": "0"})
    with av.open(str(path)) as container:
        packet = next(packet for number, packet in enumerate(container.demux(video=0)) if number == 25)
        begin, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    content[begin + size // 3 : begin + size] = bytes(size - size // 3)
    path.write_bytes(content)
    # It is lost itself.
    assert damaged(path, 0) == (FRAMES - 1, set(range(25, 39)))
