"""The tracker's inner loops as machine code. This is the one module that knows by what they are compiled.

A function that is marked with `compiled` is scalar loops over arrays, in the part of Python that Numba understands, and
has one signature. It runs in one of three back ends, which give the same bits:

* ``aot``: compiled ahead of time, when the package is built, into the extension module ``facered._native.tracking``.
  Neither Numba nor a compiler nor a cache is needed to run it.
* ``jit``: compiled by Numba when its module is imported, where Numba is installed and ``FACERED_JIT=1`` asks for it.
  For those who change such a function and do not want to build the package each time.
* ``python``: as it stands, where there is nothing else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from setuptools import Extension

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

MODULE = "facered._native.tracking"
JIT_VARIABLE = "FACERED_JIT"

_marked: list[tuple[str, str, Callable[..., Any]]] = []
"""Of each marked function the name in the extension module, the signature, and the function as it stands."""


def expected() -> str:
    """Return what `backend` is where all that is installed can be loaded, without loading it: NumPy takes a while."""
    if os.environ.get(JIT_VARIABLE) == "1" and find_spec("numba") is not None:
        return "jit"
    return "python" if find_spec(MODULE) is None else "aot"


@cache
def backend() -> str:
    """Return what the marked functions run in: ``"aot"``, ``"jit"`` or ``"python"``."""
    if os.environ.get(JIT_VARIABLE) == "1":
        try:
            import numba  # noqa: F401
        except ImportError as error:
            logger.warning("%s is 1, but Numba cannot be imported (%s): left out", JIT_VARIABLE, error)
        else:
            return "jit"
    try:
        import facered._native.tracking  # noqa: F401
    except ModuleNotFoundError:
        return "python"
    except ImportError as error:
        logger.warning("%s cannot be loaded (%s): tracking is slower; install facered again", MODULE, error)
        return "python"
    return "aot"


def compiled(signature: str) -> Callable[[F], F]:
    """Have a function run in the back end.

    Parameters
    ----------
    signature : str
        Types of the result and of the arguments, as Numba writes them: ``"int64[:](float64[:,:])"``. Arrays are
        strided, ``[:]`` and not ``[::1]``: code that was compiled ahead of time does not look at what it is given.
    """

    def mark(function: F) -> F:
        name = f"{function.__module__.rpartition('.')[2]}_{function.__name__}"
        _marked.append((name, signature, function))
        return {"aot": _ahead_of_time, "jit": _just_in_time, "python": _as_it_is}[backend()](name, signature, function)

    return mark


def _ahead_of_time(name: str, _: str, __: F) -> F:
    from facered._native import tracking

    found: F = getattr(tracking, name)
    return found


def _just_in_time(_: str, signature: str, function: F) -> F:
    from numba import njit

    try:
        made: F = njit(signature, nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package nor the home may be written: nothing can be kept
        made = njit(signature, nogil=True)(function)
    return made


def _as_it_is(_: str, __: str, function: F) -> F:
    return function


def extension() -> Extension:
    """Return the extension module of all functions marked so far, for ``setup.py``.

    They are Numba's from then on: this is for a process that builds and does nothing else.
    """
    from numba import njit
    from numba.pycc import CC

    compiler = CC(MODULE.rpartition(".")[2], source_module=__name__)
    for exported, signature, function in _marked:
        compiler.export(exported, signature)(function)
        function.__globals__[function.__name__] = njit(function)  # for those that call it
    made: Extension = compiler.distutils_extension()
    made.name = MODULE
    return made
