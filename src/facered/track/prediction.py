"""Where each track is expected in the next frame: by its Kalman filter, its patch and the camera's motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facered.track import kalman, tuning
from facered.track.camera import STILL, Motion, common_motion
from facered.track.propagation import follow_heads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facered.track.appearance import RecentPictures
    from facered.track.boxes import Boxes
    from facered.track.tracklet import Tracklet


class Predictor:
    """Advances the filters of tracks frame by frame, and finds their patches.

    Attributes
    ----------
    motion : Motion
        The camera's, from the frame before the last to the last.
    """

    def __init__(self) -> None:
        self.motion = STILL
        self._places: dict[int, Boxes] = {}

    def reset(self) -> None:
        """Forget the camera's motion: another shot begins."""
        self.motion = STILL

    def advance(self, tracklets: Sequence[Tracklet], frame: int, pictures: RecentPictures) -> None:
        """Predict tracks into a frame, whose picture is the last one."""
        follow_heads(pictures, tracklets, frame - 1)
        if pictures.repeats():
            self._repeat(tracklets, frame, pictures)
            return
        jump = pictures.jump()
        before = [tracklet.mean.copy() for tracklet in tracklets]
        if jump is not None:
            self._jump(tracklets, Motion(shift=complex(*jump)))
        for tracklet in tracklets:
            if tracklet.frames[-1] < frame - 1:
                # What is not measured moves with the camera, and ever less by itself.
                along = self.motion.velocity(tracklet.mean[:, 0])
                own = tracklet.mean[:2, 1] - along[:2]
                tracklet.mean[:2, 1] = along[:2] + tuning.LOST_VELOCITY_DAMPING * own
                tracklet.mean[2:, 1] = along[2:]
            kalman.predict(tracklet.mean, tracklet.covariance)
            for _ in range(pictures.frames() - 1):  # its velocity is that from picture to picture, its errors are more
                kalman.predict(tracklet.mean.copy(), tracklet.covariance)
        self._places = {}
        if tracklets:
            predicted = np.array([tracklet.predicted for tracklet in tracklets])
            places = pictures.find([tracklet.recent for tracklet in tracklets], predicted)
            self._places = {tracklet.key: place for tracklet, place in zip(tracklets, places, strict=True)}
            if jump is not None:
                self._find_without(tracklets, before, pictures)
        self._estimate_motion(tracklets, frame, jumped=jump is not None)

    def place(self, tracklet: Tracklet) -> Boxes:
        """Return where its patch was found: (5,), box and NCC as `RecentPictures.find` returns them."""
        return self._places[tracklet.key]

    def expected(self, tracklet: Tracklet) -> Boxes:
        """Return the (4,) box that a face is expected in: where its patch was found, else as its filter predicts."""
        place = self._places[tracklet.key]
        expected = tracklet.predicted
        if place[4] >= tuning.MIN_NCC_RECENT:
            expected[:2] = place[:2]
        return expected

    def _repeat(self, tracklets: Sequence[Tracklet], frame: int, pictures: RecentPictures) -> None:
        """Leave everybody where they were measured: a repeated picture does not move."""
        for tracklet in tracklets:
            if tracklet.frames[-1] == frame - 1:
                self._places[tracklet.key] = np.append(tracklet.boxes[-1], 1.0)
            elif tracklet.key not in self._places:  # it is there again after a flash
                self._places[tracklet.key] = pictures.find([tracklet.recent], tracklet.predicted[None])[0]

    def _jump(self, tracklets: Sequence[Tracklet], camera: Motion) -> None:
        """Let everybody move as the camera jumps, in place of how it moved before."""
        for tracklet in tracklets:
            box = tracklet.mean[:, 0]
            tracklet.mean[:, 1] += camera.velocity(box) - self.motion.velocity(box)
        self.motion = camera

    def _find_without(self, tracklets: Sequence[Tracklet], before: list[Boxes], pictures: RecentPictures) -> None:
        """Search for those who are not found where the camera's jump leads: they may move with the camera."""
        for tracklet, mean in zip(tracklets, before, strict=True):
            if self._places[tracklet.key][4] < tuning.MIN_NCC_RECENT:
                mean[:, 0] += mean[:, 1]
                place = pictures.find([tracklet.recent], mean[None, :, 0])[0]
                if place[4] >= tuning.MIN_NCC_RECENT:
                    self._places[tracklet.key] = place
                    tracklet.mean[:] = mean

    def _estimate_motion(self, tracklets: Sequence[Tracklet], frame: int, *, jumped: bool) -> None:
        """Estimate the camera's motion; a face whose patch was not found moves with it."""
        steady = [
            tracklet
            for tracklet in tracklets
            if tracklet.frames[-1] == frame - 1 and self._places[tracklet.key][4] >= tuning.MIN_NCC_STEADY
        ]
        before = np.array([tracklet.boxes[-1] for tracklet in steady]).reshape(-1, 4)
        after = np.array([self._places[tracklet.key] for tracklet in steady]).reshape(-1, 5)
        last, motion = self.motion, common_motion(before, after)
        if motion is last or (jumped and motion is STILL):
            return
        self.motion = motion
        for tracklet in tracklets:
            if self._places[tracklet.key][4] < tuning.MIN_NCC_RECENT:
                box = tracklet.mean[:, 0]
                box += self.motion.velocity(box) - last.velocity(box)
