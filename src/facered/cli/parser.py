"""The arguments of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from facered import __version__
from facered.options import (
    AUDIO,
    CODECS,
    DETECTIONS,
    PRECISIONS,
    PRESETS,
    RESOLUTIONS,
    SHAPES,
    STYLES,
    Options,
)

DESCRIPTION = """\
Find every face in a video, follow it forwards and backwards in time, and write
the video again with those faces made unrecognisable. Runs on the CPU.
"""

COMBINED = """\
Find and follow every face in a video and write the video with the faces
hidden. For foo.mp4 the result is foo_redacted.mp4: the same size, frames,
times, colours and sound as the source. Images become images.
"""

ANALYZE = """\
Find and follow every face in a video. For foo.mp4 this writes
foo_annotations.json, which says where each face is in each frame, and
foo_thumb000001.jpg and so on, a picture of each person; the number is the
person's id. Look at them, edit what needs it, then run facered redact.
"""

REDACT = """\
Hide annotated faces: all of them, or those of some people. For foo.mp4 this
reads foo_annotations.json, and foo_IDList.txt if it is beside it (an id a
line), and writes foo_redacted.mp4. No face is looked for.
"""

RUN = """\
Do what a job configuration says, in the form that Azure Media Redactor took:
{'version':'1.0', 'options': {'mode':'combined', 'blurType':'High'}}
"""

BENCH = """\
Measure analyze, redact and combined on a video, beside the floor: decoding it
and encoding it again with the same settings, nothing between. All run in turn,
several times. Only temporary files are written.
"""

PIPE = """\
Redact a stream as it goes by. From standard input, as NUT or Y4M (or whatever
FFmpeg can read from a pipe), to standard output, as raw pictures in the same
container: sound and subtitles in NUT pass untouched. Or from a camera or an
address, which is called again when it is lost, and to a file or an address.
"""

PIPE_EXIT_CODES = """\
exit codes:
  0 the source ended   1 internal error, or the output failed   2 wrong call,
  missing input, output in the way   3 the input is damaged, no video, or lost
  for good   130 stopped by a signal   141 nobody reads the output any more
"""

EXIT_CODES = """\
exit codes:
  0 done   1 internal error   2 wrong call, missing input, output in the way
  3 the input is damaged or not a video that can be redacted   130 cancelled
"""

EXAMPLES = {
    "combined": """\
examples:
  facered combined foo.mp4 -o out/
  facered combined *.mov -o out/ --preset medium --crf 20
  facered combined foo.mp4 -o released.mp4 --threshold 0.2 --margin 1.6
""",
    "analyze": """\
examples:
  facered analyze foo.mp4 -o out/
  facered analyze foo.mp4 -o out/ --start 1:30 --end 2:00
""",
    "redact": """\
examples:
  facered redact foo.mp4 -o out/
  facered redact foo.mp4 -o out/ --ids 1,3 --blur High
  facered redact foo.mp4 -o out/ --except-ids 2 --blur Black
  facered redact foo.mp4 -o check.mp4 --blur Box
""",
    "run": """\
examples:
  facered run foo.mp4 -o out/ --config job.json
  facered run foo.mp4 -o out/ --config "{'version':'1.0', 'options': {'mode':'analyze'}}"
""",
    "pipe": """\
examples:
  ffmpeg -i in.mp4 -f nut -c:v rawvideo - | facered pipe | ffmpeg -i - out.mp4
  ffmpeg -i in.mp4 -f yuv4mpegpipe - | facered pipe --blur Black > out.y4m
  ... | facered pipe --lookahead 30 --faces faces.jsonl | ...
  ... | facered pipe --faces /dev/fd/3 3> >(jq .faces) | ...
  facered pipe rtsp://camera/stream -o udp://127.0.0.1:5000 --detect async
  facered pipe /dev/video0 -o rtmp://server/live/key --bitrate 3M
""",
    "bench": """\
examples:
  facered bench foo.mp4
  facered bench foo.mp4 --preset medium --repeat 5
""",
}

DEFAULT = Options()


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"facered: {message}; see {self.prog} --help\n")


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

    combined = _command(commands, "combined", "find, follow and hide every face in one go", COMBINED)
    combined.add_argument(
        "--annotations", dest="keep_annotations", action="store_true", help="write foo_annotations.json too"
    )
    _add_outputs(combined)
    _add_detection(combined)
    _add_hiding(combined)
    _add_encoding(combined)

    analyze = _command(commands, "analyze", "find and follow every face, for a person to decide", ANALYZE)
    _add_outputs(analyze)
    _add_detection(analyze)

    redact = _command(commands, "redact", "hide the annotated faces of some people, or all", REDACT)
    _add_outputs(redact)
    whom = redact.add_argument_group("whom to hide")
    whom.add_argument(
        "--annotations", metavar="FILE", help="what analyze wrote (default: foo_annotations.json, by its name)"
    )
    whom.add_argument(
        "--ids", metavar="IDS", help="ids with commas, or a file with one a line (default: foo_IDList.txt, or everyone)"
    )
    whom.add_argument("--except-ids", metavar="IDS", action=_Option, help="hide everyone but these, with commas")
    whom.add_argument(
        "--margin",
        metavar="FACTOR",
        type=float,
        action=_Option,
        help="enlarge the annotated boxes, which have the margin of analyze already (default: 1)",
    )
    _add_hiding(redact)
    _add_encoding(redact)

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
    bench.add_argument("--json", action="store_true", help="print a JSON line a video with every run")
    _add_detection(bench)
    _add_hiding(bench)
    _add_encoding(bench)

    pipe = _command(commands, "pipe", "redact a stream as it goes by, from a pipe, a camera or an address", PIPE)
    _add_stream(pipe)
    _add_delay(pipe)
    _add_detection(pipe, live=True)
    _add_hiding(pipe)
    _add_regions(pipe)
    _add_encoding(pipe, live=True)
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, summary: str, description: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"{EXAMPLES[name]}\n{PIPE_EXIT_CODES if name == 'pipe' else EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(mode=name, options={})
    if name != "pipe":
        parser.add_argument("inputs", metavar="VIDEO", nargs="+", help="a video or image that FFmpeg opens, or a URL")
    group = parser.add_argument_group("general")
    group.add_argument(
        "--threads",
        metavar="N",
        type=int,
        action=_Option,
        help="threads for each of decoding, detecting and encoding; 1: one thing after the other (default: all cores)"
        if name != "pipe"
        else "threads for each detection, and for encoding; 0: all cores (default: 1, and all for encoding)",
    )
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
        type=Path,
        default=Path(),
        help="directory for the results, made if need be, or the video to write, .mp4, .mov or .mkv (default: here)",
    )
    group.add_argument("--overwrite", action=_Option, nargs=0, const=True, help="replace results that exist")
    group.add_argument(
        "--start", metavar="TIME", action=_Option, help="work from here on: seconds, or 1:30, or 0:01:30"
    )
    group.add_argument("--end", metavar="TIME", action=_Option, help="work up to here; the rest is passed through BARE")
    group.add_argument(
        "--stream",
        metavar="N",
        type=int,
        action=_Option,
        help="which of several video streams, from 0; the others are left out (default: the first)",
    )
    group.add_argument(
        "--strict", action=_Option, nargs=0, const=True, help="stop at damage instead of working on what is left"
    )
    group.add_argument(
        "--json", action="store_true", help="print a JSON line a change of state and a report at the end"
    )
    group.add_argument("--report", metavar="FILE", type=Path, help="write the report, a JSON line a video, to a file")


def _add_stream(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="an address (rtsp, rtmp, srt, udp, tcp, http), a camera such as /dev/video0, or a file (default: standard "
        "input)",
    )
    group = parser.add_argument_group("stream")
    group.add_argument(
        "-o",
        "--output",
        metavar="ADDRESS",
        help="encode into this file or to this address (default: raw pictures to standard output)",
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
    group.add_argument("--stream", metavar="N", type=int, default=0, help="which of several video streams, from 0")
    group.add_argument(
        "--faces",
        metavar="FILE",
        help="write a JSON line a frame: time, and id, place and score of each face; a file, named pipe or /dev/fd/N",
    )


def _add_delay(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("delay")
    group.add_argument(
        "--lookahead",
        metavar="N",
        type=int,
        action=_Option,
        help="delay the stream by N frames, so that faces are hidden before they are first detected (default: 0)",
    )
    group.add_argument(
        "--deadline-ms",
        metavar="MS",
        type=float,
        action=_Option,
        help="the longest that a frame waits for the detector (default: as long as that takes)",
    )
    group.add_argument(
        "--on-overload",
        metavar="HOW",
        action=_Option,
        help="grow or hide: what becomes of frames without a detection that is recent enough; larger masks, or all of "
        "the picture hidden (default: grow)",
    )


def _add_regions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("regions, as corners X,Y,X,Y,X,Y... in parts of the picture's width and height")
    for kind, told in (("hide", "always hide what lies in it"), ("show", "hide no face in it")):
        group.add_argument(
            f"--{kind}-region",
            dest=f"{kind}_regions",
            metavar="CORNERS",
            type=_polygon,
            action=_List,
            help=f"{told}; can be given several times",
        )


def _add_detection(parser: argparse.ArgumentParser, live: bool = False) -> None:
    group = parser.add_argument_group("detection")
    group.add_argument(
        "--threshold",
        metavar="SCORE",
        type=float,
        action=_Option,
        help=f"least score, 0 to 1, that starts a face; lower finds more, and errs more (default: {DEFAULT.threshold})",
    )
    group.add_argument(
        "--margin",
        metavar="FACTOR",
        type=float,
        action=_Option,
        help=f"how much larger the hidden box is than the detected face (default: {DEFAULT.margin})",
    )
    group.add_argument(
        "--max-faces",
        metavar="N",
        type=_count_or_all,
        action=_Option,
        help=f"most faces in a frame, or 'all' (default: {DEFAULT.max_faces})",
    )
    if live:
        group.add_argument(
            "--detect",
            metavar="WHEN",
            type=_interval,
            action=_Option,
            help="sync, async, or a number N: where following faces is not certain, beside the stream whenever the "
            "detector is free, or in every N-th frame (default: sync)",
        )
    else:
        group.add_argument(
            "--detect",
            metavar="WHEN",
            action=_Option,
            help=f"{' or '.join(DETECTIONS)}: where following faces is not certain, or in every frame "
            f"(default: {DEFAULT.detect})",
        )
    group.add_argument(
        "--detect-size",
        metavar="PIXELS",
        type=int,
        action=_Option,
        help="longer side of the picture that the detector sees; more finds smaller faces (default: 320 to 640, now "
        "and then 1280 or half the video's own)",
    )
    if not live:
        group.add_argument(
            "--resolution",
            metavar="NAME",
            action=_Option,
            help=f"{' or '.join(RESOLUTIONS)}: the latter detects on a smaller picture (default: {DEFAULT.resolution})",
        )
    group.add_argument(
        "--precision",
        metavar="NAME",
        action=_Option,
        help=f"{', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}: the numbers that the built-in detector computes with; "
        f"auto takes int8 where the processor has VNNI (default: {DEFAULT.precision})",
    )
    group.add_argument(
        "--model",
        metavar="FILE",
        action=_Option,
        help="another ONNX detector: CenterFace, YuNet or SCRFD (default: $FACERED_MODEL, or the built-in CenterFace)",
    )


def _add_hiding(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("hiding")
    group.add_argument(
        "--blur",
        metavar="STYLE",
        action=_Option,
        help=f"{', '.join(STYLES)}; Low is for looks only, faces can still be found in it; Box draws outlines and ids "
        f"and hides nobody (default: {DEFAULT.blur})",
    )
    group.add_argument(
        "--blur-radius",
        metavar="PART",
        type=float,
        action=_Option,
        help="radius of the blur as a part of the box's width; less than 0.5 may hide nobody (default: the style's)",
    )
    group.add_argument(
        "--shape", metavar="SHAPE", action=_Option, help=f"{' or '.join(SHAPES)} (default: {DEFAULT.shape})"
    )
    group.add_argument(
        "--feather",
        metavar="PART",
        type=float,
        action=_Option,
        help=f"width of the fading rim outside the shape, as a part of its size (default: {DEFAULT.feather})",
    )


def _add_encoding(parser: argparse.ArgumentParser, live: bool = False) -> None:
    group = parser.add_argument_group("encoding, with -o" if live else "encoding")
    group.add_argument(
        "--codec",
        metavar="NAME",
        action=_Option,
        help=f"{', '.join(CODECS)}; prores goes into .mov (default: h264 for 8 bits, hevc for more)",
    )
    group.add_argument(
        "--preset",
        metavar="NAME",
        action=_Option,
        help=f"the encoder's, {PRESETS[0]} to {PRESETS[-1]}: slower makes smaller files (default: {DEFAULT.preset})",
    )
    group.add_argument(
        "--crf",
        metavar="N",
        type=float,
        action=_Option,
        help=f"the encoder's quality, 0 (lossless) to 51 (default: {DEFAULT.crf:g})",
    )
    group.add_argument(
        "--bitrate", metavar="RATE", action=_Option, help="bits a second, such as 4M or 800k, instead of a quality"
    )
    group.add_argument(
        "--pix-fmt", metavar="NAME", action=_Option, help="pixel format, by FFmpeg's name (default: the source's)"
    )
    group.add_argument(
        "--encoder-option",
        dest="encoder_options",
        metavar="KEY=VALUE",
        type=_pair,
        action=_Pairs,
        help="an option of FFmpeg's encoder; can be given several times",
    )
    group.add_argument(
        "--audio",
        metavar="HOW",
        action=_Option,
        help=f"{', '.join(AUDIO)}: a voice identifies too (default: {DEFAULT.audio}, or AAC where that cannot be)",
    )
    if not live:
        group.add_argument(
            "--keep-location",
            action=_Option,
            nargs=0,
            const=True,
            help="keep the tag that says where the video was recorded",
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


def _interval(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _count_or_all(text: str) -> int | None:
    return None if text == "all" else int(text)
