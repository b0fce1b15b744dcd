"""What is said of a job that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facered.jobs.result import Result


def summary(result: Result, loading: float) -> list[str]:
    """Return the lines that are said of a job: start-up, of the program and of the job, is told apart."""
    count, hidden = result.people, result.mode == "redact"
    if not count:
        found = "nobody to hide" if hidden else "no face found"
    else:
        found = f"{count} {'person' if count == 1 else 'people'}{' hidden' if hidden else ''}"
    worked = result.seconds - result.startup_seconds
    frames = f"{result.frames} frame{'s' if result.frames != 1 else ''}"
    if result.frames > 1:
        speed = f", {result.film_seconds / max(worked, 1e-3):.1f} times real time"
        frames = f"{result.film_seconds:.1f} s of film ({frames})"
    else:
        speed = ""
    startup = loading + result.startup_seconds
    lines = [f"{result.source}: {found}, {frames} in {worked:.1f} s{speed}; {startup:.1f} s to start"]
    if result.crowded_frames:
        lines.append(f"  {result.crowded_frames} frames have more faces than --max-faces: the surplus has no ids")
    if result.damaged_frames:
        lines.append(f"  {result.damaged_frames} frames are damaged: look at them before you release the video")
    if result.video_path is not None:
        lines.append(f"  video:       {result.video_path}")
    if result.annotations_path is not None:
        lines.append(f"  annotations: {result.annotations_path}")
    if result.thumbnails:
        first = next(iter(result.thumbnails.values()))
        lines.append(f"  thumbnails:  {first}" + (" ..." if len(result.thumbnails) > 1 else ""))
    return lines
