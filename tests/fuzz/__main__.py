"""Give all that reads inputs those that nobody expects: ``make fuzz [SECONDS=600] [SEED=n] [TARGETS="film.mp4 ..."]``.

Inputs are made of a few sound ones, by chance that a seed decides: the same seed makes the same inputs again. One that
is answered in words that no other was answered in is kept for a while, and others are made of it. What is neither
answered by a result nor by a `FaceredError` is a finding: its input becomes a file in ``findings``, which
``test_findings.py`` gives to facered again in every `make test`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random, SystemRandom

from fuzz.findings import keep
from fuzz.target import Target
from fuzz.targets import TARGETS
from fuzz.worker import Worker

SECONDS = 600.0
MOST_KEPT = 100
"""Inputs that others are made of, at most, besides the sound ones."""
MOST_FINDINGS = 5
"""Findings of one kind after which no more of them are kept."""
TURN = 5.0
"""Seconds that a target is tried for before it is another one's turn."""
_printing = threading.Lock()


@dataclass
class Progress:
    """How far a target is: the seeds, what was kept, and counts."""

    target: Target
    seed: int
    number: int = 0
    findings: int = 0
    seconds: float = 0.0
    pool: list[bytes] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    kinds: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sound = self.target.seeds()

    def inputs(self) -> Iterator[bytes]:
        """Yield the next inputs: the sound ones first."""
        while True:
            number, self.number = self.number, self.number + 1
            if number < len(self.sound):
                yield self.sound[number]
            else:
                rng = Random(f"{self.seed}/{self.target.name}/{number}")
                yield self.target.mutate(rng, [*self.sound * 3, *self.pool])

    def turn(self, worker: Worker, seconds: float) -> None:
        """Try inputs for a while."""
        begun = time.monotonic()
        for data in self.inputs():
            outcome = worker.try_out(self.target.name, data)
            if outcome.wrong:
                self._note(data, outcome.words)
            elif (kind := _kind_of(outcome.words)) not in self.seen:
                self.seen.add(kind)
                self.pool.append(data)
                del self.pool[:-MOST_KEPT]
            if time.monotonic() - begun >= seconds:
                break
        self.seconds += time.monotonic() - begun

    def _note(self, data: bytes, words: str) -> None:
        self.findings += 1
        kind = _kind_of(words[-300:])
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if self.kinds[kind] <= MOST_FINDINGS:
            path = keep(self.target.name, data)
            with _printing:
                print(f"FINDING  {self.target.name}, input {self.number - 1} of seed {self.seed}, kept as {path}:")
                print("         " + words.strip().replace("\n", "\n         "), flush=True)


def _kind_of(words: str) -> str:
    """Return words without numbers, names and values, so that those that tell the same are the same."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"|\S*[^a-zA-Z\s,;:.]\S*", "", words)
    return " ".join(re.findall("[a-zA-Z]+", plain)[:12])


def _run(chosen: Sequence[Target], seconds: float, seed: int, jobs: int) -> list[Progress]:
    """Give each target its share of the time, in turns; several at a time where there are several jobs."""
    begun, waiting = time.monotonic(), [Progress(target, seed) for target in chosen]
    everything, end = list(waiting), begun + seconds
    lock = threading.Lock()

    def work(_: int) -> None:
        worker = Worker()
        try:
            while time.monotonic() < end:
                with lock:  # whoever has had the least of its share is next
                    if not waiting:
                        return
                    progress = min(waiting, key=lambda each: each.seconds / each.target.share)
                    waiting.remove(progress)
                progress.turn(worker, min(TURN, seconds / len(chosen) / 2, end - time.monotonic()))
                with lock:
                    waiting.append(progress)
        finally:
            worker.close()

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, range(jobs)))
    return everything


def main() -> int:
    """Run, print what came of it, and return 1 where there are findings."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Inputs that nobody expects.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="names, or their beginnings (default: all)")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument(
        "--seed", type=int, help="decides the inputs (default: another one each time, which is printed)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    options = parser.parse_args()
    chosen = [
        target
        for name, target in TARGETS.items()
        if not options.targets or any(name.startswith(word) for word in options.targets)
    ]
    if not chosen:
        parser.error(f"no such target; there are {', '.join(TARGETS)}")
    seed = SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"{len(chosen)} targets, {options.seconds:g} s, seed {seed}", flush=True)
    done = _run(chosen, options.seconds, seed, options.jobs)
    for progress in done:
        rate = progress.number / max(progress.seconds, 0.001)
        print(
            f"{progress.target.name:18} {progress.number:8} inputs  {rate:7.1f}/s  "
            f"{len(progress.seen):4} kinds of answer  {progress.findings:4} findings"
        )
    inputs, findings = sum(progress.number for progress in done), sum(progress.findings for progress in done)
    print(f"fuzz: {inputs} inputs, {findings} findings, {len(done)} targets, seed {seed}")
    return min(findings, 1)


if __name__ == "__main__":
    sys.exit(main())
