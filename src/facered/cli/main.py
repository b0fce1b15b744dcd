"""The command line."""

from __future__ import annotations

import argparse
import logging
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facered.cli.parser import build_parser
from facered.errors import ConfigurationUnsupportedError, FaceredError, JobCanceledError, ServiceError
from facered.jobs.outputs import Outputs

if TYPE_CHECKING:
    from facered.jobs.job import Job
    from facered.jobs.progress import Progress, ProgressCallback
    from facered.jobs.task import Result, Task
    from facered.live.pipe import Pipe

EXIT_CODES = {"ConfigurationUnsupported": 2, "ContentMalformed": 3, "ContentUnsupported": 3, "ServiceError": 1}
BEGUN = time.perf_counter()
"""When the program was loaded: what the first job waits for from then on is told as its start-up."""
CANCELLED = 130
UNREAD = 141
"""As a shell tells of a process that nobody reads from any more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    chosen = build_parser().parse_args(arguments)
    logging.basicConfig(format="facered: %(message)s", level=logging.ERROR if chosen.quiet else logging.WARNING)
    if sys.stderr.isatty() and not chosen.quiet:
        logging.getLogger("facered").setLevel(logging.INFO)
    interruption = _Interruption()
    try:
        with interruption.heeded(), _profile(chosen):
            return {"bench": _bench, "pipe": _pipe}.get(chosen.mode, _work_through)(chosen, interruption)
    except (KeyboardInterrupt, JobCanceledError):
        print("facered: cancelled; nothing half-written is left", file=sys.stderr)
        return CANCELLED


class _Interruption:
    """Ctrl-C and termination signals cancel the job at hand; a second one does not wait for it.

    An exception out of a signal handler would be swallowed, or taken for another, where it strikes amid an import.
    """

    def __init__(self) -> None:
        self._asked = False
        self._job: Job | Pipe | None = None

    def watch(self, job: Job | Pipe) -> None:
        """Have the job cancelled when a signal comes, or at once if one has come already."""
        self._job = job
        if self._asked:
            job.cancel()

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked

    def _heed(self, *_: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._job is not None:
            self._job.cancel()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Take the signals while the block runs."""
        before = {number: signal.signal(number, self._heed) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _work_through(chosen: argparse.Namespace, interruption: _Interruption) -> int:
    """Do one video after the other; failures are told at the end."""
    failures: list[FaceredError] = []
    records: list[object] = []
    owners: dict[Path, Path] = {}
    for number, given in enumerate(chosen.inputs):
        source = Path(given)
        try:
            task = _task(chosen, given)
            _claim(task, owners)
        except FaceredError as error:
            failures.append(error)
            _record(chosen, records, source, error=error)
            continue
        try:
            loading = 0.0 if number else time.perf_counter() - BEGUN
            _do(task, chosen, records, interruption, loading)
        except JobCanceledError:
            raise
        except FaceredError as error:
            failures.append(error)
    if chosen.report is not None:
        _write_report(chosen.report, records)
    if len(chosen.inputs) > 1 and failures:
        print(f"facered: {len(failures)} of {len(chosen.inputs)} videos failed:", file=sys.stderr)
    for failure in failures:
        print(f"facered: {failure}", file=sys.stderr)
    return EXIT_CODES[failures[0].code] if failures else 0


def _bench(chosen: argparse.Namespace, interruption: _Interruption) -> int:
    """Measure one video after the other."""
    failures: list[FaceredError] = []
    for source in chosen.inputs:
        try:
            _bench_one(source, chosen, interruption)
        except JobCanceledError:
            raise
        except FaceredError as error:
            failures.append(error)
    for failure in failures:
        print(f"facered: {failure}", file=sys.stderr)
    return EXIT_CODES[failures[0].code] if failures else 0


def _bench_one(source: str, chosen: argparse.Namespace, interruption: _Interruption) -> None:
    from facered.cli.bench import compare
    from facered.options import Options

    def tell(line: str) -> None:
        if not chosen.quiet:
            print(f"... {line}", file=sys.stderr, flush=True)

    measured = compare(Path(source), Options.of(chosen.options), chosen.repeat, interruption.watch, tell)
    if chosen.json:
        _print_record(measured.figures())
    else:
        print(measured.table())


def _pipe(chosen: argparse.Namespace, interruption: _Interruption) -> int:
    """Redact a stream."""
    from facered.cli.pipe import run  # takes a third of a second: not for --help

    try:
        frames = run(chosen, interruption.watch)
    except FaceredError as error:
        print(f"facered: {error}", file=sys.stderr)
        return EXIT_CODES[error.code]
    except BrokenPipeError:
        return UNREAD
    except Exception as error:
        logging.getLogger(__name__).debug("internal error", exc_info=True)
        print(f"facered: internal error, {type(error).__name__}: {error}; please report it", file=sys.stderr)
        return EXIT_CODES["ServiceError"]
    if interruption.asked:
        print(f"facered: stopped after {frames} frames; they are complete", file=sys.stderr)
        return CANCELLED
    return 0


def _task(chosen: argparse.Namespace, source: str) -> Task:
    from facered.jobs.api import make_task  # takes a third of a second: not for --help

    given = vars(chosen)
    return make_task(
        given.get("mode"),
        source,
        chosen.output,
        options=chosen.options,
        config=given.get("config"),
        annotations=given.get("annotations"),
        ids=given.get("ids"),
        keep_annotations=given.get("keep_annotations", False),
    )


def _claim(task: Task, owners: dict[Path, Path]) -> None:
    """Make sure that no video overwrites what another one of the same call wrote."""
    outputs = Outputs.of(task.source, task.output)
    target = outputs.annotations if task.mode == "analyze" else outputs.video
    owner = owners.setdefault(target, task.source)
    if owner is not task.source:
        raise ConfigurationUnsupportedError(
            f"{task.source}: its result, {target}, is that of {owner}; run it by itself"
        )


def _do(
    task: Task, chosen: argparse.Namespace, records: list[object], interruption: _Interruption, loading: float
) -> None:
    from facered.jobs.job import Job

    with _progress_bar(task.source, chosen.quiet or chosen.json) as bar:
        job = Job(task, bar)
        if chosen.json:
            job.add_state_callback(lambda before, now: _print_record(_state_line(job, before, now)))
        interruption.watch(job)
        try:
            result = job.run()
        except FaceredError as error:
            _record(chosen, records, task.source, job, error=error)
            raise
        except Exception as error:
            wrapped = ServiceError(f"{task.source}: internal error, {type(error).__name__}: {error}; please report it")
            _record(chosen, records, task.source, job, error=wrapped)
            raise wrapped from error
    _record(chosen, records, task.source, job, result=result)
    if not chosen.quiet and not chosen.json:
        print(_summary(result, loading))


def _record(
    chosen: argparse.Namespace,
    records: list[object],
    source: Path,
    job: Job | None = None,
    *,
    result: Result | None = None,
    error: FaceredError | None = None,
) -> None:
    """Keep the report of a job, or of a call that never became one, and print it where that is asked for."""
    if not chosen.json and chosen.report is None:
        return
    from facered.cli.report import final_report
    from facered.jobs.job import JobState

    state, mode = (job.state, job.task.mode) if job is not None else (JobState.ERROR, chosen.mode)
    record = final_report(source, state, mode, result, error)
    records.append(record)
    if chosen.json:
        _print_record(record)


def _state_line(job: Job, previous: object, current: object) -> object:
    from facered.cli.report import state_line

    return state_line(job, previous, current)  # type: ignore[arg-type]


def _print_record(record: object) -> None:
    from facered.cli.report import to_json

    print(to_json(record).decode(), flush=True)


def _write_report(path: Path, records: list[object]) -> None:
    from facered.cli.report import to_json
    from facered.runtime.replace import write_whole

    try:
        write_whole(path, b"".join(to_json(record) + b"\n" for record in records))
    except OSError as error:
        print(f"facered: {path}: the report cannot be written ({error.strerror})", file=sys.stderr)


def _summary(result: Result, loading: float) -> str:
    """Return what is said of a job: start-up, of the program and of the job, is told apart."""
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
        lines.append(f"  {result.crowded_frames} frames have more faces than --max-faces: the surplus is BARE in them")
    if result.damaged_frames:
        lines.append(f"  {result.damaged_frames} frames are damaged: look at them before you release the video")
    if result.video_path is not None:
        lines.append(f"  video:       {result.video_path}")
    if result.annotations_path is not None:
        lines.append(f"  annotations: {result.annotations_path}")
    if result.thumbnails:
        first = next(iter(result.thumbnails.values()))
        lines.append(f"  thumbnails:  {first}" + (" ..." if len(result.thumbnails) > 1 else ""))
    return "\n".join(lines)


@contextmanager
def _profile(chosen: argparse.Namespace) -> Iterator[None]:
    """Tell where the time went, where that is asked for, however the work ends."""
    if not chosen.timings and chosen.trace is None:
        yield
        return
    from facered.runtime.profiling import Profile

    profile = Profile()
    try:
        with profile:
            yield
    finally:
        if chosen.timings:
            print(profile.table(), file=sys.stderr)
        if chosen.trace is not None:
            try:
                profile.write_trace(chosen.trace)
            except OSError as error:
                print(f"facered: {chosen.trace}: the trace cannot be written ({error.strerror})", file=sys.stderr)


@contextmanager
def _progress_bar(source: Path, quiet: bool) -> Iterator[ProgressCallback | None]:
    """Yield a progress callback that draws a bar on a terminal, or None."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    # tqdm prints nothing on terminals that tell no size; shutil assumes the usual one then.
    size = shutil.get_terminal_size()
    bar = tqdm(unit=" frames", ncols=size.columns, nrows=size.lines, leave=False)

    def show(progress: Progress) -> None:
        if progress.done <= 1:
            bar.reset(progress.total or None)
            bar.set_description(f"{source.name}: {progress.stage}")
        if progress.done > bar.n:
            bar.update(progress.done - bar.n)

    try:
        yield show
    finally:
        bar.close()


if __name__ == "__main__":
    sys.exit(main())
