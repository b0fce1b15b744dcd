"""Videos whose faces are known: clips with truth beside them, and scenes composed of photos, each with one difficulty.

A scene lies in ``.cache/scenes`` as ``NAME.mp4`` with its truth in ``NAME.csv`` (`bench.truth`) and, where it has more
than one shot, ``NAME.cuts``; it is made again when the code that makes it has changed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from av.video.frame import VideoFrame

from bench import clips, compositor, faint, photos, scenarios, sources
from bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.compositor import Composition
    from bench.sources import Sources

FOLDER = clips.CACHE / "scenes"
CRF = 20
SETS = {"first": 1, "second": 2}
FOLDERS = {"real": "", "hard": "hard"}
"""Where in the folder of material the filmed clips of a group lie."""
FAINT = "faint"
GROUPS = (*FOLDERS, *SETS, FAINT)


@dataclass(frozen=True, slots=True)
class Scene:
    """A video with truth.

    Attributes
    ----------
    name : str
    group : str
        One of `GROUPS`.
    path : Path
    truth : Truth
    """

    name: str
    group: str
    path: Path
    truth: Truth

    @property
    def has_cut(self) -> bool:
        """Whether there is more than one shot."""
        return len(self.truth.cuts) > 0


def all_scenes(group: str | None = None, names: Sequence[str] = ()) -> Iterator[Scene]:
    """Yield the clips with truth and the scenes of all sets, the latter made where they are not there yet.

    Parameters
    ----------
    group : str, optional
        Only one of `GROUPS`.
    names : sequence of str
        Only these; the name of a scenario means its scenes of all sets.

    Raises
    ------
    MaterialMissingError
    """
    for name, folder in FOLDERS.items():
        if group in (None, name):
            for path, truth in clips.with_truth(folder):
                if not names or truth.stem in names:
                    yield Scene(truth.stem, name, path, Truth.read(truth))
    drawn = [(name, [seed], scenarios.SCENARIOS) for name, seed in SETS.items()]
    for name, seeds, drawings in [*drawn, (FAINT, list(SETS.values()), faint.SCENARIOS)]:
        for scenario, seed in product(drawings, seeds if group in (None, name) else []):
            if not names or {scenario.__name__, f"{scenario.__name__}_{seed}"} & set(names):
                yield _scene(scenario, name, seed)


def _scene(scenario: Callable[[Sources], Composition], group: str, seed: int) -> Scene:
    path = FOLDER / f"{scenario.__name__}_{seed}.mp4"
    truth, mark = path.with_suffix(".csv"), path.with_suffix(".made-by")
    key = _key(scenario)
    if not path.is_file() or not mark.is_file() or mark.read_text() != key:
        composition = scenario(sources.sources_of(seed, scenario.__name__))
        mark.unlink(missing_ok=True)
        clips.encode(
            path, (VideoFrame.from_ndarray(picture, "bgr24") for picture in composition.pictures()), sources.RATE, CRF
        )
        path.with_suffix(".cuts").unlink(missing_ok=True)
        composition.truth().write(truth)
        mark.write_text(key)
    return Scene(path.stem, group, path, Truth.read(truth))


def _key(scenario: Callable[[Sources], Composition]) -> str:
    """Return what a scene depends on: the code that draws it, whatever its layout and comments."""
    drawing = (faint,) if scenario in faint.SCENARIOS else (scenarios.walking, scenario)
    code = [inspect.getsource(part) for part in (photos, compositor, sources, *drawing)]
    return hashlib.sha256("".join(ast.dump(ast.parse(part)) for part in code).encode()).hexdigest()
