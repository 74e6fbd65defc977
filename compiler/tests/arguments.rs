//! Declarations of Python tests, and what they say of given arguments: the reference's own answers, and cases.
//!
//! The reference's answers are not part of this repository: they are looked for in `$TLC_CORPUS`, or in `shared/corpus` beside the
//! working copy.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tlc_compiler::arguments::{Declaration, Given, ProblemKind, Reading, Types, Unusable};
use tlc_compiler::source::SourceMap;
use tlc_plan::Data;

fn reading(source: &str) -> (SourceMap, Reading) {
    let mut sources = SourceMap::default();
    let file = sources.add(Path::new("test.py"), source.into()).expect("room");
    let reading = Declaration::read(&sources, file);
    (sources, reading)
}

fn declared(source: &str) -> Declaration {
    match reading(source).1 {
        Reading::Declared(declaration) => declaration,
        Reading::Unchecked(unchecked) => panic!("{}", unchecked.reason),
        Reading::Unusable(unusable) => panic!("{unusable:?}"),
    }
}

/// What a source says, for a recorded answer.
fn shown(source: &str) -> String {
    let (sources, reading) = reading(source);
    let declaration = match &reading {
        Reading::Declared(declaration) => declaration,
        Reading::Unchecked(unchecked) => return format!("{} @ {}", unchecked.reason, sources.slice(unchecked.span)),
        Reading::Unusable(Unusable::Syntax(error)) => {
            return format!("no Python: {} @ {}", error.reason, sources.slice(error.span));
        }
        Reading::Unusable(Unusable::NoClass) => return "no test class".to_owned(),
        Reading::Unusable(Unusable::Classes(first, second)) => {
            return format!("several test classes: {}, {}", sources.slice(*first), sources.slice(*second));
        }
    };
    let mut lines = vec![format!("class {}", sources.slice(declaration.class))];
    for argument in &declaration.arguments {
        let types = if let Types::Known(types) = &argument.types { format!("{types:?}") } else { "unknown".into() };
        lines.push(format!("{}: {types} = {:?}", argument.name, argument.default));
    }
    lines.extend(
        declaration.faults.iter().map(|fault| format!("fault: {} @ {}", fault.message, sources.slice(fault.span))),
    );
    let unchecked = declaration.unchecked().into_iter();
    lines.extend(unchecked.map(|part| format!("unchecked: {} @ {}", part.reason, sources.slice(part.span))));
    lines.join("\n")
}

fn probes() -> Option<Value> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut beside = above.map(|directory| directory.join("shared/corpus"));
    let corpus = std::env::var_os("TLC_CORPUS").map(PathBuf::from).or_else(|| beside.find(|corpus| corpus.is_dir()));
    let text = corpus.and_then(|corpus| std::fs::read_to_string(corpus.join("args_probes.json")).ok());
    if text.is_none() {
        eprintln!("skipped: args_probes.json was not found; say where with TLC_CORPUS");
    }
    text.map(|text| serde_json::from_str(&text).expect("JSON"))
}

fn source(arguments: &str) -> String {
    let list = if arguments.starts_with('[') { arguments.to_owned() } else { format!("[{arguments}]") };
    format!(
        "import unittest\nfrom a.b import Arg, I18nArg, Enum\n\nclass ProbeTest(unittest.TestCase):\n  ARGS = {list}\n"
    )
}

/// The words that the reference's message has for each of our problems.
fn words(kind: &ProblemKind, name: &str) -> String {
    match kind {
        ProblemKind::Missing => format!("Required argument {name} not specified"),
        ProblemKind::WrongType(..) => format!("Argument {name} should have type"),
        ProblemKind::Schema(_) => "Fail to validate".into(),
        ProblemKind::NoEnglish => "doesn't contain the default locale".into(),
        ProblemKind::Undeclared(_) => "Extra arguments".into(),
    }
}

#[test]
fn given_arguments_are_judged_as_the_reference_does() {
    let Some(probes) = probes() else { return };
    let mut count = 0;
    for probe in probes["parse"].as_array().expect("probes") {
        let spec = probe["spec"].as_str().expect("a name");
        let declaration = declared(&source(probes["declarations"][spec].as_str().expect("a declaration")));
        let ok = probe["result"].get("ok").is_some();
        let given = probe["args"].as_object().expect("arguments").iter().map(|(name, value)| {
            let data = Data::from(value);
            let given = match () {
                () if value.get("__unresolvable__").is_some() => Given::Unknown,
                // The probe's file writes tuples as lists.
                () if spec == "tuple" && ok => Given::Tuple(data),
                () => Given::Data(data),
            };
            (name.as_str(), given)
        });
        let problems = declaration.check(given);
        assert_eq!(problems.is_empty(), ok, "{probe}: {problems:?}");
        let message = probe["result"]["message"].as_str().unwrap_or_default();
        for problem in &problems {
            assert!(message.contains(&words(&problem.kind, &problem.argument)), "{problem}, not {message}");
        }
        count += 1;
    }
    for probe in probes["definition"].as_array().expect("probes") {
        let spec = probe["spec"].as_str().expect("a name");
        let declaration = declared(&source(probes["declarations"][spec].as_str().expect("a declaration")));
        assert_eq!(declaration.faults.is_empty(), probe.get("result").is_some(), "{probe}: {:?}", declaration.faults);
        count += 1;
    }
    eprintln!("{count} probes of arguments");
}

#[test]
fn what_is_written_plainly_is_known() {
    insta::assert_snapshot!(shown(r"
import unittest
from cros.factory.utils import arg_utils, type_utils
from cros.factory.utils.arg_utils import Arg as A
_MODES = type_utils.Enum(['fast', 'slow'])
_COMMON = [A('limits', (int, float, type(None)), 'Limits.' ' More.', default=-1)]
class Helper:
  pass
class FooTest(unittest.TestCase):
  LOCAL = 'x'
  ARGS = _COMMON + [
      arg_utils.Arg('mode', _MODES, help='The mode.', default=LOCAL),
      arg_utils.Arg(name='names', type=list, help='h', default=[1, 'a', {'k': (2.5, True, None)}]),
      *[],
  ]
"), @r#"
    class FooTest
    limits: [Int, Float, Null] = Value(Int(-1))
    mode: [Enum([String("fast"), String("slow")])] = Value(String("x"))
    names: [List] = Value(List([Int(1), String("a"), Object({"k": List([Float(2.5), Bool(true), Null])})]))
    fault: the default of the argument `mode` has another type than the argument @ arg_utils.Arg('mode', _MODES, help='The mode.', default=LOCAL)
    "#);
}

#[test]
fn the_sdk_is_understood_as_it_is_written() {
    let source = "import tlc\n\nMODES = ('a', 'b')\n\nclass Rail(tlc.TestCase):\n  ARGS = [\n    tlc.Arg('rail', str, 'Its name.'),\n    \
                  tlc.Arg('mode', tlc.Enum(MODES), 'The mode.', default='a'),\n    tlc.I18nArg('text', 'A text.', default=None),\n    \
                  tlc.Arg('points', list, 'Numbers.', schema={'items': {'type': 'integer'}}),\n    \
                  tlc.Arg('limit', (int, float, type(None)), 'A limit.', default=1.5)]\n\nif __name__ == '__main__':\n  tlc.main()\n";
    let declaration = declared(source);
    assert!(declaration.faults.is_empty() && declaration.unchecked().is_empty(), "{declaration:?}");
    let data = |text: &str| Given::Data(serde_json::from_str(text).expect("JSON"));
    let good =
        [("rail", data("\"3V3\"")), ("mode", data("\"b\"")), ("points", data("[1, 2]")), ("limit", data("null"))];
    assert_eq!(declaration.check(good), []);
    let bad = [("rail", data("1")), ("mode", data("\"c\"")), ("points", data("[1.5]")), ("text", data("{}"))];
    let problems: Vec<String> = declaration.check(bad).iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems[3].contains("does not fit its schema"), "{problems:?}");
}

#[test]
fn what_is_not_known_is_unchecked_and_never_guessed() {
    insta::assert_snapshot!(shown(r"
import unittest, other
class FooTest(unittest.TestCase):
  ARGS = [
      Arg('a', other.Type, 'h'),
      Arg('b', int, 'h', default=other.VALUE),
      Arg('c', dict, 'h', schema=other.SCHEMA),
      Arg(other.name, int, 'h'),
  ] + other.ARGS
"), @r#"
    class FooTest
    a: unknown = Required
    b: [Int] = Unknown
    c: [Dict] = Required
    unchecked: its type is only known when the test runs @ other.Type
    unchecked: its schema is only known when the test runs @ other.SCHEMA
    unchecked: the name of this argument is only known when the test runs @ Arg(other.name, int, 'h')
    "#);
    let open = declared("class T(TestCase):\n  ARGS = [Arg('a', int, 'h')] + other.ARGS\n");
    assert_eq!(open.check([("a", Given::Data(Data::Int(1))), ("zz", Given::Unknown)]), []);
    let sources = [
        "class A(TestCase): pass\nclass B(TestCase): pass\n",
        "x = 1\n",
        "class T(unittest.TestCase:\n",
        "class T(TestCase, Mixin): pass\n",
        "class T(TestCase):\n  ARGS = []\n  ARGS = [1]\n",
        "class T(TestCase):\n  ARGS = []\n  ARGS += [1]\n",
        "class T(TestCase):\n  if x:\n    ARGS = []\n",
        "class T(TestCase):\n  ARGS = []\n  ARGS.append(1)\n",
        "class T(TestCase):\n  ARGS = []\nT.ARGS.extend([1])\n",
        "class T(TestCase):\n  ARGS = []\n  def setUp(self):\n    self.ARGS = [1]\n",
        "class T(TestCase):\n  ARGS = []\n  def setUp(self):\n    print(self.ARGS, self.ARGS == 1)\n",
        "A = []\nfor x in y:\n  A += [x]\nclass T(TestCase):\n  ARGS = A\n",
    ];
    insta::assert_snapshot!(sources.map(shown).join("\n"), @r#"
    there are several test classes in it @ B
    no test class
    no Python: Expected `,`, found `:` @ :
    its arguments may come from this base @ Mixin
    `ARGS` is set more than once, or by a condition @ T
    `ARGS` is set more than once, or by a condition @ T
    `ARGS` is set more than once, or by a condition @ T
    `ARGS` is changed after it is made @ T
    `ARGS` is changed after it is made @ T
    `ARGS` is changed after it is made @ T
    class T
    class T
    unchecked: these arguments are only known when the test runs @ A
    "#);
}

#[test]
fn a_declaration_comes_from_the_nearest_base() {
    let source = "class Base(TestCase):\n  ARGS = [Arg('a', int, 'h')]\nclass FooTest(Base):\n  pass\n";
    assert_eq!(shown(source), "there are several test classes in it @ FooTest");
    let nothing = declared("import unittest\nclass FooTest(unittest.TestCase):\n  def runTest(self): pass\n");
    let problems = nothing.check([("a", Given::Unknown)]);
    assert_eq!(problems[0].to_string(), "the test declares no argument `a`");
}

#[test]
fn problems_say_what_is_expected_and_what_was_found() {
    let declaration = declared(&source(
        "[Arg('count', int, 'h', default=None), Arg('mode', Enum(['a', 'b']), 'h'), I18nArg('text', 'h'), Arg('x', (str, list), 'h')]",
    ));
    let data = |text: &str| Given::Data(serde_json::from_str(text).expect("JSON"));
    let problems = declaration.check([
        ("count", data("1.5")),
        ("mode", data("\"c\"")),
        ("text", data("{\"zh-CN\": \"x\"}")),
        ("cuont", data("1")),
    ]);
    let shown: Vec<_> = problems.iter().map(|problem| format!("{problem} {:?}", problem.declared.is_some())).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    the argument `count` is an integer or `null`, found `1.5` true
    the argument `mode` is one of `"a"`, `"b"`, found `"c"` true
    the argument `text` has no text for `en-US` true
    the argument `x` is required, found none true
    the test declares no argument `cuont` false
    "#);
    assert_eq!(problems[4].kind, ProblemKind::Undeclared(Some("count".into())));
    let schema = declared(&source("[Arg('a', dict, 'h', default=None, schema={'type': 'object', 'required': ['b']})]"));
    assert_eq!(schema.check([("a", data("null"))]), []);
    assert_eq!(schema.check([("a", data("{}"))]).len(), 1);
}

/// Fifty names, each of which stands for the next one twice.
fn unfolding(operator: &str) -> String {
    let names: String =
        (0..50).map(|n| format!("a{n} = [*a{m}] {operator} [*a{m}]\n", m = n + 1)).collect::<Vec<_>>().concat();
    format!("{names}class T(TestCase):\n  ARGS = [Arg('x', int, 'h', default=a0)] + a0\n")
}

/// Classes that have two ways to each class below them.
fn ladder() -> String {
    let step = |n: usize| format!("class A{n}(A{m}, B{m}): pass\nclass B{n}(A{m}, B{m}): pass\n", m = n - 1);
    format!("class A0: pass\nclass B0: pass\n{}", (1..60).map(step).collect::<String>())
}

#[test]
fn hostile_sources_end() {
    let deep = [
        format!("x = {}1\n", "-".repeat(200_000)),
        format!("x = {}{}\n", "[".repeat(50_000), "]".repeat(50_000)),
        format!("x = 1{}\n", "+1".repeat(100_000)),
        format!("class T(TestCase):\n  ARGS = {}[]\n", "[] + ".repeat(20_000)),
        "a = b\nb = a\nclass T(TestCase):\n  ARGS = a\n".to_owned(),
        "#".repeat(300 << 10),
        unfolding("+"),
        unfolding(","),
        "class A(A, A): pass\n".to_owned(),
        ladder(),
        format!("{}if x:\n  y = [{}]\n", "class A(B): pass\n".repeat(5_000), "z, ".repeat(30_000)),
    ];
    for source in deep {
        reading(&source);
    }
}

#[test]
fn a_source_without_one_test_class_is_told_where_that_is_sure() {
    for (source, expected) in [
        ("", "no test class"),
        ("def test_led():\n  assert True\n", "no test class"),
        ("from led_base import Led\n", "no test class"),
        ("class Led:\n  pass\n", "no test class"),
        ("import enum\nclass Colour(enum.Enum):\n  RED = 1\nclass LedError(ValueError):\n  pass\n", "no test class"),
        ("import unittest\nclass A:\n  pass\nif __name__ == '__main__':\n  unittest.main()\n", "no test class"),
        ("import unittest as u\nclass A(u.TestCase):\n  pass\nclass B(A):\n  pass\n", "several test classes: A, B"),
        (
            "from unittest import TestCase as T\nclass A(T): pass\nclass C: pass\nclass B(C, T): pass\n",
            "several test classes: A, B",
        ),
        (
            "from cros.factory.test import test_case\nclass A(test_case.TestCase): pass\nclass B(A): pass\n",
            "several test classes: A, B",
        ),
    ] {
        assert_eq!(shown(source), expected, "{source}");
    }
}

#[test]
fn what_is_not_sure_is_no_mistake() {
    for source in [
        "class Led(base.Led):\n  pass\n",
        "from base import *\nclass Led(Base):\n  pass\n",
        "from bench import BenchTest\nclass Led(BenchTest):\n  pass\n",
        "try:\n  from bench import Bench\nexcept ImportError:\n  Bench = object\nclass Led(Bench):\n  pass\n",
        "import unittest\nif unittest:\n  class Led(unittest.TestCase):\n    pass\n",
        "import unittest\ndef make():\n  class Led(unittest.TestCase):\n    pass\n  return Led\nLed = make()\n",
        "import unittest\nLed = type('Led', (unittest.TestCase,), {})\n",
        "import unittest\nclass A(unittest.TestCase): pass\nclass B(A): pass\ndel A\n",
        "import unittest\nclass A(unittest.TestCase): pass\nclass A(unittest.TestCase): pass\n",
        "import unittest\nclass A(unittest.TestCase): pass\nclass B(A): pass\nA = None\n",
        "import unittest\nclass A(unittest.TestCase): pass\n@unittest.skip('later')\nclass B(A): pass\n",
        "import unittest\nclass A(unittest.TestCase): pass\nclass B(A): pass\nA.__module__ = 'other'\n",
        "from lab.logging import LoggedTest\nclass Radio(LoggedTest):\n  pass\n",
        "from .logging import LoggedTest\nclass Radio(LoggedTest):\n  pass\n",
        "import lab.queue\nclass Radio(lab.queue.QueuedTest):\n  pass\n",
        "import unittest\nfrom vectors.case import TestCase\nclass Row(TestCase): pass\nclass A(unittest.TestCase): pass\n",
        "import unittest\ndef make(name):\n  return type(name, (unittest.TestCase,), {})\nTest = make('Test')\n",
        "import unittest\nclass A(unittest.TestCase): pass\nclass B(A): pass\nif __name__ == '__main__': pass\nelse:\n  del A\n",
        "from lab.meta import Meta\nclass Radio(metaclass=Meta): pass\n",
        "import unittest\nclass A(unittest.TestCase): pass\nclass B(A): pass\nlocals().pop('A')\n",
        "\u{feff}import unittest\nclass A(unittest.TestCase):\n  pass\n",
    ] {
        let (_, reading) = reading(source);
        assert!(!matches!(reading, Reading::Unusable(_)), "{source}: {reading:?}");
    }
}
