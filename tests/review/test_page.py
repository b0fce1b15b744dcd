"""The page in a real browser: what a person does, and what comes of it."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

import facered
from facered.annotations.table import REGION_IDS
from facered.review.desk import Desk
from facered.review.server import ReviewServer
from reviewed import FACES, FRAMES, HEIGHT, PLATE, WIDTH, annotate, is_bare, lumas_of, make_film

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served(folder: Path, film: Path) -> Iterator[str]:
    desk = Desk(film, folder, {"crf": 8})
    desk.begin()
    server = ReviewServer(desk)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()
        desk.close()


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page at the size of a laptop; whatever it complains of is an error."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def film(tmp_path: Path) -> Path:
    film = make_film(tmp_path)
    annotate(film)
    return film


def wait(page: Page, expression: str, argument: object = None, seconds: float = 15) -> None:
    """Wait until something holds on the page, whose policy lets it evaluate nothing by itself."""
    until = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < until, expression
        page.wait_for_timeout(20)


def revision(page: Page) -> int:
    return int(page.evaluate("window.review.player.revision"))


def press(page: Page, key: str) -> None:
    """Press a key that is a gesture, and wait until that was done."""
    before = revision(page)
    page.keyboard.press(key)
    wait(page, "before => window.review.player.revision > before", before)


def go(page: Page, frame: int) -> None:
    page.evaluate("frame => window.review.player.seek(frame)", frame)
    wait(page, "frame => window.review.player.shown === frame", frame)


def point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a place of the picture, in its pixels, is on the screen."""
    box = page.locator("#picture").bounding_box()
    assert box is not None
    scale = min(box["width"] / WIDTH, box["height"] / HEIGHT)
    left, top = box["x"] + (box["width"] - WIDTH * scale) / 2, box["y"] + (box["height"] - HEIGHT * scale) / 2
    return left + x * scale, top + y * scale


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*point(page, *start))
    page.mouse.down()
    page.mouse.move(*point(page, *end), steps=3)
    page.mouse.up()


def people(page: Page) -> dict[int, bool]:
    """Return who is hidden."""
    return {
        int(one): hidden
        for one, hidden in page.evaluate("window.review.people.people.map(one => [one.id, one.hidden])")
    }


def test_what_a_person_does_from_the_analysis_to_the_result(browser: Browser, film: Path) -> None:
    """Show one of three, split, merge, draw, undo, reload, redact, and look at the pixels."""
    folder = film.parent
    with served(folder, film) as address, opened(browser, address) as page:
        assert "token" not in page.url
        assert people(page) == {1: True, 2: True, 3: True}
        page.click("#card-1")
        press(page, "U")
        page.fill("#reason", "an official")
        page.keyboard.press("Enter")
        wait(page, "window.review.people.people[0].reason === 'an official'")
        page.click("#card-2")
        go(page, 30)
        press(page, "S")
        assert people(page) == {1: False, 2: True, 3: True, 4: True}
        page.click("#card-2")
        page.click("#card-4", modifiers=["Control"])
        press(page, "M")
        assert people(page) == {1: False, 2: True, 3: True}

        page.keyboard.press("Escape")
        go(page, 20)
        place = PLATE.way(20)
        assert place is not None
        x, y, size = place
        page.keyboard.press("D")
        before = revision(page)
        drag(page, (x - size * 0.7, y - size * 0.7), (x + size * 0.7, y + size * 0.7))
        wait(page, "before => window.review.player.revision > before", before)
        assert people(page)[REGION_IDS]
        go(page, 60)
        place = PLATE.way(60)
        boxes = page.evaluate("window.review.player.here(60)")
        (drawn,) = [box for box in boxes if box[0] == REGION_IDS]
        assert place is not None
        assert abs((drawn[1] + drawn[3] / 2) * WIDTH - place[0]) < 5

        press(page, "Control+z")
        assert REGION_IDS not in people(page)
        press(page, "Control+y")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        assert people(page) == {1: False, 2: True, 3: True, REGION_IDS: True}
        page.keyboard.press("Control+Enter")
        wait(page, "document.getElementById('status').textContent.startsWith('written')", seconds=30)

    assert (folder / "foo_IDList.txt").read_text() == f"2\n3\n{REGION_IDS}\n"
    document = json.loads((folder / "foo_annotations.json").read_bytes())
    assert document["people"]["1"]["reason"] == "an official"
    before_, after = lumas_of(film), lumas_of(folder / "foo_redacted.mp4")
    for frame in range(FRAMES):
        assert is_bare(after[frame], before_[frame], FACES[0], frame)
        for person in (FACES[1], PLATE, *([FACES[2]] if frame < 50 else [])):
            assert not is_bare(after[frame], before_[frame], person, frame)


def test_a_box_is_moved_and_resized_with_the_mouse(browser: Browser, film: Path) -> None:
    with served(film.parent, film) as address, opened(browser, address) as page:
        go(page, 10)
        page.click("#card-2")
        x, y, size = FACES[1].way(10) or (0, 0, 0)
        before = revision(page)
        drag(page, (x, y), (x + 30, y + 20))
        wait(page, "before => window.review.player.revision > before", before)
        wait(page, "window.review.player.here(10).length")
        moved = next(box for box in page.evaluate("window.review.player.here(10)") if box[0] == 2)
        assert abs((moved[1] + moved[3] / 2) * WIDTH - x - 30) < 3
        half = size * 0.7
        before = revision(page)
        drag(page, (x + 30 + half, y + 20 + half), (x + 50 + half, y + 40 + half))
        wait(page, "before => window.review.player.revision > before", before)
        wait(page, "window.review.player.here(10).length")
        larger = next(box for box in page.evaluate("window.review.player.here(10)") if box[0] == 2)
        assert abs((larger[3] - moved[3]) * WIDTH - 20) < 3


def test_two_tabs_do_not_destroy_each_others_work(browser: Browser, film: Path) -> None:
    with served(film.parent, film) as address, opened(browser, address) as one:
        two = one.context.new_page()
        two.goto(one.url)
        two.wait_for_selector("body[data-ready]")
        one.click("#card-1")
        press(one, "U")
        two.click("#card-3")
        two.keyboard.press("U")
        wait(two, "window.review.people.people.filter(one => !one.hidden).length === 2")
        wait(one, "window.review.people.people.filter(one => !one.hidden).length === 2")
        two.close()
    assert (film.parent / "foo_IDList.txt").read_text() == "2\n"


def test_doubtful_places_views_and_help_by_keys_alone(browser: Browser, film: Path) -> None:
    with served(film.parent, film) as address, opened(browser, address) as page:
        page.keyboard.press("n")
        wait(page, "window.review.player.shown === 41")
        assert page.locator("#card-3").get_attribute("aria-selected") == "true"
        page.keyboard.press("Shift+ArrowLeft")
        wait(page, "window.review.player.shown === 31")
        page.keyboard.press("ArrowRight")
        wait(page, "window.review.player.shown === 32")
        page.keyboard.press("v")
        assert page.locator("#view").input_value() == "redacted"
        page.keyboard.press("?")
        assert page.locator("dialog#keys").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("doubtful")
        assert page.locator(".card").count() == 1
        named = page.evaluate(
            "[...document.querySelectorAll('button, input, select')].every("
            "one => one.ariaLabel || one.textContent.trim() || one.labels?.length || one.placeholder)"
        )
        assert named


def test_it_plays_at_the_films_speed_with_its_sound(browser: Browser, film: Path) -> None:
    with served(film.parent, film) as address, opened(browser, address) as page:
        wait(page, "document.getElementById('sound').readyState > 0")
        page.keyboard.press("Space")
        wait(page, "window.review.player.playing")
        wait(page, "!window.review.player.playing", seconds=15)
        assert page.evaluate("window.review.player.frame") == FRAMES - 1
        assert page.evaluate("window.review.player.drawn") > FRAMES / 2


def test_at_twice_the_size_all_can_be_reached(browser: Browser, film: Path) -> None:
    with served(film.parent, film) as address:
        page = browser.new_page(viewport={"width": 683, "height": 384})  # as 1366 x 768 at 200 %
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        for name in ("#redact", "#people", "#timeline", "#merge"):
            page.locator(name).scroll_into_view_if_needed()
            assert page.locator(name).is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()


def test_the_picture_of_the_page_in_the_readme(browser: Browser, carphone: Path, tmp_path: Path) -> None:
    """FACERED_PICTURES=docs has it written there anew."""
    facered.analyze(carphone, tmp_path)
    with served(tmp_path, carphone) as address, opened(browser, address) as page:
        page.click("#card-1")
        go(page, 60)
        page.wait_for_timeout(300)
        below = page.evaluate("document.elementFromPoint(400, innerHeight - 100).id")
        assert below == "timeline"  # nothing lies over it
        picture = page.screenshot(type="jpeg", quality=70)
        folder = os.environ.get("FACERED_PICTURES")
        if folder:
            Path(folder, "review.jpg").write_bytes(picture)
        wide, high = page.evaluate("[window.review.player.canvas.width, window.review.player.canvas.height]")
        assert (wide, high) == (1280, round(1280 * 144 / 176))
    assert len(picture) > 20_000
