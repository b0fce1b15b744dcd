"""Workers of a job: whether there are any, how many, and what they are told of its film."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from facered.jobs.apart import Origin, identity_of
from facered.runtime import cores, memory
from facered.runtime.pool import Pool, reserved
from facered.video.formats import picture_bits
from facered.video.input.excerpt import Recording

if TYPE_CHECKING:
    from facered.jobs.unchanged import Unchanged
    from facered.options import Options
    from facered.video.input.file import Reader, Source

MIN_CORES = 5
"""Cores from which on there are workers; by hand. Fewer than four are kept busy by threads alone."""
MAX_WORKER_THREADS = 4
"""Threads of a worker, at most, where memory allows few workers; by hand. More are no faster."""
MIN_FRAMES = 500
"""Frames that a film has at least; by hand. With fewer there are no two parts, and workers take a second to begin."""
FRAMES_EACH = 200
"""Frames of a film for each worker, at least; by hand. More: short films are done by few, of more threads each. Fewer:
they begin for one segment."""
LONG = 1 << 20
"""Frames of a film that does not tell; by hand."""
WORKER_BYTES = 260 << 20
"""What a worker takes without pictures; by hand, after what some took. More: fewer workers. Less: more memory than was
allowed, until the first segment is done and they are known."""
PICTURES = 130
"""Pictures that decoder and encoder of a worker take the memory of, and the detector with them; by hand, likewise."""
UNLIMITED = 1 << 20
"""Segments that may wait between stages: they are small."""
ANALYZE, ENCODE = "analyze", "encode"


@dataclass(slots=True)
class Apart:
    """The workers of a job, and what is known of its film.

    Attributes
    ----------
    pool : Pool
    origin : Origin
    reopen : callable
        Opens the film once more, to be read from its start.
    video : Unchanged
    recording : Recording
        Of the frames that were scanned so far.
    """

    pool: Pool
    origin: Origin
    reopen: Callable[[], Reader]
    video: Unchanged
    recording: Recording = field(default_factory=Recording)


def workers(
    reader: Reader,
    options: Options,
    source: Path,
    opened: Source | None,
    video: Unchanged,
    reopen: Callable[[], Reader],
    *,
    thumbnails: bool = False,
    useful: bool = True,
) -> tuple[AbstractContextManager[object], Apart | None]:
    """Return the workers for a job, and the context that they live in; None where there are none.

    Parameters
    ----------
    reader : Reader
        Of the film.
    options : Options
    source : Path
        The film.
    opened : Source or None
        What is read instead; there are none then.
    video, reopen
        See `Apart`.
    thumbnails : bool
        Whether pictures of the people are kept.
    useful : bool
        Whether there is anything to do for them.
    """
    info, count = reader.info, options.threads or cores.available()
    unfit = reader.is_image or reader.stalls or options.input_format is not None  # it may be a list
    reorders = reader.container.format.name == "avi" and reader.stream.codec_context.has_b_frames
    if not useful or opened is not None or count < MIN_CORES or unfit or reorders or 0 < info.frames < MIN_FRAMES:
        return nullcontext(), None
    allowed = options.memory if options.memory is not None else memory.free() // 2
    each = WORKER_BYTES + PICTURES * info.width * info.height * picture_bits(info.working_format) // 8
    wanted = ceil((info.frames or LONG) / FRAMES_EACH)
    pool = reserved(wanted, count // 2, allowed, each)
    if pool is None:
        return nullcontext(), None
    try:
        threads = min(max(2, count // pool.size), MAX_WORKER_THREADS)
        path = Path(os.path.abspath(source))  # noqa: PTH100  (links stay)
        origin = Origin(path, identity_of(path), info, replace(options, threads=threads), thumbnails)
    except OSError:
        pool.close()
        return nullcontext(), None
    return pool, Apart(pool, origin, reopen, video)
