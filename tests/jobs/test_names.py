"""What results are called, and where they cannot be written: said before pass one."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import av
import pytest

import facered
import videos
from facered.jobs.outputs import Outputs


@pytest.fixture(scope="module")
def film(carphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.encode(tmp_path_factory.mktemp("names") / "film.mp4", videos.decode(carphone, 2))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def never_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    def analyze_video(*_: object, **__: object) -> None:
        raise AssertionError("pass one has begun")

    monkeypatch.setattr("facered.jobs.analyze.analyze_video", analyze_video)


@pytest.mark.parametrize(
    ("name", "output", "result"),
    [
        ("2024-11-14T22:57:44.mp4", ".", "2024-11-14T22:57:44_redacted.mp4"),
        ("http:x.mp4", "out:1/", "out:1/http:x_redacted.mp4"),
        ("film.mp4", "22:57.mkv", "22:57.mkv"),
        ("film.mp4", "concat:a|b.mp4", "concat:a|b.mp4"),
        ("-x.mp4", "-y.mov", "-y.mov"),
        ("é" * 118 + ".mp4", "é" * 125 + ".mp4", "é" * 125 + ".mp4"),
        ("\udcff\n.mp4", "~", "~/\udcff\n_redacted.mp4"),
        ("a/../b.mp4", "a/../c", "a/../c/b_redacted.mp4"),
    ],
)
def test_results_are_files_of_their_names(film: Path, name: str, output: str, result: str) -> None:
    Path("a").mkdir()
    shutil.copy(film, name)
    done = facered.combined(name, output, annotations=True)
    assert done.video_path == Path(result)
    assert videos.times(Path(result).absolute()) == videos.times(film)
    assert facered.redact(name, output, annotations=done.annotations_path, overwrite=True).video_path == Path(result)
    assert not [path for path in Path().rglob("*") if path.name.endswith(".facered")]


@pytest.mark.parametrize(
    "name",
    [
        "my%20photo.jpg",
        "100%.png",
        "50%off.jpg",
        "c%s.png",
        pytest.param("x%999999999d.png", marks=pytest.mark.soak),
        "%02d.png",
    ],
)
def test_a_picture_stays_one_whatever_its_name_is(carphone: Path, name: str) -> None:
    videos.decode(carphone, 1)[0].save(name)
    done = facered.combined(name)
    stem, dot, suffix = name.rpartition(".")
    assert done.video_path == Path(f"{stem}_redacted{dot}{suffix}")
    assert {path.name for path in Path().iterdir()} == {name, done.video_path.name}


@pytest.mark.usefixtures("never_analysed")
class TestErrorsBeforePassOne:
    def test_names_that_would_be_too_long(self, film: Path) -> None:
        name = "x" * 246 + ".mp4"
        shutil.copy(film, name)
        with pytest.raises(facered.ConfigurationUnsupportedError, match="this name has 259 bytes"):
            facered.combined(name)
        with pytest.raises(facered.ConfigurationUnsupportedError, match=r"_annotations.json: this name has 263 bytes"):
            facered.analyze(name, "out")
        assert [path.name for path in Path().iterdir()] == [name]

    @pytest.mark.parametrize("output", ["x" * 300, "/".join(["x" * 200] * 30)])
    def test_a_directory_that_cannot_be(self, film: Path, output: str) -> None:
        with pytest.raises(facered.ConfigurationUnsupportedError, match=r"cannot be written \(File name too long\)"):
            facered.combined(film, output)

    @pytest.mark.parametrize("link", [os.symlink, os.link])
    def test_the_input_by_another_name(self, film: Path, link: object) -> None:
        shutil.copy(film, "a.mp4")
        link("a.mp4", "b.mp4")  # type: ignore[operator]
        with pytest.raises(facered.ConfigurationUnsupportedError, match="this is the input itself"):
            facered.combined("a.mp4", "b.mp4", overwrite=True)

    @pytest.mark.parametrize(
        ("source", "output"), [("%d.png", "%d.png"), ("%d.png", "%02d.png"), ("01.png", "%02d.png")]
    )
    def test_a_picture_of_the_input(self, source: str, output: str) -> None:
        for name in ("1.png", "01.png"):
            av.VideoFrame(64, 48, "rgb24").save(name)
        Path("02.png").symlink_to("1.png")
        with pytest.raises(facered.ConfigurationUnsupportedError, match="this is the input itself"):
            facered.combined(source, output, overwrite=True)

    def test_one_name_for_many_pictures(self) -> None:
        av.VideoFrame(64, 48, "rgb24").save("1.png")
        with pytest.raises(facered.ConfigurationUnsupportedError, match="one name for many images"):
            facered.combined("%d.png", "one.png")

    def test_a_film_that_is_called_a_picture(self, film: Path) -> None:
        shutil.copy(film, "film.png")
        with pytest.raises(facered.ContentUnsupportedError, match="this is a film, whatever it is called"):
            facered.combined("film.png")

    def test_a_link_that_leads_nowhere_is_there_too(self, film: Path) -> None:
        Path("out.mp4").symlink_to("nowhere")
        with pytest.raises(facered.ConfigurationUnsupportedError, match="exists already"):
            facered.combined(film, "out.mp4")

    def test_a_directory_in_the_way(self, film: Path) -> None:
        Path("film_annotations.json").mkdir()
        with pytest.raises(facered.ConfigurationUnsupportedError, match="is a directory; move it away"):
            facered.analyze(film, overwrite=True)

    def test_somebody_elses_file_in_a_shared_directory(
        self, film: Path, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("out.mp4").touch()
        here.chmod(0o777 | stat.S_ISVTX)
        monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
        with pytest.raises(
            facered.ConfigurationUnsupportedError, match=r"cannot be written \(Operation not permitted\)"
        ):
            facered.combined(film, "out.mp4", overwrite=True)


def test_a_directory_may_be_called_like_a_film(film: Path) -> None:
    Path("out.mp4").mkdir()
    assert facered.combined(film, "out.mp4").video_path == Path("out.mp4", "film_redacted.mp4")


def test_what_is_read_instead_of_a_file_is_one_video(here: Path) -> None:
    assert Outputs.of(here / "%d.png", here).sequence is not None
    assert Outputs.of(here / "%d.png", here, single=True).sequence is None
