"""The examples do what they say, on small inputs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from examples import all_but_one, camera, imageio_film, low_latency, shared_memory, transcode

import videos
from servers import SYSTEM_PYTHON

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def short(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames of one man, with a tone, at uneven times."""
    path = tmp_path_factory.mktemp("short") / "short.mkv"
    ticks = [40 * number + 7 * (number % 3) for number in range(40)]
    return videos.encode(
        path, videos.decode(carphone, 40), ticks=ticks, time_base=videos.Fraction(1, 1000), audio="aac"
    )


@pytest.fixture(scope="module")
def two(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames of the man and, smaller, on his right, the man again."""
    frames = []
    for frame in videos.decode(carphone, 40):
        picture = np.full((288, 640, 3), 90, np.uint8)
        picture[:, :352] = videos.enlarge(frame, 352, 288).to_ndarray(format="rgb24")
        picture[72:216, 420:596] = frame.to_ndarray(format="rgb24")
        frames.append(av.VideoFrame.from_ndarray(picture, format="rgb24"))
    return videos.encode(tmp_path_factory.mktemp("two") / "two.mp4", frames, options={"crf": "12"})


def changed(before: av.VideoFrame, after: av.VideoFrame, left: int, right: int) -> float:
    """Return by how much the luma between two columns differs, on average."""
    one, other = (videos.samples(frame)[0][:, left:right].astype(int) for frame in (before, after))
    return float(np.abs(one - other).mean())


def test_transcoding_keeps_times_and_sound_and_hides_the_face(short: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    assert transcode.transcode(str(short), str(target)) == 40
    assert videos.times(target) == videos.times(short)
    assert [data for _, data in videos.packets(target, "audio")] == [data for _, data in videos.packets(short, "audio")]
    for before, after in zip(videos.decode(short), videos.decode(target), strict=True):
        assert changed(before, after, 60, 100) > 10
        assert changed(before, after, 150, 176) < 4


# imageio leaves the pipes of its own programs open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_film_that_imageio_reads_is_redacted(short: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    videos.encode(source, videos.decode(short), options={"crf": "12"})
    target = tmp_path / "out.mp4"
    assert imageio_film.redact(str(source), str(target)) == 40
    for before, after in zip(videos.decode(source), videos.decode(target), strict=True):
        assert changed(before, after, 60, 100) > 10
        assert changed(before, after, 150, 176) < 6


def test_examples_can_be_called(short: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "transcode.py"), str(short), "out.mkv", "--lookahead", "5"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("40 frames\n", "")


def test_a_stream_is_sent_with_every_frame_at_once(short: Path, free_port: int) -> None:
    address = f"tcp://127.0.0.1:{free_port}"
    received: list[av.VideoFrame] = []

    def receive() -> None:
        with av.open(f"{address}?listen=1", format="mpegts", timeout=30) as container:
            received.extend(container.decode(video=0))

    receiver = threading.Thread(target=receive)
    receiver.start()
    delays = send_when_listening(short, address)
    receiver.join()
    assert len(delays) == len(received) == 40
    assert received[0].pict_type == av.video.frame.PictureType.I


def send_when_listening(short: Path, address: str) -> list[float]:
    for attempt in range(50):
        try:
            return low_latency.send(str(short), address, real_time=False)
        except ConnectionRefusedError:
            threading.Event().wait(0.1)
            assert attempt < 49
    raise AssertionError


def test_a_camera_is_recorded(tmp_path: Path) -> None:
    target = tmp_path / "camera.mp4"
    assert camera.record(camera.made_up(12, 160, 90), str(target)) == 12
    assert [(frame.width, frame.height) for frame in videos.decode(target)] == [(160, 90)] * 12


def test_a_film_comes_through_webrtc_redacted(short: Path) -> None:
    pytest.importorskip("aiortc", reason="aiortc is not installed")
    from examples import webrtc

    received: list[av.VideoFrame] = []
    assert asyncio.run(webrtc.send(str(short), received.append)) == len(received)
    assert len(received) >= 30  # those before the ends know each other are lost
    pairs = list(zip(videos.decode(short)[:10:-1], received[::-1], strict=False))
    faces, others = (
        np.mean([changed(before, after, *columns) for before, after in pairs]) for columns in ((60, 100), (150, 176))
    )
    assert faces > 10
    assert others < 7  # what the codec loses


def test_gstreamer_gives_and_takes(short: Path, tmp_path: Path) -> None:
    elsewhere = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    code = "import gi; gi.require_version('GstVideo', '1.0'); gi.require_version('GstApp', '1.0'); import facered"
    command = [SYSTEM_PYTHON, "-W", "ignore", "-c", code]
    if not os.path.exists(SYSTEM_PYTHON) or subprocess.run(  # noqa: PTH110
        command, capture_output=True, check=False, env=elsewhere
    ).returncode:  # fmt: skip
        pytest.skip("GStreamer's bindings are not installed, or for another version of Python")
    target = tmp_path / "out.mkv"
    command = [SYSTEM_PYTHON, str(ROOT / "examples" / "gstreamer.py"), str(short), str(target)]
    done = subprocess.run(
        [*command, "--encoder", "jpegenc quality=95"], env=elsewhere, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"40 pictures in {target}\n"
    assert videos.times(target) == videos.times(short)
    for before, after in zip(videos.decode(short), videos.decode(target), strict=True):
        assert changed(before, after, 60, 100) > 10
        assert changed(before, after, 150, 176) < 6


def test_planes_in_shared_memory_are_redacted_where_they_lie(short: Path) -> None:
    told = shared_memory.play(str(short))
    assert [faces for _, faces in told] == [1] * 40
    before = [round(float(videos.samples(frame)[0].mean())) for frame in videos.decode(short)]
    assert [luma for luma, _ in told] == pytest.approx(before, abs=12)


def test_everyone_but_the_largest_is_hidden(two: Path, tmp_path: Path) -> None:
    choice = all_but_one.redact(str(two), str(tmp_path / "out.mp4"))
    assert len(choice.seen) == 2
    for before, after in zip(videos.decode(two), videos.decode(tmp_path / "out.mp4"), strict=True):
        assert changed(before, after, 100, 250) < 4  # the large face, shown
        assert changed(before, after, 470, 530) > 8  # the small one, hidden


def test_another_person_can_be_named(two: Path, tmp_path: Path) -> None:
    chosen = all_but_one.redact(str(two), str(tmp_path / "first.mp4")).person
    other = ({1, 2} - {chosen}).pop()
    all_but_one.redact(str(two), str(tmp_path / "out.mp4"), other)
    for before, after in zip(videos.decode(two), videos.decode(tmp_path / "out.mp4"), strict=True):
        assert changed(before, after, 100, 250) > 8
        assert changed(before, after, 470, 530) < 4
