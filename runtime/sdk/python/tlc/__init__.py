"""What a factory test reports and asks.

    import tlc

    class Rail(tlc.TestCase):
        ARGS = [tlc.Arg("rail", str, "The name of the rail.")]

        def runTest(self):
            volts = read_volts(self.args.rail)
            self.measure("volts", volts, unit="V", min=3.2, max=3.4)

    if __name__ == "__main__":
        tlc.main()

The functions work anywhere in a test, in any thread. A test that runs by itself talks to the terminal.
"""

from __future__ import annotations

from typing import Any

from . import _session
from ._api import (
    Attachment,
    Axis,
    Choice,
    Measurement,
    Step,
    ask_buttons,
    ask_choice,
    ask_choices,
    ask_number,
    ask_pass_fail,
    ask_scan,
    ask_text,
    attach,
    countdown,
    dismiss,
    heading,
    identify,
    log,
    measure,
    measure_series,
    note,
    part,
    progress,
    result,
    secret,
    show_html,
    show_image,
    show_link,
    show_note,
    show_steps,
)
from ._args import REQUIRED, Arg, Args, Enum, I18nArg, JSONSchemaDict
from ._data import cache, device, run_data, shelf
from ._errors import (
    AlreadySet,
    ArgError,
    AttachmentRefused,
    Cancelled,
    Ended,
    Error,
    Failure,
    NoAnswer,
    NoSecret,
    NoSuchKey,
    Refused,
    TestError,
    TimedOut,
    Unsupported,
)
from ._session import Context
from ._testcase import TestCase
from ._values import Text

__version__ = "0.1.0"

context: Context
"""Who runs, where and for what: `run`, `slot`, `unit`, `path`, `phase`, `locale`, `attempt`, `args`, `limits`, and more."""

__all__ = [
    "AlreadySet",
    "Arg",
    "ArgError",
    "Args",
    "Attachment",
    "AttachmentRefused",
    "Axis",
    "Cancelled",
    "Choice",
    "Context",
    "Ended",
    "Enum",
    "Error",
    "Failure",
    "I18nArg",
    "JSONSchemaDict",
    "Measurement",
    "NoAnswer",
    "NoSecret",
    "NoSuchKey",
    "REQUIRED",
    "Refused",
    "Step",
    "TestCase",
    "TestError",
    "Text",
    "TimedOut",
    "Unsupported",
    "ask_buttons",
    "ask_choice",
    "ask_choices",
    "ask_number",
    "ask_pass_fail",
    "ask_scan",
    "ask_text",
    "attach",
    "cache",
    "countdown",
    "device",
    "dismiss",
    "heading",
    "identify",
    "log",
    "main",
    "measure",
    "measure_series",
    "note",
    "part",
    "progress",
    "result",
    "run_data",
    "secret",
    "shelf",
    "show_html",
    "show_image",
    "show_link",
    "show_note",
    "show_steps",
]


def main(argv: Any = None) -> None:
    """Runs the one test of the program: `python test_x.py --args '{"rail": "3V3"}'`; `--help` says what else there is.

    The program ends with 0 if the test passed, 1 if it failed, 3 if it broke.
    """
    from ._main import main as run

    run(argv)


def __getattr__(name: str) -> Any:
    if name == "context":
        return _session.current().context
    raise AttributeError("module `tlc` has no attribute `%s`" % name)
