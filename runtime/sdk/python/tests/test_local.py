"""A test that runs by itself."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

import tlc
from tlc import _judge, _schema, _session
from tlc._local import LocalSession, _accepted, _understood, _Unfit

from .runtime import ROOT

PROGRAM = """
import tlc

class Rail(tlc.TestCase):
    ARGS = [tlc.Arg("volts", float, "What is measured."), tlc.Arg("ask", bool, "Whether to ask.", default=False)]

    def runTest(self):
        tlc.heading({"en-US": "Rail", "de-DE": "Schiene"})
        tlc.progress(0.5, "half", 2)
        tlc.log("a line", "warning")
        tlc.cache.increment("runs")
        print("runs:", tlc.cache["runs"])
        self.measure("volts", self.args.volts, unit="V", max=3.4)
        if self.args.ask:
            print("answer:", self.ask_number("How many?", prompt="n", max=9))

if __name__ == "__main__":
    tlc.main()
"""


class ByItself(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def run_program(self, *arguments, program=PROGRAM):
        path = os.path.join(self.directory, "test_rail.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(program))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TLC_")}
        ran = subprocess.run(
            [sys.executable, path] + list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            env=dict(environment, PYTHONPATH=ROOT),
        )
        return ran.returncode, ran.stdout

    def test_ctrl_c_leaves_the_test_its_teardown(self):
        program = """
            import os, signal, time, tlc

            class Rail(tlc.TestCase):
                def runTest(self):
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(60)

                def tearDown(self):
                    print("power off")

            if __name__ == "__main__":
                tlc.main()
        """
        code, text = self.run_program(program=program)
        self.assertIn("power off\n", text)
        self.assertEqual((code, text.splitlines()[-1]), (3, "ERROR: Ended: Ctrl-C ended the test"))

    def test_what_a_station_refuses_is_an_error_whatever_the_test_makes_of_it(self):
        program = """
            import tlc

            class Rail(tlc.TestCase):
                def runTest(self):
                    try:
                        tlc.device["a..b"]
                    except tlc.Refused:
                        pass

            if __name__ == "__main__":
                tlc.main()
        """
        self.assertEqual(self.run_program(program=program), (3, "ERROR: `key`: `a..b` has an empty part\n"))

    def test_the_outcome_is_the_exit_code(self):
        code, text = self.run_program("--args", '{"volts": 3.3}', "--locale", "de-DE")
        self.assertEqual(code, 0, text)
        for line in ("== Schiene", "... 50 %, half, 2 s left", "warning  a line", "passed   volts: 3.3 V (max 3.4)", "PASSED"):
            self.assertIn(line + "\n", text)
        code, text = self.run_program("--args", '{"volts": 3.5}')
        self.assertEqual(code, 1)
        self.assertIn("FAILED: `volts` is 3.5 V; the limits are max 3.4\n", text)
        code, text = self.run_program("--args", '{"volts": 1}')
        self.assertEqual((code, "ERROR: the argument `volts` is float, found 1 (int)\n" in text), (3, True), text)
        self.assertEqual(self.run_program("--args", "[1")[0], 2)

    def test_limits_of_the_list(self):
        code, text = self.run_program("--args", '{"volts": 3.5}', "--limits", '{"volts": {"max": 4}, "amps": {"max": 1}}')
        self.assertEqual(code, 1)
        self.assertIn("FAILED: the declared measurement `amps` was not reported", text)

    def test_data_stays_in_a_file(self):
        path = os.path.join(self.directory, "data.json")
        for number in (1, 2):
            _, text = self.run_program("--args", '{"volts": 3.3}', "--data", path)
            self.assertIn("runs: %d\n" % number, text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(json.load(file), {"cache": {"runs": 2}, "device": {}, "shelf": {}})

    def test_answers(self):
        arguments = ("--args", '{"volts": 3.3, "ask": true}')
        code, text = self.run_program(*arguments, "--answers", '{"n": 4}')
        self.assertEqual((code, "answer: 4\n" in text), (0, True), text)
        code, text = self.run_program(*arguments)
        self.assertEqual((code, "ERROR: NoAnswer: there is no one to answer" in text), (3, True), text)
        code, text = self.run_program(*arguments, "--answers", '{"n": 44}')
        self.assertEqual((code, "ERROR: Refused: `prompt`: `--answers` answers `n` with 44: expected 9 or less" in text), (3, True), text)

    def test_a_countdown_needs_no_one(self):
        program = """
            import tlc

            class Cools(tlc.TestCase):
                def runTest(self):
                    self.countdown("Cool down", 0.05)
                    print("cooled down")

            if __name__ == "__main__":
                tlc.main()
        """
        code, text = self.run_program(program=program)
        self.assertEqual((code, "cooled down\n" in text), (0, True), text)

    def test_answers_are_held_against_their_prompts(self):
        def fits(answer, kind, **params):
            try:
                return _accepted(dict(params, kind=kind), answer)
            except _Unfit as what:
                return str(what)

        options = [{"label": "A", "value": 1}, {"label": "B", "value": "b"}]
        self.assertEqual(fits(1, "buttons", buttons=options), 1)
        self.assertEqual(fits(True, "buttons", buttons=options), 'expected one of 1, "b"')
        self.assertEqual(fits(["b", 1, "b"], "checkboxes", choices=options), [1, "b"])
        self.assertEqual(fits([], "checkboxes", choices=options, min_choices=1), "0 are chosen, expected 1 or more")
        self.assertEqual(fits([2], "checkboxes", choices=options), '2 is none of 1, "b"')
        self.assertEqual(fits(-1, "number", min=0), "expected 0 or more")
        self.assertEqual(fits(1.5, "number", integer=True), "expected an integer")
        self.assertEqual(fits(float("inf"), "number"), "it is too large")
        self.assertEqual(fits("abc", "text", size=2), "expected 2 characters or fewer")
        self.assertEqual(fits("abc", "scan", pattern="[a-c]{2}"), "expected a text that matches `[a-c]{2}`")
        self.assertEqual(fits(1, "pass_fail"), "expected `true` or `false`")
        self.assertEqual(fits(False, "note"), "expected `true`, for it is only confirmed")


class InProcess(unittest.TestCase):
    """Functions in a process that nobody prepared, as under pytest."""

    def setUp(self):
        self.session = LocalSession({"locale": "en-US"})
        _session.install(self.session)
        self.addCleanup(_session.install, None)

    def test_trees(self):
        tlc.device["a.b"] = 1
        tlc.device["a.c.d"] = [1]
        self.assertEqual(tlc.device["a"], {"b": 1, "c": {"d": [1]}})
        tlc.device["a.b.e"] = 2
        self.assertEqual(tlc.device.as_dict(), {"a": {"b": {"e": 2}, "c": {"d": [1]}}})
        del tlc.device["a.b.e"]
        self.assertEqual(tlc.device.names("a"), ["c"])
        tlc.device["a.c"] = {}
        self.assertEqual(len(tlc.device), 0)
        with self.assertRaises(tlc.Refused):
            tlc.device["a..b"]
        with self.assertRaises(KeyError):
            del tlc.device["x"]
        tlc.shelf.update({"x": {"y": 1}})
        tlc.shelf.merge({"x": {"z": 2}})
        self.assertEqual(tlc.shelf["x"], {"y": 1, "z": 2})

    def test_flat_spaces(self):
        tlc.run_data["a.b"] = {"x": 1}
        self.assertEqual((dict(tlc.run_data), tlc.run_data.setdefault("c", 2), len(tlc.run_data)), ({"a.b": {"x": 1}}, 2, 2))
        self.assertEqual([tlc.cache.increment("n", 0.5), tlc.cache.increment("n")], [0.5, 1.5])
        with self.assertRaises(tlc.Refused):
            tlc.run_data.increment("a.b")

    def test_identity_is_set_once(self):
        self.assertEqual(tlc.identify("S1", sub_units=[{"name": "r"}]), [0])
        self.assertEqual(tlc.identify("S1", sub_units=[{"name": "s"}]), [1])
        with self.assertRaises(tlc.AlreadySet):
            tlc.identify("S2")
        self.assertEqual(tlc.context.unit, "S1")

    def test_attachments_and_secrets(self):
        self.assertEqual(tlc.attach("a.txt", "é").size, 2)
        self.assertEqual(tlc.attach("b.bin", b"\xff").size, 1)
        with self.assertRaises(tlc.AttachmentRefused):
            tlc.attach("c", path="/nowhere/at/all")
        with self.assertRaises(tlc.NoSecret):
            tlc.secret("none-of-these")

    def test_what_a_station_refuses_is_refused(self):
        for ask in (
            lambda: tlc.measure("x", "ab1", matches=r"(?!zz)ab\d"),
            lambda: tlc.measure("x", "aa", matches=r"(a)\1"),
            lambda: tlc.measure("x", "aa", matches="("),
            lambda: tlc.identify("S1", info={"a": [1]}),
            lambda: tlc.identify("S1", part_number=""),
            lambda: tlc.identify(instruments=[{"name": "a\0"}]),
        ):
            with self.assertRaises(tlc.Refused):
                ask()
        self.assertEqual(len(self.session.refused), 6)
        self.assertTrue(tlc.measure("x", "(=1)", matches=r"\(\?*=\\?1[)]"))
        self.assertEqual((tlc.device.names(""), len(self.session.refused)), ([], 6))

    def test_what_is_typed_is_read_as_at_a_station(self):
        options = [{"label": "A", "value": "a"}, {"label": "B", "value": 2}]
        for params, line, expected in (
            ({"kind": "pass_fail"}, "Yes", True),
            ({"kind": "pass_fail"}, "prob not", None),
            ({"kind": "checkboxes", "choices": options}, "2 1", ["a", 2]),
            ({"kind": "checkboxes", "choices": options}, "1 9", None),
            ({"kind": "select", "choices": options}, "0", None),
            ({"kind": "text", "initial": "abc"}, "", "abc"),
            ({"kind": "text", "initial": "abc"}, "d", "d"),
            ({"kind": "number", "initial": 3.3}, "", 3.3),
            ({"kind": "text"}, "", ""),
        ):
            self.assertEqual(_understood(params, params.get("choices", []), line), expected, (params, line))

    def test_nobody_answers(self):
        with self.assertRaises(tlc.NoAnswer):
            tlc.ask_text("Text?")


class Judging(unittest.TestCase):
    def test_limits_that_cannot_be_met(self):
        for ask in (lambda: tlc.measure("a", 1, min=2, max=1), lambda: tlc.ask_number("a", min=2, max=1)):
            with self.assertRaisesRegex(ValueError, "`min` is above `max`"):
                ask()

    def test_comparisons(self):
        def judge(value, **limits):
            return _judge.judge(value, limits)

        self.assertEqual(judge(1), "unset")
        for value, limits, outcome in (
            (1, {"min": 1, "max": 2}, True),
            (2.1, {"min": 1, "max": 2}, False),
            (float("nan"), {"max": 2}, False),
            (float("inf"), {"min": 2}, True),
            ("a", {"equals": "a"}, True),
            (1.0, {"equals": 1}, True),
            (True, {"equals": 1}, False),
            ("x", {"max": 1}, False),
            ("ab", {"matches": "a"}, False),
            ("ab", {"matches": "a."}, True),
            (1, {"min": 1, "comparison": "GT"}, False),
            (1, {"equals": 2, "comparison": "NE"}, True),
            (1, {"min": 1, "max": 2, "comparison": "GTLT"}, False),
            (0, {"min": 1, "max": 2, "comparison": "LTGT"}, True),
            (1, {"min": 1, "max": 2, "comparison": "LTGT"}, False),
            (1, {"min": 1, "max": 2, "comparison": "LEGE"}, True),
        ):
            self.assertEqual(judge(value, **limits), "passed" if outcome else "failed", (value, limits))


class Schemas(unittest.TestCase):
    def test_keywords(self):
        for schema, good, bad in (
            ({"type": ["integer", "null"]}, [1, None], [True, 1.0, "x"]),
            ({"enum": [1, "a"]}, [1, "a"], [True, "b"]),
            ({"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}, [{"a": "x"}], [{}, {"a": 1}, {"a": "x", "b": 1}]),
            ({"items": {"type": "number"}, "minItems": 1, "maxItems": 2, "uniqueItems": True}, [[1], [1, 2.5]], [[], [1, 1], ["x"], [1, 2, 3]]),
            ({"items": [{"type": "string"}], "additionalItems": False}, [["a"]], [[1], ["a", 1]]),
            ({"minimum": 1, "exclusiveMaximum": 3}, [1, 2.9], [0, 3]),
            ({"minimum": 1, "exclusiveMinimum": True}, [2], [1]),
            ({"multipleOf": 0.5}, [1.5], [1.2]),
            ({"pattern": "^a", "minLength": 2, "maxLength": 3}, ["ab"], ["b", "a", "abcd"]),
            ({"anyOf": [{"type": "null"}, {"const": 1}]}, [None, 1], [2]),
            ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, [0, 3], [1]),
            ({"not": {"type": "null"}}, [1], [None]),
            ({"patternProperties": {"^x": {"type": "integer"}}}, [{"x1": 1, "y": "a"}], [{"x": "a"}]),
            ({"dependencies": {"a": ["b"]}}, [{}, {"a": 1, "b": 1}], [{"a": 1}]),
            ({"definitions": {"n": {"type": "integer"}}, "items": {"$ref": "#/definitions/n"}}, [[1]], [["x"]]),
        ):
            for value in good:
                self.assertIsNone(_schema.first_problem(value, schema), (schema, value))
            for value in bad:
                self.assertIsNotNone(_schema.first_problem(value, schema), (schema, value))

    def test_a_schema_that_is_wrong(self):
        for schema in ({"type": "rail"}, {"$ref": "#/nowhere"}, {"$ref": "other.json"}, {"$ref": "#"}, 5):
            with self.assertRaises(_schema.SchemaError):
                _schema.first_problem(1, schema)


if __name__ == "__main__":
    unittest.main()
