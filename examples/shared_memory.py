"""Redact pictures where they lie: one process decodes into shared memory, another hides the faces in it.

    python examples/shared_memory.py in.mp4

No picture is copied between the two; what goes through the queues is a number. There are a few slots in turn, so that
the producer decodes the next picture while the consumer works on this one.
"""

from __future__ import annotations

import argparse
import multiprocessing
from multiprocessing.queues import Queue
from multiprocessing.shared_memory import SharedMemory

import av
import numpy as np

import facered

SLOTS = 4


def planes_of(memory: memoryview, width: int, height: int) -> list[np.ndarray]:
    """Return the Y, U and V planes of a yuv420p picture that lies there without padding."""
    sizes = [(height, width), *[(-(-height // 2), -(-width // 2))] * 2]
    planes, start = [], 0
    for rows, columns in sizes:
        planes.append(np.frombuffer(memory, np.uint8, rows * columns, start).reshape(rows, columns))
        start += rows * columns
    return planes


def hide(name: str, width: int, height: int, filled: Queue[int | None], ready: Queue[tuple[int, int]]) -> None:
    """Consume slots that were filled: hide the faces in each, and say how many there were."""
    memory = SharedMemory(name)
    size = memory.size // SLOTS
    with facered.Redactor() as redactor:
        while (slot := filled.get()) is not None:
            planes = planes_of(memory.buf[slot * size : (slot + 1) * size], width, height)
            for clean in redactor.process_planes(planes, None, "yuv420p", slot, width=width, height=height):
                ready.put((clean.pts, len(redactor.faces)))
            del planes, clean  # nothing may refer to the memory when it is closed
    memory.close()


def play(source: str) -> list[tuple[int, int]]:
    """Return for each frame its mean luma after redaction, rounded, and how many faces it has."""
    context = multiprocessing.get_context("spawn")
    filled, ready = context.Queue(), context.Queue()
    told: list[tuple[int, int]] = []
    with av.open(source) as container:
        pictures = container.streams.video[0]
        width, height = pictures.width, pictures.height
        size = width * height + 2 * (-(-width // 2) * -(-height // 2))
        memory = SharedMemory(create=True, size=size * SLOTS)
        consumer = context.Process(target=hide, args=(memory.name, width, height, filled, ready))
        consumer.start()

        def take() -> None:
            """Use a slot that has come back: here the frame would be encoded or shown."""
            slot, faces = ready.get(timeout=60)
            luma = np.frombuffer(memory.buf, np.uint8, width * height, slot * size)
            told.append((round(float(luma.mean())), faces))

        try:
            for number, frame in enumerate(container.decode(pictures)):
                if number >= SLOTS:
                    take()
                slot = number % SLOTS
                target = planes_of(memory.buf[slot * size : (slot + 1) * size], width, height)
                for plane, decoded in zip(target, frame.reformat(format="yuv420p").planes, strict=True):
                    rows = np.frombuffer(decoded, np.uint8).reshape(-1, decoded.line_size)
                    plane[:] = rows[: plane.shape[0], : plane.shape[1]]
                del target, plane
                filled.put(slot)
            for _ in range(min(SLOTS, number + 1)):
                take()
        finally:
            filled.put(None)
            consumer.join()
            memory.close()
            memory.unlink()
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    result = play(parser.parse_args().source)
    print(f"{len(result)} frames, {sum(faces for _, faces in result)} faces hidden")
