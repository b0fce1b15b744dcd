"""Build the native kernels and the model; everything static stands in ``pyproject.toml``.

Switches, all environment variables set to 1:

* ``FACERED_DEBUG``: no optimisation, symbols, bounds checks.
* ``FACERED_COVERAGE``: line tracing, so that coverage sees inside the kernels.
* ``FACERED_SANITIZE``: address and undefined-behaviour sanitizers (run Python with their runtimes preloaded).
* ``FACERED_AOT=0``: leave out the tracker's functions that Numba compiles ahead of time; they run in plain Python then.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata, util
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "src")]
import build_model  # noqa: E402  (a build front end does not put this folder on the path)
import sanitize  # noqa: E402

KERNELS = ("blend", "blur", "decode", "patch", "tensor")
AHEAD_OF_TIME = os.environ.get("FACERED_AOT") != "0" and util.find_spec("numba") is not None
DEBUG, COVERAGE, SANITIZE = (os.environ.get(f"FACERED_{name}") == "1" for name in ("DEBUG", "COVERAGE", "SANITIZE"))
MSVC = sys.platform == "win32"

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": DEBUG,
    "freethreading_compatible": True,
    "embedsignature": True,
    "linetrace": COVERAGE,
}


def compile_args() -> list[str]:
    if MSVC:
        return ["/Od", "/Zi"] if DEBUG else ["/O2", "/fp:precise"]
    args = ["-O0", "-g"] if DEBUG else ["-O3", "-g0", "-fno-strict-aliasing"]
    # Fused multiply-adds round once instead of twice: with them the variants would not give the same pixels.
    args += ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function"]
    if SANITIZE:
        args += sanitize.COMPILE_ARGS
    return args


def variants() -> dict[str, list[str]]:
    """The instruction sets that each kernel is compiled for; ``facered._native`` picks one at import."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        return {"baseline": [], "avx2": ["/arch:AVX2"] if MSVC else ["-mavx2", "-mfma", "-mtune=haswell"]}
    return {"baseline": []}


def extension(name: str, source: str, extra: list[str]) -> Extension:
    return Extension(
        f"facered._native.{name}",
        [f"src/_native/{source}.pyx"],
        extra_compile_args=compile_args() + extra,
        extra_link_args=[sanitize.SANITIZERS] if SANITIZE else [],
        define_macros=[("CYTHON_TRACE", "1")] if COVERAGE else [],
    )


def extensions() -> list[Extension]:
    found = []
    groups = {
        name: [extension(f"{name}.{kernel}", kernel, extra) for kernel in KERNELS] for name, extra in variants().items()
    }
    groups["any"] = [extension("cpu", "cpu", [])]
    for name, group in groups.items():
        # A build directory for each variant: they are made from the same sources and would overwrite each other's C.
        found += cythonize(
            group,
            build_dir=f"build/cython/{name}",
            include_path=["src/_native"],
            compiler_directives=DIRECTIVES,
            quiet=True,
        )
    return [*found, tracking()] if AHEAD_OF_TIME else found


def tracking() -> Extension:
    """The tracker's functions, compiled by Numba."""
    import facered.track.association
    import facered.track.kalman  # noqa: F401
    from facered.runtime import compilation

    return compilation.extension()


def numba_licence() -> str:
    (licence,) = (path for path in metadata.files("numba") or [] if path.name == "LICENSE")
    return licence.read_text(encoding="utf-8")


class BuildPy(build_py):
    """Build the model too, where the package expects it."""

    def run(self) -> None:
        super().run()
        target = ROOT / "src" / "facered" if self.editable_mode else Path(self.build_lib, "facered")
        self.made = [str(path) for path in build_model.build(ROOT / "model", target / "detect" / "models")]
        if AHEAD_OF_TIME:
            # The extension module contains Numba's runtime, whose licence asks to be shown.
            notice = (ROOT / "src" if self.editable_mode else target) / "_native" / "NOTICE.numba.txt"
            self.mkpath(str(notice.parent))
            notice.write_text(numba_licence(), encoding="utf-8")
            self.made.append(str(notice))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return super().get_outputs(include_bytecode) + getattr(self, "made", [])


class Sdist(sdist):
    """Carry the verified model, so that the sdist builds offline."""

    def run(self) -> None:
        build_model.obtain_original(ROOT / "model")
        super().run()


try:
    setup(
        ext_modules=extensions(),
        cmdclass={"build_py": BuildPy, "sdist": Sdist},
        options={"build_ext": {"parallel": os.cpu_count()}},
    )
except build_model.BuildError as error:
    sys.exit(f"facered: {error}")
