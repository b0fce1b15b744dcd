"""Targets that read texts: annotations, job configurations, lists of ids, the command line, and names of files."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import documents
from facered import Annotations
from facered.cli.main import main
from facered.errors import FaceredError
from facered.jobs.api import combined
from facered.jobs.config import read_config
from facered.jobs.idlist import read_id_list
from facered.options import FILES, LIVE, options_for
from fuzz import films
from fuzz.mutation import mutated_bytes, mutated_text
from fuzz.target import Target, check, check_only

NUMBERS = (
    "0", "-1", "1", "2", "3", "0.5", "1e999", "-1e999", "1e308", "1e-320", "NaN", "Infinity", "-0", "0x10", "1_0",
    "١", "2147483647", "2147483648", "999999999", "1000000000", "9223372036854775807", "9223372036854775808",
    "9" * 101, "9" * 5000, "1." + "3" * 400, "1e5", "00",
)  # fmt: skip
MARKS = (
    "{", "}", "[", "]", ",", ":", '"', "'", "\\", "\\u0000", "\\ud800", "\ufeff", "\x00", "\x1b[31m", "\r\n", "é",
    "\udcff", "null", "true", "false", "True", "None", "[" * 2000, "{" * 50, '{"a":' * 999, "/*", "#", " " * 3,
)  # fmt: skip
KEYS = (
    '"version"', '"timescale"', '"offset"', '"framerate"', '"width"', '"height"', '"margin"', '"fragments"',
    '"start"', '"duration"', '"interval"', '"events"', '"id"', '"x"', '"y"', '"index"', '"kind"', '"region"',
    '"score"',
)  # fmt: skip
EXIT_CODES = {0, 2, 3, 130, 141}
"""Those that the command line promises, but that of a fault of its own."""


def _annotations(data: bytes, folder: Path) -> str:
    path = folder / "foo_annotations.json"
    path.write_bytes(data)
    found = Annotations.read(path)
    again, once = folder / "again.json", folder / "once.json"
    found.write(again)
    repeated = Annotations.read(again)
    repeated.write(once)
    check(again.read_bytes() == once.read_bytes(), "written, read and written again it is another document")
    check(repeated.ids.tolist() == found.ids.tolist(), "the ids are others when it is written and read again")
    check(repeated.pts.tolist() == found.pts.tolist(), "the times are others when it is written and read again")
    for frame in range(min(len(found.pts), 5)):
        found.pixel_boxes(frame)
    with contextlib.suppress(FaceredError):
        found.select(except_ids=found.ids[:1].tolist())
    check_only(folder, [path, again, once])
    return f"{min(len(found.pts), 3)} frames, {min(len(found.ids), 3)} faces"


def _annotation_seeds() -> list[bytes]:
    return [
        documents.document().encode(),
        documents.document(documents.FACE, '"kind": "region", "score": 0.5').encode(),
        json.dumps(documents.of_fragments(documents.fragment(0, [documents.face()], [], [documents.face(2)]))).encode(),
        json.dumps(documents.of_fragments(framerate=30, more={"a": [1, {}]}), indent=1).encode(),
    ]


def _configuration(data: bytes, folder: Path) -> str:
    path = folder / "job.json"
    path.write_bytes(data)
    answers = []
    text = data.decode("utf-8", "surrogateescape")
    for given in (path, text if text.lstrip("\ufeff \t\r\n").startswith("{") else path):
        try:
            mode, options = read_config(given)
            answers.append(f"{mode}, {sorted(options)}")
        except FaceredError as error:
            answers.append(type(error).__name__)
            told = str(error)
            check("\n" not in told, "the error has several lines")
    return f"{answers[0]} {told if len(answers[0]) < 40 and 'Error' in answers[0] else ''}"


def _configuration_seeds() -> list[bytes]:
    return [
        b"{'version':'1.0', 'options': {'mode':'combined'}}",
        b'{"Version": 1, "Options": {"Mode": "Analyze", "blurType": "High", "maxFaces": 9, "ids": [1, 2],}}',
        b"{'options': {'start': '1:30', 'bitrate': '4M', 'encoderOptions': {'tune': 'film'}, 'strict': True}}",
        '{"options": {"margin": 1.4, "threads": 0}}'.encode("utf-16"),
    ]


def _id_list(data: bytes, folder: Path) -> str:
    path = folder / "foo_IDList.txt"
    path.write_bytes(data)
    ids = read_id_list(path)
    check(ids is None or (ids and all(0 <= number < 2**31 for number in ids)), "ids that no face can have")
    return f"{min(len(ids or []), 3)} ids"


def _command_line(data: bytes, folder: Path) -> str:
    (folder / "foo.mp4").write_bytes(films.smallest())
    (folder / "foo_annotations.json").write_text(documents.document())
    (folder / "ids.txt").write_text("1\n7\n")
    arguments = [os.fsdecode(word.replace(b"\0", b"")) for word in data.split(b"\0")]
    # Neither files elsewhere nor other machines are for this.
    arguments = [word for word in arguments if "/" not in word and "|" not in word and "//" not in word]
    told, shown = io.StringIO(), io.StringIO()
    try:
        with contextlib.chdir(folder), contextlib.redirect_stderr(told), contextlib.redirect_stdout(shown):
            code = main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    check(code in EXIT_CODES, f"exit code {code} from {arguments}: {told.getvalue()[-500:]}")
    check(code == 0 or told.getvalue().strip(), f"exit code {code} from {arguments} without a word")
    check("Traceback" not in told.getvalue(), f"a traceback from {arguments}: {told.getvalue()[-2000:]}")
    lasting = [path for path in folder.rglob("*") if path.name.endswith(".facered")]
    check(not lasting, f"left behind: {lasting}")
    return f"{code} {told.getvalue().splitlines()[-1] if code else ''}"


def _command_line_seeds() -> list[bytes]:
    lines = (
        "combined foo.mp4 -o out --annotations --overwrite --preset ultrafast",
        "analyze foo.mp4 -o out --json --threads 1",
        "redact foo.mp4 --annotations foo_annotations.json --ids 7 -o out.mkv",
        "redact foo.mp4 --ids ids.txt --except-ids 7 --blur High --shape rectangle",
        "run foo.mp4 --config {'version':'1.0','options':{'mode':'combined'}} -o out",
        "combined foo.mp4 foo.mp4 missing.mp4 -o out --report r.json --timings --trace t.json",
        "combined foo.mp4 --start 0.1 --end 0:01 --crf 30 --codec h264 --pix-fmt yuv420p --encoder-option tune=film",
        "pipe foo.mp4 -o live.mkv --faces f.jsonl --lookahead 2 --detect sync --hide-region 0,0,1,0,0,1 --reconnect 0",
    )
    return [line.replace(" ", "\0").encode() for line in lines]


def _command_words() -> list[str]:
    flags = {option.flag for use in (FILES, LIVE) for option in options_for(use).values()}
    values = (
        "foo.mp4", "missing.mp4", "out", "out.mp4", "ids.txt", "7", "1,7", "High", "h264", "hevc", "av1", "prores",
        "aac", "copy", "none", "ultrafast", "0:00:01", "4M", "yuv420p", "gray", "yuv444p10le", "a=b", "mov", "nut",
        "-o", "-", "--", "--help", "--version", "-q", "--json", "--format", "--report", "--config", "--annotations",
        "%04d.png", "http:foo", "pipe:0", "concat:foo.mp4", ".", "", "..", "~", "@ids.txt", "combined", "redact",
        "analyze", "run", "pipe", "1e9", "\n",
    )  # fmt: skip
    return [f"\0{word}" for word in (*sorted(flags), *values, *NUMBERS)]


def _file_name(data: bytes, folder: Path) -> str:
    """The first byte says what the file holds, the rest is its name."""
    kind, name = films.NAMED[(data or b"\0")[0] % len(films.NAMED)], os.fsdecode(data[1:])
    inside, out = folder / "in", folder / "out"
    inside.mkdir()
    with contextlib.chdir(inside):
        with contextlib.suppress(OSError, ValueError):  # there is no such file then, which is to be said
            Path(name).write_bytes(films.seed_of(kind))
        given = set(inside.rglob("*"))
        try:
            result = combined(name, out, preset="ultrafast", threads=1, detect_size=films.DETECT_SIZE)
        finally:
            check_only(inside, given)
            if out.is_dir():
                check_only(out, out.glob("*_redacted.*"))
    check(result.video_path is not None and result.video_path.is_file(), f"no result of {name!r}")
    assert result.video_path is not None
    check_only(out, [result.video_path])
    check(result.video_path.name.startswith(f"{Path(name).stem}_redacted"), f"{name!r} became {result.video_path}")
    films.check_readable(result.video_path, result.frames)
    return kind


def _name_seeds() -> list[bytes]:
    names = (
        "foo.mp4", "22:57:44.mp4", "http:host.mp4", "50%off %04d.mp4", "-x.mkv", "x%02d.png", "concat:a|b.mp4",
        "file:foo.mp4", "~.mp4", "a\nb.mp4", "foo", "foo.", ".mp4", "é.mov", "\udcff.mp4", "x" * 240 + ".mp4",
        "pipe:0", "-", "data:x",
    )  # fmt: skip
    return [bytes([number]) + os.fsencode(name) for number, name in enumerate(names)]


def _mutated_name(rng: Random, pool: Sequence[bytes]) -> bytes:
    words = (
        "%", "%d", "%02d", "%s", ":", "|", "file:", "http://", "concat:", "subfile,,start,0,end,9,,:", "async:",
        "pipe:", "fd:", ".mp4", ".mov", ".png", ".jpg", ".webp", ".facered", "_redacted", "..", "~", "\n", "\x1b",
        "\udcff", "é", " ", "-", "x" * 120, "*", "?", "[0-9]", "#", "&", "\\", "$HOME", "'", '"', "lavfi", "crypto:",
        "cache:", "tee:",
    )  # fmt: skip
    found = mutated_bytes(rng, pool) if rng.random() < 0.2 else mutated_text(rng, pool, words)
    return found.replace(b"/", b"_")


def _text(words: Sequence[str]) -> object:
    return lambda rng, pool: mutated_text(rng, pool, words)


_OPTION_KEYS = tuple(f"'{name}'" for name in ("mode", "blurType", "options", "version", *options_for(FILES)))
TARGETS = [
    Target("annotations", _annotation_seeds, _text((*NUMBERS, *MARKS, *KEYS)), _annotations, 2),
    Target("configuration", _configuration_seeds, _text((*NUMBERS, *MARKS, *_OPTION_KEYS)), _configuration, 1),
    Target(
        "id-list", lambda: [b"1\n2\r\n 3 \n", b"\xef\xbb\xbf7", b""], _text((*NUMBERS, *MARKS, "\n")), _id_list, 0.3
    ),
    Target("command-line", _command_line_seeds, _text(_command_words()), _command_line, 2),
    Target("file-names", _name_seeds, _mutated_name, _file_name, 1.5),
]
