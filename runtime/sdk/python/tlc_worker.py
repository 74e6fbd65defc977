"""Runs one Python test for the tlc runtime and reports its outcome.

It is started with a pair of pipes, whose numbers are in TLC_PROTOCOL_READ_FD and TLC_PROTOCOL_WRITE_FD, and speaks JSON-RPC 2.0 on them,
one message a line. stdout and stderr belong to the test. Python 3.8 or later, no other package.
"""

import importlib.util
import json
import os
import signal
import sys
import threading
import traceback
import unittest

PROTOCOL = 1
MESSAGE_LIMIT = int("@MESSAGE_LIMIT@")


class TestError(Exception):
    """The test cannot be run as it stands."""


class Ended(Exception):
    """The runtime asked the test to end; raised inside the test so that it can clean up."""


class Args:
    """A test's arguments as attributes."""

    def __init__(self, values):
        self.__dict__.update(values)

    def ToDict(self):
        """The arguments as a new dictionary."""
        return dict(self.__dict__)

    def __repr__(self):
        return "Args(%s)" % ", ".join("%s=%r" % item for item in self.__dict__.items())


class Channel:
    """The worker's side of the protocol."""

    def __init__(self):
        read_fd = int(os.environ["TLC_PROTOCOL_READ_FD"])
        self._write_fd = int(os.environ["TLC_PROTOCOL_WRITE_FD"])
        # What the test starts has no part in the conversation.
        os.set_inheritable(read_fd, False)
        os.set_inheritable(self._write_fd, False)
        self._reader = os.fdopen(read_fd, "r", encoding="utf-8")

    def receive(self):
        """The next message; None at the end."""
        line = self._reader.readline()
        return json.loads(line) if line else None

    def send(self, **message):
        """Sends one message."""
        data = json.dumps(dict(message, jsonrpc="2.0")).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self._write_fd, data):]

    def finished(self, outcome, message=None, trace=None):
        """The last message: how the test ended."""
        room = MESSAGE_LIMIT // 16
        self.send(
            method="finished",
            params={"outcome": outcome, "message": _cut(message, room), "traceback": _cut(trace, room)},
        )

    def leave_with_the_runtime(self):
        """Ends this process group if the runtime disappears."""

        def watch():
            try:
                while self._reader.readline():
                    pass
            except (OSError, ValueError):
                pass
            os.killpg(0, signal.SIGKILL)

        threading.Thread(target=watch, daemon=True).start()


def _cut(text, room):
    if text is None:
        return None
    # A lone surrogate is no text for anybody else.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= room:
        return text
    return text[: room // 2] + "\n[...]\n" + text[-room // 2:]


class Result(unittest.TestResult):
    """Collects what went wrong: the outcome, one line about it, and the traceback without the frames of unittest."""

    def __init__(self):
        super().__init__()
        self.problems = []

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note("failed", err, self.failures)

    def addError(self, test, err):
        super().addError(test, err)
        self._note("error", err, self.errors)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None and issubclass(err[0], test.failureException):
            self._note("failed", err, self.failures)
        elif err is not None:
            self._note("error", err, self.errors)

    def _note(self, outcome, err, formatted):
        text = _named(err[0], err[1]) if outcome == "error" else str(err[1]) or err[0].__name__
        self.problems.append((outcome, text, formatted[-1][1]))


def _named(kind, error):
    """An exception in a line: its name, and what it says."""
    text = str(error).strip()
    return "%s: %s" % (kind.__name__, text) if text else kind.__name__


def load(name, tests):
    """The module of the test `name` below the directory `tests`."""
    path = os.path.join(tests, *name.split("."))
    files = [path + ".py", os.path.join(path, "__init__.py")]
    file = next((file for file in files if os.path.isfile(file)), None)
    if file is None:
        raise TestError("there is no Python test `%s`: neither `%s` nor `%s` exists" % (name, files[0], files[1]))
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or os.path.realpath(spec.origin or "") != os.path.realpath(file):
        # A test may have the name of a module that it uses; it does not take its place.
        spec = importlib.util.spec_from_file_location("tlc_test_" + name.replace(".", "_"), file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def find_case(module, name):
    """The one test case of a module."""
    cases = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == module.__name__
    ]
    cases = list(dict.fromkeys(cases))
    if len(cases) != 1:
        names = ", ".join("`%s`" % case.__name__ for case in cases) or "none"
        raise TestError("the Python test `%s` must define exactly one unittest.TestCase; found %s" % (name, names))
    return cases[0]


def find_method(case):
    """The one test method of a test case."""
    if callable(getattr(case, "runTest", None)):
        return "runTest"
    methods = list(unittest.TestLoader().getTestCaseNames(case))
    if len(methods) != 1:
        names = ", ".join("`%s`" % method for method in methods) or "none"
        raise TestError("`%s` must have `runTest` or exactly one test method; found %s" % (case.__name__, names))
    return methods[0]


def arguments(case, values):
    """The arguments with the defaults that the test declares."""
    declared = getattr(case, "ARGS", None)
    if declared is None:
        return Args(values)
    names = [arg.name for arg in declared]
    unknown = [name for name in values if name not in names]
    if unknown:
        raise TestError("the test does not declare the argument %s" % ", ".join("`%s`" % name for name in unknown))
    result = {}
    for arg in declared:
        if arg.name in values:
            result[arg.name] = values[arg.name]
        elif not arg.IsOptional():
            raise TestError("the required argument `%s` is missing" % arg.name)
        else:
            result[arg.name] = arg.default
    return Args(result)


def run(params):
    """Runs the test; its outcome, message and traceback."""
    test = params["test"]
    # Last, so that a test called `serial` can import the package `serial`.
    sys.path.append(test["tests"])
    sys.path.append(sys.path.pop(0))
    case = find_case(load(test["pytest_name"], test["tests"]), test["pytest_name"])
    instance = case(find_method(case))
    instance.args = arguments(case, params["args"])
    result = Result()
    instance.run(result)
    if result.problems:
        outcomes, texts, traces = zip(*result.problems)
        return "error" if "error" in outcomes else "failed", "; ".join(texts), "\n".join(traces)
    if result.skipped:
        return "failed", "the test skipped itself: %s" % result.skipped[0][1], None
    if result.unexpectedSuccesses:
        return "failed", "the test passed, and was expected to fail", None
    return "passed", None, None


def end(_signal, _frame):
    """SIGTERM ends the test from within, once, so that its tearDown runs."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Ended("the runtime ended the test")


def main():
    channel = Channel()
    message = channel.receive()
    if message is None:
        return 1
    if message["params"]["protocol"] != PROTOCOL:
        channel.finished("error", "the runtime speaks version %s of the protocol" % message["params"]["protocol"])
        return 0
    channel.send(id=message["id"], result={"protocol": PROTOCOL, "worker": "tlc_worker.py"})
    channel.leave_with_the_runtime()
    signal.signal(signal.SIGTERM, end)
    try:
        outcome, text, trace = run(message["params"])
    except TestError as error:
        outcome, text, trace = "error", str(error), None
    except BaseException as error:  # whatever the test's module raises, SystemExit included
        text = _named(type(error), error)
        outcome, trace = "error", traceback.format_exc()
    if trace:
        print(trace, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    channel.finished(outcome, text, trace)
    return 0


if __name__ == "__main__":
    # Threads that the test left behind do not keep its process.
    os._exit(main())
