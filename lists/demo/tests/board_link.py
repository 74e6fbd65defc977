"""The demo's line to its board: one request at a time, from any number of tests at once.

The station says in DEMO_BOARD where the board's terminal is. A lock on the terminal keeps the lines of tests that run at the same
time apart; the tag of a request keeps a late answer to an earlier, abandoned one apart.
"""

import contextlib
import fcntl
import os
import select
import termios
import time


class BoardError(AssertionError):
    """The board refused a request, or did not answer in time: it is the board that failed, not the test."""


def ask(*words, announces=None, timeout=2.0):
    """Sends a request and returns the words of its answer; with `announces`, waits for that announcement too."""
    deadline = time.monotonic() + timeout
    request = " ".join(str(word) for word in words)
    tag = "%d.%d" % (os.getpid(), time.monotonic_ns())
    with _terminal() as terminal:
        os.write(terminal, ("%s %s\n" % (tag, request)).encode())
        lines = _lines(terminal, deadline, request)
        answer = next(line for line in lines if line[0] == tag)
        if answer[1] != "ok":
            raise BoardError("%s: %s" % (request, " ".join(answer[2:])))
        if announces is not None:
            next(line for line in lines if line[:2] == ["*", announces])
    return answer[2:]


def ask_number(*words):
    """The number that a request is answered with."""
    return float(ask(*words)[0])


@contextlib.contextmanager
def _terminal():
    terminal = os.open(os.environ["DEMO_BOARD"], os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(terminal, fcntl.LOCK_EX)
        termios.tcflush(terminal, termios.TCIFLUSH)
        yield terminal
    finally:
        os.close(terminal)


def _lines(terminal, deadline, request):
    pending = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            raise BoardError("%s: no answer in time" % request)
        pending += os.read(terminal, 4096)
        *lines, pending = pending.split(b"\n")
        for line in lines:
            words = line.decode("ascii", "replace").split()
            if len(words) >= 2:
                yield words
