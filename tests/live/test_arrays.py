"""Pictures that are one array: hidden where they are, and not a sample is another outside the masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.live.arrays import PACKED, PLANAR

Array = NDArray[np.uint8]
REGION = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
WIDTH, HEIGHT = 48, 32


def noise(name: str) -> Array:
    """Return a random picture in a format."""
    if name in PACKED:
        shape: tuple[int, ...] = (HEIGHT, WIDTH, len(PACKED[name]))
    else:
        shape = (HEIGHT if name == "gray" else HEIGHT * 3 // 2, WIDTH)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def redact(array: Array, name: str, **settings: Any) -> None:
    """Hide the middle of a picture."""
    settings = {"hide_regions": [REGION], "threshold": 1, "blur": "Mosaic"} | settings
    with facered.Redactor(**settings) as redactor:
        (done,) = redactor.process(array, name)
        assert done is array


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("blur", ["Mosaic", "Med", "Black"])
def test_packed_colours_are_hidden_as_planes_of_their_own_are(name: str, blur: str) -> None:
    array = noise(name)
    planes = [np.ascontiguousarray(array[:, :, number]) for number in range(array.shape[2])]
    redact(array, name, blur=blur)
    with facered.Redactor(hide_regions=[REGION], threshold=1, blur=blur) as redactor:
        for number, (sample, plane) in enumerate(zip(PACKED[name], planes, strict=True)):
            if sample in "rgb":
                redactor.process_planes([plane], None, "gray", 0, width=WIDTH, height=HEIGHT, full_range=True)
            np.testing.assert_array_equal(array[:, :, number], plane)
    assert (array[HEIGHT // 2, WIDTH // 2, PACKED[name].index("r")] == 0) == (blur == "Black")


@pytest.mark.parametrize("name", PLANAR)
def test_planes_in_one_array_are_hidden_as_planes_apart_are(name: str) -> None:
    array = noise(name)
    before = array.copy()
    redact(array, name)
    luma, chroma = before[:HEIGHT], before[HEIGHT:]
    half = chroma.reshape(2, HEIGHT // 2, WIDTH // 2) if name in ("i420", "yuv420p") else [chroma]
    with facered.Redactor(hide_regions=[REGION], threshold=1, blur="Mosaic") as redactor:
        planes = [luma, *half] if name != "gray" else [luma]
        redactor.process_planes(planes, None, PLANAR[name], 0, width=WIDTH, height=HEIGHT)
    np.testing.assert_array_equal(array, before)
    assert (array != noise(name)).any()


@pytest.mark.parametrize(
    "form",
    [
        lambda a: np.ascontiguousarray(a[:, ::-1])[:, ::-1],
        lambda a: np.ascontiguousarray(a[::-1])[::-1],
        lambda a: np.pad(a, ((3, 3), (5, 5), (0, 0)))[3:-3, 5:-5],
        lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
        lambda a: np.ascontiguousarray(a[:, :, ::-1])[:, :, ::-1],
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    ],
    ids=["mirrored", "bottom up", "a part", "planes", "the other order", "every other pixel"],
)
def test_it_does_not_matter_how_an_array_lies_in_memory(form: Any, carphone: Path) -> None:
    frame = videos.enlarge(videos.decode(carphone, 1)[0], 352, 288)
    plain = frame.to_ndarray(format="bgr24")
    other = form(plain)
    np.testing.assert_array_equal(other, plain)
    faces = []
    for array in (plain, other):
        with facered.Redactor() as redactor:
            (done,) = redactor.process(array, "bgr24")
            assert done is array
            faces.append(redactor.faces)
    assert len(faces[0]) == 1
    assert faces[0] == faces[1]
    np.testing.assert_array_equal(other, plain)


def test_faces_are_found_as_in_frames_and_nothing_else_changes(carphone: Path) -> None:
    frames = videos.decode(carphone, 60)
    before = [frame.to_ndarray(format="bgr24") for frame in frames]
    arrays = [array.copy() for array in before]
    found = []
    # With 8 bits, boxes move by some pixels where a picture differs by a rounding.
    with facered.Redactor(rate=30, lookahead=5, precision="fp32") as redactor:
        done = []
        for number, array in enumerate(arrays):
            done += redactor.process(array, "bgr24", pts=number / 30)
            found.append(redactor.faces)
        done += redactor.flush()
    assert [id(array) for array in done] == [id(array) for array in arrays]
    with facered.Redactor(rate=30, lookahead=5, precision="fp32") as redactor:
        for number, frame in enumerate(frames):
            redactor.process(frame)
            (face,), (same,) = redactor.faces, found[number]
            assert abs(face.x - same.x) + abs(face.y - same.y) < 0.05
    for array, plain, (face,) in zip(arrays, before, found, strict=True):
        y, x = np.nonzero((array != plain).any(axis=2))
        height, width = array.shape[:2]
        reach_x, reach_y = 0.75 * face.width * width + 8, 0.75 * face.height * height + 8
        assert len(y) > 500
        assert (np.abs(x - (face.x + face.width / 2) * width) < reach_x).all()
        assert (np.abs(y - (face.y + face.height / 2) * height) < reach_y).all()


def test_boxes_are_drawn_in_white_on_black(carphone: Path) -> None:
    array = videos.enlarge(videos.decode(carphone, 1)[0], 352, 288).to_ndarray(format="rgb24")
    before = array.copy()
    redact(array, "rgb24", blur="Box", threshold=0.3, hide_regions=())
    drawn = array[(array != before).any(axis=2)]
    assert len(drawn) > 100
    assert np.isin(drawn, (0, 255)).all()
    assert (drawn == drawn[:, :1]).all()


@pytest.mark.parametrize("name", ["bgr24", "nv12"])
def test_where_the_detector_fails_all_of_an_array_is_hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    array = noise(name)
    before = array.copy()

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with facered.Redactor() as redactor:
        monkeypatch.setattr("facered.detect.detector.Detector.detect", fail)
        with pytest.raises(facered.ServiceError):
            redactor.process(array, name)
        (done,) = redactor.flush()
    assert done is array
    assert (array != before).mean() > 0.9


BLANK = np.zeros((8, 8, 3), np.uint8)
REFUSED = [
    (BLANK, None, "of what format the array is has to be told, such as format='bgr24'; it is None"),
    (BLANK, "bgr48", "arrays in 'bgr48' are not redacted; they can be rgb24, bgr24, "),
    (BLANK, "bgra", "the array is (8, 8, 3); bgra is (height, width, 4)"),
    (BLANK[:, :, 0], "bgr24", "the array is (8, 8); bgr24 is (height, width, 3)"),
    (BLANK[:0], "bgr24", "the array is (0, 8, 3); bgr24 is (height, width, 3)"),
    (BLANK.astype(np.float32), "bgr24", "the array is float32; pictures are uint8, from 0 to 255"),
    (BLANK[:, :, 0], "nv12", "the array is (8, 8); nv12 is (height * 3 / 2, width), both even"),
    (np.zeros((12, 16), np.uint8)[:, ::2], "i420", "an array of i420 must be contiguous"),
    (np.broadcast_to(BLANK, (8, 8, 3)), "bgr24", "the array cannot be written into; give a copy: array.copy()"),
]


@pytest.mark.parametrize(("array", "name", "message"), REFUSED)
def test_what_is_no_such_picture_is_refused(array: Array, name: str | None, message: str) -> None:
    with facered.Redactor() as redactor:
        with pytest.raises(facered.FaceredError) as error:
            redactor.process(array, name)
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)
        assert redactor.stats.frames == 0


@pytest.mark.parametrize("pts", [float("nan"), "soon", float("inf")])
def test_a_time_is_in_seconds(pts: Any) -> None:
    with facered.Redactor() as redactor, pytest.raises(facered.FaceredError, match="its time in seconds"):
        redactor.process(BLANK.copy(), "bgr24", pts=pts)


def test_a_frame_knows_its_format_and_time(carphone: Path) -> None:
    with facered.Redactor() as redactor, pytest.raises(facered.FaceredError, match="are for arrays"):
        redactor.process(videos.decode(carphone, 1)[0], "yuv420p")
