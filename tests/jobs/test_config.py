"""Job configurations: all the forms that were in use, and what is said about those that never were."""

from __future__ import annotations

import json
import time
from collections import UserDict
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facered.errors import ConfigurationUnsupportedError
from facered.jobs.config import EXAMPLE, MAX_SIZE, MODES, read_config
from facered.options import BLURS, RESOLUTIONS, Options

if TYPE_CHECKING:
    from pathlib import Path

AZURE = "{'version':'1.0', 'options': {'mode':'combined'}}"
NAMES = list(Options.__dataclass_fields__)


def job(**options: object) -> dict[str, object]:
    return {"version": "1.0", "options": options}


def single_quoted(value: object) -> str:
    """Return a value as JSON with single quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{single_quoted(key)}: {single_quoted(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(single_quoted, value)) + "]"
    if isinstance(value, str):
        return "'" + json.dumps(value)[1:-1].replace(r"\"", '"').replace("'", r"\'") + "'"
    return json.dumps(value)


def complaint(config: object) -> str:
    before = time.process_time()
    with pytest.raises(ConfigurationUnsupportedError) as caught:
        read_config(config)
    assert time.process_time() - before < 2  # of this process's own, however busy the machine
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize(
    "config",
    [
        AZURE,
        '{"version":"1.0", "options": {"mode":"combined"}}',
        "{'version':1.0,'options':{'mode':'combined'}}",
        "{'version':1,'options':{'mode':'combined'}}",
        "{'options':{'mode':'combined'}}",
        "{'Version':'1.0', 'Options': {'Mode':'Combined'}}",
        "{'VERSION':'1.0', 'OPTIONS': {'MODE':'COMBINED'}}",
        "{'version':'1.0', \"options\": {'mode':\"combined\"}}",
        " \r\n\t{ 'version' : '1.0' ,\r\n 'options' : { 'mode' : 'combined' , } , }\r\n",
        "\ufeff" + AZURE,
        {"version": "1.0", "options": {"mode": "combined"}},
        {"Version": 1.0, "OPTIONS": {"Mode": "COMBINED"}},
        MappingProxyType({"options": UserDict({"mode": "combined"})}),
        str({"version": 1, "options": {"mode": "combined"}}),
    ],
)
def test_a_job_is_written_in_many_ways(config: object):
    assert read_config(config) == ("combined", {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_job_is_read_from_a_file(tmp_path: Path, encoding: str, newline: str, quote: str):
    text = "{\n 'Version': '1.0',\n 'Options': {\n  'Mode': 'Redact',\n  'Model': 'é.onnx'\n }\n}\n"
    file = tmp_path / "job.json"
    file.write_bytes(text.replace("'", quote).replace("\n", newline).encode(encoding))
    for name in (file, str(file)):
        assert read_config(name) == ("redact", {"model": "é.onnx"})


def test_a_file_is_read_even_if_its_name_begins_with_a_brace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "{job}"
    file.write_text(AZURE)
    assert read_config(file.relative_to(tmp_path)) == ("combined", {})


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_known(mode: str):
    for spelling in (mode, mode.upper(), mode.title()):
        assert read_config(job(mode=spelling)) == (mode, {})


@pytest.mark.parametrize("style", BLURS)
@pytest.mark.parametrize("key", ["blurType", "BlurType", "blurtype", "BLURTYPE", "blur_type", "blur", "BLUR"])
def test_every_style_is_known(style: str, key: str):
    for spelling in (style, style.upper(), style.lower()):
        assert read_config(job(mode="redact", **{key: spelling})) == ("redact", {"blur": style})


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_every_resolution_is_known(resolution: str):
    for spelling in (resolution, resolution.upper(), resolution.lower()):
        assert read_config(job(Mode="analyze", Resolution=spelling)) == ("analyze", {"resolution": resolution})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("blurRadius", 1, {"blur_radius": 1.0}),
        ("blur_radius", None, {"blur_radius": None}),
        ("BLUR-RADIUS", 0.5, {"blur_radius": 0.5}),
        ("detect-size", 640, {"detect_size": 640}),
        ("detectSize", None, {"detect_size": None}),
        ("maxFaces", "all", {"max_faces": None}),
        ("maxFaces", "All", {"max_faces": None}),
        ("MaxFaces", None, {"max_faces": None}),
        ("max_faces", 64, {"max_faces": 64}),
        ("ids", [3, 1], {"ids": (3, 1)}),
        ("IDs", "1,3", {"ids": (1, 3)}),
        ("exceptIds", [], {"except_ids": ()}),
        ("start", "1:30", {"start": 90.0}),
        ("end", 90, {"end": 90.0}),
        ("shape", "Rectangle", {"shape": "rectangle"}),
        ("feather", 0.2, {"feather": 0.2}),
        ("threshold", 0.3, {"threshold": 0.3}),
        ("margin", 2, {"margin": 2.0}),
        ("model", "a\\\"b'.onnx", {"model": "a\\\"b'.onnx"}),
        ("preset", "Slow", {"preset": "slow"}),
        ("crf", 18, {"crf": 18.0}),
        ("threads", 2, {"threads": 2}),
        ("overwrite", True, {"overwrite": True}),
    ],
)
def test_our_own_options_stand_beside_the_old_ones(key: str, value: object, expected: dict[str, object]):
    config = job(mode="combined", **{key: value})
    for form in (config, json.dumps(config), single_quoted(config), repr(config)):
        assert read_config(form) == ("combined", expected)
    assert Options.of(read_config(config)[1]) == Options.of(expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_key_in_each_spelling(name: str):
    value = getattr(Options(), name)
    head, *tail = name.split("_")
    for key in (name, name.upper(), name.replace("_", "-"), head + "".join(map(str.title, tail))):
        assert read_config(job(**{key: value})) == (None, {name: value})


def test_what_is_not_given_is_not_returned():
    assert read_config({"options": {}}) == (None, {})
    assert read_config({"options": {"mode": "analyze", "maxFaces": 64}}) == ("analyze", {"max_faces": 64})


@pytest.mark.parametrize(
    ("text", "model"),
    [
        (r"'it\'s'", "it's"),
        (r"""'a "b"'""", 'a "b"'),
        (r"""'a \"b\"'""", 'a "b"'),
        (r'''"it's"''', "it's"),
        (r"'\u00e9\\n\t'", "é\\n\t"),
        (r"'True, ] None'", "True, ] None"),
        (r"'{,}'", "{,}"),
        (r"None", None),
        (r"null", None),
    ],
)
def test_quotes_and_escapes_are_understood(text: str, model: str | None):
    assert read_config("{'options': {'model': " + text + "}}") == (None, {"model": model})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, f"the job configuration has no 'options'; it looks like {EXAMPLE}"),
        ({"mode": "combined"}, "unknown key 'mode' in the job configuration; there are version, options"),
        ({3: 1}, "unknown key 3 in the job configuration; there are version, options"),
        ({"options": {None: 1}}, "unknown key None in the job configuration; there are mode, blurType, resolution, "),
        (job(colour="red"), "unknown key 'colour' in the job configuration; there are mode, blurType, resolution, "),
        (job(mode="blur"), "mode is 'blur'; it can be analyze, redact, combined"),
        (job(Mode=None), "Mode is None; it can be analyze, redact, combined"),
        (job(mode=["redact"]), "mode is ['redact']; it can be analyze, redact, combined"),
        (job(BlurType="Medium"), "BlurType is 'Medium'; it can be Low, Med, High, Box, Black, Mosaic"),
        (job(resolution="HD"), "resolution is 'HD'; it can be SourceResolution, StandardDefinition"),
        (job(maxFaces="many"), "max_faces is 'many'; it can be a whole number from 1 to 4096, or all"),
        (job(ids=[1], exceptIds=[2]), "ids and except_ids are both given; give one of them"),
        (job(start=3, end=2), "end is 2.0; it must be after start, 3.0"),
        (job(ids=[]), "ids is empty, so that nobody would be hidden; leave it out for everyone"),
        (job(mode="redact", Mode="redact"), "the job configuration has both 'mode' and 'Mode'; give one of them"),
        (job(blur="Low", blurType="Low"), "the job configuration has both 'blur' and 'blurType'; give one of them"),
        ({"options": {}, "Options": {}}, "the job configuration has both 'options' and 'Options'; give one of them"),
        ({"options": []}, f"options is []; it can be as in {EXAMPLE}"),
        ({"Options": None}, f"Options is None; it can be as in {EXAMPLE}"),
        ({"version": "2.0", "options": {}}, "version is '2.0'; it can be 1.0"),
        ({"Version": 2, "options": {}}, "Version is 2; it can be 1.0"),
        ({"version": True, "options": {}}, "version is True; it can be 1.0"),
        ({"version": None, "options": {}}, "version is None; it can be 1.0"),
        ("{'options': {}, 'options': {}}", "the job configuration: not JSON: 'options' is given twice"),
        (
            "{'options': {'mode': 'redact', 'mode': 'analyze'}}",
            "the job configuration: not JSON: 'mode' is given twice",
        ),
        ("{'options': {'mode': 'redact}}", "the job configuration: not JSON: a quotation mark is not closed"),
        ("{", "the job configuration: not JSON at line 1, column 2: Expecting property name"),
        ("{'options': {}} {}", "the job configuration: not JSON at line 1, column 17: Extra data"),
        (
            "{'options': {'crf': 1 + 1}}",
            "the job configuration: not JSON at line 1, column 23: Expecting ',' delimiter",
        ),
        ("{'options':\n{'crf': print()}}", "the job configuration: not JSON at line 2, column 9: Expecting value"),
        pytest.param("{'options': {'crf': " + "9" * 9999 + "}}", "the job configuration: not JSON: ", id="digits"),
        ("{'options': {'crf': NaN}}", "crf is nan; it can be a number from 0 to 51"),
        ("", f"the job configuration is empty; it can be a file or {EXAMPLE}"),
        ("no such.json", f"job configuration 'no such.json': No such file or directory; it can be a file or {EXAMPLE}"),
        ("[1]", f"job configuration '[1]': No such file or directory; it can be a file or {EXAMPLE}"),
        ("mode\0", f"job configuration 'mode\\x00': not the name of a file; it can be a file or {EXAMPLE}"),
        pytest.param("x" * 9999, "job configuration 'xxx", id="long"),
        (None, f"the job configuration is None; it can be a file or {EXAMPLE}"),
        (b"{}", f"the job configuration is b'{{}}'; it can be a file or {EXAMPLE}"),
        ([], f"the job configuration is []; it can be a file or {EXAMPLE}"),
    ],
)
def test_what_is_wrong_is_told(config: object, message: str):
    assert complaint(config).startswith(message)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_is_told_with_every_known_one(name: str):
    assert f" {name}" in complaint(job(unheard=1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON at line 1, column 1: Expecting value"),
        (b"[1]", f"it holds [1]; it looks like {EXAMPLE}"),
        (b"'combined'", f"it holds 'combined'; it looks like {EXAMPLE}"),
        (b"{'options': {'model': '\xff'}}", "it is not text; save it as UTF-8"),
        (bytes(2000), "not JSON at line 1, column 1: Expecting value"),
        (AZURE.encode() + b" " * MAX_SIZE, "it is larger than 1,048,576 bytes; it looks like " + EXAMPLE),
    ],
)
def test_a_file_that_holds_no_job_is_told_by_its_name(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "job.json").write_bytes(content)
    told = complaint(tmp_path / "job.json")
    assert told.startswith("job configuration '")
    assert told.endswith("job.json': " + message)


def test_a_directory_is_no_job(tmp_path: Path):
    assert "Is a directory" in complaint(tmp_path)


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        ("", "{", ""),
        ("{'options': ", "[", ""),
        ("", '{"a":', ""),
        ("{", "'", ""),
        ("{'", r"\'", ""),
        ('{"', r"\"", ""),
        ("{'", "\\", ""),
        ("{", ",", ""),
        ("{", ", ", ""),
        ("{,", " ", ""),
        ("{", "True ", ""),
        ("{'options': {'ids': [", "1,", "-1]}}"),
        ("{'options': {'ids': '", "1,", "x'}}"),
        ("{'options': {'", "x", "': 1}}"),
        ("{", "'a': 0,", "}"),
    ],
)
def test_a_hostile_text_is_refused_at_once(head: str, piece: str, tail: str):
    complaint(head + piece * ((MAX_SIZE - len(head + tail)) // len(piece)) + tail)


@pytest.mark.parametrize("start", ["{", "x"])
def test_a_huge_text_is_not_even_looked_at(start: str):
    assert complaint(start.ljust(100_000_000)).startswith("the job configuration: it is larger than 1,048,576 bytes")


def test_a_hostile_mapping_is_refused_at_once():
    endless: list[object] = []
    endless.append(endless)
    assert complaint(job(crf=endless)).startswith("crf is [[")
    deep: object = 1
    for _ in range(100_000):
        deep = {"options": deep}
    assert complaint({"options": deep}).startswith("unknown key 'options'")
    assert complaint({"version": deep}).startswith("version is {")
    assert complaint(job(threads=10**5000)) == "threads is <int>; it can be a whole number from 0 to 1024"


VALUES = {
    "mode": st.sampled_from(MODES),
    "blurType": st.sampled_from(BLURS).map(str.lower),
    "resolution": st.sampled_from(RESOLUTIONS).map(str.upper),
    "max-faces": st.just("all") | st.none() | st.integers(1, 4096),
    "blurRadius": st.floats(0.05, 4) | st.none(),
    "model": st.text(min_size=1),
    "ids": st.lists(st.integers(0, 2**31 - 1), min_size=1) | st.just("1, 2"),
    "start": st.floats(0, 1e3) | st.sampled_from(["1:30", "0:00:10"]),
    "threads": st.integers(0, 1024),
    "overwrite": st.booleans(),
}
JOBS = st.fixed_dictionaries(
    {"options": st.fixed_dictionaries({}, optional=VALUES)}, optional={"version": st.sampled_from(["1.0", 1.0, 1])}
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.sampled_from([*NAMES, "mode", "Mode", "blurType", "version", "options"]) | st.text()
NEARLY_JOBS = st.fixed_dictionaries(
    {"options": st.dictionaries(KEYS, ANYTHING | st.one_of(*VALUES.values()), max_size=4) | ANYTHING},
    optional={"version": st.sampled_from(["1.0", 1, "2"]) | ANYTHING, "Mode": ANYTHING},
)


@given(JOBS)
def test_quotes_make_no_difference(config: dict[str, object]):
    mode, options = read_config(config)
    assert mode == config["options"].get("mode")
    assert len(options) == len(config["options"]) - (mode is not None)
    assert (mode, options) == read_config(json.dumps(config)) == read_config(single_quoted(config))
    assert all(getattr(Options.of(options), name) == value for name, value in options.items())


@given(st.dictionaries(KEYS, ANYTHING, max_size=3) | NEARLY_JOBS)
def test_a_mapping_is_read_or_refused(config: dict[str, object]):
    for form in (config, json.dumps(config), single_quoted(config)):
        with suppress(ConfigurationUnsupportedError):
            mode, options = read_config(form)
            assert mode is None or mode in MODES
            assert Options.of(options) is not None


@given(st.text("{}[]'\"\\:,ntu0 T", max_size=40) | st.text())
def test_a_text_is_read_or_refused(text: str):
    with pytest.raises(ConfigurationUnsupportedError):
        read_config("{" + text)
