"""Results belong together: old ones or new ones, whatever ends a job, and never those of two jobs."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

import facered
import videos
from facered.runtime.replace import FileSet
from facered.video.output.file import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def film(carphone: Path, tmp_path: Path) -> Path:
    return videos.encode(tmp_path / "foo.mp4", videos.decode(carphone, 12))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_hand_edited_annotations_stay_when_the_encoder_fails_at_the_end(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    facered.combined(film, out, annotations=True)
    (out / "foo_annotations.json").write_text("edited by hand")
    before = contents(out)

    def fail(_: Writer) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "close", fail)
    with pytest.raises(facered.ServiceError, match="No space left on device"):
        facered.combined(film, out, annotations=True, overwrite=True)
    assert contents(out) == before


@pytest.mark.parametrize("role", ["address", "object", "annotations", "ids", "model"])
def test_no_file_that_is_read_is_replaced(film: Path, tmp_path: Path, role: str) -> None:
    target = tmp_path / "out.mp4"
    facered.analyze(film, tmp_path)
    contents = {"annotations": tmp_path / "foo_annotations.json", "ids": None, "model": film}.get(role, film)
    target.write_bytes(b"1" if contents is None else contents.read_bytes())
    stack = ExitStack()
    calls: dict[str, Callable[[], object]] = {
        "address": lambda: facered.combined(f"file://{target}", target, overwrite=True),
        "object": lambda: facered.combined(stack.enter_context(target.open("rb")), target, overwrite=True),
        "annotations": lambda: facered.redact(film, target, overwrite=True, annotations=target),
        "ids": lambda: facered.redact(film, target, overwrite=True, ids=target),
        "model": lambda: facered.redact(film, target, overwrite=True, model=target),
    }
    with stack, pytest.raises(facered.ConfigurationUnsupportedError, match="is the input itself"):
        calls[role]()
    assert target.read_bytes() == (b"1" if contents is None else contents.read_bytes())


def test_two_jobs_on_one_output_at_once(film: Path, tmp_path: Path) -> None:
    """One of them wins; the others are told before they have worked."""
    out, reached, go = tmp_path / "out", threading.Event(), threading.Event()

    def wait(_: facered.Progress) -> None:
        reached.set()
        go.wait(30)

    first = facered.submit(film, out, progress=wait)
    try:
        assert reached.wait(30)
        begun = time.monotonic()
        with pytest.raises(facered.ConfigurationUnsupportedError, match="another job is about to write this"):
            facered.combined(film, out, overwrite=True)
        assert time.monotonic() - begun < 5
        facered.analyze(film, out)  # that is another output
    finally:
        go.set()
    assert first.result(60).video_path == out / "foo_redacted.mp4"
    assert videos.decode(out / "foo_redacted.mp4")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_link_that_leads_nowhere_is_there(film: Path, tmp_path: Path, overwrite: bool) -> None:
    link = tmp_path / "out" / "foo_redacted.mp4"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "nowhere.mp4")
    if not overwrite:
        with pytest.raises(facered.ConfigurationUnsupportedError, match="exists already"):
            facered.combined(film, tmp_path / "out")
        assert link.is_symlink()
    else:
        facered.combined(film, tmp_path / "out", overwrite=True)
        assert not link.is_symlink()
        assert videos.decode(link)
    assert not (tmp_path / "nowhere.mp4").exists()


def test_what_comes_in_the_way_meanwhile_is_not_replaced(film: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "foo_redacted.mp4"

    def come(progress: facered.Progress) -> None:
        if progress.stage == "redact" and not target.exists():
            target.write_text("somebody else's")

    with pytest.raises(facered.ConfigurationUnsupportedError, match="has come while the job ran"):
        facered.combined(film, tmp_path / "out", progress=come)
    assert contents(tmp_path / "out") == {"foo_redacted.mp4": b"somebody else's"}


def test_redaction_finishes_what_a_killed_analysis_was_publishing(film: Path, tmp_path: Path) -> None:
    """The annotations have got their names, and the process was killed before all had."""
    out = tmp_path / "out"
    facered.analyze(film, out)
    annotations, thumbnail = out / "foo_annotations.json", out / "foo_thumb000001.jpg"
    new = {path: path.read_bytes() for path in (annotations, thumbnail)}
    files = FileSet([annotations]).claim()
    for path, content in new.items():
        files.file(path).write_bytes(content)
        path.write_text("old")
    place = out / ".foo_annotations.json.facered"
    (place / "commit").write_text(f'[["{thumbnail.name}", "{annotations.name}"], []]')
    kept = tmp_path / "kept"
    place.rename(kept)
    files.release()
    kept.rename(place)
    facered.redact(film, out)
    assert {path: path.read_bytes() for path in new} == new
    assert not place.exists()
