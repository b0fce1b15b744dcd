"""Whether the kernels read or write beside their memory, or do what C does not define: ``python tools/sanitize.py``.

The package is built once more, into ``build/sanitize``, with the compiler's address and undefined-behaviour sanitizers
in its kernels, and the tests that reach these run against it, in one process. What a sanitizer notices ends that
process, with its report on standard error. Before, a few faults are put into C that is compiled in the same way: where
they would not be noticed, a clean run would prove nothing.

What stands in the way of more:

* Numba has no sanitizers. What it compiles of the tracker runs as it is shipped in the first run, and in a second one
  compiled anew with Numba's own bounds checks (``FACERED_JIT=1 NUMBA_BOUNDSCHECK=1``), which notice an index beyond an
  array, but no overflow.
* FFmpeg, onnxruntime, NumPy and Python come without sanitizers. What they write beside memory of malloc's is noticed
  only when that is freed.
* CPython leaves memory to the end of the process on purpose, so memory that is never freed is not looked for
  (``detect_leaks=0``).
* NumPy keeps freed blocks of up to a kilobyte for its next arrays, and does not tell the sanitizers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "sanitize"
PACKAGE = PLACE / "lib"
SANITIZERS = "-fsanitize=address,undefined"
COMPILE_ARGS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-wrapv", SANITIZERS]
"""How ``setup.py`` compiles the kernels. Python's own flags include -fwrapv, with which no overflow is noticed."""
REACHING = (
    "tests/native",
    "tests/hide",
    "tests/detect",
    "tests/video/test_picture.py",
    "tests/video/test_shrink.py",
    "tests/track/test_appearance.py",
    "tests/track/test_association.py",
    "tests/track/test_kalman.py",
    "tests/track/test_prediction.py",
    "tests/track/test_propagation.py",
    "tests/track/test_online.py",
    "tests/live/test_planes.py",
    "tests/fuzz/test_findings.py",
)
"""The tests that reach the kernels. Those of `track/follower` add nothing to them and take four minutes."""
COMPILED = ("tests/track/test_association.py", "tests/track/test_kalman.py", "tests/track/test_smoothing.py")
"""Those of what Numba compiles."""
LARGE = "not 1080p and not 720p and not 1.5625"
"""Leaves out pictures of which a slow NumPy twin takes a minute, and that have nothing which smaller ones have not."""
FUZZ_SECONDS = 15
UNSUITED = ("tests/native/test_capi.py", "tests/detect/test_build_model.py")
"""Those that run compilers and builds of their own, which would have the sanitizers in them."""
FAULTS = {
    "a number beside its memory": "return values[count];",
    "an overflow": "return values[0] + 2147483647;",
    "a shift by too much": "return 1 << (values[0] + 40);",
}
"""What has to be noticed: the body of a function that is given four ints, the first of which is 1."""
SOUND = "return values[count - 1];"
CALL = """
import ctypes
malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
address = malloc(16)
(ctypes.c_int * 4).from_address(address)[:] = 1, 2, 3, 4
ctypes.CDLL({library!r}).fault(ctypes.c_void_p(address), 4)
"""


def runtimes() -> str:
    """Return the libraries to be loaded before all others: those of the sanitizers, and C++'s, for its exceptions."""
    found = []
    for name in ("libasan.so", "libubsan.so", "libstdc++.so"):
        done = subprocess.run([*_compiler(), f"-print-file-name={name}"], capture_output=True, text=True, check=True)
        if not Path(done.stdout.strip()).is_absolute():
            raise SystemExit(f"sanitize: {_compiler()[0]} has no {name}; install GCC's, or set CC=gcc")
        found.append(done.stdout.strip())
    return " ".join(found)


def _compiler() -> list[str]:
    return (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()


def environment() -> dict[str, str]:
    """Return that of a process in which sanitized code runs."""
    return {
        **os.environ,
        "LD_PRELOAD": runtimes(),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:quarantine_size_mb=64",
        "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
        "PYTHONPATH": str(PACKAGE),
    }


def build() -> None:
    """Build the package with the sanitizers, where nothing else is taken from."""
    shutil.rmtree(PACKAGE, ignore_errors=True)
    command = [sys.executable, "setup.py", "--quiet", "build", f"--build-base={PLACE}", f"--build-lib={PACKAGE}"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "FACERED_SANITIZE": "1"}, check=True)


def check_faults(around: Mapping[str, str]) -> None:
    """Make sure that faults are noticed in what is compiled as the kernels are, and that sound code is not."""
    flags = [*(sysconfig.get_config_var("CFLAGS") or "").split(), *COMPILE_ARGS, "-w", "-fPIC", "-shared"]
    with tempfile.TemporaryDirectory() as folder:
        for name, body in {"sound code": SOUND, **FAULTS}.items():
            source, library = Path(folder, "fault.c"), Path(folder, "fault.so")
            source.write_text(f"int fault(const int *values, int count) {{ {body} }}\n")
            subprocess.run([*_compiler(), *flags, str(source), "-o", str(library)], check=True)
            program = CALL.format(library=str(library))
            done = subprocess.run([sys.executable, "-c", program], env=around, capture_output=True, check=False)
            if (done.returncode != 0) != (name in FAULTS):
                raise SystemExit(f"sanitize: {name} ends with {done.returncode}\n{done.stderr.decode()}")
    print(f"sanitize: {len(FAULTS)} of {len(FAULTS)} faults put in are noticed", flush=True)


def check_instrumented(around: Mapping[str, str]) -> None:
    """Make sure that it is the sanitized kernels that would be run."""
    program = "import facered._native as n; print(n.__file__, n.blend.__file__)"
    done = subprocess.run([sys.executable, "-c", program], env=around, capture_output=True, text=True, check=True)
    for path in map(Path, done.stdout.split()):
        if not path.is_relative_to(PACKAGE) or (path.suffix == ".so" and b"__asan_report" not in path.read_bytes()):
            raise SystemExit(f"sanitize: {path} is what would be run, without sanitizers")


def run(around: Mapping[str, str], tests: Sequence[str], **more: str) -> bool:
    """Run tests in one process and tell whether nothing is wrong."""
    leave_out = [f"--ignore={path}" for path in UNSUITED]
    # What pytest captured of a report would be gone with the process.
    options = ["-q", "-p", "no:xdist", "--capture=sys", "-k", LARGE]
    command = [sys.executable, "-m", "pytest", *options, *leave_out, *tests]
    return subprocess.run(command, cwd=ROOT, env={**around, **more}, check=False).returncode == 0


def fuzz(around: Mapping[str, str]) -> bool:
    """Give the kernels inputs that nobody expects, and tell whether nothing is wrong."""
    command = [sys.executable, "-m", "fuzz", "kernel", "--seconds", str(FUZZ_SECONDS), "--jobs", "1", "--seed", "1"]
    path = os.pathsep.join([around["PYTHONPATH"], str(ROOT / "tests")])
    return subprocess.run(command, cwd=ROOT, env={**around, "PYTHONPATH": path}, check=False).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, run, and return 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="sanitize.py", description="Run the kernels' tests under sanitizers.")
    parser.add_argument("tests", nargs="*", help="default: all that reach the kernels")
    parser.add_argument("--no-build", action="store_true", help="take what was built before")
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    around = environment()
    check_faults(around)
    if not options.no_build:
        build()
    built = time.perf_counter()
    check_instrumented(around)
    passed = run(around, options.tests or REACHING)
    if not options.tests:
        passed &= fuzz(around)
        passed &= run(around, COMPILED, FACERED_JIT="1", NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(PLACE / "numba"))
    found, run_for = "nothing" if passed else "SOMETHING", time.perf_counter() - built
    print(f"sanitize: {found} is wrong; built in {built - begun:.0f} s, run in {run_for:.0f} s")
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
