"""Redact a film that imageio reads and writes, picture by picture.

    pip install "imageio[ffmpeg]"
    python examples/imageio_film.py in.mp4 out.mp4

Sound is left out, as imageio does.
"""

from __future__ import annotations

import argparse

import imageio.v2 as imageio
import numpy as np

import facered


def redact(source: str, target: str) -> int:
    """Redact a film and return how many pictures there were."""
    frames = 0
    with imageio.get_reader(source) as reader:
        rate = reader.get_meta_data()["fps"]
        # Whoever comes is hidden from the first picture on: a fifth of a second is known beforehand.
        with imageio.get_writer(target, fps=rate) as writer, facered.Redactor(rate=rate, lookahead=5) as redactor:
            for picture in reader:
                for clean in redactor.process(np.array(picture), "rgb24"):
                    writer.append_data(clean)
                    frames += 1
            for clean in redactor.flush():
                writer.append_data(clean)
                frames += 1
    return frames


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    given = parser.parse_args()
    print(redact(given.source, given.target), "pictures")
