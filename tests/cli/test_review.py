"""``facered review`` as a program."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from reviewed import annotate, make_film
from thinned import thinned


@contextmanager
def reviewing(*arguments: object, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run it, and tell the first line that it prints."""
    command = [sys.executable, "-m", "facered", "review", *map(str, arguments)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env={**os.environ, **more}, **pipes) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def ask(address: str, path: str, body: object = None) -> bytes:
    url = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=30)
    headers = {"Cookie": f"facered-{url.port}={url.query.partition('=')[2]}", "Content-Type": "application/json"}
    if body is not None:
        headers["Origin"] = f"http://127.0.0.1:{url.port}"
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
    content = connection.getresponse().read()
    connection.close()
    return content


def test_the_first_line_is_the_address_and_ctrl_c_saves(tmp_path: Path) -> None:
    film = make_film(tmp_path, audio=None)
    annotate(film)
    with reviewing(film, "-o", tmp_path, "--no-browser") as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/\?token=[\w-]{43}", address)
        assert json.loads(ask(address, "/api/do", {"do": "show", "ids": [1]}))["revision"] == 1
        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=20)
        assert (process.returncode, rest, complaints) == (0, "", "")
    assert (tmp_path / "foo_IDList.txt").read_text() == "2\n3\n"


def test_a_film_that_was_not_analyzed_is(carphone: Path, tmp_path: Path) -> None:
    with reviewing(carphone, "-o", tmp_path, "--no-browser", "--port", 0) as (process, address):
        names = set()
        until = time.monotonic() + 60
        while not (status := json.loads(ask(address, "/api/status")))["ready"]:
            assert time.monotonic() < until
            names.add(status["work"]["name"])
            assert not status["work"]["error"]
            time.sleep(0.05)
        assert names == {"analyze"}
        assert len(json.loads(ask(address, "/api/state"))["people"]) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_ctrl_c_amid_the_analysis_leaves_nothing_half_written(rabbit: Path, tmp_path: Path) -> None:
    with reviewing(rabbit, "-o", tmp_path, "--no-browser") as (process, address):
        assert not json.loads(ask(address, "/api/status"))["ready"]
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
        assert (process.returncode, complaints) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_the_token_is_in_no_programs_arguments(tmp_path: Path) -> None:
    """The browser is sent there by a page of its owner's alone."""
    film = make_film(tmp_path, audio=None)
    annotate(film)
    browser, seen = tmp_path / "browser.sh", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$@" > {seen}.new\ncat "${{1#file://}}" >> {seen}.new\nmv {seen}.new {seen}\n')
    browser.chmod(0o700)
    with reviewing(film, "-o", tmp_path, BROWSER=f"{browser} %s") as (process, address):
        until = time.monotonic() + 20
        while not seen.exists() and time.monotonic() < until:
            time.sleep(0.05)
        told, page = seen.read_text().split("\n", 1)
        token = address.partition("token=")[2]
        assert token not in told
        assert token in page
        way = Path(told.removeprefix("file://"))
        assert way.parent.stat().st_mode & 0o777 == 0o700
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert not way.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    thinned(
        [
            (["missing.mp4"], "missing.mp4: no such file"),
            (["{film}", "--port", "70000"], "is not a port"),
            (["{film}", "--blur", "Fog"], "blur is 'Fog'"),
            (["{film}", "--export", "no/where/review.html"], "cannot be written"),
            (["{film}", "--export", "{film}"], "this is an input"),
            ([], "VIDEO"),
        ]
    ),
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, arguments: list[str], why: str) -> None:
    film = make_film(tmp_path, audio=None)
    annotate(film)
    command = [sys.executable, "-m", "facered", "review", *(word.format(film=film) for word in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_and_a_film_under_review_are_told(tmp_path: Path) -> None:
    film, other = make_film(tmp_path, audio=None), make_film(tmp_path, "bar.mp4", audio=None)
    annotate(film)
    annotate(other)
    with reviewing(film, "-o", tmp_path, "--no-browser") as (_, address):
        port = str(urlsplit(address).port)
        for name, more, why in ((film, [], "is being reviewed already"), (other, ["--port", port], "cannot be taken")):
            command = [sys.executable, "-m", "facered", "review", str(name), "-o", str(tmp_path), "--no-browser", *more]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
            assert why in done.stderr


def test_without_the_packages_of_the_page_it_says_how_to_get_them(tmp_path: Path) -> None:
    film = make_film(tmp_path, audio=None)
    code = (
        "import sys; sys.modules['starlette'] = None; sys.argv = ['facered', 'review', sys.argv[1]];"
        "from facered.cli.entry import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code, film], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'facered: the page needs Starlette and uvicorn: pip install "facered[review]"\n'
    assert [path.name for path in tmp_path.iterdir()] == ["foo.mp4"]
