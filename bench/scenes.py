"""Videos whose faces are known: clips with truth beside them, and scenes made from photos, each with its difficulty.

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

from bench import cast, clips, photos, stage, takes
from bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.cast import Cast
    from bench.stage import Take

FOLDER = clips.CACHE / "scenes"
CRF = 20
SETS = {"first": 1, "second": 2}


@dataclass(frozen=True, slots=True)
class Scene:
    """A video with truth.

    Attributes
    ----------
    name : str
    kind : str
        ``"real"`` or ``"scene"``.
    group : str
        ``"real"``, ``"first"`` or ``"second"``.
    path : Path
    truth : Truth
    """

    name: str
    kind: str
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
        Only ``"real"`` clips or only one of `SETS`.
    names : sequence of str
        Only these; the name of a kind means its scenes of all sets.

    Raises
    ------
    MaterialMissingError
    """
    if group in (None, "real"):
        for path in sorted(clips.media().glob("*.csv")):
            film = clips.carphone() if path.stem == "carphone_pristine" else clips.film(path)
            if film is not None and (not names or path.stem in names):
                yield Scene(path.stem, "real", "real", film, Truth.read(path))
    for own in SETS if group is None else SETS.keys() & {group}:
        for kind in takes.KINDS:
            if not names or {kind.__name__, f"{kind.__name__}_{SETS[own]}"} & set(names):
                yield _scene(kind, own)


def _scene(kind: Callable[[Cast], Take], group: str) -> Scene:
    seed = SETS[group]
    path = FOLDER / f"{kind.__name__}_{seed}.mp4"
    truth, mark = path.with_suffix(".csv"), path.with_suffix(".made-by")
    key = _key(kind)
    if not path.is_file() or not mark.is_file() or mark.read_text() != key:
        take = kind(cast.cast_of(seed, kind.__name__))
        mark.unlink(missing_ok=True)
        clips.encode(path, (VideoFrame.from_ndarray(picture, "bgr24") for picture in take.pictures()), cast.RATE, CRF)
        path.with_suffix(".cuts").unlink(missing_ok=True)
        take.truth().write(truth)
        mark.write_text(key)
    return Scene(path.stem, "scene", group, path, Truth.read(truth))


def _key(kind: Callable[[Cast], Take]) -> str:
    """Return what a scene depends on: the code that draws it, whatever its layout and comments."""
    code = [inspect.getsource(part) for part in (photos, stage, cast, takes.walk, kind)]
    return hashlib.sha256("".join(ast.dump(ast.parse(part)) for part in code).encode()).hexdigest()
