"""The three modes on one's own video, beside the floor: decoding it and encoding it again, nothing between.

They are measured with the options asked for, or, as well, with others that decide how long they take (`all_settings`).
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from facered.annotations.model import Annotations
from facered.cli.report import told
from facered.cli.terminal import printable
from facered.detect.inference import OWN_PRECISION, precision_taken
from facered.errors import ServiceError
from facered.jobs.job import Job
from facered.jobs.progress import ProgressCallback, StageProgress
from facered.jobs.result import Result
from facered.jobs.task import Task
from facered.options import Options
from facered.runtime import cores
from facered.runtime.table import table
from facered.runtime.work import Inference
from facered.video.input.file import Reader
from facered.video.output.file import Writer
from facered.video.output.settings import Encoding
from facered.video.picture import VideoFrame

FLOOR = "floor"
MEASURED = (FLOOR, "analyze", "redact", "combined")
PRESETS = ("veryfast", "medium")
PRECISIONS = ("fp32", "int8")
"""Settings of x264 and of the model that `all_settings` measures beside those asked for."""
HEADS = ("mode", "seconds", "frames/s", "times floor", "CPU seconds", "times floor's", "calls/frame", "Mpx/frame")
WARM_UP_FRAMES = 12

Tell = Callable[[str], None]
Watch = Callable[[Job], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is measured.

    Attributes
    ----------
    name : str
    mode : str
        One of `MEASURED`.
    options : Options
    floor : str
        The name of the floor that has the same encoder settings.
    """

    name: str
    mode: str
    options: Options
    floor: str = FLOOR


def as_asked(options: Options) -> list[Entry]:
    """Return the floor and the three modes, with the same options."""
    return [Entry(mode, mode, options) for mode in MEASURED]


def all_settings(options: Options) -> list[Entry]:
    """Return those, and combined at each of `PRESETS` in each of `PRECISIONS` beside floors of the same preset."""
    found = as_asked(options)
    taken = precision_taken(options.model, options.precision)
    precisions = (options.precision,) if taken == OWN_PRECISION else PRECISIONS
    for preset in PRESETS:
        floor = FLOOR
        if preset != options.preset:
            floor = f"{FLOOR}, {preset}"
            found.append(Entry(floor, FLOOR, replace(options, preset=preset), floor))
        for precision in precisions:
            if (preset, precision) not in ((options.preset, taken), (options.preset, options.precision)):
                named = preset if taken == OWN_PRECISION else f"{preset}, {precision}"
                chosen = replace(options, preset=preset, precision=precision)
                found.append(Entry(f"combined, {named}", "combined", chosen, floor))
    return found


@dataclass(frozen=True, slots=True)
class Benchmark:
    """How long each mode took.

    Attributes
    ----------
    source : Path
    frames : int
    people : int
    entries : list of Entry
        What was measured.
    seconds, cpu_seconds : dict of str to list of float
        Wall and processor time of each run of each entry, by its name.
    inference : dict of str to Inference
        How often a run of each entry runs the model, on how many pixels, and in which precision; in every turn alike.
    """

    source: Path
    frames: int
    people: int
    entries: list[Entry]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu_seconds: dict[str, list[float]] = field(default_factory=dict)
    inference: dict[str, Inference] = field(default_factory=dict)

    def floor_ratio(self, entry: Entry) -> float:
        """Return how many times as long as its floor an entry took: the median of the ratios of each turn."""
        return _median_ratio(self.seconds[entry.name], self.seconds[entry.floor])

    def floor_cpu_ratio(self, entry: Entry) -> float:
        """Return how many times its floor's processor time an entry took."""
        return _median_ratio(self.cpu_seconds[entry.name], self.cpu_seconds[entry.floor])

    def figures(self) -> dict[str, object]:
        """Return everything, for JSON."""
        return {
            "event": "bench",
            "input": told(self.source),
            "frames": self.frames,
            "people": self.people,
            "processors": cores.available(),
            "instruction_sets": cores.instruction_sets(),
            "modes": {entry.name: self._figures(entry) for entry in self.entries},
        }

    def _figures(self, entry: Entry) -> dict[str, object]:
        seconds = self.seconds[entry.name]
        return {
            "mode": entry.mode,
            "preset": entry.options.preset,
            "floor": entry.floor,
            "seconds": seconds,
            "median_seconds": statistics.median(seconds),
            "frames_per_second": self.frames / statistics.median(seconds),
            "floor_ratio": self.floor_ratio(entry),
            "cpu_seconds": self.cpu_seconds[entry.name],
            "floor_cpu_ratio": self.floor_cpu_ratio(entry),
            **self.inference[entry.name].figures(),
        }

    def table(self) -> str:
        """Return the medians for people to read."""
        rows = []
        for entry in self.entries:
            seconds, cpu = (statistics.median(runs[entry.name]) for runs in (self.seconds, self.cpu_seconds))
            ratio, cpu_ratio, done = self.floor_ratio(entry), self.floor_cpu_ratio(entry), self.inference[entry.name]
            times = (f"{seconds:.2f}", f"{self.frames / seconds:.1f}", f"{ratio:.2f}", f"{cpu:.2f}", f"{cpu_ratio:.2f}")
            work = (
                (f"{done.calls / self.frames:.2f}", f"{done.megapixels / self.frames:.4f}") if done.calls else ("", "")
            )
            rows.append((entry.name, *times, *work))
        who = "1 person" if self.people == 1 else f"{self.people} people"
        title = f"{printable(str(self.source))}: {self.frames} frames, {who}"
        return f"{title}\n{table(HEADS, rows)}\n{self._machine()}"

    def _machine(self) -> str:
        """Return what computed, and how, in words."""
        count = cores.available()
        processors = "1 processor" if count == 1 else f"{count} processors"
        sets = " ".join(cores.instruction_sets()) or "no instruction sets of note"
        precision = self.inference["combined"].precision
        unless = " where no other is named" if len(self.entries) > len(MEASURED) else ""
        return f"inference in {precision}{unless}; {processors} with {sets}"


def _median_ratio(ours: list[float], floors: list[float]) -> float:
    return statistics.median(each / max(floor, 1e-9) for each, floor in zip(ours, floors, strict=True))


def compare(source: Path, entries: Sequence[Entry], repeat: int, watch: Watch, tell: Tell) -> Benchmark:
    """Run every entry in turn, several times, on a video; only temporary files are written.

    Parameters
    ----------
    source : Path
    entries : sequence of Entry
        Those of `as_asked` first.
    repeat : int
        How many turns.
    watch : callable
        Given each job before it runs.
    tell : callable
        Given a line before each run.

    Raises
    ------
    FaceredError
        The video cannot be read, or the job was canceled.
    """
    seconds: dict[str, list[float]] = {entry.name: [] for entry in entries}
    cpu_seconds: dict[str, list[float]] = {entry.name: [] for entry in entries}
    inference: dict[str, Inference] = {}
    found: Result | None = None
    said = logging.getLogger("facered")
    level = said.level
    try:
        with tempfile.TemporaryDirectory(prefix="facered-bench-") as folder:
            for options in {entry.options.precision: entry.options for entry in entries}.values():
                _warm_up(source, Path(folder), replace(options, overwrite=True), watch)
            for turn in range(repeat):
                for entry in entries:
                    tell(f"{entry.name}, run {turn + 1} of {repeat}")
                    annotations = found.annotations if found is not None and entry.mode == "redact" else None
                    options = replace(entry.options, overwrite=True)
                    task = Task(entry.mode, source, Path(folder) / "out", options, annotations)
                    job = Job(task, work=encode_again) if entry.mode == FLOOR else Job(task)
                    watch(job)
                    begun, cpu_begun = time.perf_counter(), time.process_time()
                    result = job.run()
                    seconds[entry.name].append(time.perf_counter() - begun)
                    cpu_seconds[entry.name].append(time.process_time() - cpu_begun)
                    inference[entry.name] = result.inference
                    found = result if entry.mode == "analyze" else found
                said.setLevel(logging.ERROR)  # every warning has been given
    except OSError as error:
        raise ServiceError(f"no temporary files can be written ({error.strerror or error}); see TMPDIR") from error
    finally:
        said.setLevel(level)
    assert found is not None
    return Benchmark(source, found.frames, found.people, list(entries), seconds, cpu_seconds, inference)


def encode_again(task: Task, progress: ProgressCallback | None) -> Result:
    """Decode and encode, one frame after the other, as any redaction has to."""
    options, outputs = task.options, task.outputs
    outputs.check([outputs.video], options.overwrite)
    outputs.directory.mkdir(parents=True, exist_ok=True)
    encoding = Encoding.of(options)
    with (
        Reader(task.source, options.threads, report=False, container_format=options.input_format) as reader,
        Writer(outputs.video, reader, encoding) as writer,
    ):
        info = reader.info
        none = np.empty(0, np.int64)
        nobody = Annotations(
            info.time_base,
            info.rate,
            info.width,
            info.height,
            None,
            none,
            1,
            np.zeros(1, np.int64),
            none,
            np.empty((0, 4)),
        )
        stage = StageProgress(FLOOR, info.frames, progress)
        for item in reader.demux(*writer.others):
            if isinstance(item, VideoFrame):
                writer.write_frame(item)
                stage.step()
            else:
                writer.write_packet(item)
    return Result(task.mode, task.source, nobody, stage.done, 0, film_seconds=0.0, video_path=outputs.video)


def _warm_up(source: Path, folder: Path, options: Options, watch: Watch) -> None:
    """Load all that is loaded once, on a video of some frames."""
    beginning = folder / "beginning.mp4"
    with (
        Reader(source, options.threads, report=False, container_format=options.input_format) as reader,
        Writer(beginning, reader, Encoding(preset="ultrafast")) as writer,
    ):
        for frame in islice(reader.frames(), WARM_UP_FRAMES):
            writer.write_frame(frame)
    whole = replace(options, start=None, end=None)
    job = Job(Task("combined", beginning, folder, whole))
    watch(job)
    job.run()
