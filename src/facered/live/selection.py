"""Who of those found in a frame is hidden."""

from __future__ import annotations

import operator
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from facered.checks import shown
from facered.errors import ConfigurationUnsupportedError
from facered.live.face import Face

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facered.live.settings import Settings
    from facered.track.boxes import Boxes
    from facered.track.online import Presence
    from facered.video.picture import Picture


class Selection:
    """Says who is hidden: who was asked for, else by the settings' `select`, else all, the doubtful where chosen.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._most = settings.options.max_faces
        self._asked: dict[int, bool] = {}
        self._lock = threading.Lock()

    def ask(self, id: int, hidden: bool) -> None:  # noqa: A002
        """Have a person hidden or not, from now on; from any thread."""
        try:
            number = operator.index(id)
        except TypeError:
            raise ConfigurationUnsupportedError(f"id is {shown(id)}; it can be a whole number") from None
        with self._lock:
            self._asked[number] = hidden

    def of(self, found: Sequence[Presence], picture: Picture) -> tuple[Face, ...]:
        """Return faces, those that have been followed for longest first, as many as get an id."""
        return tuple(self._face(presence, *picture.shown_size) for presence in self._ranked(found)[: self._most])

    def beyond(self, found: Sequence[Presence], further: Boxes) -> NDArray[np.float64]:
        """Return where those are hidden who get no id.

        Parameters
        ----------
        found : sequence of Presence
            Those who are followed.
        further : (n, 4) float64
            Those who are not: centre x, centre y, width, height in pixels.

        Returns
        -------
        (m, 4) float64
            x1, y1, x2, y2 in pixels of the picture as it is shown.
        """
        more = [] if self._most is None else [presence.box for presence in self._ranked(found)[self._most :]]
        boxes = np.concatenate([np.array(more).reshape(-1, 4), further])
        half = boxes[:, 2:] * (self._settings.options.margin / 2)
        return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)

    def _ranked(self, found: Sequence[Presence]) -> list[Presence]:
        return sorted(found, key=lambda presence: presence.key)

    def _face(self, presence: Presence, width: int, height: int) -> Face:
        across, down = presence.box[2:] * self._settings.options.margin
        x, y = presence.box[:2] - (across / 2, down / 2)
        id_ = presence.key + 1
        face = Face(
            id_,
            float(x / width),
            float(y / height),
            float(across / width),
            float(down / height),
            presence.score,
            not presence.doubtful or self._settings.options.doubtful == "hide",
            presence.doubtful,
        )
        with self._lock:
            asked = self._asked.get(id_)
        select = self._settings.select
        if asked is None and select is not None:
            asked = bool(select(face))
        return face if asked is None else replace(face, hidden=asked)
