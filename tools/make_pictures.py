"""Make the pictures of the README from a clip that a package ships, by running facered on it.

``python tools/make_pictures.py`` writes into ``docs/``: ``before_after.jpg``, frames of the clip and of the redacted
one; ``thumbnails.jpg``, what analyze gives for each person of a clip with two; ``box.jpg`` and ``one.jpg``, a frame of
that clip with boxes and ids, and with one of the two people hidden.
"""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import facered
from facered.jobs.thumbnails import encode
from fetch_clips import fetch

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FRAMES = (20, 80)
SCALE = 2

Pixels = NDArray[np.uint8]


def decoded(path: Path, scale: int = 1) -> list[Pixels]:
    """Return the frames of a video or picture, enlarged, as (height, width, 3) uint8."""
    with av.open(str(path)) as container:
        return [
            frame.reformat(frame.width * scale, frame.height * scale, "rgb24", interpolation="LANCZOS").to_ndarray()
            for frame in container.decode(video=0)
        ]


def save(name: str, pictures: list[Pixels]) -> None:
    """Write pictures of one height side by side as JPEG."""
    frame = av.VideoFrame.from_ndarray(np.hstack(pictures), format="rgb24")
    (DOCS / name).write_bytes(encode(frame.reformat(format="yuvj420p", dst_color_range="JPEG")))


def two_people(source: Path, target: Path) -> None:
    """Write a clip in which the man of another clip stands twice, the second time mirrored and later."""
    frames = decoded(source, SCALE)
    with av.open(str(target), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"crf": "12"})
        video.width, video.height, video.pix_fmt = 2 * frames[0].shape[1], frames[0].shape[0], "yuv420p"
        for now, later in zip(frames, islice(frames, 40, None), strict=False):
            both = np.ascontiguousarray(np.hstack([now, later[:, ::-1]]))
            output.mux(video.encode(av.VideoFrame.from_ndarray(both, format="rgb24")))
        output.mux(video.encode(None))


def padded(picture: Pixels, height: int) -> Pixels:
    """Return a picture on white, of a height."""
    missing = height - picture.shape[0]
    return np.pad(picture, ((missing // 2, missing - missing // 2), (4, 4), (0, 0)), constant_values=255)


def main() -> None:
    """Redact the clip, and analyze and redact one with two people."""
    clips = ROOT / ".cache" / "clips"
    fetch(clips)
    source = clips / "carphone_pristine.mp4"
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        before, after = decoded(source, SCALE), decoded(facered.combined(source, directory).video_path, SCALE)
        save("before_after.jpg", [shown[number] for number in FRAMES for shown in (before, after)])
        pair = directory / "pair.mp4"
        two_people(source, pair)
        looks = [decoded(path)[0] for path in facered.analyze(pair, directory).thumbnails.values()]
        height = max(look.shape[0] for look in looks)
        save("thumbnails.jpg", [padded(look, height + height % 2) for look in looks])
        box = facered.redact(pair, directory / "box.mp4", blur="Box").video_path
        one = facered.redact(pair, directory / "one.mp4", ids=[2]).video_path
        save("box.jpg", [decoded(box)[FRAMES[1] // 2]])
        save("one.jpg", [decoded(one)[FRAMES[1] // 2]])


if __name__ == "__main__":
    main()
