"""Videos whose faces are known: clips with truth beside them, and scenes composed of photos, each with one difficulty.

A scene lies in ``.cache/scenes`` as ``NAME.mp4`` with its truth in ``NAME.csv`` (`bench.truth`) and, where it has more
than one shot, ``NAME.cuts``; it is made again when the code that makes it has changed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from av.video.frame import VideoFrame

from bench import clips, compositor, photos, scenarios, sources
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
GROUPS = (*FOLDERS, *SETS)


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
    """Yield the clips with truth and the scenes of both sets, the latter made where they are not there yet.

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
    for name in SETS if group is None else SETS.keys() & {group}:
        for scenario in scenarios.SCENARIOS:
            if not names or {scenario.__name__, f"{scenario.__name__}_{SETS[name]}"} & set(names):
                yield _scene(scenario, name)


def _scene(scenario: Callable[[Sources], Composition], group: str) -> Scene:
    seed = SETS[group]
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
    code = [inspect.getsource(part) for part in (photos, compositor, sources, scenarios.walking, scenario)]
    return hashlib.sha256("".join(ast.dump(ast.parse(part)) for part in code).encode()).hexdigest()
