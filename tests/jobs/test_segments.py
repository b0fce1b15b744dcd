"""Films analyzed segment by segment: nothing depends on how, and nobody is bare where a long shot is divided."""

from __future__ import annotations

import gc
import multiprocessing
import weakref
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import entering
import facered
import videos
from facered.annotations.table import REGION_IDS
from facered.detect.turned import TurnedDetector
from facered.jobs import segments as segments_module
from facered.jobs.analyze import analyze_video
from facered.jobs.finder import Finder
from facered.jobs.segments import analyze_segments, find_segments
from facered.options import Options
from facered.track.segmentation import Grid, Segment
from facered.video.input.file import Reader
from facered.video.orientation import UPRIGHT
from lumas import wall
from segmented import analyzed, document, joined, piece_analyzed, pieces
from thinned import thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    RGB = NDArray[np.uint8]

GRID = Grid(frames=24, lead_in=0.4, lead_out=0.32, clearance=0.4, warm_up=1.2)
"""A possible seam every 24 frames, 10 frames before and 8 behind it analyzed for both sides."""
WHOLE = Grid(frames=10_000)


def film(path: Path, pictures: list[RGB]) -> Path:
    return videos.encode(
        path, [av.VideoFrame.from_ndarray(np.ascontiguousarray(one), format="rgb24") for one in pictures]
    )


def lossless(path: Path, pictures: list[RGB]) -> Path:
    frames = [av.VideoFrame.from_ndarray(np.ascontiguousarray(one), format="rgb24") for one in pictures]
    return videos.encode(path, frames, options={"qp": "0"})


@pytest.fixture(scope="module")
def people(carphone: Path) -> list[RGB]:
    """Return 60 pictures, 176 x 144, of a talking man."""
    return [frame.to_ndarray(format="rgb24") for frame in videos.decode(carphone, 60)]


@pytest.fixture(scope="module")
def background() -> RGB:
    return np.repeat(wall(352, 240)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def mixed(people: list[RGB], background: RGB, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of 101 frames: somebody at the left, then at the right, nobody, two people; three cuts."""
    pictures = []
    for number in range(101):
        picture = background.copy() if number < 29 or number >= 59 else np.ascontiguousarray(background[::-1, ::-1])
        if number >= 67:
            picture = 255 - picture
        if number < 29 or number >= 75:
            picture[40:184, 4:180] = people[number % 60]
        if 29 <= number < 59:
            picture[60:204, 170:346] = people[(number + 7) % 60]
        if number >= 67:
            picture[96:240, 176:352] = people[(number + 30) % 60][:, ::-1]
        pictures.append(picture)
    return film(tmp_path_factory.mktemp("mixed") / "mixed.mp4", pictures)


def test_the_film_has_cuts_and_seams(mixed: Path) -> None:
    with Reader(mixed) as reader:
        found = find_segments(reader, Options(), GRID)
    assert {29, 59, 67} < {segment.first for segment in found}
    assert [segment.first for segment in found if segment.lead < segment.first] != []
    assert [a.end for a in found] == [*[b.first for b in found[1:]], 101]


@pytest.mark.parametrize("threads", [2, 4])
def test_the_document_is_the_same_with_any_number_of_threads(mixed: Path, threads: int) -> None:
    alone = document(analyzed(mixed, GRID, Options(threads=1)))
    assert document(analyzed(mixed, GRID, Options(threads=threads))) == alone


def test_segments_analyzed_in_any_order_in_processes_of_their_own_give_the_same_document(mixed: Path) -> None:
    options = Options(threads=1)
    with Reader(mixed) as reader:
        at_once = analyze_video(reader, options, thumbnails=True, grid=GRID)
    parts = pieces(mixed, GRID, options)
    assert len(parts) > 4
    order = np.random.default_rng(3).permutation(len(parts)).tolist()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = dict(zip(order, pool.map(piece_analyzed, [parts[place] for place in order], chunksize=1), strict=True))
    annotations, thumbnails = joined(mixed, options, [found[place] for place in range(len(parts))])
    assert document(annotations) == document(at_once.annotations)
    assert thumbnails == at_once.thumbnails


def test_a_film_that_lies_is_known_to_in_every_segment(
    people: list[RGB], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [np.rot90(people[n]) for n in range(16)] + [255 - np.rot90(people[n]) for n in range(8)]
    pictures += [np.rot90(people[n][:, ::-1]) for n in range(30, 46)]
    source, options = film(tmp_path / "lying.mp4", pictures), Options(threads=1)
    at_once = analyzed(source, GRID, options)
    assert (np.diff(at_once.starts)[24:] > 0).all()
    assert caplog.text.count("the picture is turned") == 1
    results = [piece_analyzed(part) for part in reversed(pieces(source, GRID, options))]
    assert document(joined(source, options, results[::-1])[0]) == document(at_once)


def test_a_shot_of_a_film_that_lies_is_known_to_lie_from_its_first_frame_on(people: list[RGB], tmp_path: Path) -> None:
    shots = [people[:12], [one[:, ::-1] for one in people[30:34]], people[40:52]]
    source = film(tmp_path / "lying.mp4", [np.rot90(one) for shot in shots for one in shot])
    with Reader(source) as reader:
        assert [segment.first for segment in find_segments(reader, Options())] == [0, 12, 16]
    assert (np.diff(analyzed(source).starts) > 0).all()


def test_a_segment_of_one_frame_is_looked_at_as_the_films_first_picture_lies(people: list[RGB], tmp_path: Path) -> None:
    source = film(tmp_path / "lying.mp4", [np.rot90(one) for one in people[:12]])
    alone, turn = Segment(7, 8, 7, 8, ends_shot=True), pieces(source, GRID, Options())[0][3]
    assert turn
    assert len(piece_analyzed((source, Options(), alone, turn)).tracks) == 1
    assert piece_analyzed((source, Options(), alone, UPRIGHT)).tracks == []


def test_only_the_films_first_shot_is_looked_at_from_all_sides_where_there_is_somebody(
    people: list[RGB], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    look = TurnedDetector.look_around
    monkeypatch.setattr(TurnedDetector, "look_around", lambda *given: looks.append(0) or look(*given))
    analyzed(film(tmp_path / "foo.mp4", [*people[:12], *(one[:, ::-1] for one in people[30:42])]), GRID)
    assert len(looks) == 1


@pytest.mark.parametrize("length", thinned([1, 7, 10, 16]))
@pytest.mark.parametrize("before", ["nobody", "a crowd", "another face"])
def test_what_is_found_behind_a_cut_does_not_depend_on_what_is_before(
    people: list[RGB], background: RGB, before: str, length: int, tmp_path: Path
) -> None:
    first = {
        "nobody": background,
        "a crowd": np.tile(people[5][::2, ::2], (4, 5, 1))[:240, :352],
        "another face": np.pad(people[50], ((0, 96), (176, 0), (0, 0))),
    }[before]
    second = []
    for number in range(30):
        picture = 255 - background
        picture[70:214, 60 + number : 236 + number] = people[number]
        if number >= 9:
            small = people[number][::2, ::2]
            picture[2 : 2 + small.shape[0], 250 : 250 + small.shape[1]] = small
        second.append(picture)
    options = Options(max_faces=4, threads=1)
    alone, behind = (
        lossless(tmp_path / "alone.mp4", second),
        lossless(tmp_path / "behind.mp4", [first] * length + second),
    )
    one, other = (analyzed(path, options=options) for path in (alone, behind))
    begin = int(other.starts[length])
    assert (other.starts[length:] - begin).tolist() == one.starts.tolist()
    assert (other.boxes[begin:] == one.boxes).all()
    assert (np.isnan(one.scores) == (one.ids >= REGION_IDS)).all()
    mine, there = one.ids[one.ids < REGION_IDS], other.ids[begin:][one.ids < REGION_IDS]
    assert len(set(zip(mine.tolist(), there.tolist(), strict=True))) == len(set(mine.tolist())) == one.people


def test_somebody_keeps_an_id_and_the_best_picture_across_seams(people: list[RGB], tmp_path: Path) -> None:
    source = film(tmp_path / "foo.mp4", people)
    with Reader(source) as reader:
        parts = [result.segment.first for result in analyze_segments(reader, Options(), grid=GRID)]
    assert parts == [0, 24, 48]
    with Reader(source) as reader:
        found = analyze_video(reader, Options(), thumbnails=True, grid=GRID)
    assert found.annotations.people == 1
    assert (np.diff(found.annotations.starts) == 1).all()
    assert list(found.thumbnails) == [1]


def hidden(found: facered.Annotations, frame: int, box: tuple[float, float, float, float]) -> bool:
    """Tell whether the middle half of a box, x1, y1, x2, y2 in pixels, lies in one that is hidden."""
    x1, y1, x2, y2 = box
    inner = np.array([0.75 * x1 + 0.25 * x2, 0.75 * y1 + 0.25 * y2, 0.25 * x1 + 0.75 * x2, 0.25 * y1 + 0.75 * y2])
    boxes = found.pixel_boxes(frame)
    return bool(((boxes[:, :2] <= inner[:2]) & (boxes[:, 2:] >= inner[2:])).all(axis=1).any())


FACE = (50.0, 30.0, 115.0, 105.0)
"""About where the man's face is in carphone."""


@pytest.mark.parametrize("seam", thinned([20, 22, 24, 27, 29]))
def test_a_seam_in_an_occlusion_leaves_nobody_bare(
    people: list[RGB], background: RGB, seam: int, tmp_path: Path
) -> None:
    pictures = []
    for number in range(50):
        picture = background.copy()
        picture[40:184, 90:266] = people[number]
        if 20 <= number < 29:
            picture[:, 110:240] = background[:, 10:140]
        pictures.append(picture)
    source = film(tmp_path / "foo.mp4", pictures)
    grid = Grid(frames=seam, lead_in=0.4, lead_out=0.6, clearance=0.4, warm_up=1.2)
    found = analyzed(source, grid)
    x1, y1, x2, y2 = FACE
    shown = [number for number in range(50) if not 20 <= number < 29]
    assert [n for n in shown if not hidden(found, n, (x1 + 90, y1 + 40, x2 + 90, y2 + 40))] == []
    assert found.people == analyzed(source, WHOLE).people


@pytest.mark.parametrize("seam", thinned([18, 20, 22, 24, 26, 28], 3))
def test_a_seam_in_a_crossing_leaves_nobody_bare_and_confuses_nobody(
    people: list[RGB], background: RGB, seam: int, tmp_path: Path
) -> None:
    pictures, places = [], []
    for number in range(46):
        picture = background.copy()
        first, second = 6 + 4 * number, 186 - 4 * number
        darker = (people[number][:, ::-1] * 0.7).astype(np.uint8)
        picture[90:234, second : second + 160] = darker[:, :160]
        oval = np.hypot(*np.ogrid[-1.2:1.2:144j, -1.5:1.5:160j]) < 1
        part = picture[6:150, first : first + 160]
        part[oval] = people[number][:, :160][oval]
        pictures.append(picture)
        places.append((first, second))
    source = film(tmp_path / "foo.mp4", pictures)
    found, whole = (
        analyzed(source, Grid(frames=seam, lead_in=0.4, lead_out=0.4, clearance=0.4, warm_up=1.2)),
        analyzed(source, WHOLE),
    )
    assert found.people == whole.people
    pairs = set()
    for number in range(46):
        boxes, ids = whole.pixel_boxes(number), whole.frame_ids(number)
        assert len(found.frame_ids(number)) >= len(ids)
        for box, one in zip(boxes, ids.tolist(), strict=True):
            here = found.pixel_boxes(number)
            apart = np.abs(here - box).max(axis=1)
            assert apart.min() < 0.2 * (box[2] - box[0])
            pairs.add((one, int(found.frame_ids(number)[apart.argmin()])))
    assert len(pairs) == whole.people


@pytest.mark.parametrize("seam", thinned([19, 20, 22, 24, 26, 28, 30], 3))
def test_a_newcomer_just_behind_a_seam_is_hidden_before_it(seam: int, carphone: Path, tmp_path: Path) -> None:
    scene = entering.make(carphone)
    source = videos.encode(tmp_path / "foo.mp4", scene.frames)
    grid = Grid(frames=seam, lead_in=0.4, lead_out=0.6, clearance=0.4, warm_up=1.2)
    found = analyzed(source, grid)
    assert entering.bare(scene, found) == []
    whole = analyzed(source, WHOLE)
    assert found.people == whole.people == 1
    first = [int(np.flatnonzero(np.diff(each.starts))[0]) for each in (found, whole)]
    assert first[0] <= max(first[1], 20)


@pytest.mark.parametrize("seam", thinned([21, 24, 28]))
def test_there_is_no_seam_in_a_dissolve(people: list[RGB], background: RGB, seam: int, tmp_path: Path) -> None:
    pictures = []
    for number in range(50):
        one, other = background.copy(), np.ascontiguousarray(255 - background[:, ::-1])
        one[40:184, 4:180] = people[number]
        other[90:234, 170:346] = people[number][:, ::-1]
        share = min(max((number - 19) / 12, 0.0), 1.0)
        pictures.append(((1 - share) * one + share * other).astype(np.uint8))
    source = film(tmp_path / "foo.mp4", pictures)
    grid = Grid(frames=seam, lead_in=0.4, lead_out=0.4, clearance=0.4, warm_up=1.2)
    with Reader(source) as reader:
        assert seam not in [segment.first for segment in find_segments(reader, Options(), grid)]
    found = analyzed(source, grid)
    x1, y1, x2, y2 = FACE
    assert [n for n in range(28) if not hidden(found, n, (x1 + 4, y1 + 40, x2 + 4, y2 + 40))] == []
    mirrored = (176 - x2 + 170, y1 + 90, 176 - x1 + 170, y2 + 90)
    assert [n for n in range(23, 50) if not hidden(found, n, mirrored)] == []


def test_a_dissolve_behind_a_cut_is_found_where_it_is(people: list[RGB], background: RGB, tmp_path: Path) -> None:
    shown = []
    for number in range(50):
        one, other = background.copy(), np.ascontiguousarray(255 - background[:, ::-1])
        one[40:184, 4:180] = people[number]
        other[90:234, 170:346] = people[number][:, ::-1]
        share = min(max((number - 19) / 12, 0.0), 1.0)
        shown.append(((1 - share) * one + share * other).astype(np.uint8))
    black = [np.zeros_like(background)] * 17
    alone, behind = (
        analyzed(lossless(tmp_path / name, pictures)) for name, pictures in (("a.mp4", shown), ("b.mp4", black + shown))
    )
    assert alone.people == 2
    assert behind.starts[17:].tolist() == alone.starts.tolist()
    assert (behind.boxes == alone.boxes).all()


def test_pictures_of_past_segments_are_let_go_of(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Finder]] = []
    alive = []

    class Counted(Finder):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(weakref.ref(self))

        def close(self) -> None:
            super().close()
            assert len(self._follower.pictures) == 0
            gc.collect()
            alive.append(sum(one() is not None for one in made))

    monkeypatch.setattr(segments_module, "Finder", Counted)
    grid = Grid(frames=6, lead_in=0.1, lead_out=0.1, clearance=0.1, warm_up=0.3, settled=0.2)
    analyzed(mixed, grid)
    assert len(made) > 12
    assert max(alive) <= 4


def told(
    source: Path, out: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[facered.Annotations], facered.Result]:
    """Return what is told of the segments of a film, and the result."""
    assert analyze_video.__kwdefaults__ is not None
    monkeypatch.setitem(analyze_video.__kwdefaults__, "grid", grid)
    parts: list[facered.Annotations] = []
    return parts, facered.analyze(source, out, segments=parts.append)


def test_segments_are_told_in_order_and_make_up_the_document(
    mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, result = told(mixed, tmp_path, GRID, monkeypatch)
    whole = result.annotations
    assert len(parts) > 4
    assert np.concatenate([part.pts for part in parts]).tolist() == whole.pts.tolist()
    assert (np.concatenate([part.boxes for part in parts]) == whole.boxes).all()
    assert (np.concatenate([part.doubtful for part in parts]) == whole.doubtful).all()
    ends = [int(part.pts[-1]) + part.last_duration for part in parts]
    assert ends[:-1] == [int(part.pts[0]) for part in parts[1:]]
    for part in parts:
        part.check_sound()


def test_a_segment_is_told_of_before_the_film_has_been_read(mixed: Path, tmp_path: Path) -> None:
    told_at: list[tuple[int, int]] = []
    done = [0]

    def note(part: facered.Annotations) -> None:
        told_at.append((len(part.pts), done[0]))

    def count(progress: facered.Progress) -> None:
        done[0] = progress.done

    facered.analyze(mixed, tmp_path, segments=note, progress=count)
    assert told_at[0] == (29, 29 + 62)  # two and a half seconds later
    assert sum(frames for frames, _ in told_at) == 101


def test_what_the_callback_raises_is_raised(mixed: Path, tmp_path: Path) -> None:
    def fail(_: facered.Annotations) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        facered.analyze(mixed, tmp_path / "out", segments=fail)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_what_is_no_function_is_an_error(mixed: Path, tmp_path: Path) -> None:
    with pytest.raises(facered.ConfigurationUnsupportedError, match="segments"):
        facered.analyze(mixed, tmp_path, segments=3)  # type: ignore[arg-type]


def test_segments_of_a_damaged_film_hold_who_is_hidden_to_be_safe(
    people: list[RGB], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [one if number < 40 else np.full_like(one, 90) for number, one in enumerate([*people, *people[:10]])]
    frames = [av.VideoFrame.from_ndarray(one, format="rgb24") for one in pictures]
    options = {"g": "250", "bf": "0", "sc_threshold": "0"}
    source = videos.encode(
        tmp_path / "foo.ts", frames, time_base=Fraction(1, 90000), ticks=range(0, 70 * 3600, 3600), options=options
    )
    lose_packets(source, 40)
    parts, result = told(source, tmp_path, GRID, monkeypatch)
    assert result.damaged_frames >= 30
    assert np.diff(result.annotations.starts).tolist() == [1] * 70
    assert len(parts) == 3
    assert np.concatenate([np.diff(part.starts) for part in parts]).tolist() == [1] * 70
    assert (np.concatenate([part.boxes for part in parts]) == result.annotations.boxes).all()


def lose_packets(path: Path, frame: int) -> None:
    """Have a receiver take some packets of a transport stream for lost, from a frame on."""
    data, begun = bytearray(path.read_bytes()), 0
    for start in range(0, len(data), 188):
        header = int.from_bytes(data[start : start + 4], "big")
        if header >> 8 & 0x1FFF == 0x100:  # the packets of the pictures
            begun += header >> 22 & 1
            if begun > frame:
                data[start + 3] = data[start + 3] & 0xF0 | (data[start + 3] + 5) & 0x0F
    path.write_bytes(data)
