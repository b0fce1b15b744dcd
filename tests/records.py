"""What was tried: one line printed, and one line of JSON in `.cache/reliability.jsonl`, for each part of a long run."""

from __future__ import annotations

import json
import time
from pathlib import Path

PLACE = Path(__file__).resolve().parent.parent / ".cache" / "reliability.jsonl"


def note(part: str, seconds: float, counts: dict[str, float], *, seed: int | None = None, ok: bool = True) -> None:
    """Print what a part has tried and found, and add it to the records."""
    told = ", ".join(f"{value:,.10g} {name}" for name, value in counts.items())
    print(f"{'ok    ' if ok else 'FAILED'}  {part}: {told} in {seconds:.0f} s", flush=True)  # noqa: T201
    record = {"part": part, "counts": counts, "seconds": round(seconds, 1), "seed": seed, "ok": ok}
    PLACE.parent.mkdir(exist_ok=True)
    with PLACE.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record | {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}) + "\n")
