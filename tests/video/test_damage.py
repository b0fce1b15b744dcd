"""Damage belongs to packets: which frames it concerns does not depend on how many threads decode them."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import av
import pytest

import videos
from facered.video.input import decoding
from facered.video.input.file import Reader
from thinned import thinned

KINDS = [("libx264", "mkv"), ("libx264", "mp4"), ("libx265", "mkv"), ("libx264", "ts"), ("mpeg2video", "ts")]
KINDS += [("libx264", "h264"), ("libvpx", "webm"), ("prores_ks", "mov"), ("mpeg4", "m4v")]
FRAMES = 60


@pytest.fixture(scope="module")
def sound(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bytes]:
    """Return films of several kinds, with a key frame every twenty frames."""
    folder, found = tmp_path_factory.mktemp("sound"), {}
    for codec, suffix in KINDS:
        path = folder / f"{codec}.{suffix}"
        options = {"g": "300", "x264-params": "slices=4"} if (codec, suffix) == ("libx264", "mkv") else {"g": "20"}
        form = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
        videos.encode(path, videos.decode(carphone, FRAMES), codec=codec, options=options, pixel_format=form)
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


def checksum(frame: av.VideoFrame) -> int:
    return zlib.crc32(frame.to_ndarray())


def read(path: Path, threads: int) -> tuple[list[tuple[int | None, int]], set[int]]:
    """Return the time and a checksum of each frame, and which are damaged."""
    with Reader(path, threads) as reader:
        return [(frame.pts, checksum(frame)) for frame in reader.frames()], reader.damaged


@pytest.mark.parametrize("kind", thinned(map(pytest.param, KINDS)), ids="-".join)
def test_frames_and_what_is_damaged_do_not_depend_on_the_threads(
    sound: dict[tuple[str, str], bytes], tmp_path: Path, kind: tuple[str, str]
) -> None:
    told = 0
    for seed in range(8):
        path = tmp_path / f"{seed}.{kind[1]}"
        path.write_bytes(broken(sound[kind], seed))
        if kind[0] == "libx265":  # where its decoder keeps damage silent, pixels are up to chance
            one, two, eight = (damaged(path, threads) for threads in (1, 2, 8))
            told += len(one[1])
        else:
            one, two, eight = (read(path, threads) for threads in (1, 2, 8))  # type: ignore[assignment]
            told += len(one[1])
        assert one == two == eight
    assert told < 8 * FRAMES
    assert told or kind[0] == "libvpx"  # whose decoder tells nothing


def test_where_decoding_begins_again_makes_no_difference(
    sound: dict[tuple[str, str], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a long film that is a key frame far before the damage, and not the first."""
    path = tmp_path / "foo.ts"
    content = bytearray(sound["libx264", "ts"])
    at = len(content) * 9 // 10
    content[at : at + 300] = bytes(300)
    path.write_bytes(content)
    whole = read(path, 2)
    monkeypatch.setattr(decoding, "SEGMENT", 15)
    assert [read(path, threads) for threads in (1, 2, 8)] == [whole] * 3
    assert whole[1]


@pytest.mark.parametrize(("report", "most", "times"), [(True, 20, 1), (False, 20, 0), (True, 1000, 0)])
def test_it_is_said_once_that_much_is_decoded_once_more(
    sound: dict[tuple[str, str], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    report: bool,
    most: int,
    times: int,
) -> None:
    content = bytearray(sound["libx264", "ts"])
    at = len(content) * 9 // 10
    content[at : at + 300] = bytes(300)
    (tmp_path / "foo.ts").write_bytes(content)
    monkeypatch.setattr(decoding, "MANY_AGAIN", most)
    with Reader(tmp_path / "foo.ts", 2, report=report) as reader:
        assert len(list(reader.frames())) > 50
    assert caplog.text.count("pictures are decoded once more, by one thread") == times


@pytest.mark.parametrize("kind", [("libvpx", "webm"), ("prores_ks", "mov")], ids="-".join)
def test_what_data_lack_is_not_filled_from_frames_that_others_still_hold(
    sound: dict[tuple[str, str], bytes], tmp_path: Path, kind: tuple[str, str]
) -> None:
    path = tmp_path / f"foo.{kind[1]}"
    for seed in range(4):
        path.write_bytes(broken(sound[kind], seed))
        with Reader(path, 2) as reader:
            held = [(frame.pts, checksum(frame)) for frame in list(reader.frames())]
        assert held == read(path, 2)[0]


def test_threads_go_on_where_packets_give_no_frame_and_nothing_is_wrong(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MPEG-4 says of a picture that it is not coded, as is the one before."""
    source = videos.encode(tmp_path / "source.mkv", videos.decode(carphone, FRAMES), codec="mpeg4", options={"g": "20"})
    path = tmp_path / "foo.mkv"
    with av.open(str(source)) as given, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(video=0)):
            if packet.size and number % 10 == 5:
                header = 0b0101 << 12 | number % 25 << 7 | 0b1001111
                empty = av.Packet(b"\0\0\1\xb6" + header.to_bytes(2, "big"))
                empty.pts, empty.dts, empty.time_base = packet.pts, packet.dts, packet.time_base
                packet = empty
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    begun, begin = [], decoding.Decoding._begin_anew
    monkeypatch.setattr(decoding.Decoding, "_begin_anew", lambda *given: begun.append(1) or begin(*given))
    assert len({str(read(path, threads)) for threads in (1, 2, 8)}) == 1
    assert damaged(path, 2) == (FRAMES - FRAMES // 10, set())
    assert len(begun) == 4 * decoding.MAX_UNEXPLAINED


def test_av1_decoders_look_at_the_end_of_what_they_read(carphone: Path, tmp_path: Path) -> None:
    film = videos.encode(
        tmp_path / "sound.mkv", videos.decode(carphone, 30), codec="libsvtav1", options={"preset": "12", "crf": "40"}
    )
    assert damaged(film, 0) == (30, set())
    with av.open(str(film)) as container:
        sizes = [packet.size for packet in container.demux(video=0)]
    victims = [number for number, size in enumerate(sizes) if size > 40][:8]
    assert victims
    for victim in victims:
        path = tmp_path / f"{victim}.mkv"
        with av.open(str(film)) as given, av.open(str(path), "w") as output:
            stream = output.add_stream_from_template(given.streams.video[0], opaque=True)
            for number, packet in enumerate(given.demux(video=0)):
                if number == victim:
                    content = bytearray(bytes(packet))
                    content[-1] ^= 0x55
                    other = av.Packet(bytes(content))
                    other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
                    other.is_keyframe, packet = packet.is_keyframe, other
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
        assert damaged(path, 2)[1]


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
