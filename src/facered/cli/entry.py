"""The program: what holds from its first moment to its last, whatever it is called with.

Little is imported here, so that a signal finds its handler early.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from types import FrameType

CANCELLED = 130
UNREAD = 141
FAILED = 1
REFUSED = 2
UNWRITABLE = frozenset((errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT))
"""What writing ends with where there is no room, or nothing to write to."""
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def main() -> int:
    """Run the command line and return its exit code; no exception leaves it."""
    if sys.stderr is None:  # whatever is said must not go to standard output instead, nor into a file of this number
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        # See `facered.cli.interruption`.
        if handler is not signal.SIG_IGN or number != getattr(signal, "SIGHUP", None):
            signal.signal(number, _end)
    try:
        return _run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(_: int, __: FrameType | None) -> None:
    """End at once: nothing has been begun yet."""
    os.write(2, b"facered: cancelled; nothing has been begun\n")
    os._exit(CANCELLED)


def _run() -> int:
    from facered.cli.main import main as run
    from facered.cli.terminal import complain, give_up, internal

    try:
        try:
            code = run()
        except SystemExit as ended:  # of the parser of arguments
            code = ended.code if isinstance(ended.code, int) else FAILED if ended.code else 0
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return CANCELLED
    except BrokenPipeError:
        give_up()
        return UNREAD
    except OSError as error:
        if error.filename is None and error.errno in UNWRITABLE:
            give_up()
            complain(f"standard output: cannot be written ({error.strerror})")
            return REFUSED
        complain(internal(error))
        return FAILED
    except Exception as error:
        complain(internal(error))
        return FAILED
    return code
