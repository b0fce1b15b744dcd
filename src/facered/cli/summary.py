"""What is said of a job that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facered.checks import listing

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
    lines += _doubts(result)
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


def _doubts(result: Result) -> list[str]:
    """Return the line that tells of those who are not certain to be faces."""
    ids = result.annotations.doubtful_ids
    if not ids:
        return []
    listed = f"id{'s' if len(ids) > 1 else ''} {listing(ids)}"
    who = f"{len(ids)} doubtful {'people' if len(ids) > 1 else 'person'}"
    if result.doubtful_shown:
        return [f"  {who} BARE, as --doubtful show asks: {listed}"]
    if result.mode == "analyze":
        return [f"  {who}: {listed}; they will be hidden, unless --except-ids names them"]
    return [f"  {who} hidden: {listed}; --except-ids of facered redact leaves out who is no face"]
