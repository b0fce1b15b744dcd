"""How quickly the review page answers, in Chromium: ``python -m bench.review``.

A film of an hour with 300 people, made from annotations: until its page is painted, and how smoothly list and timeline
are scrolled. A film of 1920 x 1080: a step to the next frame, and to the one before, from the key to the picture. A
film of 1280 x 720: how many of its frames are shown while it plays.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from bench import clips, report
from facered.annotations.model import Annotations
from facered.annotations.table import Extras
from facered.review.desk import Desk
from facered.review.server import ReviewServer
from facered.video.input.file import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from playwright.sync_api import Browser, Page

RATE, HOUR, PEOPLE = 25, 3600, 300
STEPS = 60
TARGETS = {
    "first paint s": 2.0,
    "scrolled frames/s": 30.0,
    "step p95 ms": 60.0,
    "step back p95 ms": 60.0,
    "played": 0.96,
}


def encode(path: Path, frames: Iterable[av.VideoFrame], width: int, height: int, **options: str) -> Path:
    """Write a film of 25 frames a second."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", **options})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def annotate(film: Path, people: int, seed: int = 3) -> None:
    """Write annotations of so many people, each there in a dozen runs of half a minute at most."""
    with Reader(film, report=False) as reader:
        info, times = reader.info, [frame.pts for frame in reader.frames()]
    rng = np.random.default_rng(seed)
    rows = []
    for one in range(1, people + 1):
        for begin in rng.integers(0, len(times), min(12, len(times) // 10)):
            frames = np.arange(begin, min(begin + rng.integers(10, 30 * RATE), len(times)))
            place = np.tile(rng.uniform(0, 0.9, 2), (len(frames), 1)) + 0.01 * np.sin(frames / 9)[:, None]
            rows.append(np.column_stack([frames, np.full(len(frames), one), place, np.full((len(frames), 2), 0.05)]))
    table = np.concatenate(rows)
    _, first = np.unique(table[:, :2], axis=0, return_index=True)
    table = table[first]
    count = len(table)
    Annotations(
        time_base=info.time_base,
        rate=Fraction(RATE),
        width=info.width,
        height=info.height,
        margin=1.35,
        pts=np.array(times, np.int64),
        last_duration=1,
        starts=np.searchsorted(table[:, 0], np.arange(len(times) + 1)).astype(np.int64),
        ids=table[:, 1].astype(np.int64),
        boxes=table[:, 2:],
        scores=np.full(count, 0.8, np.float32),
        doubtful=table[:, 1] % 7 == 0,
        extras=Extras({"segments": [0]}),
    ).write(film.with_name(f"{film.stem}_annotations.json"))


@contextmanager
def opened(browser: Browser, film: Path) -> Iterator[tuple[Page, float]]:
    """Open a film's page, and tell after how many seconds its first picture was there."""
    desk = Desk(film, film.parent, {})
    desk.begin()
    server = ReviewServer(desk)
    thread = threading.Thread(target=server.run)
    thread.start()
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    try:
        page.goto("about:blank")
        begun = time.perf_counter()
        page.goto(server.address)
        page.wait_for_selector("body[data-ready]")
        while not page.evaluate("window.review.player.drawn"):
            page.wait_for_timeout(5)
        yield page, time.perf_counter() - begun
    finally:
        page.close()
        server.stop()
        thread.join()
        desk.close()


SCROLL = """async () => {
  const list = document.getElementById("people"), timeline = window.review.timeline;
  let frames = 0;
  const begun = performance.now();
  while (performance.now() - begun < 4000) {
    await new Promise((done) => requestAnimationFrame(done));
    list.scrollTop += 40;
    timeline.scrollTo(timeline.scroll + 15);
    timeline.zoom(frames % 120 < 60 ? 0.98 : 1.02);
    frames += 1;
  }
  return frames / (performance.now() - begun) * 1000;
}"""
STEP = """async (by) => {
  const player = window.review.player, wanted = player.frame + by;
  const begun = performance.now();
  player.seek(wanted);
  while (player.shown !== wanted) await new Promise((done) => setTimeout(done, 1));
  return performance.now() - begun;
}"""
PLAY = """async (seconds) => {
  const player = window.review.player;
  const shown = new Set(), paint = player.paint.bind(player);
  player.paint = (frame) => { if (frame !== undefined) shown.add(frame); paint(frame); };
  player.frame = 0;
  player.play();
  while (!shown.size) await new Promise((done) => setTimeout(done, 1));
  await new Promise((done) => setTimeout(done, seconds * 1000));
  player.stop();
  return shown.size;
}"""


def long_film(browser: Browser, folder: Path) -> dict[str, float]:
    """Measure the film of an hour."""
    picture = av.VideoFrame.from_ndarray(np.full((90, 160), 90, np.uint8), format="gray").reformat(format="yuv420p")
    film = encode(folder / "hour.mp4", (picture for _ in range(HOUR * RATE)), 160, 90)
    annotate(film, PEOPLE)
    with opened(browser, film) as (page, seconds):
        return {"first paint s": seconds, "scrolled frames/s": page.evaluate(SCROLL)}


def steps(browser: Browser, film: Path) -> dict[str, float]:
    """Measure steps ahead, and back."""
    found = {}
    with opened(browser, film) as (page, _):
        page.evaluate(STEP, 30)
        for name, by in (("step p95 ms", 1), ("step back p95 ms", -1)):
            taken = [page.evaluate(STEP, by) for _ in range(STEPS)]
            found[name] = statistics.quantiles(taken, n=20)[-1]
            found[name.replace("p95", "p50")] = statistics.median(taken)
    return found


def playing(browser: Browser, film: Path, seconds: float = 4) -> dict[str, float]:
    """Measure which part of the frames is shown while a film plays, with all masks drawn."""
    with opened(browser, film) as (page, _):
        page.select_option("#view", "redacted")
        return {"played": page.evaluate(PLAY, seconds) / (seconds * RATE)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    del arguments
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("skipped: Playwright is not installed", file=sys.stderr)
        return 0
    chromium = shutil.which("chromium")
    if chromium is None:
        print("skipped: Chromium is not installed", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as name, sync_playwright() as player:
        folder = Path(name)
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        source = clips.CACHE / "clips" / "bigbuckbunny.mp4"
        large = encode(folder / "1080.mp4", clips.decoded(source), 1920, 1080, preset="veryfast")
        middle = encode(folder / "720.mp4", clips.decoded(source), 1280, 720, preset="veryfast")
        for film in (large, middle):
            annotate(film, 6)
        found = long_film(browser, folder) | steps(browser, large) | playing(browser, middle)
        browser.close()
    for key, value in found.items():
        target = TARGETS.get(key)
        print(f"{key:22} {value:8.2f}" + ("" if target is None else f"   target {target:g}"))
    print(report.save("bench-review.json", found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
