"""Frames in, frames out: what is hidden, when it comes back, and how long it may take."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import facered
import videos
from facered.detect.detector import Detection, Detector
from working import Working

Faces = list[tuple[facered.Face, ...]]
FEATHER = 0.15


def redacted(
    frames: list[av.VideoFrame], working: Working | None = None, **settings: Any
) -> tuple[list[av.VideoFrame], Faces]:
    """Return what comes of frames, and the faces told of each; a detector that is `working` is waited for."""
    told: Faces = []
    with facered.Redactor(on_faces=lambda _, faces: told.append(faces), **settings) as redactor:
        done = []
        for frame in frames:
            done += redactor.process(frame)
            if working is not None:
                working.wait()
        return done + redactor.flush(), told


def outside(faces: tuple[facered.Face, ...], width: int, height: int) -> NDArray[np.bool_]:
    """Return which luma samples no mask can reach, a chroma sample and rounding allowed for."""
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    clear = np.ones((height, width), np.bool_)
    for face in faces:
        middle_x, middle_y = (face.x + face.width / 2) * width, (face.y + face.height / 2) * height
        reach_x, reach_y = (side * (1 + FEATHER) / 2 + 2 for side in (face.width * width, face.height * height))
        clear &= ((x - middle_x) / reach_x) ** 2 + ((y - middle_y) / reach_y) ** 2 > 1
    return clear


def changed(before: av.VideoFrame, after: av.VideoFrame) -> NDArray[np.bool_]:
    return videos.samples(before)[0] != videos.samples(after)[0]


def shared(a: NDArray[np.float64], face: facered.Face) -> float:
    """Return the intersection over union of an annotated box and a face."""
    b = np.array([face.x, face.y, face.width, face.height])
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    both = float(np.prod(np.maximum(high - low, 0)))
    return both / float(a[2] * a[3] + b[2] * b[3] - both)


class Turns:
    """Has every detection wait until it is its turn, however fast or slow the machine is."""

    def __init__(self) -> None:
        self._given, self._ended = threading.Semaphore(0), threading.Semaphore(0)

    def give(self, count: int = 1) -> None:
        self._given.release(count)

    def await_end(self) -> None:
        assert self._ended.acquire(timeout=60)

    def take(self, detect: Callable[[], Detection]) -> Detection:
        assert self._given.acquire(timeout=20)
        try:
            return detect()
        finally:
            self._ended.release()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    prepare, turns = Detector.prepare, Turns()

    def prepared(*arguments: Any, **settings: Any) -> Callable[[], Detection]:
        return partial(turns.take, prepare(*arguments, **settings))

    monkeypatch.setattr(Detector, "prepare", prepared)
    return turns


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Working:
    """Knows when the detector has nothing to do: without that, frames come faster than any film's."""
    prepare, working = Detector.prepare, Working()
    monkeypatch.setattr(Detector, "prepare", lambda *given, **more: working.watched(prepare(*given, **more)))
    return working


class TestFrames:
    @pytest.mark.parametrize("lookahead", [0, 15])
    def test_what_is_hidden_is_what_pass_one_finds(self, carphone: Path, tmp_path: Path, lookahead: int) -> None:
        found = facered.analyze(carphone, tmp_path, end=2).annotations
        _, told = redacted(videos.decode(carphone, 50), lookahead=lookahead)
        assert [len(faces) for faces in told] == [1] * 50
        assert {faces[0].id for faces in told} == {1}
        overlaps = [shared(found.boxes[number], faces[0]) for number, faces in enumerate(told)]
        assert min(overlaps) > 0.7
        assert np.mean(overlaps) > 0.9

    @pytest.mark.parametrize("settings", [{}, {"lookahead": 7}, {"detect": 3}, {"detect": "async"}])
    def test_every_frame_comes_back_with_nothing_changed_but_faces(
        self, carphone: Path, working: Working, settings: dict[str, Any]
    ) -> None:
        before, frames = videos.decode(carphone, 50), videos.decode(carphone, 50)
        about = [(frame.pts, frame.time_base, frame.duration, frame.color_range) for frame in frames]
        done, told = redacted(frames, working, **settings)
        assert [id(frame) for frame in done] == [id(frame) for frame in frames]
        assert [(frame.pts, frame.time_base, frame.duration, frame.color_range) for frame in done] == about
        for old, new, faces in zip(before, done, told, strict=True):
            clear = outside(faces, old.width, old.height)
            differ = changed(old, new)
            assert not differ[clear].any()
            assert differ[~clear].mean() > 0.5
            for a, b in zip(videos.samples(old)[1:], videos.samples(new)[1:], strict=True):
                assert (a == b)[clear[::2, ::2] & clear[1::2, 1::2]].all()

    def test_frames_are_redacted_while_the_decoder_still_uses_them(self, carphone: Path) -> None:
        with av.open(str(carphone)) as container, facered.Redactor() as redactor:
            done = [
                videos.samples(ready)[0]
                for frame in itertools.islice(container.decode(video=0), 50)
                for ready in redactor.process(frame)
            ]
            assert redactor.stats.copied > 0
        whole, _ = redacted(videos.decode(carphone, 50))
        assert all((a == videos.samples(b)[0]).all() for a, b in zip(done, whole, strict=True))

    def test_a_frame_without_a_face_is_not_touched(self, rabbit: Path) -> None:
        untouched = 0
        with av.open(str(rabbit)) as container, facered.Redactor(threshold=0.6) as redactor:
            for frame in itertools.islice(container.decode(video=0), 60):
                address, before = frame.planes[0].buffer_ptr, bytes(frame.planes[0])
                assert redactor.process(frame)[0] is frame
                if not redactor.faces:
                    untouched += 1
                    assert frame.planes[0].buffer_ptr == address
                    assert bytes(frame.planes[0]) == before
            stats = redactor.stats
            assert stats.copied <= stats.hidden == 60 - untouched
        assert untouched > 45

    def test_a_frame_that_nobody_else_uses_is_hidden_where_it_lies(self, carphone: Path) -> None:
        frame = videos.decode(carphone, 1)[0]
        frame.make_writable()
        address = frame.planes[0].buffer_ptr
        with facered.Redactor() as redactor:
            redactor.process(frame)
            assert (redactor.stats.hidden, redactor.stats.copied, redactor.stats.bytes_copied) == (1, 0, 0)
        assert frame.planes[0].buffer_ptr == address

    @pytest.mark.parametrize("lookahead", [1, 7, 200])
    def test_the_delay_is_exact(self, carphone: Path, lookahead: int) -> None:
        frames = videos.decode(carphone, 30)
        with facered.Redactor(lookahead=lookahead) as redactor:
            ready = [redactor.process(frame) for frame in frames]
            rest = redactor.flush()
        assert [len(some) for some in ready] == [int(number >= lookahead) for number in range(30)]
        assert [frame for some in ready for frame in some] + rest == frames
        assert len(rest) == min(lookahead, 30)

    def test_after_a_flush_a_new_stream_begins(self, carphone: Path) -> None:
        frames = videos.decode(carphone, 10)
        with facered.Redactor(lookahead=3) as redactor:
            first = [ready for frame in frames for ready in redactor.process(frame)] + redactor.flush()
            assert redactor.faces == ()
            assert redactor.flush() == []
            second = [ready for frame in videos.decode(carphone, 10) for ready in redactor.process(frame)]
            assert [face.id for face in redactor.faces] == [2]
            second += redactor.flush()
        assert [frame.pts for frame in first] == [frame.pts for frame in second] == [frame.pts for frame in frames]

    def test_a_closed_one_takes_no_more(self, carphone: Path) -> None:
        with facered.Redactor() as redactor:
            pass
        with pytest.raises(facered.ConfigurationUnsupportedError, match="the redactor is closed; make another"):
            redactor.process(videos.decode(carphone, 1)[0])

    @pytest.mark.parametrize("lookahead", [0, 4])
    def test_another_size_begins_anew(self, carphone: Path, lookahead: int) -> None:
        frames = videos.decode(carphone, 20)
        mixed = frames[:10] + [videos.enlarge(frame, 352, 288) for frame in frames[10:]]
        done, told = redacted(mixed, lookahead=lookahead)
        assert [id(frame) for frame in done] == [id(frame) for frame in mixed]
        assert [len(faces) for faces in told] == [1] * 20

    @pytest.mark.parametrize("name", ["nv12", "yuv444p", "yuv420p10le", "gray", "yuvj420p"])
    def test_native_formats_stay_as_they_are(self, carphone: Path, name: str) -> None:
        frames = [frame.reformat(format=name) for frame in videos.decode(carphone, 3)]
        done, told = redacted(frames)
        assert [frame.format.name for frame in done] == [name] * 3
        assert [len(faces) for faces in told] == [1] * 3

    def test_other_formats_are_refused_with_a_way_out(self, carphone: Path) -> None:
        frame = videos.decode(carphone, 1)[0].reformat(format="rgb24")
        with facered.Redactor() as redactor, pytest.raises(facered.ContentUnsupportedError) as caught:
            redactor.process(frame)
        assert str(caught.value) == (
            "frames in rgb24 are not redacted as they are; convert them: frame.reformat(format='yuv444p')"
        )

    def test_interlaced_frames_are_hidden_field_by_field(self, carphone: Path, tmp_path: Path) -> None:
        woven = []
        for frame in videos.decode(carphone, 3):
            picture = frame.to_ndarray(format="rgb24")
            picture[1::2] //= 3
            woven.append(av.VideoFrame.from_ndarray(picture))
        path = videos.encode(tmp_path / "woven.mp4", woven, options={"flags": "+ildct+ilme", "crf": "1"})
        before, frames = videos.decode(path), videos.decode(path)
        assert frames[0].interlaced_frame
        done, told = redacted(frames, threshold=0.1)
        for old, new, faces in zip(before, done, told, strict=True):
            clear = outside(faces, 176, 144)
            assert not changed(old, new)[clear].any()
            inside = np.where(clear, np.nan, videos.samples(new)[0])
            assert np.nanmean(inside[0::2]) > 1.6 * np.nanmean(inside[1::2])

    def test_a_turned_picture_is_told_of_as_it_is_shown(self, carphone: Path, tmp_path: Path) -> None:
        one = 1 << 16
        upright = [frame.to_ndarray(format="rgb24") for frame in videos.decode(carphone, 8)]
        lying = [av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(p)), format="rgb24") for p in upright]
        matrix = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]  # a quarter clockwise
        stored = videos.encode(tmp_path / "turned.mp4", lying, display_matrix=matrix, options={"crf": "1"})
        frames = videos.decode(stored)
        assert frames[0].rotation % 360 == 270
        done, told = redacted(frames)
        _, expected = redacted(videos.decode(carphone, 8))
        for faces, others in zip(told, expected, strict=True):
            assert shared(np.array([others[0].x, others[0].y, others[0].width, others[0].height]), faces[0]) > 0.7
        before = np.rot90(videos.samples(videos.decode(stored)[5])[0], -1)
        differ = before != np.rot90(videos.samples(done[5])[0], -1)
        assert not differ[outside(told[5], 176, 144)].any()
        assert differ.mean() > 0.05


class TestTime:
    def test_looking_ahead_hides_a_face_before_it_is_detected(self, carphone: Path) -> None:
        def dimmed() -> list[av.VideoFrame]:
            frames = videos.decode(carphone, 40)
            for frame in frames[:8]:
                frame.make_writable()
                for plane, black in zip(frame.planes, (16, 128, 128), strict=True):
                    samples = np.frombuffer(plane, np.uint8)
                    samples[:] = np.round(black + 0.02 * (samples.astype(float) - black))
            return frames

        _, at_once = redacted(dimmed())
        _, ahead = redacted(dimmed(), lookahead=15)
        assert [len(faces) for faces in at_once[:8]] == [0] * 8
        assert [len(faces) for faces in ahead[4:]] == [1] * 36

    @pytest.mark.parametrize("lookahead", [0, 2, 10])
    def test_a_flash_bares_nobody_and_changes_no_id(self, carphone: Path, lookahead: int) -> None:
        frames = videos.decode(carphone, 60)
        for frame in frames[30:32]:
            frame.make_writable()
            samples = np.frombuffer(frame.planes[0], np.uint8)
            samples[:] = np.tile(np.arange(frame.planes[0].line_size) * 255 // 192, frame.height).astype(np.uint8)
        _, told = redacted(frames, lookahead=lookahead)
        assert all(len(faces) >= 1 for faces in told)
        assert {face.id for faces in told[36 + lookahead :] for face in faces} == {1}

    def test_after_a_cut_old_places_stay_hidden_for_a_moment_and_people_are_new(
        self, carphone: Path, rabbit: Path
    ) -> None:
        other = [videos.enlarge(frame, 176, 144) for frame in videos.decode(rabbit, 12)]
        _, told = redacted(videos.decode(carphone, 20) + other + videos.decode(carphone, 10))
        assert [len(faces) for faces in told[18:26]] == [1, 1, 1, 1, 1, 1, 0, 0]
        assert {face.id for faces in told[34:] for face in faces} == {2}

    def test_a_number_detects_every_so_many_frames(self, carphone: Path) -> None:
        with facered.Redactor(detect=4) as redactor:
            counts = []
            for frame in videos.decode(carphone, 12):
                redactor.process(frame)
                counts.append(redactor.stats.detections)
        assert counts == [1] * 4 + [2] * 4 + [3] * 4

    def test_beside_the_stream_only_the_first_frame_waits(self, carphone: Path, turns: Turns) -> None:
        frames = videos.decode(carphone, 40)
        turns.give()
        with facered.Redactor(detect="async") as redactor:
            sizes = []
            for number, frame in enumerate(frames):
                assert redactor.process(frame) == [frame]  # although the second detection has not had its turn
                assert len(redactor.faces) == 1
                sizes.append(redactor.faces[0].width)
                if number == 20:
                    assert (redactor.stats.detections, redactor.stats.late) == (1, 1)
                    turns.give(100)
                    turns.await_end()
                    turns.await_end()
            stats = redactor.stats
        assert 2 <= stats.detections <= stats.late + 1 < 40
        # Followed by its looks alone, a face's place becomes less certain.
        assert max(sizes[8:15]) > 1.05 * sizes[0]

    def test_what_is_detected_late_is_hidden_where_it_has_gone_since(self, carphone: Path, turns: Turns) -> None:
        man = videos.decode(carphone, 1)[0].to_ndarray(format="rgb24")
        frames = []
        for number in range(16):
            picture = np.full((144, 320, 3), 90, np.uint8)
            picture[:, 4 * number : 4 * number + 176] = man
            frames.append(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p"))
        turns.give()
        seen = []
        with facered.Redactor(detect="async") as redactor:
            for number, frame in enumerate(frames):
                redactor.process(frame)
                seen.append([320 * (face.x + face.width / 2) - 4 * number for face in redactor.faces])
                if number == 12:  # what was given to the detector in the second frame comes back eleven later
                    turns.give(100)
                    turns.await_end()
                    turns.await_end()
        assert [len(middles) for middles in seen] == [1] * 16
        assert np.ptp([middle for (middle,) in seen]) < 12

    def test_tiles_do_not_delay_the_first_detection_of_a_shot(
        self, carphone: Path, rabbit: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepare, tiled = Detector.prepare, []

        def noted(*arguments: Any, **settings: Any) -> Callable[[], Detection]:
            tiled.append(settings["tiles"] is not None)
            return prepare(*arguments, **settings)

        monkeypatch.setattr(Detector, "prepare", noted)
        shots = [[videos.enlarge(frame, 1280, 720) for frame in videos.decode(carphone, 3)], videos.decode(rabbit, 3)]
        with facered.Redactor(detect=1, deadline_ms=60_000) as redactor:
            for frame in itertools.chain(*shots):
                redactor.process(frame)
        assert tiled[3:5] == [False, True]

    def test_no_frame_waits_longer_than_the_deadline(self, carphone: Path, turns: Turns) -> None:
        frames = videos.decode(carphone, 60)
        with facered.Redactor(deadline_ms=50, detect=5) as redactor:
            for frame in frames[:10]:  # nothing is known yet: all of it is hidden
                before = videos.samples(frame)[0]
                begun = time.perf_counter()
                redactor.process(frame)
                assert time.perf_counter() - begun < 10
                assert (videos.samples(frame)[0] != before).mean() > 0.9
            assert (redactor.stats.detections, redactor.stats.late) == (0, 1)
            turns.give(100)
            turns.await_end()
            for frame in frames[10:]:
                redactor.process(frame)
            assert [face.id for face in redactor.faces] == [1]
            assert redactor.stats.detections >= 1
            assert redactor.stats.overloaded >= 1

    def test_another_stream_does_not_wait_for_the_last_one(self, carphone: Path, turns: Turns) -> None:
        frame = videos.decode(carphone, 1)[0]
        with facered.Redactor(deadline_ms=20) as redactor:
            for first in (_copy(frame), videos.enlarge(frame, 352, 288)):
                redactor.process(first)
            redactor.flush()
            assert redactor.stats.detections == 0
            turns.give()
            turns.await_end()
            redactor.process(frame)
            assert redactor.faces == ()  # what was seen of the other stream is not taken for this one's
            turns.give(100)

    def test_a_deadline_that_is_kept_changes_nothing(self, carphone: Path) -> None:
        _, inline = redacted(videos.decode(carphone, 20), detect=1, detect_size=160)
        _, waited = redacted(videos.decode(carphone, 20), detect=1, detect_size=160, deadline_ms=30_000)
        assert [[face.id for face in faces] for faces in inline] == [[face.id for face in faces] for faces in waited]
        assert np.allclose([faces[0].x for faces in inline], [faces[0].x for faces in waited], atol=0.01)

    def test_overload_hides_the_whole_frame_if_asked_to(self, carphone: Path, turns: Turns) -> None:
        turns.give()
        with facered.Redactor(detect="async", rate=10, on_overload="hide") as redactor:
            shares = []
            for frame in videos.decode(carphone, 20):
                before = videos.samples(frame)[0]
                redactor.process(frame)
                shares.append((videos.samples(frame)[0] != before).mean())
            turns.give(100)
            assert redactor.stats.overloaded == 14
        assert max(shares[:6]) < 0.6  # half a second at ten frames a second
        assert min(shares[6:]) > 0.9


class TestPeople:
    def test_a_predicate_decides_who_is_hidden(self, carphone: Path) -> None:
        before = videos.decode(carphone, 5)
        done, told = redacted(videos.decode(carphone, 5), select=lambda face: face.id != 1 or face.width > 1)
        assert [(face.id, face.hidden) for faces in told for face in faces] == [(1, False)] * 5
        assert not any(changed(a, b).any() for a, b in zip(before, done, strict=True))

    def test_people_are_shown_and_hidden_while_it_runs_from_any_thread(self, carphone: Path) -> None:
        frames = videos.decode(carphone, 30)
        hidden = []
        with facered.Redactor(lookahead=2, on_faces=lambda _, faces: hidden.append(faces[0].hidden)) as redactor:
            for number, frame in enumerate(frames):
                for at, call in ((12, redactor.show), (22, redactor.hide)):
                    if number == at:
                        thread = threading.Thread(target=call, args=(1,))
                        thread.start()
                        thread.join()
                redactor.process(frame)
            redactor.flush()
        assert hidden == [True] * 10 + [False] * 10 + [True] * 10

    def test_no_more_than_the_most_faces(self, carphone: Path) -> None:
        twice = [_side_by_side(frame) for frame in videos.decode(carphone, 6)]
        _, everyone = redacted([_copy(frame) for frame in twice])
        with facered.Redactor(max_faces=1) as redactor:
            for frame in twice:
                redactor.process(frame)
                assert len(redactor.faces) == 1
            assert redactor.stats.crowded == 6
        assert [len(faces) for faces in everyone] == [2] * 6


class TestRegions:
    SQUARE = ((0.0, 0.0), (0.25, 0.0), (0.25, 0.25), (0.0, 0.25))
    ALL = ((0, 0), (1, 0), (1, 1), (0, 1))

    def test_what_is_always_hidden_is(self, carphone: Path) -> None:
        before = videos.decode(carphone, 2)
        done, _ = redacted(videos.decode(carphone, 2), hide_regions=[self.SQUARE], select=lambda _: False)
        for old, new in zip(before, done, strict=True):
            differ = changed(old, new)
            assert differ[:36, :44].mean() > 0.5
            differ[:36, :44] = False
            assert not differ.any()

    def test_a_triangle_is_a_triangle(self, carphone: Path) -> None:
        before = videos.decode(carphone, 1)
        settings: dict[str, Any] = {"hide_regions": [[(0, 0), (1, 0), (0, 1)]], "blur": "Black"}
        done, _ = redacted(videos.decode(carphone, 1), select=lambda _: False, **settings)
        x, y = (np.arange(176) + 0.5) / 176, (np.arange(144)[:, None] + 0.5) / 144
        after = videos.samples(done[0])[0]
        assert (after[x + y < 0.999] == 16).all()
        assert (after == videos.samples(before[0])[0])[x + y > 1.001].all()

    @pytest.mark.parametrize("interlaced", [False, True])
    def test_fields_are_hidden_apart(self, interlaced: bool) -> None:
        planes = [np.full(size, 99, np.uint8) for size in ((40, 30), (20, 15), (20, 15))]
        planes[0][1::2] = 200
        before = planes[0].copy()
        region = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.85), (0.2, 0.85)]
        with facered.Redactor(hide_regions=[region], blur="Mosaic", threshold=1) as redactor:
            redactor.process_planes(planes, None, "yuv420p", 0, width=30, height=40, interlaced=interlaced)
        # Each field is of one colour; both together are not.
        assert (planes[0] == before).all() == interlaced

    def test_what_is_never_hidden_stays_bare_unless_it_is_always_hidden(self, carphone: Path) -> None:
        before = videos.decode(carphone, 2)
        bare, told = redacted(videos.decode(carphone, 2), show_regions=[self.ALL])
        assert all(len(faces) == 1 for faces in told)
        assert not changed(before[1], bare[1]).any()
        both, _ = redacted(videos.decode(carphone, 2), show_regions=[self.ALL], hide_regions=[self.ALL])
        assert changed(before[1], both[1]).mean() > 0.9

    def test_where_a_region_overlaps_itself_it_is_hidden_too(self, carphone: Path) -> None:
        corners = 2 * np.pi * np.array([0, 2, 4, 1, 3]) / 5  # of a star, drawn in one line
        star = [(0.5 + 0.4 * float(np.sin(angle)), 0.5 - 0.4 * float(np.cos(angle))) for angle in corners]
        done, _ = redacted(videos.decode(carphone, 1), hide_regions=[star], select=lambda _: False, blur="Black")
        assert (videos.samples(done[0])[0][62:82, 78:98] == 16).all()

    def test_each_of_several_regions_is_spared_and_nothing_else(self, carphone: Path) -> None:
        (before,) = videos.decode(carphone, 1)
        stripes = [[(left, 0.0), (left + 0.1, 0.0), (left + 0.1, 1.0), (left, 1.0)] for left in (0.3, 0.5)]
        (done,), ((face,),) = redacted(
            videos.decode(carphone, 1), show_regions=stripes, blur="Black", shape="rectangle"
        )
        assert face.x < 0.4
        assert face.x + face.width > 0.6
        differ = changed(before, done)[70]
        assert not differ[54:70].any()
        assert not differ[89:105].any()
        assert differ[71:87].mean() > 0.9

    def test_regions_are_of_the_picture_as_it_is_shown(self, carphone: Path, tmp_path: Path) -> None:
        one = 1 << 16
        path = videos.encode(
            tmp_path / "turned.mp4", videos.decode(carphone, 2), display_matrix=[0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
        )
        before, done = videos.decode(path), videos.decode(path)
        redacted(done, hide_regions=[self.SQUARE], select=lambda _: False, blur="Black")
        differ = np.rot90(changed(before[0], done[0]), -1)
        assert differ[:44, :36].mean() > 0.9
        assert not differ[45:].any()
        assert not differ[:, 37:].any()


class TestPlanes:
    """Planes of the caller's own memory."""

    KINDS = ("array", "memoryview", "bytearray", "shared memory", "dlpack")

    @pytest.mark.parametrize("padding", [0, 13])
    @pytest.mark.parametrize("kind", KINDS)
    def test_they_are_hidden_where_they_are(self, carphone: Path, kind: str, padding: int) -> None:
        frame = videos.decode(carphone, 1)[0]
        before = videos.samples(frame)
        with facered.Redactor() as redactor:
            redactor.process(frame)
        shared_memory = SharedMemory(create=True, size=100_000)
        try:
            planes, rows = [], []
            for number, samples in enumerate(before):
                size = samples.shape[0] * (samples.shape[1] + padding)
                memory: Any = (
                    shared_memory.buf[40_000 * number :][:size] if kind == "shared memory" else bytearray(size)
                )
                flat: Any = np.frombuffer(memory, np.uint8)
                flat[:] = 7
                lines = flat.reshape(samples.shape[0], -1)
                lines[:, : samples.shape[1]] = samples
                rows.append(lines)
                given = {"array": lines, "memoryview": memoryview(memory), "dlpack": Tensor(lines)}.get(kind, memory)
                planes.append(given)
            strides = None if kind == "array" else [lines.strides[0] for lines in rows]
            with facered.Redactor() as redactor:
                done = redactor.process_planes(planes, strides, "yuv420p", "noon", width=176, height=144)
                assert redactor.stats.bytes_copied == 0
            assert [(one.pts, len(one.planes)) for one in done] == [("noon", 3)]
            assert all(a is b for a, b in zip(done[0].planes, planes, strict=True))
            for lines, samples in zip(rows, videos.samples(frame), strict=True):
                assert (lines[:, : samples.shape[1]] == samples).all()
                assert (lines[:, samples.shape[1] :] == 7).all()
        finally:
            del planes, rows, lines, flat, memory, given
            if kind == "shared memory":
                done[0].planes[0].release()
                done[0].planes[1].release()
                done[0].planes[2].release()
            shared_memory.close()
            shared_memory.unlink()

    @pytest.mark.parametrize("name", ["nv12", "p010le", "gray", "yuv422p10le"])
    def test_other_formats(self, carphone: Path, name: str) -> None:
        frames = [frame.reformat(format=name) for frame in videos.decode(carphone, 4)]
        copies = [[bytearray(plane) for plane in frame.planes] for frame in frames]
        strides = [plane.line_size for plane in frames[0].planes]
        redacted(frames, lookahead=2, rate=30)
        with facered.Redactor(lookahead=2, rate=30) as redactor:
            done = []
            for number, planes in enumerate(copies):
                done += redactor.process_planes(planes, strides, name, number, width=176, height=144)
            assert [one.pts for one in done] == [0, 1]
            done += redactor.flush()
        assert [one.pts for one in done] == [0, 1, 2, 3]
        width = 176 * (1 if name == "gray" or name == "nv12" else 2)
        for frame, planes in zip(frames, copies, strict=True):
            for number, (plane, copy) in enumerate(zip(frame.planes, planes, strict=True)):
                used = width if number == 0 or name in ("nv12", "p010le") else width // 2
                a, b = (np.frombuffer(memory, np.uint8).reshape(-1, plane.line_size) for memory in (plane, copy))
                assert (a[:, :used] == b[:, :used]).all()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"format": "rgb24"}, "planes in 'rgb24' are not redacted"),
            ({"width": 0}, "a picture of 0 by 144: no such size"),
            ({"planes": [bytearray(176 * 144)]}, "yuv420p has 3 planes; given are 1 and 3 strides"),
            ({"strides": [100, 88, 88]}, "plane 0: a row of 176 uint8 does not fit a stride of 100 bytes"),
            ({"planes": [bytearray(9)] * 3}, "plane 0 has 9 bytes; 144 rows of 176 bytes need 25344"),
            ({"planes": [bytes(25344)] * 3}, "plane 0 cannot be written into"),
            ({"planes": ["text"] * 3}, "plane 0 is a str; it can be anything with the buffer protocol or DLPack"),
            ({"planes": [np.zeros((9, 9), np.uint8)] * 3, "strides": None}, "plane 0 is uint8 of 9 x 9; needed are"),
            ({"matrix": "bt2100"}, "matrix is 'bt2100'; it can be bt601, bt709, bt2020"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_an_error_of_one_line(self, changes: dict[str, Any], message: str) -> None:
        planes = [bytearray(size) for size in (25344, 6336, 6336)]
        call: dict[str, Any] = {"planes": planes, "strides": [176, 88, 88], "format": "yuv420p", "pts": 0}
        with facered.Redactor() as redactor, pytest.raises(facered.FaceredError) as caught:
            redactor.process_planes(**(call | {"width": 176, "height": 144} | changes))
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


class TestOptions:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"blur": "Fog"}, "blur is 'Fog'; it can be Low,"),
            ({"lookahead": -1}, "lookahead is -1; it can be a whole number from 0 to 1000"),
            ({"lookahead": 1.5}, "lookahead is 1.5; it can be a whole number"),
            ({"detect": "often"}, "detect is 'often'; it can be sync, async, or a whole"),
            ({"detect": 0}, "detect is 0; it can be sync, async, or a whole number from 1 to 1000"),
            ({"rate": 0}, "rate is 0; it can be a number from 1 to 1000"),
            ({"deadline_ms": -1}, "deadline_ms is -1; it can be a number from 0 to 60000"),
            ({"on_overload": "stop"}, "on_overload is 'stop'; it can be grow, hide"),
            ({"select": 3}, "select is 3; it can be a function, or None"),
            ({"on_faces": "f"}, "on_faces is 'f'; it can be a function, or None"),
            ({"hide_regions": [[(0, 0), (1, 1)]]}, "hide_regions is [[(0, 0), (1, 1)]]; it can be polygons"),
            ({"show_regions": 5}, "show_regions is 5; it can be polygons"),
            ({"show_regions": [[(0, 0), (1, float("nan")), (1, 1)]]}, "show_regions is "),
            ({"threads": -1}, "threads is -1; it can be a whole number"),
            ({"max_faces": 0}, "max_faces is 0; it can be"),
        ],
    )
    def test_a_wrong_one_is_an_error_of_one_line(self, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(facered.ConfigurationUnsupportedError) as caught:
            facered.Redactor(**settings)
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


def test_eight_streams_at_once_give_what_one_does(carphone: Path) -> None:
    expected, _ = redacted(videos.decode(carphone, 24), detect=2)
    done: list[list[av.VideoFrame]] = [[] for _ in range(8)]

    def run(number: int) -> None:
        done[number], _ = redacted(videos.decode(carphone, 24), detect=2)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for frames in done:
        assert len(frames) == 24
        for a, b in zip(frames, expected, strict=True):
            assert all((x == y).all() for x, y in zip(videos.samples(a), videos.samples(b), strict=True))


class Tensor:
    """What exchanges its memory by DLPack and in no other way."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    def __dlpack__(self, **settings: Any) -> object:
        return self._array.__dlpack__(**settings)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


def _copy(frame: av.VideoFrame) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name)


def _side_by_side(frame: av.VideoFrame) -> av.VideoFrame:
    picture = frame.to_ndarray(format="rgb24")
    both = np.concatenate([picture, picture], axis=1)
    return av.VideoFrame.from_ndarray(both, format="rgb24").reformat(format="yuv420p")


@pytest.mark.parametrize("told", [None, 240])
def test_seconds_are_those_of_the_frames_own_times(told: float | None, carphone: Path) -> None:
    """A stream of five frames a second that says nothing of its rate: who is still there is detected every time."""
    frames = videos.decode(carphone, 12)
    asked = []
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.duration = number, Fraction(1, 5), 0
    with facered.Redactor(rate=told) as redactor:
        for frame in frames:
            redactor.process(frame)
            asked.append(redactor.stats.detections)
    everywhere = [number + 1 for number in range(12)]
    assert (asked == everywhere) == (told is None)


def test_a_cut_in_every_frame_does_not_double_who_is_held(carphone: Path) -> None:
    rng = np.random.default_rng(1)
    face = videos.decode(carphone, 1)[0].to_ndarray(format="rgb24")
    frames = []
    for _ in range(14):
        picture = np.repeat(np.repeat(rng.integers(0, 256, (15, 20, 3), np.uint8), 32, axis=0), 32, axis=1)
        picture[: face.shape[0], : face.shape[1]] = face
        frames.append(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p"))
    _, told = redacted(frames)
    assert all(told)
    assert max(map(len, told)) < 60
