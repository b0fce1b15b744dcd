"""What the maker of a `Redactor` may choose, checked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from facered.options import BOTH, LIVE, Options, options_for

if TYPE_CHECKING:
    from facered.checks import Polygon
    from facered.live.face import Face


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; see `facered.Redactor` for what they mean. Those of files too stand in `options`."""

    options: Options
    rate: float | None
    lookahead: int
    detect: str | int
    deadline: float | None
    """Seconds."""
    max_lag: float | None
    """Seconds."""
    on_overload: str
    on_new_shot: str
    select: Callable[[Face], bool] | None
    on_faces: Callable[[Any, tuple[Face, ...]], None] | None
    hide_regions: tuple[Polygon, ...]
    show_regions: tuple[Polygon, ...]

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> Settings:
        """Check the keyword arguments of `facered.Redactor`.

        Raises
        ------
        ConfigurationUnsupportedError
            A value is out of its range.
        """
        table = options_for(LIVE)
        checked = {name: table[name].kind.check(name, value) for name, value in wanted.items()}
        deadline, max_lag = (_seconds(checked.pop(name)) for name in ("deadline_ms", "max_lag_ms"))
        shared = {name: value for name, value in checked.items() if table[name].use == BOTH or name == "threads"}
        own = {field.name: checked[field.name] for field in fields(cls) if field.name in checked}
        return cls(options=Options(**shared), deadline=deadline, max_lag=max_lag, **own)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
