"""Pass two, before the encoder: exactly the annotated faces are hidden, nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.annotations.model import Annotations
from facered.hide.hider import Hider
from facered.hide.style import Style
from facered.jobs.analyze import analyze_video
from facered.jobs.redact import redact_frame
from facered.options import Options
from facered.video.input.file import Reader


@pytest.fixture(scope="module")
def annotations(carphone: Path) -> Annotations:
    with Reader(carphone) as reader:
        return analyze_video(reader, Options()).annotations


def ellipse(box: NDArray[np.float64], shape: tuple[int, ...], scale: float) -> NDArray[np.bool_]:
    """Return which samples of a plane lie in the ellipse inscribed in a luma box, enlarged by `scale`."""
    x1, y1, x2, y2 = box
    height, width = shape
    step = 2 if width < 176 else 1
    x = (np.arange(width) + 0.5) * step
    y = (np.arange(height) + 0.5) * step
    dx, dy = (x - (x1 + x2) / 2) / ((x2 - x1) / 2), (y - (y1 + y2) / 2) / ((y2 - y1) / 2)
    return np.add.outer(dy**2, dx**2) <= scale**2


def test_samples_outside_the_masks_are_those_that_were_decoded(carphone: Path, annotations: Annotations) -> None:
    """B-frames refer to neighbours: had a reference picture been painted on, the following frames would differ."""
    hider = Hider(Style())
    pristine = [videos.samples(frame) for frame in videos.decode(carphone)]
    with Reader(carphone) as reader:
        for number, frame in enumerate(reader.frames()):
            redact_frame(frame, annotations, hider)
            (box,) = annotations.pixel_boxes(number)
            for before, after in zip(pristine[number], videos.samples(frame), strict=True):
                far = ~ellipse(box, before.shape, 1.15 + 0.1)
                assert np.array_equal(before[far], after[far])
                inside = ellipse(box, before.shape, 0.9)
                if before.shape[1] == 176:
                    assert np.abs(before[inside].astype(int) - after[inside]).mean() > 5
                    assert after[inside].std() < 0.5 * before[inside].std()


@pytest.mark.parametrize("hold", [False, True])
def test_in_a_damaged_video_a_frame_without_an_entry_has_the_faces_of_the_entry_before(
    carphone: Path, annotations: Annotations, hold: bool
) -> None:
    frame = videos.decode(carphone, 4)[3]
    frame.pts += 1  # between two entries
    boxes = redact_frame(frame, annotations, Hider(Style()), hold=hold)
    assert (boxes is not None) is hold
    if boxes is not None:
        assert np.array_equal(boxes, annotations.pixel_boxes(3))


def test_frames_without_faces_are_neither_changed_nor_copied(rabbit: Path, annotations: Annotations) -> None:
    frame = videos.decode(rabbit, 1)[0]
    frame.pts = 1  # no frame of the annotations has this time
    address = frame.planes[0].buffer_ptr
    redact_frame(frame, annotations, Hider(Style()))
    assert frame.planes[0].buffer_ptr == address


def test_a_frame_without_an_entry_can_have_the_faces_of_the_entry_before(
    carphone: Path, annotations: Annotations
) -> None:
    for hold in (True, False):
        frame = videos.decode(carphone, 6)[5]
        before = videos.samples(frame)[0]
        assert frame.pts is not None
        frame.pts += 1  # no entry has this time
        boxes = redact_frame(frame, annotations, Hider(Style()), hold=hold)
        assert (boxes is not None) == hold
        assert (videos.samples(frame)[0] != before).any() == hold
        if boxes is not None:
            np.testing.assert_array_equal(boxes, annotations.pixel_boxes(5))


def test_combined_draws_what_the_document_says(
    carphone: Path, annotations: Annotations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[list[NDArray[np.uint8]]] = []
    from facered.video.output.file import Writer

    encode = Writer.write_frame

    def remember(self: Writer, frame: av.VideoFrame) -> None:
        given.append(videos.samples(frame))
        encode(self, frame)

    monkeypatch.setattr(Writer, "write_frame", remember)
    facered.combined(carphone, tmp_path)
    hider = Hider(Style())
    with Reader(carphone) as reader:
        for encoded, frame in zip(given, reader.frames(), strict=True):
            redact_frame(frame, annotations, hider)
            assert all(map(np.array_equal, encoded, videos.samples(frame)))


def test_in_damaged_video_the_faces_of_the_frame_before_are_hidden(carphone: Path, annotations: Annotations) -> None:
    frame = videos.decode(carphone, 2)[1]
    assert frame.pts is not None
    frame.pts -= 1  # no frame of the annotations has this time
    pristine = videos.samples(frame)[0]
    assert redact_frame(frame, annotations, Hider(Style())) is None
    assert np.array_equal(videos.samples(frame)[0], pristine)
    boxes = redact_frame(frame, annotations, Hider(Style()), hold=True)
    np.testing.assert_array_equal(boxes, annotations.pixel_boxes(0))
    inside = ellipse(annotations.pixel_boxes(0)[0], pristine.shape, 0.9)
    assert videos.samples(frame)[0][inside].std() < 0.5 * pristine[inside].std()
