"""The long runs: all tests with the marker, then the endurance programs, each in a process of its own.

``python -m soak [--seconds N] [PART ...]``; without names all parts. Each part prints what it has tried, which
`.cache/reliability.jsonl` keeps.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Jobs have threads that come and go, and the C library gives each a part of memory that it keeps: what is kept so is no
# growth of ours, and hides that.
ENVIRONMENT = {**os.environ, "MALLOC_ARENA_MAX": "1"}
PROGRAMS = {
    "films": "soak.films",
    "clocks": "soak.clocks",
    "long": "soak.long",
    "live": "soak.live",
    "chains": "soak.chains",
}


def main() -> int:
    """Run parts; return 1 if any has failed."""
    parser = argparse.ArgumentParser(prog="soak", description="Long runs.")
    parser.add_argument("parts", metavar="PART", nargs="*", help=f"tests, {', '.join(PROGRAMS)}")
    parser.add_argument(
        "--seconds", type=int, default=600, help="so long at most for each program (default: %(default)s)"
    )
    options = parser.parse_args()
    commands = {"tests": ["pytest", "-q", "-m", "soak", "-n", "auto", "--dist", "worksteal"]}
    commands |= {name: [program, "--seconds", str(options.seconds)] for name, program in PROGRAMS.items()}
    unknown = set(options.parts) - set(commands)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    failed = [
        name
        for name, command in commands.items()
        if not options.parts or name in options.parts
        if subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=ENVIRONMENT, check=False).returncode
    ]
    print(f"failed: {', '.join(failed)}" if failed else "all is well")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
