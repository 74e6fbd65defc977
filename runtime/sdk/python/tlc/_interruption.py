"""SIGTERM, as an exception inside the test: once, and never in the middle of a message."""

from __future__ import annotations

import os
import signal
from _thread import get_ident
from typing import Any, Optional

from ._errors import Ended

_main: Optional[int] = None
_parent: Optional[int] = None
_depth = 0
_pending = False
_ended = False
_why = "the runtime ended the test"


def _end(number: int, _frame: Any) -> None:
    global _pending, _ended, _why
    if number == signal.SIGINT:
        # The second one ends whatever is left.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _why = "Ctrl-C ended the test"
    if os.getpid() == _parent:
        # Its children have it for themselves, and end in their own time.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    if _ended:
        return
    _ended = True
    if _depth:
        _pending = True
    else:
        raise Ended(_why)


def install(*more: int) -> None:
    """From now on SIGTERM ends the test from within, and so do other signals. Only the main thread can ask for that."""
    global _main
    for number in (signal.SIGTERM, *more):
        signal.signal(number, _end)
    _main = get_ident()


def install_for_children() -> None:
    """The same for every process that this one forks; itself, it ends at once."""
    global _parent
    _parent = os.getpid()
    install()


def was_ended() -> bool:
    """Whether the runtime has asked this test to end."""
    return _ended


class Unbroken:
    """A stretch of code that SIGTERM does not break; the exception comes at its end. Signals only ever reach the main thread."""

    def __enter__(self) -> None:
        global _depth
        if get_ident() == _main:
            _depth += 1

    def __exit__(self, *_exception: Any) -> None:
        global _depth, _pending
        # It may have been asked for meanwhile.
        if _depth and get_ident() == _main:
            _depth -= 1
            if _pending and not _depth:
                _pending = False
                raise Ended(_why)


unbroken = Unbroken()
"""To be used with `with`."""
