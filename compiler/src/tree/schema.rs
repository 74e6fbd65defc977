//! The shape of a list: which fields there are, and which type of value each takes.
//!
//! Every definition is looked at, used or not. What is wrong is said once, here; the builder passes over it.

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::{Arena, Entry, Member, NodeId, Symbol, Value};
use crate::source::Span;
use crate::words::{self, EVAL};

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Bool,
    Number,
    PositiveNumber,
    Object,
    Texts,
    TextOrTexts,
    Label,
    Tests,
    Action,
    Layout,
    Locals,
    Constants,
    Definitions,
    Isolation,
    Measurements,
    Expectations,
}

const TOP: &[(Symbol, Shape)] = &[
    (words::LABEL, Shape::Text),
    (words::OPTIONS, Shape::Object),
    (words::CONSTANTS, Shape::Constants),
    (words::DEFINITIONS, Shape::Definitions),
    (words::TESTS, Shape::Tests),
    (words::OVERRIDE_ARGS, Shape::Object),
    (words::SIMULATE, Shape::Expectations),
    (words::COMMENT, Shape::Text),
];

const TEST: &[(Symbol, Shape)] = &[
    (words::INHERIT, Shape::Text),
    (words::PYTEST_NAME, Shape::Text),
    (words::EXEC, Shape::Texts),
    (words::ID, Shape::Text),
    (words::LABEL, Shape::Label),
    (words::ARGS, Shape::Object),
    (words::LOCALS, Shape::Locals),
    (words::SUBTESTS, Shape::Tests),
    (words::RUN_IF, Shape::Text),
    (words::ITERATIONS, Shape::Number),
    (words::RETRIES, Shape::Number),
    (words::ACTION_ON_FAILURE, Shape::Action),
    (words::CHILD_ACTION_ON_FAILURE, Shape::Action),
    (words::TEARDOWN, Shape::Bool),
    (words::PARALLEL, Shape::Bool),
    (words::ALLOW_REBOOT, Shape::Bool),
    (words::DISABLE_ABORT, Shape::Bool),
    (words::NO_HOST, Shape::Bool),
    (words::REQUIRE_RUN, Shape::TextOrTexts),
    (words::EXCLUSIVE_RESOURCES, Shape::Texts),
    (words::ENABLE_SERVICES, Shape::Texts),
    (words::DISABLE_SERVICES, Shape::Texts),
    (words::LAYOUT, Shape::Layout),
    (words::DUT_OPTIONS, Shape::Object),
    (words::TIMEOUT_SECS, Shape::PositiveNumber),
    (words::ISOLATION, Shape::Isolation),
    (words::MEASUREMENTS, Shape::Measurements),
    (words::COMMENT, Shape::Text),
];

const LIMITS: &[Symbol] = &[words::UNIT, words::MIN, words::MAX, words::EQUALS, words::MATCHES, words::LABEL];

const LAYOUT: &[Symbol] = &[words::TYPE, words::OPTIONS];

const EXPECTATION: &[(Symbol, Shape)] = &[(words::FAIL, Shape::Text), (words::EXPECT, Shape::Object)];

/// Checks a configuration. Fields that are wrong are reported; the rest can be used.
pub fn check(arena: &Arena, root: NodeId) -> Vec<Diagnostic> {
    let entry = arena.entry(root);
    let missing = ["options", "constants"].into_iter().filter(|field| entry.get(*field).is_none());
    let mut found: Vec<Diagnostic> = missing.map(|field| required_field(field, entry.span())).collect();
    found.extend(check_fields(arena, root));
    found
}

/// Checks the fields that a list has; what it lacks may come from elsewhere.
pub fn check_fields(arena: &Arena, root: NodeId) -> Vec<Diagnostic> {
    let mut schema = Schema { arena, found: Vec::new() };
    let root = arena.entry(root);
    for member in root.members() {
        if TOP.iter().any(|(name, _)| *name == member.key) {
            schema.member(member, TOP, LIST);
        } else {
            // Where it is written as it should be, it is none of the fields any more.
            schema.unknown(member, LIST, std::iter::once(words::INHERIT).chain(TOP.iter().map(|(name, _)| *name)));
        }
    }
    schema.found
}

struct Schema<'a> {
    arena: &'a Arena,
    found: Vec<Diagnostic>,
}

impl<'a> Schema<'a> {
    fn member(&mut self, member: &Member, fields: &[(Symbol, Shape)], owner: &str) {
        match fields.iter().find(|(name, _)| *name == member.key) {
            Some((name, shape)) => self.shape(self.arena.text(*name), *shape, self.arena.entry(member.value)),
            None => self.unknown(member, owner, fields.iter().map(|(name, _)| *name)),
        }
    }

    fn unknown(&mut self, member: &Member, owner: &str, fields: impl Iterator<Item = Symbol>) {
        let names: Vec<&str> = fields.map(|name| self.arena.text(name)).collect();
        self.found.push(unknown_field(self.arena.text(member.key), member.key_span, owner, &names));
    }

    fn shape(&mut self, field: &str, shape: Shape, value: Entry<'a>) {
        match shape {
            Shape::Text => self.expect(value.as_str().is_some(), field, "a string", value),
            Shape::Bool => self.expect(matches!(value.value(), Value::Bool(_)), field, "`true` or `false`", value),
            Shape::Number => self.expect(is_number(value), field, "a number", value),
            Shape::PositiveNumber => self.expect(is_positive(value), field, "a number greater than 0", value),
            Shape::Object => self.expect(value.is_object(), field, "an object", value),
            Shape::TextOrTexts if value.as_str().is_some() => {}
            Shape::Texts | Shape::TextOrTexts => self.texts(field, value),
            Shape::Label => self.expect(
                value.as_str().is_some() || value.is_object(),
                field,
                "a string or an object of texts",
                value,
            ),
            Shape::Tests => self.tests(field, value),
            Shape::Action => self.word(field, &["NEXT", "PARENT", "STOP"], value),
            Shape::Isolation => self.word(field, &["fork", "spawn", "shared"], value),
            Shape::Layout => self.layout(value),
            Shape::Locals | Shape::Constants => self.names(field, value),
            Shape::Definitions => self.definitions(value),
            Shape::Measurements => self.measurements(value),
            Shape::Expectations => self.expectations(value),
        }
    }

    fn expect(&mut self, fits: bool, field: &str, expected: &str, value: Entry<'_>) {
        if !fits {
            self.found.push(wrong_type(field, expected, value));
        }
    }

    fn texts(&mut self, field: &str, value: Entry<'_>) {
        if !matches!(value.value(), Value::List) {
            self.found.push(wrong_type(field, "an array of strings", value));
        }
        for item in value.items().filter(|item| item.as_str().is_none()) {
            self.found.push(wrong_type(field, "an array of strings", item));
        }
    }

    fn word(&mut self, field: &str, words: &[&'static str], value: Entry<'_>) {
        let word = value.as_str().unwrap_or_default();
        if !words.contains(&word) {
            let finding = wrong_type(field, &one_of(words), value);
            self.found.push(match did_you_mean(word, words.iter().copied()) {
                Some(help) => finding.help(help),
                None => finding,
            });
        }
    }

    fn tests(&mut self, field: &str, value: Entry<'a>) {
        if !matches!(value.value(), Value::List) {
            self.found.push(wrong_type(field, "an array of tests", value));
        }
        for test in value.items() {
            self.test(test);
        }
    }

    fn test(&mut self, test: Entry<'a>) {
        if test.as_str().is_some() {
            return;
        }
        if !test.is_object() {
            self.found.push(wrong_type("a test", "an object or the name of a definition", test));
        }
        for member in test.members() {
            self.member(member, TEST, "a test");
        }
        let parallel = test.get(words::PARALLEL).is_some_and(|value| value.value() == Value::Bool(true));
        if let Some(layout) = test.member(words::LAYOUT).filter(|_| !parallel) {
            self.found.push(layout_without_parallel(layout.key_span));
        }
    }

    fn definitions(&mut self, value: Entry<'a>) {
        self.expect(value.is_object(), "definitions", "an object", value);
        for member in value.members() {
            self.test(self.arena.entry(member.value));
        }
    }

    fn names(&mut self, field: &str, value: Entry<'a>) {
        self.expect(value.is_object(), field, "an object", value);
        for member in value.members() {
            let key: &str = self.arena.text(member.key);
            let inner = self.arena.entry(member.value);
            if key.strip_prefix("__comment_").is_some_and(is_word) {
                self.expect(inner.as_str().is_some(), key, "a string", inner);
            } else if !is_name(key) {
                self.found.push(bad_name(key, field, member.key_span));
            } else if field == "constants" && key == "overlord" {
                self.overlord(inner);
            }
        }
    }

    fn overlord(&mut self, value: Entry<'a>) {
        self.expect(value.is_object(), "overlord", "an object", value);
        if let Some(urls) = value.get("overlord_urls") {
            self.texts("overlord_urls", urls);
        }
        if let Some(verify) = value.get("tls_no_verify") {
            self.shape("tls_no_verify", Shape::Bool, verify);
        }
    }

    fn layout(&mut self, value: Entry<'a>) {
        if value.as_str().is_some() || !value.is_object() {
            return self.word("layout", &["tab", "tiled"], value);
        }
        for member in value.members() {
            let inner = self.arena.entry(member.value);
            match member.key {
                words::TYPE => self.word("type", &["tab", "tiled"], inner),
                words::OPTIONS => self.expect(inner.is_object(), "options", "an object", inner),
                _ => self.unknown(member, "a layout", LAYOUT.iter().copied()),
            }
        }
    }

    fn measurements(&mut self, value: Entry<'a>) {
        self.expect(value.is_object(), "measurements", "an object", value);
        for member in value.members() {
            let limits = self.arena.entry(member.value);
            self.expect(limits.is_object(), "a measurement", "an object of limits", limits);
            for limit in limits.members() {
                self.limit(limit);
            }
        }
    }

    fn limit(&mut self, limit: &Member) {
        if !LIMITS.contains(&limit.key) {
            return self.unknown(limit, "a measurement", LIMITS.iter().copied());
        }
        let (name, value) = (self.arena.text(limit.key), self.arena.entry(limit.value));
        if value.value() == Value::Null || value.as_str().is_some_and(|text| text.starts_with(EVAL.trim_end())) {
            return;
        }
        match limit.key {
            words::MIN | words::MAX => self.expect(is_number(value), name, "a number", value),
            words::UNIT => self.expect(value.as_str().is_some(), name, "a string", value),
            words::LABEL => self.shape(name, Shape::Label, value),
            words::MATCHES => {
                let is_expression = value.as_str().is_some_and(|pattern| regex::Regex::new(pattern).is_ok());
                self.expect(is_expression, name, "a regular expression", value);
            }
            words::EQUALS => {
                let is_reading =
                    is_number(value) || value.as_str().is_some() || matches!(value.value(), Value::Bool(_));
                self.expect(is_reading, name, "a number, a string or a boolean", value);
            }
            _ => {}
        }
    }

    fn expectations(&mut self, value: Entry<'a>) {
        self.expect(matches!(value.value(), Value::List), "simulate", "an array of objects", value);
        for item in value.items() {
            self.expect(item.is_object(), "simulate", "an array of objects", item);
            for member in item.members() {
                self.member(member, EXPECTATION, "an expectation");
            }
        }
    }
}

fn is_number(value: Entry<'_>) -> bool {
    matches!(value.value(), Value::Int(_) | Value::Big(_) | Value::Float(_))
}

fn is_positive(value: Entry<'_>) -> bool {
    match value.value() {
        Value::Int(number) => number > 0,
        Value::Float(number) => number > 0.0,
        _ => false,
    }
}

/// A name of a constant or a local: as in Python, the end of the pattern lets one line end pass.
fn is_name(key: &str) -> bool {
    let key = key.strip_suffix('\n').unwrap_or(key);
    key.starts_with(|first: char| first.is_ascii_alphanumeric())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    format!("one of {}", quoted.join(", "))
}

/// Whether a list lacks what `base` has.
pub(super) fn is_brought_by_base(finding: &Diagnostic) -> bool {
    finding.code == "missing-field" && finding.message.starts_with(LACKS)
}

/// Whether a list says something that is nearly `inherit`.
pub(super) fn is_inherit_misspelt(finding: &Diagnostic) -> bool {
    finding.code == "unknown-field"
        && finding.message.starts_with(LIST)
        && finding.help.as_deref() == Some("did you mean `inherit`?")
}

/// What fields at the top belong to.
const LIST: &str = "a test list";

/// How it is said that a list lacks constants or options.
const LACKS: &str = "the list has no ";

fn required_field(field: &str, span: Span) -> Diagnostic {
    let first = Span { start: span.start, len: span.len.min(1) };
    Diagnostic::error("missing-field", format!("{LACKS}`{field}`"), first, "of this list or of those that it inherits")
        .help(format!("add `\"{field}\": {{}}`, or inherit `base.test_list`"))
}

fn unknown_field(key: &str, span: Span, owner: &str, fields: &[&str]) -> Diagnostic {
    let names = fields.iter().copied();
    let finding = Diagnostic::error("unknown-field", format!("{owner} has no field `{key}`"), span, "unknown");
    let help = did_you_mean(key, names.clone()).unwrap_or_else(|| {
        format!("its fields are {}", names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
    });
    finding.help(help)
}

fn wrong_type(field: &str, expected: &str, value: Entry<'_>) -> Diagnostic {
    let named = if field.contains(' ') { field.to_owned() } else { format!("`{field}`") };
    let found = match (value.value(), value.as_str()) {
        (_, Some(text)) if text.chars().count() <= 30 => format!("`{text:?}`"),
        (Value::Int(number), _) => format!("`{number}`"),
        (Value::Float(number), _) => format!("`{number:?}`"),
        (Value::Bool(value), _) => format!("`{value}`"),
        _ => value.type_name().to_owned(),
    };
    Diagnostic::error(
        "wrong-type",
        format!("{named} is {expected}, found {found}"),
        value.span(),
        format!("expected {expected}"),
    )
    .help(how_to_write(expected))
}

/// What a value of a type looks like.
fn how_to_write(expected: &str) -> &'static str {
    match expected {
        "a string" => "write one text, between quotes",
        "`true` or `false`" => "write `true` or `false`, without quotes",
        "a number" => "write a number, without quotes",
        "a regular expression" => {
            "look-around and references to groups are not supported; a `\\` is written twice in JSON"
        }
        "a number, a string or a boolean" => "write what the measured value is to be",
        "a number greater than 0" => {
            "write how many seconds, without quotes, for example 0.5 or 30; leave it out if there is to be no limit"
        }
        "an array of strings" => "write an array, also for one: `[\"NAME\"]`",
        "an array of tests" => {
            "write an array of test objects and names of definitions: `[{\"pytest_name\": \"led\"}, \"Led\"]`"
        }
        "an object of texts" | "a string or an object of texts" => {
            "write a text, or one for each locale: `{\"en-US\": \"LED\"}`"
        }
        "an object or the name of a definition" => "write `{\"pytest_name\": \"led\"}`, or the name of a definition",
        _ if expected.starts_with("one of ") => "write one of these words, in quotes and capitals as they are here",
        _ => "write members between `{` and `}`",
    }
}

fn layout_without_parallel(span: Span) -> Diagnostic {
    Diagnostic::error("layout-without-parallel", "`layout` is only for a parallel group", span, "this test is not `parallel`")
        .help("write `\"parallel\": true` in the same object, or remove `layout`; an inherited `parallel` does not count here")
}

fn bad_name(key: &str, field: &str, span: Span) -> Diagnostic {
    let what = if field == "constants" { "a constant" } else { "a local" };
    Diagnostic::error("bad-name", format!("`{key}` cannot be the name of {what}"), span, "not a name")
        .help("a name begins with an ASCII letter or digit, and has only these, `_` and `-`; a comment is `__comment_NAME` with a string")
}
