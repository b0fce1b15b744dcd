"""Who of those found in a frame is hidden."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from facered.live.face import Face

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facered.live.settings import Settings
    from facered.track.online import Presence
    from facered.video.picture import Picture


class Selection:
    """Says who is hidden: by the settings' `select`, unless it was asked otherwise.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked: dict[int, bool] = {}
        self._lock = threading.Lock()

    def ask(self, id: int, hidden: bool) -> None:  # noqa: A002
        """Have a person hidden or not, from now on; from any thread."""
        with self._lock:
            self._asked[id] = hidden

    def of(self, found: Sequence[Presence], picture: Picture) -> tuple[Face, ...]:
        """Return faces, those that have been followed for longest first, as many as may be hidden."""
        most = self._settings.options.max_faces
        ranked = sorted(found, key=lambda presence: presence.key)[:most]
        return tuple(self._face(presence, *picture.shown_size) for presence in ranked)

    def _face(self, presence: Presence, width: int, height: int) -> Face:
        across, down = presence.box[2:] * self._settings.options.margin
        x, y = presence.box[:2] - (across / 2, down / 2)
        id_ = presence.key + 1
        face = Face(
            id_, float(x / width), float(y / height), float(across / width), float(down / height), presence.score
        )
        with self._lock:
            asked = self._asked.get(id_)
        select = self._settings.select
        return replace(face, hidden=asked if asked is not None else select is None or bool(select(face)))
