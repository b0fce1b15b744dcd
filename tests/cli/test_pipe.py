"""``facered pipe``: in a real pipe between two FFmpeg processes, and as it meets the network, signals and terminals."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import imageio_ffmpeg
import numpy as np
import pytest

import facered
import videos
from facered.cli import pipe as cli_pipe
from facered.cli.main import main
from facered.live import pipe
from facered.video.input.clock import Clock
from facered.video.output.nut import VIDEO, NutStream, NutWriter
from facered.video.output.raw import planes
from thinned import thinned

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
PIPE = [sys.executable, "-m", "facered", "pipe"]
NOBODY = ("--threshold", "1")
"""No face has so high a score: everything passes as it is."""


def wait_until_listening(port: int) -> None:
    """Wait until somebody listens at a TCP port of this machine, or is called; do not call: one call is answered."""
    listening = re.compile(rf":{port:04X} \w+:\w+ 0[1A] ")  # as the kernel lists local and remote address and state
    deadline = time.monotonic() + 60
    while not listening.search(Path("/proc/net/tcp").read_text(encoding="ascii")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ffmpeg(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [FFMPEG, "-hide_banner", "-nostdin", "-loglevel", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, **more)


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PIPE, *map(str, arguments)], capture_output=True, check=False, timeout=120, **more)


def checksums(data: bytes | Path, *streams: str) -> list[str]:
    """Return FFmpeg's line for each packet or raw frame: stream, times, size and MD5."""
    mapping = [part for stream in streams or ("0",) for part in ("-map", stream)]
    source = ("-i", "-") if isinstance(data, bytes) else ("-i", data)
    more = {"input": data} if isinstance(data, bytes) else {}
    done = ffmpeg_reading(*source, *mapping, "-c", "copy", "-f", "framemd5", "-", **more)
    return [line for line in done.stdout.decode().splitlines() if not line.startswith("#software")]


def ffmpeg_reading(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [FFMPEG, "-hide_banner", "-loglevel", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pipe")


@pytest.fixture(scope="module")
def film(carphone: Path, folder: Path) -> Path:
    """Forty frames of one man at uneven times, with a tone as PCM, and a line of text."""
    ticks = [40 * number + 7 * (number % 3) for number in range(40)]
    path = videos.encode(
        folder / "film.mkv", videos.decode(carphone, 40), ticks=ticks, time_base=Fraction(1, 1000), audio="pcm_s16le"
    )
    (folder / "film.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nGood evening\n")
    return path


@pytest.fixture(scope="module")
def nut(film: Path) -> bytes:
    """The same, as FFmpeg sends it down a pipe."""
    text = film.with_suffix(".srt")
    return ffmpeg(
        *("-i", film, "-i", text, "-map", "0:v", "-map", "0:a", "-map", "1", "-fps_mode", "passthrough"),
        *("-enc_time_base", "demux", "-vf", "setsar=16/15", "-c:v", "rawvideo", "-c:a", "copy", "-c:s", "text"),
        *("-f", "nut", "-"),
    ).stdout


def test_a_film_goes_from_ffmpeg_to_ffmpeg(film: Path, tmp_path: Path) -> None:
    times = "-fps_mode passthrough -enc_time_base demux"
    command = (
        f"'{FFMPEG}' -loglevel error -i '{film}' {times} -f nut -c:v rawvideo -c:a copy - "
        f"| '{sys.executable}' -m facered pipe --faces faces.jsonl "
        f"| '{FFMPEG}' -loglevel error -i - {times} -c:v ffv1 -c:a copy out.mkv"
    )
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert videos.times(tmp_path / "out.mkv") == videos.times(film)
    sound, copied = (
        b"".join(data for _, data in videos.packets(path, "audio")) for path in (film, tmp_path / "out.mkv")
    )
    assert sound == copied
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(40))
    assert [line["time"] for line in lines] == [float(moment) for moment in videos.times(film)]
    frames = zip(videos.decode(film), videos.decode(tmp_path / "out.mkv"), lines, strict=True)
    for before, after, line in frames:
        (face,) = line["faces"]
        assert face["id"] == 1
        assert face["hidden"]
        for number, (clear, hidden) in enumerate(zip(videos.samples(before), videos.samples(after), strict=True)):
            away = distance(clear.shape, face)
            np.testing.assert_array_equal(clear[away > 1.15**2 + 0.1], hidden[away > 1.15**2 + 0.1])
            if not number:
                differences = np.abs(clear.astype(int) - hidden)[away < 0.8]
                assert differences.mean() > 8


def distance(shape: tuple[int, int], face: dict[str, float]) -> Any:
    """Return for each sample of a plane the squared distance from a face's middle, in semi-axes."""
    y, x = (np.mgrid[: shape[0], : shape[1]] + 0.5) / np.reshape(shape, (2, 1, 1))
    across = (x - face["x"] - face["width"] / 2) / (face["width"] / 2)
    down = (y - face["y"] - face["height"] / 2) / (face["height"] / 2)
    return across**2 + down**2


class TestWhatPasses:
    def test_packets_pass_in_order_with_their_times_and_bytes(self, nut: bytes) -> None:
        done = run(*NOBODY, input=nut)
        assert (done.returncode, done.stderr) == (0, b"")
        lines = checksums(done.stdout)
        assert lines == checksums(nut)
        assert {line[0] for line in lines if line[0].isdigit()} == {"0", "1", "2"}
        assert "#sar 0: 16/15" in lines

    def test_packets_keep_their_order_though_frames_are_held_back(self, nut: bytes) -> None:
        done = run(*NOBODY, "--lookahead", 12, input=nut)
        assert checksums(done.stdout) == checksums(nut)

    def test_sound_passes_while_faces_are_hidden(self, nut: bytes) -> None:
        done = run(input=nut)
        assert checksums(done.stdout, "0:a", "0:s") == checksums(nut, "0:a", "0:s")
        assert checksums(done.stdout, "0:v") != checksums(nut, "0:v")

    @pytest.mark.parametrize("header", thinned(["444p12", "411", "420mpeg2", "mono"]))
    def test_y4m_passes_byte_by_byte(self, header: str) -> None:
        rng = np.random.default_rng(3)
        kind = np.uint16 if header.endswith(("10", "12")) else np.uint8
        chroma = {"420": 40 * 30, "422": 40 * 60, "444": 80 * 60, "411": 20 * 60, "mon": 0}[header[:3]]
        most = {"10": 1024, "12": 4096}.get(header[-2:], 256)
        subsampling = "" if header.startswith("mono") else f" XYSCSS={header.upper()}"
        source = f"YUV4MPEG2 W80 H60 F30000:1001 Ip A4:3 C{header}{subsampling} XCOLORRANGE=FULL\n".encode()
        for _ in range(3):
            source += b"FRAME\n" + rng.integers(0, most, 80 * 60 + 2 * chroma, kind).tobytes()
        done = run(*NOBODY, input=source)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == source

    @pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "nv12", "gray", "yuv444p16le", "yuv411p"])
    @pytest.mark.parametrize("size", [(64, 48), (67, 45)])
    def test_raw_pictures_keep_their_samples_in_nut(
        self, carphone: Path, pixel_format: str, size: tuple[int, int]
    ) -> None:
        graph = f"scale={size[0]}:{size[1]},format={pixel_format}"
        source = ffmpeg("-i", carphone, "-frames:v", 3, "-vf", graph, "-c:v", "rawvideo", "-f", "nut", "-").stdout
        written, frames = b"", []
        with av.open(io.BytesIO(source), format="nut") as container:
            frames = list(container.decode(video=0))
        for frame in frames:
            written += b"".join(planes(frame))
        raw = ffmpeg_reading("-i", "-", "-f", "rawvideo", "-", input=source).stdout
        assert written == raw
        assert frames[0].format.name == pixel_format

    def test_formats_can_be_changed(self, nut: bytes) -> None:
        done = run(*NOBODY, "--format", "y4m", input=nut)
        assert done.stdout.startswith(b"YUV4MPEG2 W176 H144 F25:1 Ip A16:15 C420jpeg XYSCSS=420JPEG")
        back = run(*NOBODY, "--format", "nut", input=done.stdout)
        raw = ("-i", "-", "-map", "0:v", "-f", "rawvideo", "-fps_mode", "passthrough", "-")
        pictures = [ffmpeg_reading(*raw, input=data).stdout for data in (nut, done.stdout, back.stdout)]
        assert len(pictures[0]) == 40 * 38016
        assert pictures[0] == pictures[1] == pictures[2]

    def test_rgb_is_converted_and_said_so(self, carphone: Path) -> None:
        source = ffmpeg(
            "-i", carphone, "-frames:v", 3, "-pix_fmt", "rgb24", "-c:v", "rawvideo", "-f", "nut", "-"
        ).stdout
        done = run(input=source)
        assert done.returncode == 0
        assert done.stderr.decode() == "facered: standard input: rgb24 frames are converted to yuv444p\n"

    def test_encoded_video_can_come_in(self, carphone: Path) -> None:
        source = ffmpeg("-i", carphone, "-frames:v", 10, "-c", "copy", "-f", "matroska", "-").stdout
        done = run(*NOBODY, input=source)
        frames = [ffmpeg_reading("-i", "-", "-f", "md5", "-", input=data).stdout for data in (source, done.stdout)]
        assert frames[0] == frames[1]


class TestPipeOfFrames:
    def test_each_frame_is_out_before_the_next_is_in(self, carphone: Path) -> None:
        frames = videos.decode(carphone, 30)
        size = sum(map(len, planes(frames[0])))
        with subprocess.Popen([*PIPE, *NOBODY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            feeder, reader = cast("io.BufferedWriter", process.stdin), cast("io.BufferedReader", process.stdout)

            def write(pieces: Any) -> None:
                for piece in pieces:
                    feeder.write(piece)
                feeder.flush()

            stream = NutStream(VIDEO, b"I420", Fraction(1, 25), width=176, height=144, tags={"r_frame_rate": "25/1"})
            writer = NutWriter(write, [stream])
            for number, frame in enumerate(frames[:5]):  # what FFmpeg wants to see before it begins
                writer.write_packet(0, number, planes(frame))
            received = b""
            for number, frame in enumerate(frames[5:], 5):
                writer.write_packet(0, number, planes(frame))
                while b"".join(planes(frame)) not in received:
                    part = os.read(reader.fileno(), 1 << 20)
                    assert part
                    received = (received + part)[-2 * size :]
            feeder.close()
            while os.read(reader.fileno(), 1 << 20):
                pass
        assert process.returncode == 0

    def test_nobody_reads_any_more(self, nut: bytes, film: Path) -> None:
        (film.parent / "film.nut").write_bytes(nut)
        command = f"'{sys.executable}' -m facered pipe < film.nut | head -c 100 >/dev/null; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=film.parent, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("141\n", "")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_with_what_has_come(self, nut: bytes, number: signal.Signals) -> None:
        command = [*PIPE, *NOBODY, "--lookahead", "5"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            feeder, reader = cast("io.BufferedWriter", process.stdin), cast("io.BufferedReader", process.stdout)
            feeder.write(nut)
            feeder.flush()
            received = b""
            while len(received) < 30 * 38016:
                received += os.read(reader.fileno(), 1 << 20)
            process.send_signal(number)
            received += reader.read()
            told = process.stderr.read() if process.stderr else b""
            feeder.close()
        assert process.returncode == 130
        frames = len([line for line in checksums(received, "0:v") if line[0] == "0"])
        assert told.decode() == f"facered: stopped after {frames} frames; they are complete\n"
        assert frames >= 30

    def test_a_truncated_stream_is_redacted_as_far_as_it_goes(self, nut: bytes) -> None:
        done = run(input=nut[: len(nut) // 2 + 777])
        assert done.returncode == 0
        assert b"a frame cannot be decoded and is left out" in done.stderr
        assert 10 < len(checksums(done.stdout, "0:v")) < 40

    def test_faces_can_go_to_a_descriptor(self, nut: bytes) -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as lines:
            done = run("--faces", f"/dev/fd/{writing}", input=nut, pass_fds=(writing,))
            os.close(writing)
            assert done.returncode == 0
            told = [json.loads(line) for line in lines]
        assert [len(line["faces"]) for line in told] == [1] * 40

    def test_the_stream_goes_on_when_nobody_reads_the_faces(self, nut: bytes, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "faces")

        def read_a_little() -> None:
            with (tmp_path / "faces").open("rb") as lines:
                lines.read(1)

        reader = threading.Thread(target=read_a_little)
        reader.start()
        done = run("--faces", tmp_path / "faces", input=nut)
        reader.join()
        assert done.returncode == 0
        assert b"cannot be written any more (Broken pipe); the stream goes on" in done.stderr
        assert len(checksums(done.stdout, "0:v")) == len(checksums(nut, "0:v"))

    def test_regions_can_be_given(self, nut: bytes) -> None:
        corners = ("--hide-region", "0,0,0.25,0,0.25,0.25,0,0.25", "--show-region", "0.2,0,1,0,1,1,0.2,1")
        done = run(*corners, "--blur", "Black", "--format", "y4m", input=nut)
        start = done.stdout.index(b"FRAME\n") + 6
        before = ffmpeg_reading("-i", "-", "-f", "rawvideo", "-frames:v", "1", "-", input=nut).stdout
        one, other = (np.frombuffer(data[:25344], np.uint8).reshape(144, 176) for data in (before, done.stdout[start:]))
        assert (other[:30, :40] == 16).all()
        np.testing.assert_array_equal(one[:, 60:], other[:, 60:])

    def test_timings_tell_where_the_time_went(self, nut: bytes) -> None:
        done = run("--timings", input=nut)
        assert b"redact" in done.stderr
        assert b"write" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "source", "code", "message"),
    thinned(
        [
            ([], b"", 3, "standard input: it is empty"),
            ([], b"no video, but a text" * 500, 3, "standard input: not a readable video"),
            (["nope.mp4"], b"", 2, "nope.mp4: cannot be opened (No such file or directory)"),
            (["/dev/video77"], b"", 2, "/dev/video77: cannot be opened"),
            (
                ["tcp://127.0.0.1:1", "--reconnect", "0"],
                b"",
                2,
                "tcp://127.0.0.1:1: cannot be opened (Connection refused)",
            ),
            (["foo://bar"], b"", 2, "foo://bar: this FFmpeg knows no foo://; have another program receive it"),
            (["--input-format", "zzz"], b"", 3, "it is empty"),
            (["nope", "--input-format", "zzz"], b"", 2, "zzz"),
            (["--format", "mp4"], b"", 2, "format is 'mp4'; on standard output it can be nut or y4m"),
            (["--on-resize", "restart"], b"", 2, "--on-resize restart: what goes to standard output has one size"),
            (["--crf", "20"], b"", 2, "--crf: pictures on standard output are not encoded; name an output with -o"),
            (["--detect", "often"], b"", 2, "detect is 'often'; it can be sync, async"),
            (["--lookahead", "-1"], b"", 2, "lookahead is -1"),
            (["--blur", "Sharp"], b"", 2, "blur is 'Sharp'; it can be Low"),
            (["--reconnect", "soon"], b"", 2, "--reconnect"),
            (["--hide-region", "0,0,1"], b"", 2, "'0,0,1' is not three corners or more, such as 0,0,0.5,0,0,0.5"),
            (["--faces", "no/such/folder"], b"", 2, "no/such/folder: cannot be written"),
            (["taken.mp4", "-o", "./taken.mp4", "--overwrite"], b"", 2, "taken.mp4: this is the input itself"),
            (["-o", "taken.mp4"], b"", 2, "taken.mp4: exists already; add --overwrite to replace it"),
            (
                ["-q", "-o", "no/such/folder.mp4"],
                None,
                2,
                "no/such/folder.mp4: cannot be written (No such file or directory)",
            ),
            (["-o", "out.unknown"], None, 2, "out.unknown: "),
            (["-o", "out.flv", "--codec", "prores"], None, 2, "flv cannot hold prores"),
            (["--stream", "3"], None, 2, "there is no video stream 3; there are 1, from 0"),
        ]
    ),
)
def test_what_is_wrong_is_said_in_one_line(
    nut: bytes, tmp_path: Path, arguments: list[str], source: bytes | None, code: int, message: str
) -> None:
    (tmp_path / "taken.mp4").touch()
    done = run(*arguments, input=nut if source is None else source, cwd=tmp_path)
    told = done.stderr.decode()
    assert done.returncode == code, told
    assert message in told
    assert told.startswith("facered: ")
    assert told.count("\n") == 1
    assert done.stdout == b""


@pytest.fixture(scope="module")
def cut_short(nut: bytes, folder: Path) -> bytes:
    """The same with so little left of each picture that none can be decoded."""
    path = folder / "short.nut"
    with av.open(io.BytesIO(nut)) as source, av.open(str(path), "w", format="nut") as target:
        chosen = [*source.streams.video, *source.streams.audio]
        streams = {stream.index: target.add_stream_from_template(stream) for stream in chosen}
        for packet in source.demux(chosen):
            if packet.size:
                copy = av.Packet(bytes(packet)[: 99 if packet.stream.type == "video" else packet.size])
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.stream, copy.is_keyframe = streams[packet.stream_index], packet.is_keyframe
                target.mux(copy)
    return path.read_bytes()


def test_times_in_a_file_that_fall_go_on(carphone: Path, tmp_path: Path) -> None:
    """An encoder refused them."""
    source = videos.encode(
        tmp_path / "back.mkv",
        videos.decode(carphone, 60),
        ticks=range(0, 2400, 40),
        time_base=Fraction(1, 1000),
        options={"bf": "0"},
        container_options={"cluster_time_limit": "500"},
    )
    videos.set_back(source, source, 1000, 90)
    assert not all(np.diff(videos.times(source)) > 0)
    done = run(source, "-o", "out.mkv", *NOBODY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    moments = videos.times(tmp_path / "out.mkv")
    assert len(moments) == 60
    assert all(np.diff(moments) > 0)


def test_a_film_of_which_no_picture_can_be_decoded_ends_in_an_error(cut_short: bytes, tmp_path: Path) -> None:
    """It was waited for without end."""
    done = run("-o", "out.mkv", input=cut_short, cwd=tmp_path)
    assert done.returncode == 3
    assert "no frame can be decoded" in done.stderr.decode()
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def of_two_sizes(carphone: Path, folder: Path) -> Path:
    """Ten pictures of one size, and ten of another with other proportions."""
    path, frames = folder / "sizes.ts", videos.decode(carphone, 10)
    parts = [frames, [videos.enlarge(frame, 352, 240) for frame in frames]]
    for number, part in enumerate(parts):
        ticks = range(20 * number, 20 * number + 10)
        piece = videos.encode(folder / f"size{number}.ts", part, ticks=ticks, time_base=Fraction(1, 25))
        with path.open("ab") as file:
            file.write(piece.read_bytes())
    return path


def test_pictures_of_another_size_are_fitted_into_the_first_and_looked_at_anew(
    of_two_sizes: Path, tmp_path: Path
) -> None:
    """People are elsewhere than they were before: who is there is found in the first of them."""
    done = run(of_two_sizes, "-o", "out.mkv", "--faces", "faces.jsonl", "--detect", "1000", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"the picture changes from 176x144 to 352x240" in done.stderr
    assert {(frame.width, frame.height) for frame in videos.decode(tmp_path / "out.mkv")} == {(176, 144)}
    lines = [json.loads(line)["faces"] for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [[face["id"] for face in line] for line in lines] == [[1]] * 10 + [[2]] * 10


def test_pictures_of_another_size_may_go_on_in_another_file(of_two_sizes: Path, tmp_path: Path) -> None:
    (tmp_path / "out_2.mkv").touch()
    done = run(of_two_sizes, "-o", "out.mkv", "--on-resize", "restart", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"out.mkv: pictures of another size go into out_3.mkv" in done.stderr
    for name, size in (("out.mkv", (176, 144)), ("out_3.mkv", (352, 240))):
        frames = videos.decode(tmp_path / name)
        assert [(frame.width, frame.height) for frame in frames] == [size] * 10
    assert videos.times(tmp_path / "out_3.mkv")[0] > videos.times(tmp_path / "out.mkv")[-1]


def test_pictures_of_another_size_may_be_sent_by_another_call(
    of_two_sizes: Path, free_port: int, tmp_path: Path
) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", free_port)) as server:
        server.settimeout(20)
        target = ("-o", f"tcp://127.0.0.1:{free_port}", "--format", "mpegts")
        with subprocess.Popen([*PIPE, of_two_sizes, *target, "--on-resize", "restart"], cwd=tmp_path) as process:
            for _ in range(2):
                with server.accept()[0] as caller, caller.makefile("rb") as file:
                    received.append(file.read())
    assert process.returncode == 0
    for content, size in zip(received, ((176, 144), (352, 240)), strict=True):
        with av.open(io.BytesIO(content), format="mpegts") as container:
            assert [(frame.width, frame.height) for frame in container.decode(video=0)] == [size] * 10


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_terminal_is_no_place_for_pictures(side: str) -> None:
    main, other = pty.openpty()
    with os.fdopen(main, "rb"), os.fdopen(other, "rb") as terminal:
        streams = {"stdin": terminal, "stdout": subprocess.PIPE} if side == "input" else {"stdout": terminal}
        done = subprocess.run(PIPE, stderr=subprocess.PIPE, check=False, **{"stdin": subprocess.DEVNULL, **streams})
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"facered: standard {side} is a terminal; ")


@pytest.mark.parametrize("pictures", ["first", "last"])
def test_sound_without_pictures_does_not_wait_for_them_for_ever(
    carphone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: str
) -> None:
    source = tmp_path / "foo.mkv"
    with av.open(str(source), "w") as output:
        video, sound = output.add_stream("libx264", rate=25), output.add_stream("aac", rate=8000, layout="mono")
        video.width, video.height = 176, 144
        samples = [packet for number in range(35) for packet in sound.encode(silence(number))]
        shown = [packet for frame in videos.decode(carphone, 8) for packet in video.encode(frame)] + video.encode(None)
        for packet in [*shown, *samples] if pictures == "first" else [*samples, *shown]:
            output.mux_one(packet)
    waiting = []
    take = pipe.Pipe._take

    def watched(self: pipe.Pipe, item: object) -> None:
        take(self, item)
        waiting.append(len(self._order))

    monkeypatch.setattr(pipe.Pipe, "_take", watched)
    monkeypatch.setattr(pipe, "MAX_ALONE", 10)
    assert main(["pipe", str(source), "-o", str(tmp_path / "bar.nut"), "--lookahead", "20"]) == 0
    assert len(waiting) > 40
    assert max(waiting) <= 20
    assert len(videos.decode(tmp_path / "bar.nut")) == 8


def silence(number: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 8000, 1024 * number, Fraction(1, 8000)
    return frame


class TestNetwork:
    @pytest.fixture
    def serve(self, carphone: Path, free_port: int) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
        """Serve so many frames once, as MPEG-TS, to the first who calls at `free_port`."""
        servers = []

        def start(count: int) -> subprocess.Popen[bytes]:
            encoding = ("-frames:v", str(count), "-c:v", "libx264", "-tune", "zerolatency", "-f", "mpegts")
            source = ("-nostdin", "-loglevel", "error", "-r", "25", "-i", str(carphone))
            servers.append(subprocess.Popen([FFMPEG, *source, *encoding, f"tcp://127.0.0.1:{free_port}?listen=1"]))
            wait_until_listening(free_port)
            return servers[-1]

        yield start
        for server in servers:
            server.kill()
            server.wait()

    def test_a_lost_source_is_called_again_and_the_clock_goes_on(
        self, serve: Any, free_port: int, tmp_path: Path
    ) -> None:
        first = serve(20)
        command = [
            *PIPE,
            f"tcp://127.0.0.1:{free_port}",
            "--reconnect",
            "60",
            "--faces",
            "faces.jsonl",
            "-o",
            "out.mkv",
        ]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            first.wait()
            told = cast("io.TextIOWrapper", process.stderr)
            assert told.readline().endswith("lost (it ended); trying again for 60 s\n")
            time.sleep(1)
            serve(15).wait()
            assert told.readline().endswith("back again\n")
            assert "lost (it ended)" in told.readline()
            process.send_signal(signal.SIGTERM)
            assert "stopped after 35 frames" in told.read()
        assert process.returncode == 130
        moments = [json.loads(line)["time"] for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
        assert len(moments) == 35
        steps = np.diff(moments)
        np.testing.assert_allclose(np.delete(steps, 19), 0.04, atol=0.001)
        assert steps[19] > 0.9
        assert [float(moment) for moment in videos.times(tmp_path / "out.mkv")] == pytest.approx(moments, abs=0.002)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("rtmp://me:hunter2@127.0.0.1:{}/live/hunter2?token=hunter2", "--reconnect", "0.5", "-o", "out.mkv"),
            ("srt://me:hunter2@127.0.0.1:{}?passphrase=hunter2", "-o", "out.mkv"),
            ("{film}", "-o", "rtmp://me:hunter2@127.0.0.1:{}/live/hunter2?token=hunter2"),
            ("{film}", "-o", "http://me:hunter2@127.0.0.1:{}/live?token=hunter2", "--format", "xyz"),
            ("{film}", "-o", "http://me:hunter2@127.0.0.1:{}/live?token=hunter2", "--codec", "prores"),
        ],
    )
    def test_no_password_is_told(
        self, arguments: tuple[str, ...], carphone: Path, free_port: int, tmp_path: Path
    ) -> None:
        given = [part.format(free_port, film=carphone) for part in arguments]
        done = subprocess.run([*PIPE, *given], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode
        assert done.stderr
        assert "hunter2" not in done.stdout + done.stderr

    @pytest.mark.parametrize("reconnect", [0, 10])
    def test_a_sink_that_is_lost_is_called_again_or_told(
        self, film: Path, carphone: Path, tmp_path: Path, reconnect: int
    ) -> None:
        source, second = film if reconnect else carphone, b""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(20)
            target = f"tcp://127.0.0.1:{server.getsockname()[1]}"
            command = [*PIPE, *NOBODY, source, "-o", target, "--format", "mpegts", "--reconnect", str(reconnect)]
            with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
                caller, _ = server.accept()
                caller.recv(1 << 10)
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                caller.close()
                if reconnect:
                    with server.accept()[0] as caller:
                        while received := caller.recv(1 << 16):
                            second += received
                told = cast("io.TextIOWrapper", process.stderr).read()
        assert process.returncode == (0 if reconnect else 1)
        assert f"facered: {target}: takes no more (" in told
        if not reconnect:
            assert len(told.splitlines()) == 1
            return
        assert told.count("is transcoded to AAC") == 1
        assert f"{target}: there again; 0 frames were not sent" in told  # a film waits meanwhile
        with av.open(io.BytesIO(second), format="mpegts") as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert packets[0].is_keyframe
        assert len(packets) > 30

    def test_a_source_that_does_not_come_back_is_an_error(self, serve: Any, free_port: int) -> None:
        serve(10)
        done = run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "0.5")
        assert done.returncode == 3
        assert "lost, and not back within 0.5 s" in done.stderr.decode().splitlines()[-1]
        assert len([line for line in checksums(done.stdout) if line[0] == "0"]) == 10

    def test_a_source_that_is_lost_before_its_first_picture_is_called_again(
        self, nut: bytes, cut_short: bytes, free_port: int, tmp_path: Path
    ) -> None:
        def serve(server: socket.socket) -> None:
            for content in (cut_short, nut):
                with server.accept()[0] as connection, suppress(OSError):
                    connection.sendall(content)
            server.close()

        server = socket.create_server(("127.0.0.1", free_port))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        done = run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "1", "-o", "out.mkv", *NOBODY, cwd=tmp_path)
        assert "back again" in done.stderr.decode()
        assert len(videos.times(tmp_path / "out.mkv")) == 40
        (tmp_path / "whole.nut").write_bytes(nut)
        heard, whole = (videos.packets(tmp_path / name, "audio") for name in ("out.mkv", "whole.nut"))
        assert len(heard) == len(whole)  # nothing of what came before

    @pytest.mark.parametrize("address", [True, False])
    def test_an_address_is_kept_pace_with_and_it_is_told_how(
        self,
        nut: bytes,
        film: Path,
        free_port: int,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        address: bool,
    ) -> None:
        def serve(server: socket.socket) -> None:
            with server.accept()[0] as connection, suppress(OSError):
                connection.sendall(nut)
            server.close()

        made: list[dict[str, Any]] = []

        def make(**settings: Any) -> facered.Redactor:
            made.append(settings)
            return facered.Redactor(**settings)

        monkeypatch.setattr(cli_pipe, "Redactor", make)
        monkeypatch.setattr(pipe, "REPORT_SECONDS", 0)
        server = socket.create_server(("127.0.0.1", free_port))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        source = f"tcp://127.0.0.1:{free_port}" if address else str(film)
        assert main(["pipe", source, "--reconnect", "0", "-o", str(tmp_path / "out.mkv"), *NOBODY]) == 0
        server.close()
        chosen = {name: made[0].get(name) for name in ("detect", "on_new_shot", "max_lag_ms")}
        assert list(chosen.values()) == (["async", "hide", 500] if address else [None, None, None])
        assert (f"{source}: 40 frames, " in caplog.text) == address

    def test_a_publisher_may_come_after_the_call(self, serve: Any, free_port: int) -> None:
        command = [
            *PIPE,
            f"tcp://127.0.0.1:{free_port}",
            "--reconnect",
            "60",
            *NOBODY,
            "-o",
            os.devnull,
            "--format",
            "nut",
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            told = cast("io.TextIOWrapper", process.stderr)
            assert told.readline().endswith("cannot be opened (Connection refused); trying again for 60 s\n")
            serve(10).wait()
            assert told.readline().endswith(": there\n")
            assert "lost (it ended)" in told.readline()
            process.send_signal(signal.SIGTERM)
            assert "stopped after 10 frames" in told.read()

    def test_a_publisher_that_never_comes_is_an_error(self, free_port: int) -> None:
        done = run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "0.5")
        assert done.returncode == 3
        assert "not there within 0.5 s" in done.stderr.decode().splitlines()[-1]

    def test_where_it_begins_anew_in_one_connection_times_and_sound_go_on(
        self, carphone: Path, free_port: int, tmp_path: Path
    ) -> None:
        sources = ("-r", "25", "-i", carphone, "-f", "lavfi", "-i", "sine=sample_rate=44100")
        sent = ffmpeg(*sources, "-t", "3", "-c:v", "libx264", "-bf", "0", "-c:a", "aac", "-f", "mpegts", "-").stdout

        def serve(server: socket.socket) -> None:
            with server.accept()[0] as connection, suppress(OSError):
                connection.sendall(3 * sent)
            server.close()

        server = socket.create_server(("127.0.0.1", free_port))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "0", "-o", "out.mkv", *NOBODY, cwd=tmp_path)
        moments = np.array([float(moment) for moment in videos.times(tmp_path / "out.mkv")])
        assert len(moments) == 225
        steps = np.diff(moments)
        assert (np.delete(steps, [74, 149]) > 0.02).all()
        assert (steps[[74, 149]] > 0.005).all()
        assert (steps < 1).all()
        heard = np.array([float(time) for time, _ in videos.packets(tmp_path / "out.mkv", "audio")])
        (tmp_path / "once.ts").write_bytes(sent)
        assert len(heard) >= 2.8 * len(videos.packets(tmp_path / "once.ts", "audio"))
        assert (np.diff(heard) > 0).all()
        assert abs(heard[-1] - moments[-1]) < 0.5

    def test_after_a_loss_there_is_sound_again(self, nut: bytes, free_port: int, tmp_path: Path) -> None:
        sent = ffmpeg_reading(
            "-i", "-", "-c:v", "libx264", "-bf", "0", "-c:a", "aac", "-f", "mpegts", "-", input=nut
        ).stdout

        def serve(server: socket.socket) -> None:
            for _ in range(3):
                with server.accept()[0] as connection, suppress(OSError):
                    connection.sendall(sent)
            server.close()

        server = socket.create_server(("127.0.0.1", free_port))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "1", "-o", "out.mkv", *NOBODY, cwd=tmp_path)
        (tmp_path / "once.ts").write_bytes(sent)
        once = len(videos.packets(tmp_path / "once.ts", "audio"))
        assert len(videos.times(tmp_path / "out.mkv")) == 120
        assert len(videos.packets(tmp_path / "out.mkv", "audio")) >= 3 * once - 6

    def test_what_says_that_it_lasts_no_time_is_called_again(self, nut: bytes, free_port: int, tmp_path: Path) -> None:
        """As FLV does that comes by RTMP."""
        sent = ffmpeg_reading("-i", "-", "-c:v", "libx264", "-an", "-f", "flv", "-", input=nut).stdout

        def serve(server: socket.socket) -> None:
            with server.accept()[0] as connection, suppress(OSError):
                connection.sendall(sent)
            server.close()

        server = socket.create_server(("127.0.0.1", free_port))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        done = run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "0.5", "-o", "out.mkv", *NOBODY, cwd=tmp_path)
        assert done.returncode == 3
        assert "lost, and not back within 0.5 s" in done.stderr.decode()
        assert len(videos.times(tmp_path / "out.mkv")) == 40

    def test_of_a_protocol_that_this_ffmpeg_does_not_know_it_is_said_what_to_do(self) -> None:
        done = run("srt://127.0.0.1:9000?mode=listener")
        assert done.returncode == 2
        (line,) = done.stderr.decode().splitlines()
        assert "this FFmpeg knows no srt://" in line
        assert 'srt-live-transmit "srt://127.0.0.1:9000?mode=listener" file://con | facered pipe' in line

    def test_of_a_protocol_that_cannot_be_written_it_is_said_what_to_do(self, carphone: Path) -> None:
        done = run(carphone, "-o", "srt://127.0.0.1:9000")
        assert done.returncode == 2
        (line,) = done.stderr.decode().splitlines()
        assert '-o /dev/stdout --format mpegts | srt-live-transmit file://con "srt://127.0.0.1:9000"' in line

    def test_the_protocols_of_this_build_are_told(self) -> None:
        done = run("--protocols")
        assert (done.returncode, done.stderr) == (0, b"")
        reads, writes, absent, *ways = done.stdout.decode().splitlines()
        for scheme in ("rtmp", "rtsp", "udp", "tcp", "http"):
            assert f" {scheme}," in reads
            assert f" {scheme}" in writes
        assert " srt" in absent
        assert len(ways) == 2

    def test_without_reconnecting_the_end_is_the_end(self, serve: Any, free_port: int) -> None:
        serve(10)
        done = run(f"tcp://127.0.0.1:{free_port}", "--reconnect", "0")
        assert (done.returncode, done.stderr) == (0, b"")

    def test_a_stream_is_sent_on(self, nut: bytes, free_port: int) -> None:
        received: list[av.VideoFrame] = []
        sound: list[bytes] = []

        def receive() -> None:
            with av.open(f"tcp://127.0.0.1:{free_port}?listen=1", format="matroska", timeout=120) as container:
                for packet in container.demux():
                    if packet.stream.type == "video":
                        received.extend(cast("list[av.VideoFrame]", packet.decode()))
                    elif packet.stream.type == "audio":
                        sound.append(bytes(packet))

        receiver = threading.Thread(target=receive, daemon=True)
        receiver.start()
        wait_until_listening(free_port)
        done = run("-o", f"tcp://127.0.0.1:{free_port}", "--format", "matroska", "-q", input=nut)
        receiver.join(timeout=60)
        assert (done.returncode, done.stderr.count(b"\n")) == (0, 0), done.stderr
        assert len(received) == 40
        assert len(b"".join(sound)) == 2 * 2 * 22050

    @pytest.mark.parametrize(
        ("name", "how", "codec"),
        thinned(
            [
                ("out.ts", "copy", "aac"),
                ("out.mkv", "copy", "pcm_s16le"),
                ("out.mkv", "aac", "aac"),
                ("out.mkv", "none", ""),
            ]
        ),
    )
    def test_sound_is_copied_or_transcoded(self, nut: bytes, tmp_path: Path, name: str, how: str, codec: str) -> None:
        done = run("-o", name, "--audio", how, input=nut, cwd=tmp_path)
        assert done.returncode == 0
        assert (b"pcm_s16le audio is transcoded to AAC: mpegts cannot hold it" in done.stderr) == (name == "out.ts")
        with av.open(str(tmp_path / name)) as container:
            assert [stream.codec_context.name for stream in container.streams.audio] == ([codec] if codec else [])
            seconds = sum(frame.samples for frame in container.decode(audio=0)) / 44100 if codec else 0.5
        assert seconds == pytest.approx(0.5, abs=0.06)

    def test_encoded_frames_are_not_held_back(self, nut: bytes, tmp_path: Path) -> None:
        assert run("-o", "out.ts", "--audio", "none", input=nut, cwd=tmp_path).returncode == 0
        with av.open(str(tmp_path / "out.ts")) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert len(packets) == 40
        assert all(packet.pts == packet.dts for packet in packets)


class TestClock:
    def packet(self, dts: int, duration: int = 40) -> av.Packet:
        packet = av.Packet(b"x")
        packet.dts = packet.pts = dts
        packet.time_base, packet.duration = Fraction(1, 1000), duration
        return packet

    def test_goes_on_in_real_time_while_the_source_is_away(self) -> None:
        moment = 50.0
        clock = Clock(lambda: moment)
        clock.connect(Fraction(7), 50.0)
        one, two = self.packet(7000), self.packet(7040)
        clock.mend(one)
        clock.mend(two)
        assert (one.pts, two.pts) == (0, 40)
        moment = 53.5
        clock.connect(Fraction(1), 53.0)  # three seconds after the last packet came
        three = self.packet(1010)
        clock.mend(three)
        assert three.pts == three.dts == 80 + 3000 + 10

    def test_packets_that_come_late_do_not_hold_it_up(self) -> None:
        moment = 50.0
        clock = Clock(lambda: moment)
        clock.connect(Fraction(0), 50.0)
        for number in range(10):
            clock.mend(self.packet(40 * number))
            moment += 0.04
        moment += 10  # the last one comes when the source is given up
        clock.mend(self.packet(400))
        clock.connect(Fraction(0), moment + 1)
        packet = self.packet(0)
        clock.mend(packet)
        assert packet.pts == pytest.approx(440 + 11_000, abs=50)

    def test_a_drifting_source_does_not_matter(self) -> None:
        moment = 0.0
        clock = Clock(lambda: moment)
        clock.connect(Fraction(0), 0.0)
        for number in range(600):  # a second of it takes a second and a tenth
            clock.mend(self.packet(1000 * number, 1000))
            moment += 1.1
        clock.connect(Fraction(0), moment)
        packet = self.packet(0)
        clock.mend(packet)
        assert 600_000 <= packet.pts < 613_000

    @pytest.mark.parametrize("leap", [-5000, 3_600_000])
    def test_where_a_publisher_begins_anew_both_streams_go_on_together(self, leap: int) -> None:
        moment = 50.0
        clock = Clock(lambda: moment)
        clock.connect(Fraction(0), 50.0)
        shown: dict[int, list[int]] = {0: [], 1: []}

        def send(stream: int, time: int) -> None:
            packet = SimpleNamespace(stream_index=stream, dts=time, pts=time, time_base=Fraction(1, 1000), duration=40)
            clock.mend(packet)  # type: ignore[arg-type]
            shown[stream].append(packet.pts)

        for number in range(200):
            for stream in (0, 1):
                send(stream, 40 * number)
            moment += 0.04
        for number in range(200, 240):  # the sound is a few packets ahead of the pictures when it begins anew
            send(1, 40 * (number + 3) + leap)
            send(0, 40 * number + (leap if number >= 203 else 0))
            moment += 0.04
        assert shown[0][:200] == [40 * number for number in range(200)]
        for times in shown.values():
            steps = np.diff(times)
            leaps = steps != 40
            assert leaps.sum() == 1
            assert 0 < steps[leaps] < 400
        assert shown[1][230] == shown[0][233]

    def test_never_goes_back(self) -> None:
        clock = Clock(lambda: 5.0)
        clock.connect(None, 5.0)
        for start in (9000, 0, 500):
            packet = self.packet(start)
            clock.mend(packet)
            clock.connect(None, 4.0)
            assert packet.pts % 40 == 0
        assert packet.pts == 80


_FAILING = """
import sys
from facered.detect.detector import Detector
from facered.cli.main import main

whole, calls = Detector.{stage}, []

def failing(*arguments, **settings):
    calls.append(None)
    if len(calls) in {calls}:
        raise {error}("out of\\norder")
    return whole(*arguments, **settings)

Detector.{stage} = failing
sys.exit(main(["pipe", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("lookahead", thinned([10, 0]))
@pytest.mark.parametrize(
    ("calls", "error", "wholes"),
    [("(3,)", "MemoryError", 1), ("range(3, 9)", "ValueError", 6), ("range(999)", "OSError", 40)],
)
def test_where_something_fails_all_frames_come_hidden_whole_and_the_exit_code_says_so(
    nut: bytes, tmp_path: Path, lookahead: int, calls: str, error: str, wholes: int
) -> None:
    program = _FAILING.format(stage="prepare", calls=calls, error=error)
    command = [
        sys.executable,
        "-c",
        program,
        "--lookahead",
        str(lookahead),
        "--blur",
        "Black",
        "--faces",
        "faces.jsonl",
    ]
    done = subprocess.run(command, input=nut, capture_output=True, check=False, timeout=120, cwd=tmp_path)
    told = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert told[0].startswith(f"facered: a frame could not be redacted ({error}: out of order); ")
    assert told[-1].startswith(f"facered: failures on the way: {wholes}; all 40 frames are there")
    assert len([line for line in told if "had no detection" not in line]) == 2
    (tmp_path / "out.nut").write_bytes(done.stdout)
    frames = videos.decode(tmp_path / "out.nut")
    assert len(frames) == 40
    black = [bool((videos.samples(frame)[0] == 16).all()) for frame in frames]
    assert sum(black) >= wholes
    assert (wholes == 40) == all(black)
    assert videos.times(tmp_path / "out.nut") == videos.times(_saved(nut, tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(40))
    assert all(line["faces"] or whole for line, whole in zip(lines, black, strict=True))


def _saved(nut: bytes, folder: Path) -> Path:
    path = folder / "in.nut"
    path.write_bytes(nut)
    return path
