"""From the name of a test to its outcome: finds its module, its one test class and its one method, and runs it."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import traceback
import types
import unittest
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Type

from . import _args
from ._errors import ArgError, Failure, TestError
from ._session import Session


class Verdict(NamedTuple):
    """How a test ended."""

    outcome: str
    message: Optional[str] = None
    trace: Optional[str] = None
    error_code: Any = None


_PASSED = Verdict("passed")


class Result(unittest.TestResult):
    """Collects what went wrong: the outcome, one line about it, and the traceback without the frames of unittest."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: List[Tuple[str, str, str]] = []
        self.error_code: Any = None

    # Nothing is counted and nothing is kept back: the output of a test is its log.

    def startTest(self, test: unittest.TestCase) -> None:
        pass

    def stopTest(self, test: unittest.TestCase) -> None:
        pass

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        _trim(err)
        super().addFailure(test, err)
        self._note("failed", err, self.failures)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        _trim(err)
        super().addError(test, err)
        self._note("error", err, self.errors)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        # Its id is that of the test, and what was said of this part.
        part = subtest.id()[len(test.id()) :].strip() + ": "
        if err is not None and issubclass(err[0], test.failureException):
            self._note("failed", err, self.failures, part)
        elif err is not None:
            self._note("error", err, self.errors, part)

    def _note(self, outcome: str, err: Any, formatted: List[Any], part: str = "") -> None:
        words = part + (named(err[1]) if outcome == "error" else words_of(err[1]) or err[0].__name__)
        if isinstance(err[1], Failure) and self.error_code is None:
            self.error_code = err[1].error_code
        self.problems.append((outcome, words, formatted[-1][1]))

    def verdict(self) -> Verdict:
        """What follows from all of it."""
        if self.problems:
            outcomes, words, traces = zip(*self.problems)
            outcome = "error" if "error" in outcomes else "failed"
            return Verdict(outcome, "; ".join(words), "\n".join(traces), self.error_code)
        if self.skipped:
            return Verdict("failed", "the test skipped itself: %s" % self.skipped[0][1])
        if self.unexpectedSuccesses:
            return Verdict("failed", "the test passed, and was expected to fail")
        return _PASSED


def _trim(err: Any) -> None:
    """Lets a traceback end in the test's own code, not in this package."""
    own, trace = None, err[2]
    while trace is not None:
        if not str(trace.tb_frame.f_globals.get("__name__", "")).startswith("tlc."):
            own = trace
        trace = trace.tb_next
    if own is not None:
        own.tb_next = None


def words_of(error: BaseException) -> str:
    """What an exception says, also if it cannot."""
    try:
        return str(error)
    except Exception as another:
        return "what it says cannot be said (%s)" % type(another).__name__


def named(error: BaseException) -> str:
    """An exception in a line: its name, and what it says."""
    text = words_of(error).strip()
    return "%s: %s" % (type(error).__name__, text) if text else type(error).__name__


def file_of(name: str, tests: str) -> str:
    """The file of the test `name` below the directory `tests`."""
    path = os.path.join(tests, *name.split("."))
    files = [path + ".py", os.path.join(path, "__init__.py")]
    for file in files:
        if os.path.isfile(file):
            return file
    raise TestError("there is no Python test `%s`: neither `%s` nor `%s` exists" % (name, files[0], files[1]))


def spec_of(name: str, tests: str) -> Any:
    """Where the module of a test comes from."""
    file = file_of(name, tests)
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or os.path.realpath(spec.origin or "") != os.path.realpath(file):
        # A test may have the name of a module that it uses; it does not take its place.
        spec = importlib.util.spec_from_file_location("tlc_test_" + name.replace(".", "_"), file)
    if spec is None or spec.loader is None:
        raise TestError("the Python test `%s` cannot be loaded from `%s`" % (name, file))
    return spec


def load(name: str, tests: str, known: Any = None) -> types.ModuleType:
    """The module of the test `name` below the directory `tests`, executed afresh. `known` is what was read of it before."""
    module: types.ModuleType
    if known is not None:
        module, code = known
        sys.modules[module.__name__] = module
        exec(code, module.__dict__)
        return module
    spec = spec_of(name, tests)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# Modules that many tests import, each of which costs more than a test. They have no effects of their own.
_OFTEN = ("contextlib", "datetime", "decimal", "logging", "pathlib", "re", "subprocess", "tempfile", "threading")


class Codes:
    """The code of tests, read and not executed, so that a child need not do it again. What of the standard library they import is imported
    with the first of them: each fork costs more with it, so it is not there for tests that do without."""

    def __init__(self) -> None:
        self._known: Dict[Tuple[str, str, Optional[str]], Any] = {}

    def of(self, test: Any, source: Optional[str]) -> Any:
        """The module and the code of a test whose file has the digest `source`; None if that is for the child to find out."""
        try:
            name, tests = test["pytest_name"], test["tests"]
            known = self._known.get((name, tests, source))
            # To find what has a dot in its name is to import what it is in.
            return known or (None if source is None or "." in name else self._read(name, tests, source))
        except Exception:
            return None

    def _read(self, name: str, tests: str, source: str) -> Any:
        spec = spec_of(name, tests)
        code = spec.loader.get_code(spec.name)
        for module in set(_OFTEN).intersection(code.co_names).difference(sys.modules):
            importlib.import_module(module)
            gc.freeze()
        found = self._known[(name, tests, source)] = (importlib.util.module_from_spec(spec), code)
        return found


def find_case(module: types.ModuleType, name: str) -> Type[unittest.TestCase]:
    """The one test case of a module (reference: BB2)."""
    cases: List[Type[unittest.TestCase]] = []
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == module.__name__:
            if value not in cases:
                cases.append(value)
    if len(cases) != 1:
        names = ", ".join("`%s`" % case.__name__ for case in cases) or "none"
        raise TestError("the Python test `%s` must define exactly one unittest.TestCase; found %s" % (name, names))
    return cases[0]


# Flags of code that does not run when it is called: of generators, coroutines and asynchronous generators.
_LATER = 0x20 | 0x80 | 0x200


def find_method(case: Type[unittest.TestCase]) -> str:
    """The one test method of a test case."""
    name = _method_of(case)
    code = getattr(getattr(case, name), "__code__", None)
    if code is not None and code.co_flags & _LATER and not _awaits(case):
        what = "a coroutine" if code.co_flags & 0x80 else "a generator"
        raise TestError(
            "`%s.%s` is %s: nothing would run it; leave out `%s`, or make the class an unittest.IsolatedAsyncioTestCase"
            % (case.__name__, name, what, "async" if code.co_flags & 0x80 else "yield")
        )
    return name


def _awaits(case: Type[unittest.TestCase]) -> bool:
    """Whether it runs coroutines. The class is not imported for that."""
    return any(base.__name__ == "IsolatedAsyncioTestCase" for base in case.__mro__)


def _method_of(case: Type[unittest.TestCase]) -> str:
    if callable(getattr(case, "runTest", None)):
        return "runTest"
    methods = list(unittest.TestLoader().getTestCaseNames(case))
    if len(methods) != 1:
        names = ", ".join("`%s`" % method for method in methods) or "none"
        raise TestError("`%s` must have `runTest` or exactly one test method; found %s" % (case.__name__, names))
    return methods[0]


def run_case(case: Type[unittest.TestCase], method: str, session: Session, values: Any) -> Verdict:
    """Runs the test with arguments as they were given."""
    declared = getattr(case, "ARGS", None)
    try:
        args = _args.Args(values) if declared is None else _args.parse(declared, values, _args.translator(session.context.locale))
    except ArgError as error:
        raise TestError(str(error)) from None
    instance = case(method)
    instance.args = args  # type: ignore[attr-defined]
    session.take_args(args)
    result = Result()
    if _has_fixtures(case):
        unittest.TestSuite([instance]).run(result)
    else:
        instance.run(result)
    return result.verdict()


def _has_fixtures(case: Type[unittest.TestCase]) -> bool:
    """Whether its class or its module has something to be done before or after it."""
    for base in case.__mro__:
        if base is unittest.TestCase:
            break
        if "setUpClass" in base.__dict__ or "tearDownClass" in base.__dict__:
            return True
    module = sys.modules[case.__module__].__dict__ if case.__module__ in sys.modules else {}
    return "setUpModule" in module or "tearDownModule" in module


def guarded(run: Any, *arguments: Any) -> Verdict:
    """The verdict of `run`, whatever it raises: the test's module may raise anything, `SystemExit` included."""
    try:
        verdict: Verdict = run(*arguments)
    except TestError as error:
        return Verdict("error", str(error))
    except BaseException as error:
        return Verdict("error", named(error), traceback.format_exc())
    return verdict
