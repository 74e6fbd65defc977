"""Declarations of arguments and values against them (reference: T1 to T8)."""

import json
import os
import unittest

from tlc import Arg, ArgError, Args, Enum, I18nArg, JSONSchemaDict
from tlc._args import Unresolvable, parse

LOCALES = ("en-US", "vi-VN", "zh-CN")
AUDIO = {"en-US": "Audio", "vi-VN": "âm thanh", "zh-CN": "音讯"}


def all_locales(value):
    """A translator that knows three locales and one text."""
    texts = dict(value) if isinstance(value, dict) else AUDIO if value == "Audio" else {"en-US": value}
    return {locale: texts.get(locale, texts["en-US"]) for locale in LOCALES}


def from_json(value):
    if isinstance(value, dict) and set(value) == {"__unresolvable__"}:
        return Unresolvable(value["__unresolvable__"])
    return value


def to_json(value):
    return {"__unresolvable__": value.expression} if isinstance(value, Unresolvable) else value


class OwnCases(unittest.TestCase):
    def refused(self, declared, values, *words):
        with self.assertRaises(ArgError) as caught:
            parse(declared, values)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_a_required_argument_that_is_missing(self):
        self.refused([Arg("rail", str, "Its name.")], {}, "the required argument `rail` is missing")

    def test_a_default_is_taken(self):
        self.assertEqual(parse([Arg("a", int, "h", default=5)], {}), Args({"a": 5}))
        self.assertEqual(parse([Arg("a", int, "h", default=None)], {"a": None}).a, None)

    def test_types_are_python_s(self):
        self.assertEqual(parse([Arg("a", int, "h")], {"a": True}).a, True)
        self.refused([Arg("a", float, "h")], {"a": 1}, "`a`", "float", "int")
        self.assertEqual(parse([Arg("a", (int, float), "h")], {"a": 1.5}).a, 1.5)
        self.refused([Arg("a", bool, "h")], {"a": 0}, "bool")
        self.refused([Arg("a", list, "h")], {"a": (1,)}, "list", "tuple")
        self.refused([Arg("a", int, "h", default=5)], {"a": None}, "None")

    def test_an_enumeration_has_exact_members(self):
        declared = [Arg("a", Enum(["X", 1]), "h")]
        self.assertEqual(parse(declared, {"a": "X"}).a, "X")
        self.refused(declared, {"a": "Z"}, "'X'", "'Z'")
        self.refused(declared, {"a": True}, "True")

    def test_everything_that_is_wrong_is_said(self):
        declared = [Arg("a", int, "h"), Arg("b", str, "h")]
        self.refused(declared, {"a": "x", "z": 1, "y": 2}, "`a`", "; the required argument `b`", "arguments `y`, `z`")

    def test_what_is_not_declared_anywhere_is_taken_as_it_is(self):
        self.assertEqual(parse(None, {"x": 1}).x, 1)

    def test_a_schema(self):
        schema = {"type": "array", "items": {"type": "integer"}}
        for declared in (Arg("a", list, "h", schema=schema), Arg("a", list, "h", schema=JSONSchemaDict("s", schema))):
            self.assertEqual(parse([declared], {"a": [1, 2]}).a, [1, 2])
            self.refused([declared], {"a": ["x"]}, "`a`", "'x' is not of type 'integer'")

    def test_texts(self):
        self.assertEqual(parse([I18nArg("a", "h")], {"a": "x"}).a, {"en-US": "x"})
        with self.assertRaisesRegex(ValueError, "`a` has no text for `en-US`"):
            parse([I18nArg("a", "h")], {"a": {"zh-CN": "x"}})

    def test_wrong_declarations(self):
        for declare, word in (
            (lambda: Arg("", int, "h"), "no name"),
            (lambda: Arg("a", None, "h"), "no type"),
            (lambda: Arg("a", (), "h"), "no type"),
            (lambda: Arg("a", int, ""), "no help text"),
            (lambda: Arg("a", int, "h", default="x"), "default"),
            (lambda: Arg("a", [int], "h"), "no type"),
        ):
            with self.assertRaisesRegex(ArgError, word):
                declare()

    def test_arguments_are_attributes(self):
        args = Args({"a": 1})
        self.assertEqual((args.a, args["a"], "a" in args, list(args), args.ToDict()), (1, 1, True, ["a"], {"a": 1}))
        with self.assertRaisesRegex(AttributeError, "no argument `b`; it has `a`"):
            args.b

    def test_another_package_s_declaration(self):
        class Foreign:
            name = "a"
            default = 7

            def IsOptional(self):
                return True

        self.assertEqual(parse([Foreign()], {}).a, 7)


@unittest.skipUnless(os.environ.get("TLC_CORPUS"), "needs the corpus: TLC_CORPUS")
class Probes(unittest.TestCase):
    """What the reference answered."""

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(os.environ["TLC_CORPUS"], "args_probes.json"), encoding="utf-8") as file:
            cls.probes = json.load(file)

    def declared(self, spec):
        names = {"Arg": Arg, "I18nArg": I18nArg, "Enum": Enum, "JSONSchemaDict": JSONSchemaDict}
        return eval(self.probes["declarations"][spec], names)

    def test_values(self):
        tuples = 0
        for number, probe in enumerate(self.probes["parse"]):
            with self.subTest(number=number, **probe):
                values = {key: from_json(value) for key, value in probe["args"].items()}
                if probe["spec"] == "tuple" and "ok" in probe["result"] and values:
                    # The recorded value went through JSON.
                    tuples += 1
                    values = {key: tuple(value) for key, value in values.items()}
                self.check(probe, values)
        self.assertEqual(tuples, 1)

    def check(self, probe, values):
        result = probe["result"]
        if "ok" in result:
            found = parse(self.declared(probe["spec"]), values, all_locales).ToDict()
            found = {key: list(value) if isinstance(value, tuple) else to_json(value) for key, value in found.items()}
            self.assertEqual(json.dumps(found, sort_keys=True), json.dumps(result["ok"], sort_keys=True))
            return
        with self.assertRaises(ArgError if result["error_type"] == "ArgError" else ValueError) as caught:
            parse(self.declared(probe["spec"]), values, all_locales)
        message = str(caught.exception)
        for problem in result["message"].split("; "):
            if problem.startswith("Required argument "):
                self.assertIn("`%s` is missing" % problem.split()[2], message)
            elif problem.startswith("Extra arguments "):
                self.assertIn(", ".join("`%s`" % name for name in eval(problem[16:])), message)
            elif problem.startswith("Argument ") and "=" in problem.split()[1]:
                name, value = problem[9:].split("=", 1)
                self.assertIn("the argument `%s` is " % name, message)
                self.assertIn("found %s" % value, message)

    def test_declarations(self):
        for probe in self.probes["definition"]:
            with self.subTest(**probe):
                if probe.get("result") == "ok":
                    self.declared(probe["spec"])
                else:
                    with self.assertRaises(ArgError):
                        self.declared(probe["spec"])


if __name__ == "__main__":
    unittest.main()
