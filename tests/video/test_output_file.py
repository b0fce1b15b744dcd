"""A file that is encoded from another."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import facered
import videos
from facered.video.input.file import Reader
from facered.video.output.file import Writer
from facered.video.output.settings import Encoding


def copied(source: Path, target: Path, **options: str) -> Path:
    """Write a video again as it is."""
    with Reader(source) as reader, Writer(target, reader, Encoding(**options)) as writer:
        for item in reader.demux(*writer.others):
            if isinstance(item, av.VideoFrame):
                writer.write_frame(item)
            else:
                writer.write_packet(item)
    return target


def test_key_frames_of_the_source_are_no_orders(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 20), options={"g": "1"})
    with av.open(str(copied(source, tmp_path / "bar.mp4"))) as container:
        assert sum(packet.is_keyframe for packet in container.demux(video=0)) == 1


def test_converted_pictures_keep_their_times(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(
        tmp_path / "foo.mp4", videos.decode(carphone, 4), time_base=Fraction(1, 100), ticks=[0, 3, 10, 11]
    )
    target = copied(source, tmp_path / "bar.mp4", codec="h264", pix_fmt="yuv444p")
    assert videos.times(target) == videos.times(source)


def test_pixels_that_are_not_square_stay_so(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(
        tmp_path / "foo.mkv", videos.decode(carphone, 3), tags={"sample_aspect_ratio": Fraction(4, 3)}
    )
    with av.open(str(copied(source, tmp_path / "bar.mp4"))) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_the_index_of_an_mp4_comes_first(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 3))
    data = copied(source, tmp_path / "bar.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_the_title_and_the_time_code_stay_and_place_and_device_do_not(carphone: Path, tmp_path: Path) -> None:
    plain, source = videos.encode(tmp_path / "foo.mov", videos.decode(carphone, 3)), tmp_path / "tagged.mov"
    with (
        av.open(str(plain)) as container,
        av.open(str(source), "w", options={"movflags": "use_metadata_tags"}) as output,
    ):
        copy = output.add_stream_from_template(container.streams.video[0])
        copy.metadata["timecode"] = "10:20:30:04"
        output.metadata.update({"title": "a film", "location": "+48.1000+011.5000/", "serial": "12345"})
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    with av.open(str(source)) as container:
        assert {"title", "location", "serial"} <= set(container.metadata)
    with av.open(str(copied(source, tmp_path / "bar.mov"))) as container:
        assert container.metadata["title"] == "a film"
        assert not {"location", "serial"} & set(container.metadata)
        assert container.streams.video[0].metadata["timecode"] == "10:20:30:04"


def test_a_file_that_is_given_up_leaves_nothing(carphone: Path, tmp_path: Path) -> None:
    def give_up() -> None:
        with Reader(carphone) as reader, Writer(tmp_path / "bar.mp4", reader, Encoding()) as writer:
            for frame in reader.frames():
                writer.write_frame(frame)
            assert list(tmp_path.iterdir())
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_hevc_has_the_tag_that_quicktime_plays(carphone: Path, tmp_path: Path, suffix: str) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 3))
    with av.open(str(copied(source, tmp_path / f"bar.{suffix}", codec="hevc"))) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("order", ["tt", "bb"])
def test_the_order_of_fields_is_kept(carphone: Path, tmp_path: Path, order: str) -> None:
    frames = [frame.reformat(format="yuv422p10le") for frame in videos.decode(carphone, 3)]
    options = {"flags": "+ildct", "field_order": order}
    source = videos.encode(tmp_path / "foo.mov", frames, codec="prores_ks", pixel_format="yuv422p10le", options=options)
    found = []
    for path in (source, copied(source, tmp_path / "bar.mov", codec="prores")):
        with av.open(str(path)) as container:
            found.append(container.streams.video[0].codec_context.field_order)
    assert found[0] == found[1] == {"tt": 2, "bb": 3}[order]


def test_sound_that_is_transcoded_is_there_to_its_end(carphone: Path, tmp_path: Path) -> None:
    source = videos.encode(tmp_path / "foo.mkv", videos.decode(carphone, 20), audio="mp2")
    with av.open(str(copied(source, tmp_path / "bar.mkv", audio="aac"))) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        written = sum(frame.samples for frame in container.decode(audio=0))
    with av.open(str(source)) as container:
        assert written >= sum(frame.samples for frame in container.decode(audio=0))


@pytest.mark.parametrize(
    ("options", "marked"),
    [
        ({}, True),
        ({"codec": "hevc"}, True),
        ({"preset": "ultrafast"}, False),
        ({"codec": "av1"}, False),
        ({"pix_fmt": "yuv444p"}, False),
    ],
)
def test_faces_are_marked_for_encoders_that_take_notice(
    carphone: Path, tmp_path: Path, options: dict[str, str], marked: bool
) -> None:
    with Reader(carphone) as reader:
        writer = Writer(tmp_path / "bar.mp4", reader, Encoding(**options))
        assert (writer.regions is not None) == marked
        writer.discard()


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_quicktime_is_told_where_the_parameters_of_hevc_are(carphone: Path, tmp_path: Path, suffix: str) -> None:
    source = videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 3))
    with av.open(str(copied(source, tmp_path / f"bar.{suffix}", codec="hevc", preset="ultrafast"))) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_transcoded_sound_keeps_its_channels_and_its_length(carphone: Path, tmp_path: Path, layout: str) -> None:
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    source = tmp_path / "foo.mkv"
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 176, 144, "yuv420p"
        sound = output.add_stream("pcm_s16le", rate=32000, layout=layout)
        for frame in videos.decode(carphone, 15):
            output.mux(video.encode(frame))
        piece = av.AudioFrame.from_ndarray(np.zeros((1, 16000 * channels), np.int16), format="s16", layout=layout)
        piece.sample_rate, piece.pts = 32000, 0
        output.mux(sound.encode(piece))
        output.mux([*video.encode(None), *sound.encode(None)])
    result = facered.combined(source, tmp_path / "out.mp4", audio="aac")
    with av.open(str(result.video_path)) as container:
        heard = list(container.decode(audio=0))
    assert {(frame.layout.nb_channels, frame.sample_rate) for frame in heard} == {(channels, 32000)}
    assert 0 <= sum(frame.samples for frame in heard) - 16000 < 3 * 1024  # AAC fills whole blocks, and begins with one


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize(
    ("timecode", "ticks", "kept"),
    [("01:00:00;02", [0, 40, 70, 111, 150], True), ("01:00:00:02", [0, 1, 2, 3, 4], False)],
)
def test_the_time_code_stays_or_that_it_does_not_is_said(
    carphone: Path,
    tmp_path: Path,
    suffix: str,
    timecode: str,
    ticks: list[int],
    kept: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the frame rate varies, or is told wrongly, the container could not count with it."""
    plain = videos.encode(tmp_path / "plain.mkv", videos.decode(carphone, 5), time_base=Fraction(1, 1000), ticks=ticks)
    source = tmp_path / "foo.mkv"
    with av.open(str(plain)) as container, av.open(str(source), "w") as output:
        copy = output.add_stream_from_template(container.streams.video[0])
        output.metadata["timecode"] = timecode
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    with av.open(str(copied(source, tmp_path / f"bar.{suffix}"))) as container:
        assert container.streams.video[0].metadata.get("timecode") == (timecode if kept else None)
    assert ("the time code 01:00:00:02 is left out" in caplog.text) != kept
