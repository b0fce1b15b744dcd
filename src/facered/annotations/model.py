"""The annotations: where each face is in each frame, and which of them to hide.

Times are in ticks of the video's own clock. A box is the extent of what is hidden, as fractions of the picture.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from facered import checks
from facered.annotations.document import MAX_FRACTION, MAX_TICKS, SEGMENTS, checked_segments
from facered.annotations.read import read_table
from facered.annotations.table import Extras, Table
from facered.annotations.write import encode
from facered.checks import MAX_ID, listing
from facered.errors import ConfigurationUnsupportedError
from facered.runtime.replace import write_whole

RATE_TOLERANCE = 0.01
MAX_TIME = 1 << 62
MAX_SIDE, MAX_MARGIN = 1 << 16, 100


@dataclass(frozen=True, slots=True)
class Annotations(Table):
    """The faces of a video, compactly: seven numbers a face and one a frame.

    Attributes
    ----------
    time_base : Fraction
        Seconds per unit of `pts`.
    rate : Fraction or None
        Frames a second, on average; None where a document does not say.
    width, height : int
        Size of the picture in pixels.
    margin : float or None
        How much larger the boxes are than the faces; None where a document does not say.
    pts : (frames,) int64
        Time of each frame, growing.
    last_duration : int
        Duration of the last frame in units of `pts`.
    starts : (frames + 1,) int64
        The faces of frame i are the rows from ``starts[i]`` to ``starts[i + 1]``.
    ids : (faces,) int64
    boxes : (faces, 4) float64
        x, y, width, height as fractions of the picture.
    scores : (faces,) float32
        How certain it is that each is a face, 0 to 1: the best score of its track; NaN where nothing says.
    doubtful : (faces,) bool
        Whether it may be no face, and is hidden to be safe.
    extras : Extras
        What else a document held; it is written again.
    source : str
        The document's file, for messages.
    covered : (int, int) or None
        From when to when a document's fragments last, in units of `pts`, where it says so.
    """

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Annotations:
        """Read a document; `pts` are its ticks, sorted, `index` is ignored.

        Entries of the same time, from fragments that overlap, become one.

        Raises
        ------
        ConfigurationUnsupportedError
            The file is missing or something in it is wrong; the message says what and where.
        """
        return read_table(Path(checks.FILE.check("path", path)), cls)._in_order()

    def select(self, ids: Iterable[int] | None = None, except_ids: Iterable[int] | None = None) -> Annotations:
        """Return the annotations of some people only, those to hide; the frames stay.

        Parameters
        ----------
        ids : iterable of int, optional
            These and nobody else.
        except_ids : iterable of int, optional
            Everyone but these.

        Raises
        ------
        ConfigurationUnsupportedError
            Both are given, an id is unknown, or nobody is left.
        """
        if ids is not None and except_ids is not None:
            raise ConfigurationUnsupportedError("ids and except_ids exclude each other; name only one of them")
        named = sorted(set(ids or ()) | set(except_ids or ()))
        known = np.unique(self.ids).tolist()
        unknown = sorted(set(named) - set(known))
        if unknown:
            raise ConfigurationUnsupportedError(
                f"{self.source}: no face has the id {listing(unknown)}; there are {listing(known) or 'no faces at all'}"
            )
        if ids is None and not named:
            return self
        keep = np.isin(self.ids, named, invert=ids is None)
        if not keep.any():
            raise ConfigurationUnsupportedError(f"{self.source}: nobody is left to hide; choose at least one face")
        frames = np.repeat(np.arange(len(self.pts)), np.diff(self.starts))
        return self._regrouped(self.pts, frames, np.flatnonzero(keep))

    def without_doubtful(self) -> Annotations:
        """Return the annotations of those only who are certain to be faces; the frames stay."""
        if not self.doubtful.any():
            return self
        frames = np.repeat(np.arange(len(self.pts)), np.diff(self.starts))
        return self._regrouped(self.pts, frames, np.flatnonzero(~self.doubtful))

    def enlarged(self, factor: float) -> Annotations:
        """Return the same with every box enlarged about its middle."""
        if factor == 1:
            return self
        sizes = self.boxes[:, 2:] * factor
        corners = self.boxes[:, :2] + (self.boxes[:, 2:] - sizes) / 2
        return replace(self, boxes=np.concatenate([corners, sizes], axis=1))

    def rescaled(self, time_base: Fraction) -> Annotations:
        """Return the same with times in units of `time_base`, to the nearest where they do not come out even.

        Raises
        ------
        ConfigurationUnsupportedError
            A time is too large for that.
        """
        ratio = self.time_base / time_base
        if ratio == 1:
            return self
        double, divisor = 2 * ratio.numerator, 2 * ratio.denominator

        def scale(pts: int) -> int:
            return (pts * double + ratio.denominator) // divisor

        times = [scale(pts) for pts in self.pts.tolist()]
        if max(map(abs, times), default=0) > MAX_TIME:
            raise ConfigurationUnsupportedError(
                f"{self.source}: has times that no video reaches; use the annotations of this video"
            )
        scaled = {}
        for start, keys in self.extras.fragments.items():
            spans = {key: scale(keys[key]) for key in ("duration", "interval") if key in keys}
            scaled[scale(start)] = keys | spans
        return replace(
            self,
            time_base=time_base,
            pts=np.array(times, np.int64),
            last_duration=max(1, scale(self.last_duration)),
            covered=self.covered and (scale(self.covered[0]), scale(self.covered[1])),
            extras=replace(self.extras, fragments=scaled),
        )._in_order()

    def check_fits(self, width: int, height: int, rate: Fraction | None = None, end: int | None = None) -> None:
        """Make sure that these are the annotations of a video.

        Parameters
        ----------
        width, height : int
            Size of the video's picture as it is shown, in pixels.
        rate : Fraction, optional
            Its frames a second; may differ by 1 %.
        end : int, optional
            The time in units of `pts` after which no frame starts.

        Raises
        ------
        ConfigurationUnsupportedError
            They are not; the message says why.
        """
        reason = None
        faces = self.pts[np.diff(self.starts) > 0]
        if (self.width, self.height) != (width, height):
            reason = f"made for {self.width}x{self.height}, but the video is {width}x{height}"
        elif rate and self.rate and abs(self.rate - rate) > RATE_TOLERANCE * rate:
            reason = f"made for {float(self.rate):.6g} frames/s, but the video has {float(rate):.6g}"
        elif end is not None and len(faces) and faces[-1] > end:
            last, over = (float(int(time) * self.time_base) for time in (faces[-1], end))
            reason = f"the last face is at {last:.3f} s, but the video's last frame at {over:.3f} s"
        if reason:
            raise ConfigurationUnsupportedError(f"{self.source}: {reason}; use the annotations of this video")

    def check_sound(self) -> None:
        """Make sure that this is what a document can hold; to be asked of what may have been built by hand.

        Raises
        ------
        ConfigurationUnsupportedError
            It is not.
        """
        try:
            count, faces = len(self.pts), len(self.ids)
            sound = {
                "time_base": isinstance(self.time_base, Fraction) and 0 < self.time_base <= MAX_ID,
                "width and height": min(self.width, self.height) >= 1 and max(self.width, self.height) <= MAX_SIDE,
                "margin": self.margin is None or 0 < self.margin <= MAX_MARGIN,
                "pts": self.pts.shape == (count,) and bool((np.diff(self.pts) > 0).all()),
                "last_duration": 0 <= self.last_duration <= MAX_TICKS,
                "times": not count or int(np.abs(self.pts).max()) * self.time_base.numerator <= MAX_TICKS,
                "starts": self.starts.shape == (count + 1,)
                and (self.starts[0], self.starts[-1]) == (0, faces)
                and bool((np.diff(self.starts) >= 0).all()),
                "ids": self.ids.shape == (faces,) and bool(((self.ids >= 0) & (self.ids <= MAX_ID)).all()),
                "boxes": self.boxes.shape == (faces, 4)
                and bool((np.abs(self.boxes) <= MAX_FRACTION).all() and (self.boxes[:, 2:] > 0).all()),
                "scores": self.scores.shape == (faces,)
                and bool(((self.scores >= 0) & (self.scores <= 1) | np.isnan(self.scores)).all()),
                "doubtful": self.doubtful.shape == (faces,) and self.doubtful.dtype == np.bool_,
                "extras": isinstance(self.extras, Extras)
                and (self.segments is None or checked_segments(self.segments, SEGMENTS) == self.segments),
            }
            wrong = [name for name, holds in sound.items() if not holds]
        except Exception as error:
            raise ConfigurationUnsupportedError(f"{self.source}: are no annotations ({error})") from error
        if wrong:
            raise ConfigurationUnsupportedError(
                f"{self.source}: {' and '.join(wrong)} cannot be; see the attributes of Annotations"
            )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the document as JSON; the file appears when it is complete."""
        self.check_sound()
        write_whole(Path(checks.FILE.check("path", path)), encode(self))

    def write_to(self, path: Path) -> None:
        """Write the document piece by piece into a file of a `facered.runtime.replace.FileSet`."""
        with path.open("wb") as file:
            file.writelines(encode(self))
