"""The command line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facered.cli import progress, written
from facered.cli.interruption import CANCELLED, Interruption
from facered.cli.parser import build_parser
from facered.cli.summary import summary
from facered.cli.terminal import STANDARD_OUTPUT, Formatter, bare_output, complain, give_up, is_closed, say
from facered.errors import ConfigurationUnsupportedError, FaceredError, JobCanceledError
from facered.runtime import cancellation
from facered.video.address import shown_address
from facered.video.output import STREAMS

if TYPE_CHECKING:
    from facered.jobs.job import Job, JobState
    from facered.jobs.result import Result
    from facered.jobs.task import Task
    from facered.runtime.profiling import Profile

EXIT_CODES = {"ConfigurationUnsupported": 2, "ContentMalformed": 3, "ContentUnsupported": 3, "ServiceError": 1}
BEGUN = time.perf_counter()
"""When the program was loaded: what the first job waits for from then on is told as its start-up."""
STREAM = "-"
"""The output that stands for the standard output."""
UNREAD = 141
"""As a shell tells of a process that nobody reads from any more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    code = _run(arguments)
    if cancellation.any_left():
        # Nothing of ours is to be waited for, and the library that it is amid is not to be torn down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    chosen = build_parser().parse_args(arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter())
    logging.basicConfig(handlers=[handler], level=logging.ERROR if chosen.quiet else logging.WARNING)
    if sys.stderr.isatty() and not chosen.quiet:
        logging.getLogger("facered").setLevel(logging.INFO)
    interruption = Interruption()
    work = {"bench": _bench, "pipe": _pipe, "review": _review}.get(chosen.mode, _work_through)
    try:
        with interruption.heeded():
            written.check(chosen)
            if work is _work_through:
                _check_call(chosen, interruption)
            with _profile(chosen) as profile:
                code = work(chosen, interruption)
            return code or int(not _write_trace(chosen, profile))
    except ConfigurationUnsupportedError as error:
        complain(str(error))
        return EXIT_CODES[error.code]
    except (KeyboardInterrupt, JobCanceledError):
        complain("cancelled; nothing half-written is left")
        return CANCELLED
    except BrokenPipeError:
        give_up()
        return UNREAD


def _work_through(chosen: argparse.Namespace, interruption: Interruption) -> int:
    """Do one video after the other; failures are told at the end."""
    with bare_output() if chosen.output == STREAM else nullcontext() as number:
        chosen.stream_to = None if number is None else (number, chosen.format or STREAMS[0])
        return _do_all(chosen, interruption)


def _results(chosen: argparse.Namespace) -> Iterator[Path]:
    """Yield the files that the videos of a call become."""
    for given in chosen.inputs if chosen.output != STREAM else ():
        with suppress(FaceredError):  # told when its turn comes
            outputs = _task(chosen, given).outputs
            yield from (outputs.annotations, outputs.video)


def _read_pipes(chosen: argparse.Namespace, interruption: Interruption) -> None:
    """Read what can be read only once, for all videos of the call."""
    given = vars(chosen)
    named = given.get("annotations"), given.get("ids"), given.get("config")
    if any(named):
        from facered.jobs.api import read_pipes  # takes a third of a second: not for --help

        with cancellation.watched(interruption.check):
            chosen.annotations, chosen.ids, chosen.config = read_pipes(*named)


def _check_call(chosen: argparse.Namespace, interruption: Interruption) -> None:
    """Make sure that the parts of a call fit each other, and read what can be read only once.

    Raises
    ------
    ConfigurationUnsupportedError
        They do not.
    """
    if chosen.output == STREAM:
        if is_closed():
            raise ConfigurationUnsupportedError("standard output is closed; name an output with -o")
        if os.isatty(STANDARD_OUTPUT):
            raise ConfigurationUnsupportedError("standard output is a terminal; pipe it on, or name an output with -o")
        if len(chosen.inputs) > 1:
            raise ConfigurationUnsupportedError("only one video at a time can go to standard output")
    elif chosen.format is not None:
        raise ConfigurationUnsupportedError("--format is for standard output, -o -; a file's name says what it is")
    chosen.stream_to = None
    _read_pipes(chosen, interruption)
    written.check_against(chosen, _results(chosen))


def _do_all(chosen: argparse.Namespace, interruption: Interruption) -> int:
    failures: list[FaceredError] = []
    records: list[object] = []
    owners: dict[Path, Path] = {}
    for number, given in enumerate(chosen.inputs):
        source = Path(shown_address(given))
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
    unwritten = not _write_report(chosen, records)
    if len(chosen.inputs) > 1 and failures:
        complain(f"{len(failures)} of {len(chosen.inputs)} videos failed:")
    complain(*map(str, failures))
    return EXIT_CODES[failures[0].code] if failures else int(unwritten)


def _write_report(chosen: argparse.Namespace, records: list[object]) -> bool:
    """Write the report, where one is asked for; return whether that could be done."""
    if chosen.report is not None:
        try:
            written.write_report(chosen.report, records)
        except OSError as error:
            complain(f"{chosen.report}: the report cannot be written ({error.strerror})")
            return False
    return True


def _bench(chosen: argparse.Namespace, interruption: Interruption) -> int:
    """Measure one video after the other."""
    failures: list[FaceredError] = []
    for source in chosen.inputs:
        try:
            _bench_one(source, chosen, interruption)
        except JobCanceledError:
            raise
        except FaceredError as error:
            failures.append(error)
    complain(*map(str, failures))
    return EXIT_CODES[failures[0].code] if failures else 0


def _bench_one(source: str, chosen: argparse.Namespace, interruption: Interruption) -> None:
    from facered.cli.bench import all_settings, as_asked, compare
    from facered.options import Options

    def tell(line: str) -> None:
        if not chosen.quiet:
            print(f"... {line}", file=sys.stderr, flush=True)

    entries = (all_settings if chosen.all else as_asked)(Options.of(chosen.options))
    measured = compare(Path(source), entries, chosen.repeat, interruption.watch, tell)
    if chosen.json:
        _print_record(measured.figures())
    else:
        say(*measured.table().split("\n"))


def _pipe(chosen: argparse.Namespace, interruption: Interruption) -> int:
    """Redact a stream."""
    from facered.cli.pipe import run  # takes a third of a second: not for --help

    try:
        frames = run(chosen, interruption.watch)
    except FaceredError as error:
        complain(str(error))
        return EXIT_CODES[error.code]
    except BrokenPipeError:
        raise
    except Exception as error:
        logging.getLogger(__name__).debug("internal error", exc_info=True)
        complain(f"internal error, {type(error).__name__}: {error}; please report it")
        return EXIT_CODES["ServiceError"]
    if interruption.asked:
        complain(f"stopped after {frames} frames; they are complete")
        return CANCELLED
    return 0


def _review(chosen: argparse.Namespace, interruption: Interruption) -> int:
    """Serve the page until a signal comes."""
    from facered.cli.review import run  # takes a third of a second: not for --help

    try:
        run(chosen, interruption.watch)
    except FaceredError as error:
        complain(str(error))
        return EXIT_CODES[error.code]
    return 0


def _task(chosen: argparse.Namespace, source: str) -> Task:
    from facered.jobs.api import make_task  # takes a third of a second: not for --help

    given = vars(chosen)
    return make_task(
        given.get("mode"),
        source,
        chosen.output if chosen.stream_to is None else "",
        options=chosen.options,
        config=given.get("config"),
        annotations=given.get("annotations"),
        ids=given.get("ids"),
        keep_annotations=given.get("keep_annotations", False),
        stream=chosen.stream_to,
    )


def _claim(task: Task, owners: dict[Path, Path]) -> None:
    """Make sure that no video overwrites what another one of the same call wrote."""
    if task.stream is not None:
        return
    outputs = task.outputs
    target = outputs.annotations if task.mode == "analyze" else outputs.video
    owner = owners.setdefault(target, task.source)
    if owner is not task.source:
        raise ConfigurationUnsupportedError(
            f"{task.source}: its result, {target}, is that of {owner}; run it by itself"
        )


def _do(
    task: Task, chosen: argparse.Namespace, records: list[object], interruption: Interruption, loading: float
) -> None:
    from facered.jobs.job import Job

    with progress.shown(task.source, chosen, _print_record) as callback:
        job = Job(task, callback)
        if chosen.json:
            job.add_state_callback(partial(_print_state, job))
        interruption.watch(job)
        try:
            # In another thread: a signal that comes while this one is amid a library would have to wait for that.
            with cancellation.watched(_wait):
                result = cancellation.call(job.run)
        except FaceredError as error:
            _record(chosen, records, task.source, job, error=error)
            raise
    _record(chosen, records, task.source, job, result=result)
    if not chosen.quiet and not chosen.json:
        say(*summary(result, loading))


def _wait() -> None:
    """Go on waiting: a job finds out by itself that it is cancelled."""


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


def _print_state(job: Job, previous: JobState, current: JobState) -> None:
    from facered.cli.report import state_line

    with suppress(OSError):  # the next line that nobody reads, or that finds no room, ends the program
        _print_record(state_line(job, previous, current))


def _print_record(record: object) -> None:
    from facered.cli.report import to_json

    print(to_json(record).decode(), flush=True)


@contextmanager
def _profile(chosen: argparse.Namespace) -> Iterator[Profile | None]:
    """Tell where the time went, where that is asked for, however the work ends."""
    if not chosen.timings and chosen.trace is None:
        yield None
        return
    from facered.runtime.profiling import Profile

    profile = Profile()
    try:
        with profile:
            yield profile
    except BaseException:
        _write_trace(chosen, profile)
        raise
    finally:
        if chosen.timings:
            print(profile.table(), file=sys.stderr)


def _write_trace(chosen: argparse.Namespace, profile: Profile | None) -> bool:
    """Write the trace, where one is asked for; return whether that could be done."""
    if profile is not None and chosen.trace is not None:
        try:
            profile.write_trace(chosen.trace)
        except OSError as error:
            complain(f"{chosen.trace}: the trace cannot be written ({error.strerror})")
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
