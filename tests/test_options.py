"""What a caller may choose, and what is said to one who chooses wrongly."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import facered
from facered.checks import MAX_ID, parse_ids
from facered.cli.parser import build_parser
from facered.errors import ConfigurationUnsupportedError
from facered.options import BLURS, FILES, LIVE, PRECISIONS, PRESETS, RESOLUTIONS, SHAPES, Options, options_for
from make_options_page import PAGE, page

NAMES = [field.name for field in fields(Options)]


CHOICES = {"blur": BLURS, "shape": SHAPES, "resolution": RESOLUTIONS, "preset": PRESETS, "precision": PRECISIONS}


def complaint(**values: object) -> str:
    with pytest.raises(ConfigurationUnsupportedError) as caught:
        Options.of(values)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_what_is_not_chosen_keeps_its_default():
    options = Options.of({"crf": 20})
    assert options == Options(crf=20.0)
    assert (options.blur, options.shape, options.resolution) == ("Med", "ellipse", "SourceResolution")
    assert (options.blur_radius, options.feather) == (None, 0.15)
    assert (options.ids, options.except_ids, options.start, options.end) == (None, None, None, None)


def test_options_made_of_options_are_the_same():
    options = Options.of({"blur": "box", "ids": "3,1", "start": "1:00", "end": 90})
    assert replace(options) == options
    assert replace(options, blur="LOW").blur == "Low"


@pytest.mark.parametrize(
    ("name", "choice"),
    [(name, choice) for name, choices in CHOICES.items() for choice in choices],
)
def test_names_are_matched_without_regard_to_case(name: str, choice: str):
    for spelling in (choice, choice.lower(), choice.upper(), choice.swapcase()):
        assert getattr(Options.of({name: spelling}), name) == choice


@pytest.mark.parametrize("value", ["", "Mediocre", " Med", "Low,High", None, 1, True, ["Med"], {}])
@pytest.mark.parametrize(
    ("name", "choices"),
    CHOICES.items(),
)
def test_other_names_are_refused_with_the_choices(name: str, choices: tuple[str, ...], value: object):
    assert complaint(**{name: value}) == f"{name} is {value!r}; it can be {', '.join(choices)}"


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("threshold", 0.01, 1), ("margin", 1, 4), ("feather", 0.01, 1), ("blur_radius", 0.05, 4), ("crf", 0, 51)],
)
def test_numbers_have_a_range(name: str, low: float, high: float):
    for value in (low, high, Fraction(high), np.float64(high), np.int64(1)):
        chosen = getattr(Options.of({name: value}), name)
        assert type(chosen) is float
        assert chosen == value
    for value in (low - 0.01, high + 0.01, 10**20, float("nan"), float("inf"), "0.5", True, [0.5], 1j):
        assert complaint(**{name: value}) == f"{name} is {value!r}; it can be a number from {low:g} to {high:g}"


@pytest.mark.parametrize(
    ("name", "low", "high", "more"),
    [("max_faces", 1, 4096, ", or all"), ("detect_size", 32, 8192, ""), ("threads", 0, 1024, "")],
)
def test_counts_are_whole_numbers_in_a_range(name: str, low: int, high: int, more: str):
    for value in (low, high, float(high), np.int32(high)):
        chosen = getattr(Options.of({name: value}), name)
        assert type(chosen) is int
        assert chosen == value
    for value in (low - 1, high + 1, low + 0.5, float("nan"), "64", False, [64]):
        expected = f"{name} is {value!r}; it can be a whole number from {low} to {high}{more}"
        assert complaint(**{name: value}) == expected


@pytest.mark.parametrize(
    "name", ["max_faces", "detect_size", "blur_radius", "model", "ids", "except_ids", "start", "end"]
)
def test_none_is_a_choice(name: str):
    assert getattr(Options.of({name: None}), name) is None


@pytest.mark.parametrize("name", ["threshold", "margin", "feather", "crf", "threads", "overwrite"])
def test_none_is_not_a_choice(name: str):
    assert complaint(**{name: None}).startswith(f"{name} is None; it can be ")


@pytest.mark.parametrize("text", ["all", "All", "ALL"])
def test_all_faces_lift_the_cap(text: str):
    assert Options.of({"max_faces": text}).max_faces is None


@pytest.mark.parametrize("value", [0, 1, "true", "yes", []])
def test_a_flag_is_true_or_false(value: object):
    assert Options.of({"overwrite": True}).overwrite is True
    assert complaint(overwrite=value) == f"overwrite is {value!r}; it can be true or false"


def test_a_model_is_a_file():
    assert Options(model="a.onnx").model == "a.onnx"
    assert Options(model=Path("a.onnx")).model == Path("a.onnx")
    assert complaint(model=5) == "model is 5; it can be the name of a file"
    assert complaint(model="") == "model is ''; it can be the name of a file"


@pytest.mark.parametrize("name", ["ids", "except_ids"])
@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ([1, 3], (1, 3)),
        ((3, 1), (3, 1)),
        ({7}, (7,)),
        (range(3), (0, 1, 2)),
        (np.array([5, 4]), (5, 4)),
        ("1,3", (1, 3)),
        (" 1, 3 ,\t12\r\n", (1, 3, 12)),
        ("0007", (7,)),
        ("000", (0,)),
        (str(MAX_ID), (MAX_ID,)),
    ],
)
def test_ids_are_listed_in_many_ways(name: str, value: object, ids: tuple[int, ...]):
    chosen = getattr(Options.of({name: value}), name)
    assert chosen == ids
    assert all(type(number) is int for number in chosen)


def test_ids_may_come_from_a_generator():
    assert Options.of({"ids": (number for number in (2, 4))}).ids == (2, 4)


@pytest.mark.parametrize("name", ["ids", "except_ids"])
@pytest.mark.parametrize(
    "value",
    [
        [-1],
        [True],
        [1, False],
        [np.True_],
        [1.0],
        ["1"],
        [None],
        [[1]],
        [MAX_ID + 1],
        "",
        " ",
        ",",
        "-1",
        "1.5",
        "1;3",
        "faces.txt",
        "¹",
        "٣",
        "9" * 30,
        pytest.param("9" * 9999, id="endless"),
        b"1,3",
        {1: 2},
        3,
        True,
        np.array(3),
    ],
)
def test_what_lists_no_ids_is_refused(name: str, value: object):
    message = complaint(**{name: value})
    assert message.startswith(f"{name} is ")
    assert message.endswith(f"it can be whole numbers from 0 to {MAX_ID}, such as 1,3")


def test_hiding_nobody_is_refused_and_sparing_nobody_is_not():
    assert complaint(ids=[]) == "ids is empty, so that nobody would be hidden; leave it out for everyone"
    assert Options.of({"except_ids": []}).except_ids == ()


@pytest.mark.parametrize("except_ids", [[2], []])
def test_ids_and_exceptions_exclude_each_other(except_ids: list[int]):
    assert complaint(ids=[1], except_ids=except_ids) == "ids and except_ids are both given; give one of them"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0),
        (90, 90),
        (1.5, 1.5),
        (np.float32(2.5), 2.5),
        ("90", 90),
        (" 90.25 ", 90.25),
        ("1:30", 90),
        ("90:00", 5400),
        ("0:01:30.5", 90.5),
        ("00:00:00.040", 0.04),
        ("100:59:59", 363599),
    ],
)
def test_times_are_seconds_or_clock_times(value: object, seconds: float):
    start = Options.of({"start": value}).start
    assert type(start) is float
    assert start == seconds


@pytest.mark.parametrize("name", ["start", "end"])
@pytest.mark.parametrize(
    "value",
    [
        *[-1, -0.1, float("nan"), float("inf"), 10**400, True, []],
        *["", "-1", "1:60", "1:60:00", ":30", "1:", "1:2:3:4", "1,5", "90s", "1e3", "nan", "٣", "9" * 99],
    ],
)
def test_other_times_are_refused(name: str, value: object):
    message = complaint(**{name: value})
    assert message.startswith(f"{name} is ")
    assert message.endswith("it can be seconds from 0, or a time such as 1:30 or 0:01:30.5")


@pytest.mark.parametrize(
    ("start", "end"), [("1:30", 90), (91, "1:30"), (None, 0), (0, 0)], ids=["equal", "before", "nothing", "empty"]
)
def test_the_end_is_after_the_start(start: object, end: object):
    assert "it must be after start" in complaint(start=start, end=end)


def test_an_end_before_the_start_is_told_with_both():
    assert complaint(start=91, end="1:30") == "end is 90.0; it must be after start, 91.0"


@pytest.mark.parametrize("name", ["", "Style", "blurType", "colour\nred", 3, None, ("blur",)])
def test_unknown_options_are_told_with_the_known(name: str):
    with pytest.raises(ConfigurationUnsupportedError) as caught:
        Options.of({"crf": 3, name: "Low"})
    assert str(caught.value) == f"unknown option {name!r}; there are {', '.join(NAMES)}"


@pytest.mark.parametrize(
    "value",
    [10**5000, "x" * 10**6, [[[[[[[[[[]]]]]]]]]], np.zeros((50, 50)), object()],
    ids=["number", "text", "nested", "array", "object"],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_message_is_one_short_line(name: str, value: object):
    if name in ("model", "ids", "except_ids") and isinstance(value, str):
        value = b"x" * 10**6
    assert complaint(**{name: value}).startswith(f"{name} is ")


@given(st.lists(st.integers(0, MAX_ID), min_size=1), st.sampled_from([",", ", ", " ", "\n", ",,"]))
def test_a_list_of_ids_is_read_back(ids: list[int], comma: str):
    assert parse_ids(comma.join(map(str, ids))) == tuple(ids)


@given(st.text())
def test_any_text_is_a_list_or_a_file_name(text: str):
    try:
        ids = parse_ids(text)
    except ConfigurationUnsupportedError:
        assert int(max(text.replace(",", " ").split(), key=int)) > MAX_ID
        return
    if ids is None:
        assert not text.isascii() or not text.isdigit()
    else:
        assert set(text) <= set("0123456789, \t\n\r\f\v")


@pytest.mark.parametrize("text", ["", ",", " , ", "foo_IDList.txt", "1.txt", "-1", "1-3"])
def test_other_texts_are_file_names(text: str):
    assert parse_ids(text) is None


@pytest.mark.parametrize("text", [str(MAX_ID + 1), "1,9999999999", "9" * 5000], ids=lambda text: text[:20])
def test_a_list_with_too_large_an_id_is_an_error_and_no_file_name(text: str):
    with pytest.raises(ConfigurationUnsupportedError, match=f"an id that is too large; they go up to {MAX_ID}$"):
        parse_ids(text)


class TestTable:
    """One table says what may be chosen; everything else is made from it."""

    @pytest.mark.parametrize("use", [FILES, LIVE])
    def test_every_default_will_do(self, use: str):
        for name, option in options_for(use).items():
            assert option.kind.check(name, option.default) == option.default

    def test_a_redactor_has_the_options_of_streams_with_their_defaults(self):
        parameters = signature(facered.Redactor).parameters
        table = options_for(LIVE)
        encoding = {name for name, option in table.items() if option.group == "encoding"}
        assert set(parameters) == set(table) - encoding
        for name, parameter in parameters.items():
            assert parameter.default == table[name].default, name

    def test_options_have_the_fields_of_files(self):
        assert set(NAMES) == set(options_for(FILES))
        assert Options() == Options(**{name: option.default for name, option in options_for(FILES).items()})

    def test_help_names_every_option_of_files_and_of_streams(self, capsys: pytest.CaptureFixture[str]):
        for command, use, elsewhere in (
            ("combined", FILES, {"ids", "except_ids"}),
            ("pipe", LIVE, {"rate", "select", "on_faces"}),
        ):
            with pytest.raises(SystemExit):
                build_parser().parse_args([command, "--help"])
            told = capsys.readouterr().out
            for name, option in options_for(use).items():
                assert (f"{option.flag} " in told or f"{option.flag}\n" in told) == (name not in elsewhere), name

    def test_the_page_is_made_from_it(self):
        assert PAGE.read_text(encoding="utf-8") == page()

    def test_the_docstring_is_made_from_it(self):
        assert all(
            f"{name} : {option.kind.range}\n" in (Options.__doc__ or "") for name, option in options_for(FILES).items()
        )


@pytest.mark.parametrize(
    ("given", "stored"),
    [(None, None), (0, 0), ("4G", 4 << 30), ("1.5 GiB", 3 << 29), ("800m", 800 << 20), ("10kb", 10240), (" 77 ", 77)],
)
def test_memory_is_told_in_bytes_or_larger_units(given: object, stored: int | None) -> None:
    assert Options(memory=given).memory == stored  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["5X", "", "-1G", -1, "G", "99999999T", 2**61, True, [1], "1e3", float("nan")])
def test_no_memory_is_told_with_what_can_be(value: object) -> None:
    assert "it can be bytes, or a text such as 4G" in complaint(memory=value)
