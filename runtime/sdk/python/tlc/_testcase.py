"""A `unittest.TestCase` with what a test reports and asks as methods."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar, NoReturn, Optional, Sequence, Union

from . import _api, _data, _session
from ._args import Args
from ._errors import Failure

class TestCase(unittest.TestCase):
    """A test. It has `runTest` or one method whose name begins with `test`; `self.args` are its arguments.

    Whatever the module `tlc` offers as a function is a method here, too.
    """

    ARGS: ClassVar[Optional[Sequence[Any]]] = None
    """The arguments that the test declares, each a `tlc.Arg`."""

    args: Args
    """The arguments of this run of the test."""

    __test__ = True

    measure = staticmethod(_api.measure)
    measure_series = staticmethod(_api.measure_series)
    attach = staticmethod(_api.attach)
    result = staticmethod(_api.result)
    part = staticmethod(_api.part)
    log = staticmethod(_api.log)
    heading = staticmethod(_api.heading)
    progress = staticmethod(_api.progress)
    note = staticmethod(_api.note)
    identify = staticmethod(_api.identify)
    secret = staticmethod(_api.secret)
    ask_buttons = staticmethod(_api.ask_buttons)
    ask_pass_fail = staticmethod(_api.ask_pass_fail)
    ask_text = staticmethod(_api.ask_text)
    ask_number = staticmethod(_api.ask_number)
    ask_choice = staticmethod(_api.ask_choice)
    ask_choices = staticmethod(_api.ask_choices)
    ask_scan = staticmethod(_api.ask_scan)
    show_note = staticmethod(_api.show_note)
    show_image = staticmethod(_api.show_image)
    show_link = staticmethod(_api.show_link)
    show_html = staticmethod(_api.show_html)
    show_steps = staticmethod(_api.show_steps)
    countdown = staticmethod(_api.countdown)
    dismiss = staticmethod(_api.dismiss)

    run_data = _data.run_data
    cache = _data.cache
    device = _data.device
    shelf = _data.shelf

    @property
    def context(self) -> _session.Context:
        """Who runs, where and for what."""
        return _session.current().context

    def fail(self, msg: Any = None, error_code: Union[str, int, None] = None) -> NoReturn:
        """Ends the test as failed: the unit is at fault. `error_code` is a short code for statistics."""
        raise Failure("" if msg is None else str(msg), error_code)
