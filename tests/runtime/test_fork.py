"""What has threads of its own does not go on in a forked process: it begins anew there, or is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys
import av, facered

video, folder, what = sys.argv[1:]
with av.open(video) as container:
    frames = [frame for frame, _ in zip(container.decode(video=0), range(4))]

def in_a_child(work):
    child = os.fork()
    if not child:
        signal.alarm(60)
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def refused(call):
    try:
        call()
    except facered.ConfigurationUnsupportedError as error:
        print(error, flush=True)
    else:
        raise AssertionError("not refused")

if what == "submit":
    facered.submit(video, folder + "/before", mode="analyze", end=1).result()
    code = in_a_child(lambda: facered.submit(video, folder + "/child", mode="analyze", end=1).result())
    facered.submit(video, folder + "/after", mode="analyze", end=1).result()
elif what == "while one runs":
    import gc, threading

    def child():
        assert not job.cancel()  # it is not the child's
        facered.submit(video, folder + "/child", end=1, overwrite=True).result()
        gc.collect()

    code = 0
    for frame in (5, 110):
        reached = threading.Event()
        job = facered.submit(
            video, folder + "/parent", overwrite=True, progress=lambda now: now.done < frame or reached.set()
        )
        assert reached.wait(60)
        code = code or in_a_child(child)
        assert job.result().frames == 120
elif what == "while one is imported":
    import threading, time

    begun = threading.Event()

    class Slow:
        def find_spec(self, name, *_):
            if name == "facered.jobs.thumbnails":  # which facered.jobs.analyze imports
                begun.set()
                time.sleep(1)

    sys.meta_path.insert(0, Slow())
    job = facered.submit(video, folder + "/parent", mode="analyze")
    assert begun.wait(60)
    code = in_a_child(lambda: facered.submit(video, folder + "/child", mode="analyze", end=1).result(20))
    assert job.result().frames == 120
elif what == "result":
    import threading
    hold = threading.Event()
    job = facered.submit(video, folder, mode="analyze", progress=lambda _: hold.wait())
    code = in_a_child(lambda: refused(job.result))
    hold.set()
    job.result()
    code = code or in_a_child(job.result)  # it is over
else:
    settings = {"detect": what, "threads": 2}
    with facered.Redactor(**settings, lookahead=1) as redactor:
        redactor.process(frames[0])

        def child():
            refused(lambda: redactor.process(frames[1]))
            refused(redactor.flush)
            redactor.close()
            with facered.Redactor(**settings) as another:
                assert another.process(frames[1]) == [frames[1]]
                assert len(another.faces) == 1

        code = in_a_child(child)
        assert len(redactor.process(frames[2]) + redactor.flush()) == 2
sys.exit(code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")
@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("submit", []),
        ("while one runs", []),
        ("while one is imported", []),
        ("result", ["the job is carried out in another process"]),
        ("sync", ["the redactor was made before this process was forked"] * 2),
        ("async", ["the redactor was made before this process was forked"] * 2),
    ],
)
def test_after_a_fork_it_begins_anew_or_is_refused(carphone: Path, tmp_path: Path, what: str, told: list[str]) -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(carphone), str(tmp_path), what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(told)
    assert all(part in line for part, line in zip(told, lines, strict=True))
