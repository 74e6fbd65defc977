"""`tlc.main()`: runs the one test of a program, under the runtime or by itself."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from typing import Any, Dict, List, NoReturn, Optional

from . import _interruption, _run, _session
from ._channel import Channel, at_exit, flush
from ._local import LocalSession

EXIT_CODES = {"passed": 0, "failed": 1, "error": 3}


def main(argv: Optional[List[str]] = None) -> NoReturn:
    """Never returns: the program ends with the outcome of the test."""
    channel = Channel.from_environment()
    session = channel.begin() if channel is not None else None
    if session is not None:
        _session.install(session)
        _interruption.install()
        verdict = _run.guarded(lambda: _run_main(session, vars(session.context.args)))
        _show(verdict)
        flush()
        session.finished(*verdict)
        at_exit()
        os._exit(0)
    sys.exit(_by_itself(argv))


def _run_main(session: _session.Session, values: Dict[str, Any]) -> _run.Verdict:
    module = sys.modules["__main__"]
    case = _run.find_case(module, os.path.basename(getattr(module, "__file__", None) or "__main__"))
    return _run.run_case(case, _run.find_method(case), session, values)


def _by_itself(argv: Optional[List[str]]) -> int:
    options = _parser().parse_args(argv)
    values = options.args
    start = {
        "run": "development",
        "path": os.path.basename(sys.argv[0]),
        "unit": options.unit,
        "phase": options.phase,
        "locale": options.locale,
        "operator": os.environ.get("USER", ""),
        "measurements": options.limits,
        "args": values,
    }
    session = LocalSession(start, options.data, options.answers)
    _session.install(session)
    _interruption.install(signal.SIGINT)
    verdict = _run.guarded(lambda: _run_main(session, values))
    if session.refused and verdict.outcome != "error":
        verdict = _run.Verdict("error", session.refused[0])
    problems = session.problems + ["the declared measurement `%s` was not reported" % name for name in session.missing()]
    if verdict.outcome == "passed" and problems:
        verdict = _run.Verdict("failed", "; ".join(problems))
    _show(verdict)
    print("%s%s" % (verdict.outcome.upper(), ": %s" % verdict.message if verdict.message else ""), flush=True)
    return EXIT_CODES[verdict.outcome]


def _show(verdict: _run.Verdict) -> None:
    if verdict.trace:
        print(verdict.trace, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Runs the test of this file by itself.")
    parser.add_argument("--args", type=_object, default={}, metavar="JSON", help="the arguments of the test, or @FILE")
    parser.add_argument("--limits", type=_object, default={}, metavar="JSON", help="limits by the names of measurements, or @FILE")
    parser.add_argument("--answers", type=_object, default={}, metavar="JSON", help="answers by the names of prompts, or @FILE")
    parser.add_argument("--data", metavar="FILE", help="where cache, device data and shelf are kept; in memory without it")
    parser.add_argument("--unit", default="", help="the serial number of the unit under test")
    parser.add_argument("--phase", default="", help="the phase of the project")
    parser.add_argument("--locale", default="en-US", help="the locale for texts")
    return parser


def _object(text: str) -> Dict[str, Any]:
    try:
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:
                text = file.read()
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("expected a JSON object")
    return value
