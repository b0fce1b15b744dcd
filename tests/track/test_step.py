"""What a follower asks of a detector."""

from __future__ import annotations

from facered.track.step import detection_limits


def test_faint_detections_are_asked_for_and_twice_as_many_as_may_be_hidden() -> None:
    """Some of them only continue tracks, or are of one face seen twice."""
    assert detection_limits(0.4, 3) == (0.2, 6)


def test_without_a_limit_there_is_none() -> None:
    assert detection_limits(0.4, None) == (0.2, None)
