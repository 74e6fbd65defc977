//! Random expressions, tlc against `CPython`. It needs a `python3` of version 3.11 and takes its time, so it is run by hand:
//!
//! ```text
//! TLC_DIFFERENTIAL=200000 cargo test --release --test differential_eval -- --ignored --nocapture
//! ```
//!
//! `TLC_SEED` chooses other expressions, `TLC_PYTHON` another interpreter. Every difference is either on the list in
//! `docs/src/reference/expressions.md` or a bug.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};
use tlc_compiler::expression::parse;
use tlc_compiler::plan::Data;
use tlc_compiler::plan::evaluate::{Binding, ErrorKind, Limits, Scope, evaluate_to_data};
use tlc_compiler::plan::expression::Root;

const SCOPE: &str = r#"{"constants": {"n": 5, "zero": 0, "neg": -7, "f": 2.5, "big": 1180591620717411303424, "b": true,
  "nul": null, "s": "Hello World", "empty": "", "uni": "naïve 測試 ñ ß ǆ İ", "csv": "a,b,,c", "num": "42", "tab": "\ta\tbc\n x\r\n",
  "l": [3, 1, 2], "ls": ["pear", "Apple", "fig"], "ll": [[1, 2], [3, 4], []], "d": {"k": "v", "n": 1, "a-b": 2},
  "ld": [{"k": "x", "v": 1}, {"k": "y", "v": 2}]}, "locals": {"voltage": 3.3, "port": 2, "name": "left"}}"#;

/// A generator of numbers: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Int,
    Float,
    Str,
    List,
    Dict,
    Bool,
    Set,
}

const KINDS: [Kind; 7] = [Kind::Int, Kind::Float, Kind::Str, Kind::List, Kind::Dict, Kind::Bool, Kind::Set];

fn any(random: &mut Random, depth: usize) -> String {
    let kind = KINDS[random.next(KINDS.len() - 1)];
    expression(random, depth, kind)
}

fn expression(random: &mut Random, depth: usize, kind: Kind) -> String {
    if random.next(25) == 0 {
        return any(random, depth.saturating_sub(1));
    }
    if depth == 0 || random.next(6) == 0 {
        return leaf(random, kind).to_owned();
    }
    let depth = depth - 1;
    match random.next(14) {
        0 => {
            let (a, b, test) = (expression(random, depth, kind), expression(random, depth, kind), any(random, depth));
            return format!("({a} if {test} else {b})");
        }
        1 => {
            let operator = random.pick(&["and", "or"]);
            return format!("({} {operator} {})", any(random, depth), expression(random, depth, kind));
        }
        _ => {}
    }
    match kind {
        Kind::Int => int(random, depth),
        Kind::Float => float(random, depth),
        Kind::Str => string(random, depth),
        Kind::List => list(random, depth),
        Kind::Dict => dict(random, depth),
        Kind::Bool => truth(random, depth),
        Kind::Set => set(random, depth),
    }
}

fn leaf(random: &mut Random, kind: Kind) -> &'static str {
    match kind {
        Kind::Int => random.pick(&[
            "0",
            "1",
            "-1",
            "2",
            "3",
            "7",
            "10",
            "255",
            "0x1f",
            "0b101",
            "1_000",
            "True",
            "2**64",
            "-2**63",
            "2**63-1",
            "10**20",
            "constants.n",
            "constants.neg",
            "constants.big",
            "locals.port",
            "constants.zero",
            "-(2**53+1)",
        ]),
        Kind::Float => random.pick(&[
            "0.0",
            "-0.0",
            "0.1",
            "1.5",
            "2.5",
            "-2.5",
            "1e16",
            "1e-5",
            "1e-3",
            "123456789.125",
            "1e300",
            "5e-324",
            "0.5",
            "1e22",
            "constants.f",
            "locals.voltage",
            "3.0",
            "1/3",
            "-7.25",
            "2675.5e-3",
            "99.995",
            "1e100",
        ]),
        Kind::Str => random.pick(&[
            "''",
            "'a'",
            "'abc'",
            "'Hello, World'",
            "'a,b,c'",
            "'  pad '",
            "'12'",
            "'-3'",
            "'%s'",
            "'x=%d'",
            "'測'",
            "'ß'",
            "'a\\nb'",
            "\"it's\"",
            "'q\"q'",
            "r'\\d'",
            "'\\x00\\x7f\\u2028'",
            "constants.s",
            "constants.uni",
            "constants.csv",
            "constants.num",
            "locals.name",
            "constants.tab",
            "'ΑΣ ΟΔΟΣ'",
            "'ﬁ ǅ'",
            "'٣'",
            "'1_000'",
            "' 1e5 '",
            "'nan'",
            "'0x1F'",
        ]),
        Kind::List => random.pick(&[
            "[]",
            "[1, 2, 3]",
            "[3, 1, 2]",
            "['a', 'b']",
            "(1, 2)",
            "()",
            "[None, 1, 'a']",
            "list(range(4))",
            "range(3)",
            "range(10, 0, -3)",
            "constants.l",
            "constants.ls",
            "constants.ll",
            "constants.ld",
            "[1.5, 2, True]",
            "(1, 'a')",
        ]),
        Kind::Dict => random.pick(&[
            "{}",
            "{'a': 1}",
            "{'a': 1, 'b': [2]}",
            "{1: 'x', 2: 'y'}",
            "dict(a=1, b=2)",
            "constants.d",
            "{'k': None}",
        ]),
        Kind::Bool => random.pick(&["True", "False", "None", "constants.b", "constants.nul"]),
        Kind::Set => {
            random.pick(&["{1, 2, 3}", "set()", "{'a', 'b'}", "{1.0, True}", "frozenset([1, 2])", "set('abc')"])
        }
    }
}

fn int(random: &mut Random, depth: usize) -> String {
    let number = |random: &mut Random| expression(random, depth, Kind::Int);
    let small = random.pick(&["0", "1", "2", "3", "5", "8", "-1"]);
    match random.next(16) {
        0..=4 => {
            let operator = random.pick(&["+", "-", "*", "//", "%", "&", "|", "^"]);
            format!("({} {operator} {})", number(random), number(random))
        }
        5 => format!("({} ** {small})", number(random)),
        6 => format!("({} {} {small})", number(random), random.pick(&["<<", ">>"])),
        7 => format!("({}{})", random.pick(&["-", "+", "~", "- -"]), number(random)),
        8 => format!("len({})", any(random, depth)),
        9 => format!("int({})", any(random, depth)),
        10 => format!("{}({})", random.pick(&["sum", "max", "min", "abs", "ord"]), any(random, depth)),
        11 => format!("round({}, {small})", number(random)),
        12 => format!("round({})", expression(random, depth, Kind::Float)),
        13 => {
            let method = random.pick(&["count", "find", "index", "rfind", "rindex"]);
            let (a, b) = (expression(random, depth, Kind::Str), expression(random, 0, Kind::Str));
            let range = random.pick(&["", ", 1", ", -3", ", 1, 4", ", None, 2"]);
            format!("{a}.{method}({b}{range})")
        }
        14 => format!(
            "({}).{}()",
            number(random),
            random.pick(&["bit_length", "bit_count", "conjugate", "as_integer_ratio"])
        ),
        _ => format!("{}({}, {})", random.pick(&["divmod", "pow", "max", "min"]), number(random), small),
    }
}

fn float(random: &mut Random, depth: usize) -> String {
    let number = |random: &mut Random| {
        let kind = if random.next(3) == 0 { Kind::Int } else { Kind::Float };
        expression(random, depth, kind)
    };
    match random.next(9) {
        0..=3 => format!("({} {} {})", number(random), random.pick(&["+", "-", "*", "/", "//", "%"]), number(random)),
        4 => format!("({} ** {})", number(random), random.pick(&["2", "-1", "0.5", "3", "-2.5", "0"])),
        5 => format!("float({})", any(random, depth)),
        6 => format!("round({}, {})", number(random), random.pick(&["0", "1", "2", "-1", "3", "-2", "10"])),
        7 => format!("divmod({}, {})", number(random), number(random)),
        _ => format!("abs({})", number(random)),
    }
}

fn spec(random: &mut Random) -> String {
    let fill = random.pick(&["", "", "", "*", "0", "é"]);
    let align =
        if fill.is_empty() { random.pick(&["", "", "<", ">", "^", "="]) } else { random.pick(&["<", ">", "^", "="]) };
    let sign = random.pick(&["", "", "", "+", "-", " "]);
    let z = random.pick(&["", "", "", "", "", "z"]);
    let alternate = random.pick(&["", "", "", "#"]);
    let zero = random.pick(&["", "", "0"]);
    let width = random.pick(&["", "", "1", "5", "8", "12", "20"]);
    let grouping = random.pick(&["", "", "", ",", "_"]);
    let precision = random.pick(&["", "", ".0", ".1", ".2", ".3", ".10", ".17", ".25"]);
    let kind = random.pick(&["", "", "d", "s", "f", "F", "e", "E", "g", "G", "%", "x", "X", "o", "b", "c", "n", "q"]);
    format!("{fill}{align}{sign}{z}{alternate}{zero}{width}{grouping}{precision}{kind}")
}

fn conversion(random: &mut Random) -> String {
    let flags = random.pick(&["", "", "", "-", "+", "0", " ", "#", "-0", "+0", "#0", "0 "]);
    let width = random.pick(&["", "", "1", "5", "10"]);
    let precision = random.pick(&["", "", ".", ".0", ".1", ".3", ".12"]);
    let kind = random.pick(&["d", "i", "u", "s", "r", "a", "f", "e", "g", "G", "E", "x", "X", "o", "c", "%", "y"]);
    format!("%{flags}{width}{precision}{kind}")
}

fn string(random: &mut Random, depth: usize) -> String {
    let text = |random: &mut Random| expression(random, depth, Kind::Str);
    match random.next(24) {
        0 => format!("({} + {})", text(random), text(random)),
        1 => format!("({} * {})", text(random), random.pick(&["2", "0", "-1", "3", "True"])),
        2 => format!("{}({})", random.pick(&["str", "repr", "ascii"]), any_but_sets(random, depth)),
        3 => format!("{}({})", random.pick(&["bin", "hex", "oct", "chr"]), expression(random, depth, Kind::Int)),
        4..=6 => {
            let method = random.pick(&[
                "upper",
                "lower",
                "title",
                "capitalize",
                "swapcase",
                "casefold",
                "strip",
                "lstrip",
                "rstrip",
                "isalpha",
                "isdigit",
                "isnumeric",
                "isdecimal",
                "isalnum",
                "isspace",
                "isupper",
                "islower",
                "istitle",
                "isidentifier",
                "isprintable",
                "isascii",
                "splitlines",
                "split",
                "rsplit",
                "expandtabs",
            ]);
            format!("{}.{method}()", text(random))
        }
        7 => {
            let method = random.pick(&["center", "ljust", "rjust"]);
            let fill = random.pick(&["", ", '*'", ", '測'", ", ''"]);
            format!("{}.{method}({}{fill})", text(random), random.pick(&["0", "5", "8", "9", "14", "-2"]))
        }
        8 => format!("{}.zfill({})", text(random), random.pick(&["0", "3", "6", "10"])),
        9 => {
            let method = random.pick(&[
                "strip",
                "lstrip",
                "rstrip",
                "split",
                "rsplit",
                "partition",
                "rpartition",
                "removeprefix",
                "removesuffix",
                "startswith",
                "endswith",
                "join",
            ]);
            format!("{}.{method}({})", text(random), text(random))
        }
        10 => {
            let count = random.pick(&["", ", 1", ", 0", ", -1", ", 2"]);
            format!("{}.replace({}, {}{count})", text(random), leaf(random, Kind::Str), text(random))
        }
        11 => {
            let separator = random.pick(&["None", "','", "' '", "'l'"]);
            format!(
                "{}.{}({separator}, {})",
                text(random),
                random.pick(&["split", "rsplit"]),
                random.pick(&["0", "1", "2", "-1"])
            )
        }
        12 | 13 => format!("format({}, '{}')", any_but_sets(random, depth), spec(random)),
        14 => format!("'<{{:{}}}>'.format({})", spec(random), any_but_sets(random, depth)),
        15 => {
            let spec = random.pick(&[
                "{0}", "{a!r}", "{0!s:>8}", "{}{}", "{{}}", "{0[0]}", "{a[k]}", "{1:{0}}", "{:{}}", "{0.real}",
            ]);
            format!(
                "'{spec}'.format({}, {}, a={})",
                any_but_sets(random, depth),
                leaf(random, Kind::Int),
                any_but_sets(random, depth)
            )
        }
        16 | 17 => {
            let (a, b) = (any_but_sets(random, depth), any_but_sets(random, depth));
            let (x, y) = (conversion(random), conversion(random));
            match random.next(3) {
                0 => format!("('{x}' % {a})"),
                1 => format!("('{x}' % ({a},))"),
                _ => format!("('{x} {y}' % ({a}, {b}))"),
            }
        }
        18 => format!("('%(k)s %(n)5d' % {})", expression(random, depth, Kind::Dict)),
        19 => {
            let value = random.pick(&[
                "constants.n",
                "constants.s",
                "constants.f",
                "locals.voltage",
                "constants.l",
                "1 + 2",
                "constants.big",
            ]);
            let conversion = random.pick(&["", "", "!r", "!s", "!a", "=", " = "]);
            let spec = spec(random);
            let spec = if spec.is_empty() || random.next(2) == 0 { String::new() } else { format!(":{spec}") };
            format!("f'<{{{value}{conversion}{spec}}}>'")
        }
        20 => format!(
            "{}[{}]",
            text(random),
            random.pick(&["0", "-1", "1:3", "::-1", "::2", ":2", "-2:", "5", "3:1:-1", "-9:9:3"])
        ),
        21 => format!("{}.join({})", text(random), list(random, depth)),
        22 => format!("{}.join([str(x) for x in {}])", text(random), expression(random, depth, Kind::List)),
        _ => format!("{}.translate(str.maketrans('abl', 'xyz', 'o'))", text(random)),
    }
}

/// Sets have an order of their own, so they are not shown as text.
fn any_but_sets(random: &mut Random, depth: usize) -> String {
    let kind = KINDS[random.next(KINDS.len() - 1)];
    expression(random, depth, kind)
}

fn list(random: &mut Random, depth: usize) -> String {
    let items = |random: &mut Random| expression(random, depth, Kind::List);
    match random.next(19) {
        0 => format!("[{}, {}]", any(random, depth), any(random, depth)),
        1 => format!("({}, {})", any(random, depth), any(random, depth)),
        2 => format!("({} + {})", items(random), items(random)),
        3 => format!("({} * {})", items(random), random.pick(&["0", "2", "-1"])),
        4 => format!("[*{}, {}]", any(random, depth), any(random, depth)),
        5 => format!(
            "{}[{}]",
            items(random),
            random.pick(&["0", "-1", "1:3", "::-1", "::2", ":2", "-2:", "5", "2::-1", "-1:-5:-2"])
        ),
        6 => format!("sorted({}{})", items(random), random.pick(&["", ", reverse=True", ", key=str", ", key=len"])),
        7 => format!("list({})", any_but_sets(random, depth)),
        8 => format!("list(zip({}, {}))", items(random), items(random)),
        9 => format!("list(enumerate({}{}))", any_but_sets(random, depth), random.pick(&["", ", 1", ", start=-1"])),
        10 => format!("list(reversed({}))", items(random)),
        11 => format!(
            "[x for x in {} if {}]",
            items(random),
            random.pick(&["x", "x != 1", "isinstance(x, int)", "x in [1, 'a']"])
        ),
        12 => format!(
            "[{} for x in {}]",
            random.pick(&["x", "x * 2", "[x]", "(x, x)", "str(x)", "-x", "x + 1"]),
            items(random)
        ),
        13 => format!("[(x, y) for x in {} for y in {}]", items(random), items(random)),
        14 => format!("[a for a, *b in {}]", items(random)),
        15 => format!("sorted({})", expression(random, depth, Kind::Set)),
        16 => {
            format!("list({}.{}())", expression(random, depth, Kind::Dict), random.pick(&["keys", "values", "items"]))
        }
        17 => format!("tuple({})", any_but_sets(random, depth)),
        _ => format!("list(filter(None, {}))", items(random)),
    }
}

fn dict(random: &mut Random, depth: usize) -> String {
    let entries = |random: &mut Random| expression(random, depth, Kind::Dict);
    match random.next(9) {
        0 => format!("{{'a': {}, 'b': {}}}", any(random, depth), any(random, depth)),
        1 => format!("({} | {})", entries(random), entries(random)),
        2 => format!("{{**{}, 'z': {}}}", entries(random), any(random, depth)),
        3 => format!("{{str(x): x for x in {}}}", expression(random, depth, Kind::List)),
        4 => format!("dict(zip({}, {}))", expression(random, depth, Kind::List), expression(random, depth, Kind::List)),
        5 => format!("{{str(k): v for k, v in {}.items()}}", entries(random)),
        6 => format!("{}.get({}{})", entries(random), any(random, depth), random.pick(&["", ", 0"])),
        7 => format!("{}[{}]", entries(random), random.pick(&["'a'", "'k'", "1", "True", "[]", "1.0"])),
        _ => format!("dict.fromkeys({}, {})", expression(random, depth, Kind::List), any(random, depth)),
    }
}

fn truth(random: &mut Random, depth: usize) -> String {
    match random.next(12) {
        0 => format!("(not {})", any(random, depth)),
        1..=3 => {
            let operator = random.pick(&["==", "!=", "<", "<=", ">", ">="]);
            let kind = KINDS[random.next(KINDS.len())];
            format!("({} {operator} {})", expression(random, depth, kind), expression(random, depth, kind))
        }
        4 => {
            let (a, b, c) = (any(random, depth), any(random, depth), any(random, depth));
            format!("({a} < {b} <= {c})")
        }
        5 => {
            let (item, collection) = (any(random, depth), KINDS[random.next(KINDS.len())]);
            format!("({item} {} {})", random.pick(&["in", "not in"]), expression(random, depth, collection))
        }
        6 => format!("({} {} None)", any(random, depth), random.pick(&["is", "is not"])),
        7 => format!("{}({})", random.pick(&["bool", "all", "any"]), any(random, depth)),
        8 => {
            let classes = random.pick(&["int", "str", "(int, float)", "list", "dict", "bool", "set", "tuple", "3"]);
            format!("isinstance({}, {classes})", any(random, depth))
        }
        9 => format!("({}).is_integer()", expression(random, depth, Kind::Float)),
        10 => format!(
            "{}.{}({})",
            expression(random, depth, Kind::Set),
            random.pick(&["issubset", "issuperset", "isdisjoint"]),
            any(random, depth)
        ),
        _ => format!("({} == {})", any(random, depth), any(random, depth)),
    }
}

fn set(random: &mut Random, depth: usize) -> String {
    let members = |random: &mut Random| expression(random, depth, Kind::Set);
    match random.next(6) {
        0 | 1 => format!("({} {} {})", members(random), random.pick(&["|", "&", "-", "^"]), members(random)),
        2 => format!("set({})", any(random, depth)),
        3 => format!("{{x for x in {}}}", expression(random, depth, Kind::List)),
        4 => format!("({}.keys() & {})", expression(random, depth, Kind::Dict), members(random)),
        _ => format!(
            "{}.{}({})",
            members(random),
            random.pick(&["union", "intersection", "difference", "symmetric_difference"]),
            any(random, depth)
        ),
    }
}

/// `CPython`, which stays.
struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let program = std::env::var("TLC_PYTHON").unwrap_or_else(|_| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential_eval.py");
        let mut child = Command::new(program)
            .args(["-I", "-X", "utf8", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        writeln!(input, "{}", SCOPE.replace('\n', " ")).expect("python reads");
        Self { child, input, output }
    }

    fn answer(&mut self, text: &str) -> Json {
        writeln!(self.input, "{}", json!(text)).expect("python reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("python answers");
        serde_json::from_str(&line).expect("python answers JSON")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scope() -> Scope {
    let data: Data = serde_json::from_str(SCOPE).expect("JSON");
    let part = |name: &str| Binding::attributes(data.get(name).expect("a part of the scope"));
    Scope::new().with(Root::Constants, part("constants")).with(Root::Locals, part("locals"))
}

/// The same form as that of the Python side: numbers as text, with their types.
fn typed(data: &Data) -> Json {
    match data {
        Data::Null => Json::Null,
        Data::Bool(value) => json!(value),
        Data::Int(value) => json!({ "int": value.to_string() }),
        Data::Big(value) => json!({ "int": value.to_string() }),
        Data::Float(value) => json!({ "float": value.to_bits() }),
        Data::String(text) => json!(&**text),
        Data::List(items) => items.iter().map(typed).collect(),
        Data::Object(members) => {
            json!({ "dict": members.iter().map(|(key, value)| json!([&**key, typed(value)])).collect::<Vec<_>>() })
        }
    }
}

fn with_bits(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(with_bits),
        Json::Object(members) => {
            if let Some(Json::String(text)) = members.get("float") {
                let bits = text.parse::<f64>().expect("a float").to_bits();
                members.insert("float".into(), json!(bits));
            }
            members.values_mut().for_each(with_bits);
        }
        _ => {}
    }
}

fn ours(text: &str, scope: &Scope) -> Json {
    let expression = match parse(text) {
        Ok(expression) => expression,
        Err(error) => return json!({ "error": error.kind.name(), "message": error.message }),
    };
    match evaluate_to_data(&expression, scope, &Limits::default()) {
        Ok(data) => json!({ "value": typed(&data) }),
        Err(error) if error.kind == ErrorKind::Limit => json!({ "limit": error.message }),
        Err(error) => json!({ "error": error.kind.name(), "message": error.message }),
    }
}

#[test]
#[ignore = "needs python3 and minutes"]
fn random_expressions_mean_what_they_mean_in_python() {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let count = number("TLC_DIFFERENTIAL", 20_000);
    let mut random = Random(number("TLC_SEED", 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let scope = scope();
    let mut python = Python::start();
    let (mut values, mut limits, mut differences) = (0, 0, Vec::new());
    for _ in 0..count {
        let depth = 1 + random.next(4);
        let text = any(&mut random, depth);
        let (ours, mut theirs) = (ours(&text, &scope), python.answer(&text));
        with_bits(&mut theirs);
        values += usize::from(theirs.get("value").is_some());
        // Complex numbers have no format specification: on the list of differences.
        let listed = ours["message"].as_str().is_some_and(|message| message.contains("complex.__format__"));
        if listed
            || ours.get("limit").is_some()
            || matches!(theirs["error"].as_str(), Some("Surrogate" | "TimeoutError" | "MemoryError"))
        {
            limits += 1;
        } else if ours.get("value") != theirs.get("value") || ours.get("error") != theirs.get("error") {
            differences.push(format!("{text}\n    python {theirs}\n    tlc    {ours}"));
        }
    }
    println!("{count} expressions, {values} with a value, {limits} beyond a limit, {} differences", differences.len());
    for difference in differences.iter().take(40) {
        println!("{difference}");
    }
    assert!(differences.is_empty());
}
