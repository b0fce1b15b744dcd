"""Job configuration: a mapping, a text or a file -> the mode and checked option values.

Azure Media Redactor took texts such as ``{'version':'1.0', 'options': {'mode':'combined'}}``, single quotes and all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from facered import checks
from facered.checks import shown
from facered.errors import ConfigurationUnsupportedError
from facered.options import BLURS, FILES, Options, options_for

MODES = ("analyze", "redact", "combined")

MAX_SIZE = 2**20
"""Most characters of a text, and bytes of a file."""

EXAMPLE = "{'version':'1.0', 'options': {'mode':'combined'}}"

# A string of either kind, closed or not, or what JSON spells differently. What matches is never looked at twice.
_LENIENT = re.compile(
    r"""(?s:"(?:[^"\\]|\\.)*+(?P<double>"?))
    | '(?P<body>(?s:[^'\\]|\\.)*+)(?P<single>'?)
    | \b(?P<word>True|False|None)\b
    | (?P<comma>,)(?=\s*[}\]])""",
    re.VERBOSE,
)
_ESCAPE_OR_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null"}

_OPTIONS = options_for(FILES)
_FIELDS = {name.replace("_", ""): name for name in _OPTIONS} | {"mode": "mode", "blurtype": "blur"}
"""What the keys of ``options`` stand for."""

_KNOWN = ", ".join(["mode", "blurType", "resolution", *(name for name in _OPTIONS if name != "resolution")])


def read_config(config: str | os.PathLike[str] | Mapping[str, object]) -> tuple[str | None, dict[str, object]]:
    """Return the mode and the options of a job configuration.

    Parameters
    ----------
    config : str, path-like or Mapping
        The configuration itself, as JSON in single or double quotes where its first character is a brace, or the name
        of a file with it, or what it would be parsed to. Case does not matter in keys and names, nor do hyphens and
        underscores in keys.

    Returns
    -------
    mode : str or None
        One of `MODES`; None where the configuration names none.
    options : dict
        Checked values by the names of `Options`' fields, of those that the configuration holds and no others.

    Raises
    ------
    ConfigurationUnsupportedError
        The file cannot be read, the text cannot be parsed, or there is a key or value that is not known.

    Examples
    --------
    >>> read_config("{'version':'1.0', 'options': {'mode':'Combined', 'blurType':'high', 'maxFaces': 9}}")
    ('combined', {'blur': 'High', 'max_faces': 9})
    """
    outer = _keyed(document_of(config), {"version": "version", "options": "options"}, "version, options")
    if "version" in outer:
        _check_version(*outer["version"])
    if "options" not in outer:
        raise ConfigurationUnsupportedError(f"the job configuration has no 'options'; it looks like {EXAMPLE}")
    written, inner = outer["options"]
    if not isinstance(inner, Mapping):
        raise ConfigurationUnsupportedError(f"{written} is {shown(inner)}; it can be as in {EXAMPLE}")
    options = _keyed(inner, _FIELDS, _KNOWN)
    mode = checks.choice(MODES).check(*options.pop("mode")) if "mode" in options else None
    if "blur" in options:
        checks.choice(BLURS).check(*options["blur"])  # for a message with the key as it was written
    checked = Options.of({name: value for name, (_, value) in options.items()})
    return mode, {name: getattr(checked, name) for name in options}


def document_of(config: object) -> Mapping[object, object]:
    """Return what a job configuration holds, whatever it is given as; see `read_config`."""
    if isinstance(config, Mapping):
        return config
    if isinstance(config, str):
        if len(config) > MAX_SIZE:
            raise _too_large("the job configuration")
        if config.removeprefix("\ufeff").lstrip().startswith("{"):
            return _parse(config, "the job configuration")
    elif not isinstance(config, os.PathLike):
        raise ConfigurationUnsupportedError(f"the job configuration is {shown(config)}; it can be a file or {EXAMPLE}")
    path = os.fsdecode(config)
    source = f"job configuration {shown(path)}"
    return _parse(_read(path, source), source)


def _read(path: str, source: str) -> str:
    if not path:
        raise ConfigurationUnsupportedError(f"the job configuration is empty; it can be a file or {EXAMPLE}")
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "not the name of a file"
        raise ConfigurationUnsupportedError(f"{source}: {reason}; it can be a file or {EXAMPLE}") from None
    if len(content) > MAX_SIZE:
        raise _too_large(source)
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        raise ConfigurationUnsupportedError(f"{source}: it is not text; save it as UTF-8") from None


def _parse(text: str, source: str) -> Mapping[object, object]:
    """Return the object in a text: JSON, with either kind of quotes, Python's constants and commas at the end."""
    try:
        document = json.loads(_LENIENT.sub(_strict, text.removeprefix("\ufeff")), object_pairs_hook=_without_twins)
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" enclosed in double quotes")
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigurationUnsupportedError(f"{source}: not JSON at {place}: {problem}") from None
    except ValueError as error:
        raise ConfigurationUnsupportedError(f"{source}: not JSON: {error}") from None
    except RecursionError:
        raise ConfigurationUnsupportedError(f"{source}: it is nested too deeply; it looks like {EXAMPLE}") from None
    if not isinstance(document, dict):
        raise ConfigurationUnsupportedError(f"{source}: it holds {shown(document)}; it looks like {EXAMPLE}")
    return document


def _strict(match: re.Match[str]) -> str:
    """Return a piece of text as JSON has it, of the same length where that can be."""
    if match["word"] is not None:
        return _WORDS[match["word"]]
    if match["comma"] is not None:
        return " "
    if "" in (match["double"], match["single"]):
        raise ValueError("a quotation mark is not closed")
    if match["body"] is None:
        return match[0]
    return (
        '"' + _ESCAPE_OR_QUOTE.sub(lambda found: {r"\'": "'", '"': r"\""}.get(found[0], found[0]), match["body"]) + '"'
    )


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{shown(key)} is given twice")
        found[key] = value
    return found


def _keyed(mapping: Mapping[object, object], names: Mapping[str, str], known: str) -> dict[str, tuple[str, object]]:
    """Return values by what their keys stand for, each with the key as it was written."""
    found: dict[str, tuple[str, object]] = {}
    for key, value in mapping.items():
        name = names.get(re.sub("[-_]", "", key).lower()) if isinstance(key, str) else None
        if name is None or not isinstance(key, str):
            raise ConfigurationUnsupportedError(f"unknown key {shown(key)} in the job configuration; there are {known}")
        if name in found:
            both = f"{shown(found[name][0])} and {shown(key)}"
            raise ConfigurationUnsupportedError(f"the job configuration has both {both}; give one of them")
        found[name] = key, value
    return found


def _check_version(written: str, value: object) -> None:
    if isinstance(value, str):
        fits = value in ("1.0", "1")
    else:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and value == 1
    if not fits:
        raise ConfigurationUnsupportedError(f"{written} is {shown(value)}; it can be 1.0")


def _too_large(source: str) -> ConfigurationUnsupportedError:
    return ConfigurationUnsupportedError(f"{source}: it is larger than {MAX_SIZE:,} bytes; it looks like {EXAMPLE}")
