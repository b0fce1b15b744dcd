"""The parser of the command line, made from the table of options."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from facered.checks import FLAG
from facered.cli.terminal import printable
from facered.cli.texts import (
    ANALYZE,
    BENCH,
    COMBINED,
    DESCRIPTION,
    EXAMPLES,
    EXIT_CODES_HELP,
    HEADINGS,
    PIPE,
    PIPE_EXIT_CODES,
    REDACT,
    REVIEW,
    RUN,
)
from facered.options import FILES, LIVE, REPEATED, Option, options_for
from facered.video.output import STREAMS

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

MAX_PORT = 65535


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        dashed = (word for word in sys.argv[1:] if word.startswith("-") and word != "-" and os.path.lexists(word))
        hint = "".join(f"; for the file {word} write ./{word}" for word in islice(dashed, 1))
        self.exit(2, f"facered: {printable(message + hint)}; see {self.prog} --help\n")

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Print the help, and fail where that cannot be written: argparse would say nothing."""
        target = sys.stdout if file is None else file
        if target is not None:
            target.write(self.format_help())


class _Option(argparse.Action):
    """Collects what was given on the command line, and nothing else, for `Options`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        value = self.const if self.nargs == 0 else values
        namespace.options = {**namespace.options, self.dest: self._joined(namespace.options.get(self.dest), value)}

    def _joined(self, before: Any, value: Any) -> object:  # noqa: ARG002
        """Return what becomes of an option that may have been given before."""
        return value


class _Pairs(_Option):
    """Collects pairs into one mapping."""

    def _joined(self, before: Any, value: Any) -> object:
        return {**(before or {}), value[0]: value[1]}


class _List(_Option):
    """Collects values into one list."""

    def _joined(self, before: Any, value: Any) -> object:
        return [*(before or []), value]


class _Version(argparse.Action):
    """Prints the version; what is compiled how is looked up for that alone."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from facered import __version__
        from facered._native import simd
        from facered.runtime.compilation import expected

        print(f"facered {__version__} (kernels: {simd}, tracking: {expected()})")
        parser.exit()


class _Protocols(argparse.Action):
    """Prints what can be opened and written; that is looked up for that alone."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from facered.video.protocols import told

        print(told())
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="facered",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version, and what was compiled how")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    combined = _command(commands, "combined", "find, follow and hide every face in one go", COMBINED)
    combined.add_argument(
        "--annotations", dest="keep_annotations", action="store_true", help="write foo_annotations.json too"
    )
    _add_outputs(combined)
    _add_groups(combined, FILES, "detection", "hiding", "encoding")

    analyze = _command(commands, "analyze", "find and follow every face, for a person to decide", ANALYZE)
    _add_outputs(analyze)
    _add_groups(analyze, FILES, "detection")

    redact = _command(commands, "redact", "hide the annotated faces of some people, or all", REDACT)
    _add_outputs(redact)
    whom = redact.add_argument_group("whom to hide")
    whom.add_argument(
        "--annotations", metavar="FILE", help="what analyze wrote (default: foo_annotations.json, by its name)"
    )
    whom.add_argument(
        "--ids", metavar="IDS", help="ids with commas, or a file with one a line (default: foo_IDList.txt, or everyone)"
    )
    _add_option(whom, options_for(FILES)["except_ids"])
    margin = options_for(FILES)["margin"]
    told = "enlarge the annotated boxes, which have the margin of analyze already"
    _add_option(whom, margin._replace(help=told, default=1.0))
    _add_groups(redact, FILES, "hiding", "encoding")

    run = _command(commands, "run", "do what a job configuration says", RUN)
    _add_outputs(run)
    run.add_argument("--config", metavar="JOB", required=True, help="a file, or the text itself")
    run.add_argument("--annotations", metavar="FILE", help="for the mode redact, as for facered redact")
    run.add_argument("--ids", metavar="IDS", help="for the mode redact, as for facered redact")
    run.set_defaults(mode=None)

    bench = _command(commands, "bench", "measure how long each of them takes", BENCH)
    bench.add_argument(
        "--repeat", metavar="N", type=_positive, default=3, help="turns; medians are printed (default: %(default)s)"
    )
    bench.add_argument(
        "--all", action="store_true", help="also combined at veryfast and medium, each with the model in fp32 and int8"
    )
    bench.add_argument("--json", action="store_true", help="print a JSON line a video with every run")
    _add_groups(bench, FILES, "detection", "hiding", "encoding")

    review = _command(commands, "review", "look at what was found, and decide, on a page in your browser", REVIEW)
    _add_review(review)
    _add_groups(review, FILES, "detection", "hiding", "encoding")

    pipe = _command(commands, "pipe", "redact a stream as it goes by, from a pipe, a camera or an address", PIPE)
    _add_stream(pipe)
    _add_groups(pipe, LIVE, "delay", "detection", "hiding", "regions", "encoding")
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, summary: str, description: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"{EXAMPLES[name]}\n{PIPE_EXIT_CODES if name == 'pipe' else EXIT_CODES_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(mode=name, options={})
    if name not in ("pipe", "review"):
        more = "" if name == "bench" else ", - for standard input, or a URL where no file has that name"
        parser.add_argument("inputs", metavar="VIDEO", nargs="+", help=f"a video or image that FFmpeg opens{more}")
    group = parser.add_argument_group("general")
    for option in options_for(LIVE if name == "pipe" else FILES).values():
        if option.group == group.title:
            _add_option(group, option)
    group.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    group.add_argument("--timings", action="store_true", help="print how long each step took, to standard error")
    group.add_argument(
        "--trace",
        metavar="FILE",
        type=Path,
        help="write a trace of each thread's work, for Perfetto or chrome://tracing",
    )
    return parser


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default=".",
        help="directory for the results, made if need be, or the video to write, .mp4, .mov or .mkv, or - for standard "
        "output (default: here)",
    )
    group.add_argument(
        "--format", choices=STREAMS, help="what goes to standard output: MP4 in fragments, or NUT (default: mp4)"
    )
    for option in options_for(FILES).values():
        if option.group == group.title:
            _add_option(group, option)
    group.add_argument(
        "--json",
        action="store_true",
        help="print a JSON line a change of state, one a second of progress, and a report at the end",
    )
    group.add_argument("--report", metavar="FILE", type=Path, help="write the report, a JSON line a video, to a file")


def _add_review(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="VIDEO", help="the film; it is analyzed first if that has not been done")
    group = parser.add_argument_group("page")
    group.add_argument(
        "-o",
        "--output",
        metavar="DIRECTORY",
        default=".",
        help="where foo_annotations.json is, or comes to be, and the rest (default: here)",
    )
    group.add_argument("--no-browser", action="store_true", help="only print the address")
    group.add_argument(
        "--port", metavar="N", type=_port, default=0, help="of the loopback address (default: any that is free)"
    )
    group.add_argument(
        "--export",
        metavar="FILE",
        type=Path,
        help="write one HTML file to read, for who has not got the film; it shows faces",
    )
    group.add_argument("--overwrite", action="store_true", help="replace that file if it exists")


def _add_stream(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="an address (rtsp, rtmp, udp, tcp, http), a camera such as /dev/video0, or a file (default: standard "
        "input)",
    )
    group = parser.add_argument_group("stream")
    group.add_argument(
        "-o",
        "--output",
        metavar="ADDRESS",
        help="encode into this file, or to this URL where no file has that name (default, and -: raw pictures to "
        "standard output)",
    )
    group.add_argument(
        "--format",
        metavar="NAME",
        help="nut or y4m for standard output (default: y4m for y4m, else nut); with -o, any of FFmpeg's formats",
    )
    group.add_argument("--overwrite", action="store_true", help="replace the output file if it exists")
    group.add_argument("--input-format", metavar="NAME", help="format or device of the source, by FFmpeg's name")
    group.add_argument(
        "--input-option",
        dest="input_options",
        metavar="KEY=VALUE",
        type=_pair,
        action="append",
        default=[],
        help="an option of FFmpeg's protocol or format, such as rtsp_transport=tcp; can be given several times",
    )
    group.add_argument(
        "--reconnect",
        metavar="SECONDS",
        type=_seconds,
        default=60.0,
        help="for how long to call a lost camera or address again; 0: end then (default: %(default)g)",
    )
    group.add_argument(
        "--on-resize",
        choices=("scale", "restart"),
        default="scale",
        help="what becomes of pictures of another size than the first one: scaled into that, or, with -o, sent as they "
        "are in a stream that begins anew, by calling the address again or in a further file (default: %(default)s)",
    )
    group.add_argument(
        "--protocols", action=_Protocols, nargs=0, help="print what this build can open and write on the network"
    )
    group.add_argument("--stream", metavar="N", type=int, default=0, help="which of several video streams, from 0")
    group.add_argument(
        "--faces",
        metavar="FILE",
        help="write a JSON line a frame: time, and id, place and score of each face; a file, named pipe or /dev/fd/N",
    )


def _add_groups(parser: argparse.ArgumentParser, use: str, *names: str) -> None:
    """Add the options of some groups, each under its heading."""
    for name in names:
        group = parser.add_argument_group(HEADINGS.get((name, use), name))
        for option in options_for(use).values():
            if option.group == name and (option.metavar or option.kind is FLAG):
                _add_option(group, option)


def _add_option(group: argparse._ArgumentGroup, option: Option) -> None:
    """Add one option of the table, collected for `Options` or `Redactor` where it is given."""
    if option.kind is FLAG:
        group.add_argument(option.flag, action=_Option, nargs=0, const=True, help=option.help)
        return
    told = option.help if option.name in REPEATED else f"{option.help} (default: {option.shown_default})"
    parse, action = _COLLECTED.get(option.name, (option.kind.parse, _Option))
    group.add_argument(
        option.flag,
        dest=option.name,
        metavar=option.metavar,
        type=parse,
        action=action,
        help=told.replace("%", "%%"),
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _polygon(text: str) -> list[tuple[float, float]]:
    numbers = [float(number) for number in text.split(",")]
    if len(numbers) < 6 or len(numbers) % 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not three corners or more, such as 0,0,0.5,0,0,0.5")
    return list(zip(numbers[0::2], numbers[1::2], strict=True))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 on")
    return seconds


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a whole number from 0 to {MAX_PORT}")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


_COLLECTED = {
    "encoder_options": (_pair, _Pairs),
    "hide_regions": (_polygon, _List),
    "show_regions": (_polygon, _List),
}
"""How the texts of options are read that can be given several times, and what collects them."""
