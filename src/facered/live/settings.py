"""What the maker of a `Redactor` may choose, checked once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

from facered.errors import ConfigurationUnsupportedError
from facered.options import Options, choice, shown

if TYPE_CHECKING:
    from facered.live.face import Face

    Polygon = Sequence[tuple[float, float]]
    """Corners as fractions of the picture as it is shown."""

OVERLOADS = ("grow", "hide")
"""What becomes of a frame when the last detection is too old: masks grow, or the whole frame is hidden."""
WHENS = ("sync", "async")
"""When the detector looks: where the tracker wants it, or beside the stream whenever it is free."""
MOST_LOOKAHEAD = 1000
MOST_INTERVAL = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; see `facered.Redactor` for what they mean."""

    options: Options
    rate: float | None
    lookahead: int
    detect: str | int
    deadline: float | None
    on_overload: str
    select: Callable[[Face], bool] | None
    on_faces: Callable[[Any, tuple[Face, ...]], None] | None
    hide_regions: tuple[Polygon, ...]
    show_regions: tuple[Polygon, ...]

    @classmethod
    def of(cls, wanted: dict[str, Any]) -> Settings:
        """Check the keyword arguments of `facered.Redactor`.

        Raises
        ------
        ConfigurationUnsupportedError
            A value is out of its range.
        """
        own = {name: wanted.pop(name) for name in _OWN}
        rate, deadline, detect = own["rate"], own["deadline_ms"], own["detect"]
        return cls(
            options=Options(**wanted),
            rate=None if rate is None else _number("rate", rate, 1, 1000),
            lookahead=int(_number("lookahead", own["lookahead"], 0, MOST_LOOKAHEAD, whole=True)),
            detect=_detect(detect),
            deadline=None if deadline is None else _number("deadline_ms", deadline, 0, 60_000) / 1000,
            on_overload=choice("on_overload", own["on_overload"], OVERLOADS),
            select=_callable("select", own["select"]),
            on_faces=_callable("on_faces", own["on_faces"]),
            hide_regions=_polygons("hide_regions", own["hide_regions"]),
            show_regions=_polygons("show_regions", own["show_regions"]),
        )


_OWN = [name for name in Settings.__dataclass_fields__ if name not in ("options", "deadline")] + ["deadline_ms"]


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _number(name: str, value: Any, low: float, high: float, *, whole: bool = False) -> float:
    if not _is_number(value) or not low <= value <= high or (whole and value != int(value)):
        kind = "whole number" if whole else "number"
        raise _unfit(name, value, f"a {kind} from {low:g} to {high:g}")
    return float(value)


def _detect(value: Any) -> str | int:
    if _is_number(value) and 1 <= value <= MOST_INTERVAL and value == int(value):
        return int(value)
    if isinstance(value, str) and value.lower() in WHENS:
        return value.lower()
    raise _unfit("detect", value, f"{', '.join(WHENS)}, or a whole number from 1 to {MOST_INTERVAL}")


def _callable(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise _unfit(name, value, "a function, or None")
    return value


def _polygons(name: str, value: object) -> tuple[Polygon, ...]:
    try:
        polygons = tuple(
            tuple((float(x), float(y)) for x, y in polygon)
            for polygon in cast("Iterable[Iterable[tuple[float, float]]]", value)
        )
    except (TypeError, ValueError):
        polygons = None
    if polygons is None or any(len(polygon) < 3 for polygon in polygons):
        raise _unfit(name, value, "polygons of at least three corners (x, y) each, such as [[(0, 0), (1, 0), (0, 1)]]")
    if not all(math.isfinite(at) for polygon in polygons for corner in polygon for at in corner):
        raise _unfit(name, value, "polygons whose corners are finite fractions of the picture")
    return polygons


def _unfit(name: str, value: object, choices: str) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(f"{name} is {shown(value)}; it can be {choices}")
