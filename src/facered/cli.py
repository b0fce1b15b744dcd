"""The command line."""

from __future__ import annotations

import argparse
import logging
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from facered import __version__
from facered.errors import FaceredError
from facered.options import PRESETS, Options
from facered.outputs import Outputs

if TYPE_CHECKING:
    from facered.combined import CombinedResult
    from facered.progress import Progress, ProgressCallback

EXIT_CODES = {"ConfigurationUnsupported": 2, "ContentMalformed": 3, "ContentUnsupported": 3, "ServiceError": 1}
CANCELLED = 130

DESCRIPTION = """\
Find every face in a video, follow it forwards and backwards in time, and write
the video again with those faces made unrecognisable. Runs on the CPU.
"""

COMBINED = """\
Find and follow every face in a video and write the video with the faces
blurred. For foo.mp4 the result is foo_redacted.mp4: the same size, frames,
times and sound as the source.
"""

COMBINED_EXAMPLES = """\
examples:
  facered combined foo.mp4 -o out/
  facered combined *.mov -o out/ --preset medium --crf 20
  facered combined foo.mp4 -o released.mp4 --threshold 0.2 --margin 1.6

exit codes:
  0 done   1 internal error   2 wrong call, missing input, output in the way
  3 the input is damaged or not a video that can be redacted   130 cancelled
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"facered: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="facered",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"facered {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    combined = commands.add_parser(
        "combined",
        help="find, follow and blur every face in one go",
        description=COMBINED,
        epilog=COMBINED_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    combined.set_defaults(run=_combined)
    combined.add_argument("inputs", metavar="VIDEO", nargs="+", type=Path, help="a video that FFmpeg can open")
    _add_output_options(combined)
    _add_detection_options(combined)
    _add_blur_options(combined)
    _add_encoding_options(combined)
    _add_general_options(combined)
    return parser


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        type=Path,
        default=Path(),
        help="directory for the results, made if need be, or the video to write where it ends in .mp4 (default: here)",
    )
    group.add_argument("--annotations", action="store_true", help="write foo_annotations.json too")
    group.add_argument("--overwrite", action="store_true", help="replace results that exist")


def _add_detection_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("detection")
    default = Options()
    group.add_argument(
        "--threshold",
        metavar="SCORE",
        type=float,
        default=default.threshold,
        help="least score, 0 to 1, that shows a new face; lower finds more, also false ones (default: %(default)s)",
    )
    group.add_argument(
        "--max-faces",
        metavar="N",
        type=_count_or_all,
        default=default.max_faces,
        help="most faces hidden in a frame, or 'all' (default: %(default)s)",
    )
    group.add_argument(
        "--detect-size",
        metavar="PIXELS",
        type=int,
        help="longer side of the picture that the detector sees; more finds smaller faces (default: 320 to 640)",
    )
    group.add_argument(
        "--model",
        metavar="FILE",
        help="another ONNX detector: CenterFace, YuNet or SCRFD (default: $FACERED_MODEL, or the built-in CenterFace)",
    )


def _add_blur_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("blur")
    default = Options()
    group.add_argument(
        "--margin",
        metavar="FACTOR",
        type=float,
        default=default.margin,
        help="how much larger the hidden ellipse is than the detected face (default: %(default)s)",
    )
    group.add_argument(
        "--blur-radius",
        metavar="PART",
        type=float,
        default=default.blur_radius,
        help="radius of the blur as a part of the ellipse's width; less may not hide a face (default: %(default)s)",
    )


def _add_encoding_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("encoding")
    default = Options()
    group.add_argument(
        "--preset",
        metavar="NAME",
        choices=PRESETS,
        default=default.preset,
        help=f"x264's preset, {PRESETS[0]} to {PRESETS[-1]}: slower makes smaller files (default: %(default)s)",
    )
    group.add_argument(
        "--crf",
        metavar="N",
        type=float,
        default=default.crf,
        help="x264's quality, 0 (lossless) to 51 (default: %(default)s)",
    )


def _add_general_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("general")
    group.add_argument(
        "--threads",
        metavar="N",
        type=int,
        default=0,
        help="threads for each of decoding, detecting and encoding (default: all cores)",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def _count_or_all(text: str) -> int | None:
    return None if text == "all" else int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(format="facered: %(message)s", level=logging.ERROR if options.quiet else logging.WARNING)
    try:
        with _terminable():
            return int(options.run(options))
    except KeyboardInterrupt:
        print("facered: cancelled; nothing half-written is left", file=sys.stderr)
        return CANCELLED


def _combined(arguments: argparse.Namespace) -> int:
    failures: list[FaceredError] = []
    for source, clash in _clashes(arguments.inputs, arguments.output).items():
        try:
            if clash is not None:
                raise clash
            _combine(source, arguments)
        except FaceredError as error:
            failures.append(error)
    if len(arguments.inputs) > 1 and failures:
        print(f"facered: {len(failures)} of {len(arguments.inputs)} videos failed:", file=sys.stderr)
    for failure in failures:
        print(f"facered: {failure}", file=sys.stderr)
    return EXIT_CODES[failures[0].code] if failures else 0


def _combine(source: Path, arguments: argparse.Namespace) -> None:
    from facered.combined import combined  # takes half a second: not for --help

    with _progress_bar(source, arguments.quiet) as bar:
        result = combined(
            source,
            arguments.output,
            annotations=arguments.annotations,
            progress=bar,
            threshold=arguments.threshold,
            margin=arguments.margin,
            blur_radius=arguments.blur_radius,
            max_faces=arguments.max_faces,
            detect_size=arguments.detect_size,
            model=arguments.model,
            preset=arguments.preset,
            crf=arguments.crf,
            threads=arguments.threads,
            overwrite=arguments.overwrite,
        )
    if not arguments.quiet:
        print(_summary(source, result))


def _summary(source: Path, result: CombinedResult) -> str:
    found = "no face found" if not result.people else "1 person" if result.people == 1 else f"{result.people} people"
    lines = [f"{source}: {found}, {result.frames} frames in {result.seconds:.1f} s ({result.speed:.1f} frames/s)"]
    if result.crowded_frames:
        lines.append(
            f"  {result.crowded_frames} frames have more faces than --max-faces allows: the surplus is BARE in them"
        )
    lines.append(f"  video:       {result.video_path}")
    if result.annotations_path is not None:
        lines.append(f"  annotations: {result.annotations_path}")
    return "\n".join(lines)


def _clashes(inputs: Sequence[Path], output: Path) -> dict[Path, FaceredError | None]:
    """Return for each input the error that it would overwrite the result of an earlier one, or None."""
    from facered.errors import ConfigurationUnsupportedError

    owners: dict[Path, Path] = {}
    clashes: dict[Path, FaceredError | None] = {}
    for source in inputs:
        target = Outputs.of(source, output).video
        owner = owners.setdefault(target, source)
        clashes[source] = (
            None
            if owner == source
            else ConfigurationUnsupportedError(f"{source}: its result, {target}, is that of {owner}; run it by itself")
        )
    return clashes


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


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a termination signal clean up like Ctrl-C does."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
