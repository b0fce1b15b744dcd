"""The three modes on one's own video, beside the floor: decoding it and encoding it again, nothing between."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from facered.annotations.model import Annotations
from facered.cli.report import told
from facered.cli.terminal import printable
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
HEADS = ("mode", "seconds", "frames/s", "times floor", "CPU seconds", "times floor's", "calls/frame", "Mpx/frame")
WARM_UP_FRAMES = 12

Tell = Callable[[str], None]
Watch = Callable[[Job], None]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """How long each mode took.

    Attributes
    ----------
    source : Path
    frames : int
    people : int
    seconds, cpu_seconds : dict of str to list of float
        Wall and processor time of each run of each of `MEASURED`.
    inference : dict of str to Inference
        How often a run of each of `MEASURED` runs the model, on how many pixels, and in which precision; in every turn
        alike.
    """

    source: Path
    frames: int
    people: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu_seconds: dict[str, list[float]] = field(default_factory=dict)
    inference: dict[str, Inference] = field(default_factory=dict)

    def floor_ratio(self, mode: str) -> float:
        """Return how many times as long as the floor a mode took: the median of the ratios of each turn."""
        return _median_ratio(self.seconds[mode], self.seconds[FLOOR])

    def floor_cpu_ratio(self, mode: str) -> float:
        """Return how many times the floor's processor time a mode took."""
        return _median_ratio(self.cpu_seconds[mode], self.cpu_seconds[FLOOR])

    def figures(self) -> dict[str, object]:
        """Return everything, for JSON."""
        return {
            "event": "bench",
            "input": told(self.source),
            "frames": self.frames,
            "people": self.people,
            "processors": cores.available(),
            "instruction_sets": cores.instruction_sets(),
            "modes": {
                mode: {
                    "seconds": seconds,
                    "median_seconds": statistics.median(seconds),
                    "frames_per_second": self.frames / statistics.median(seconds),
                    "floor_ratio": self.floor_ratio(mode),
                    "cpu_seconds": self.cpu_seconds[mode],
                    "floor_cpu_ratio": self.floor_cpu_ratio(mode),
                    **self.inference[mode].figures(),
                }
                for mode, seconds in self.seconds.items()
            },
        }

    def table(self) -> str:
        """Return the medians for people to read."""
        rows = []
        for mode, runs in self.seconds.items():
            seconds, cpu = statistics.median(runs), statistics.median(self.cpu_seconds[mode])
            ratio, cpu_ratio, done = self.floor_ratio(mode), self.floor_cpu_ratio(mode), self.inference[mode]
            times = (f"{seconds:.2f}", f"{self.frames / seconds:.1f}", f"{ratio:.2f}", f"{cpu:.2f}", f"{cpu_ratio:.2f}")
            work = (
                (f"{done.calls / self.frames:.2f}", f"{done.megapixels / self.frames:.4f}") if done.calls else ("", "")
            )
            rows.append((mode, *times, *work))
        who = "1 person" if self.people == 1 else f"{self.people} people"
        title = f"{printable(str(self.source))}: {self.frames} frames, {who}"
        return f"{title}\n{table(HEADS, rows)}\n{self._machine()}"

    def _machine(self) -> str:
        """Return what computed, and how, in words."""
        count = cores.available()
        processors = "1 processor" if count == 1 else f"{count} processors"
        sets = " ".join(cores.instruction_sets()) or "no instruction sets of note"
        return f"inference in {self.inference['combined'].precision}; {processors} with {sets}"


def _median_ratio(ours: list[float], floors: list[float]) -> float:
    return statistics.median(each / max(floor, 1e-9) for each, floor in zip(ours, floors, strict=True))


def compare(source: Path, options: Options, repeat: int, watch: Watch, tell: Tell) -> Benchmark:
    """Run every mode in turn, several times, on a video; only temporary files are written.

    Parameters
    ----------
    source : Path
    options : Options
        For all modes alike.
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
    options = replace(options, overwrite=True)
    seconds: dict[str, list[float]] = {mode: [] for mode in MEASURED}
    cpu_seconds: dict[str, list[float]] = {mode: [] for mode in MEASURED}
    inference: dict[str, Inference] = {}
    found: Result | None = None
    said = logging.getLogger("facered")
    level = said.level
    try:
        with tempfile.TemporaryDirectory(prefix="facered-bench-") as folder:
            _warm_up(source, Path(folder), options, watch)
            for turn in range(repeat):
                for mode in MEASURED:
                    tell(f"{mode}, run {turn + 1} of {repeat}")
                    annotations = found.annotations if found is not None and mode == "redact" else None
                    task = Task(mode, source, Path(folder) / "out", options, annotations)
                    job = Job(task, work=encode_again) if mode == FLOOR else Job(task)
                    watch(job)
                    begun, cpu_begun = time.perf_counter(), time.process_time()
                    result = job.run()
                    seconds[mode].append(time.perf_counter() - begun)
                    cpu_seconds[mode].append(time.process_time() - cpu_begun)
                    inference[mode] = result.inference
                    found = result if mode == "analyze" else found
                said.setLevel(logging.ERROR)  # every warning has been given
    except OSError as error:
        raise ServiceError(f"no temporary files can be written ({error.strerror or error}); see TMPDIR") from error
    finally:
        said.setLevel(level)
    assert found is not None
    return Benchmark(source, found.frames, found.people, seconds, cpu_seconds, inference)


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
