//! Each mistake in a file and what the reader says of it: the messages, with their places, as recorded.

use std::fmt::Write as _;
use std::path::Path;

use tlc_compiler::diagnostic::Diagnostic;
use tlc_compiler::document::{Arena, MAX_DEPTH, read};
use tlc_compiler::source::{SourceMap, Span};

/// Reads a text: what is left of it, and the messages.
fn reading(text: &str) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add(Path::new("list"), text.into()).expect("room");
    let mut arena = Arena::default();
    let (document, diagnostics) = read(&sources, file, &mut arena);
    let value = document.root.map_or("nothing".into(), |root| arena.entry(root).to_data().to_string());
    let mut shown = format!("{value}\n");
    for diagnostic in &diagnostics {
        show(&mut shown, &sources, diagnostic);
    }
    shown
}

fn show(shown: &mut String, sources: &SourceMap, diagnostic: &Diagnostic) {
    writeln!(shown, "{}: {}", diagnostic.code, diagnostic.message).expect("written");
    for label in &diagnostic.labels {
        let (start, end) = (sources.position(label.span.start), sources.position(label.span.end()));
        let end = if start.line == end.line { end.column.to_string() } else { format!("{}:{}", end.line, end.column) };
        writeln!(shown, "  {}:{}-{end} {}", start.line, start.column, label.text).expect("written");
    }
    writeln!(shown, "  help: {}", diagnostic.help.as_deref().expect("every message has a next step")).expect("written");
}

/// Several texts, one after the other.
fn readings(texts: &[&str]) -> String {
    texts.iter().map(|text| ["--- ", text, "\n", &reading(text)].concat()).collect()
}

#[track_caller]
fn record(name: &str, shown: &str) {
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, shown) });
}

macro_rules! cases {
    ($($name:ident: [$($text:expr),+ $(,)?])+) => {
        $(#[test] fn $name() { record(stringify!($name), &readings(&[$($text),+])); })+
    };
}

cases! {
    a_missing_comma: ["[1 2]", "{\"a\": 1\n \"b\": 2}", "{a: {} // one\n b: []}", "['a' 'b']"]
    a_comma_too_many: ["[1,,2]", "[,]", "{,}", "{\"a\": 1,, \"b\": 2}"]
    a_missing_colon: ["{\"a\" 1, \"b\": 2}", "{\"a\", \"b\": 2}", "{\"a\"}", "{a b: 1, c: 2}", "{\"a\"\n \"b\": 1}"]
    an_equals_sign_for_a_colon: ["{\"a\" = 1, b => 2}"]
    a_missing_value: ["{\"a\": , \"b\": 2}", "{\"a\":}", "{\"a\":\n \"b\": 2}", "{\"a\":"]
    a_semicolon_for_a_comma: ["[1; 2]", "{a: 1;}"]
    a_wide_comma_or_colon: ["{\"a\"：1，b：2、\"c\": [1，2]}"]
    a_key_in_an_array: ["[\"a\": 1, 2]"]
    a_key_that_needs_quotes: ["{a-b: 1, 7: 2, x.y: 3}", "{“a”: 1}", "{ {}: 1, b: 2}", "{: 1, b: 2}", "{a b}"]
    a_word_that_is_no_value: ["[True, None, nul, flase, undefined]", "{a: hello world, b: 1}", "[“x, y”, 1]", "[@]"]
    a_number_that_is_none: ["[NaN, -Infinity, 1e400, 007, 1_000, 1.2.3, 0x, 1e, -, +x]"]
    a_string_without_an_end: [
        "{\"a\": \"x,\n \"b\": 2}",
        "[\"a, [1],\n 2]",
        "[\"a, 'b'",
        "{\"a: 1,\n \"b\": 2}",
        "{\"a: {\n \"b\": 2}}",
        "{\"a {\n \"b\": 2}}",
        "[\"a\\",
    ]
    a_quote_inside_a_string: ["['it's', 1]", "{\"a\": \"say \"hi\" now\",\n \"b\": 2}", "{\"a: 1, \"b\": 2}"]
    an_escape_that_is_none: [r#"["\1", "\x4", "\u12", "C:\users", "\ud800", "\ude00\ud83d"]"#]
    a_bracket_of_the_other_kind: ["[{\"a\": 1], 2]", "{\"a\": [1, 2}, \"b\": 3}", "{\"a\": 1], \"b\": 2}", "{\"a\": {\"b\": 1], \"c\": 2}"]
    a_bracket_too_many: ["{\"a\": {}}, \"b\": 1}", "[]]", "{} {}", "\"a\": 1"]
    a_bracket_that_is_not_closed: ["[", "{\"a\": [1, {\"b\": 2", "{\"a\": {\"b\": 1}\n", "{\n  \"a\": [\n    {\n      \"b\": 1\n  ],\n  \"c\": 2\n}\n", "{\n  \"a\": {\n    \"b\": {\n      \"x\": 1\n  },\n  \"c\": 2\n}\n"]
    a_comment_that_is_none: ["# one\n{}", "{\n# one, two\n\"a\": 1, # three\n\"b\": [2 # four\n]}", "[1 / 2]", "{} /* one"]
    a_file_without_a_value: ["", " \n", "// one\n/* two */"]
}

#[test]
fn mistakes_that_do_not_depend_on_each_other_are_all_reported() {
    let text = r#"{
  "a": True,
  "b": [1 2],
  "c": "open,
  "d": {"e": 01},
  "f" 3,
  "g": 4
}"#;
    record("mistakes_that_do_not_depend_on_each_other", &reading(text));
}

#[test]
fn too_many_mistakes_are_cut_off() {
    let shown = reading(&format!("[{}]", "x,".repeat(100_000)));
    assert_eq!(shown.matches("json-syntax").count(), 20);
    assert_eq!(shown.matches("json-more").count(), 1);
    assert!(shown.contains("only the first 20 errors"), "{shown}");
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(!reading(&nested(MAX_DEPTH)).contains("json-depth"));
    record("depth_has_a_limit", &reading(&nested(MAX_DEPTH + 1)).replace(['[', ']'], ""));
    for text in ["[".repeat(10_000), "{\"a\":".repeat(10_000), nested(100_000), "[{a:".repeat(1_000_000)] {
        let shown = reading(&text);
        assert_eq!(shown.matches("json-").count(), 1, "{}", &shown[shown.len().saturating_sub(2000)..]);
    }
}

#[test]
fn what_json_does_not_have_is_noted() {
    let text = "\u{feff}{a: 'x', \"b\": [0x1F, .5, 5., +1,],\u{a0}\"c\": \"\\x41\\\n\t\", /* no */}";
    let mut sources = SourceMap::default();
    let file = sources.add(Path::new("list"), text.into()).expect("room");
    let (document, diagnostics) = read(&sources, file, &mut Arena::default());
    assert_eq!(diagnostics, []);
    let noted = |(span, name): &(Span, _)| format!("{:?} {name}", sources.slice(*span));
    record("what_json_does_not_have", &document.json5_only.iter().map(noted).collect::<Vec<_>>().join("\n"));
    let comments: Vec<_> = document.comments.iter().map(|comment| sources.slice(comment.span)).collect();
    assert_eq!(comments, ["/* no */"]);
}

#[test]
fn of_equal_keys_the_last_value_counts_at_the_place_of_the_first() {
    let many: String = (0..100).map(|number| ["\"k", &number.to_string(), "\": 0, "].concat()).collect();
    for filler in ["", &many] {
        let text = format!("{{{filler}\"a\": 1, \"b\": {{\"a\": 2, \"a\": 3}}, \"a\": 4, \"c\": 5, \"a\": 6}}");
        let mut sources = SourceMap::default();
        let file = sources.add(Path::new("list"), text).expect("room");
        let mut arena = Arena::default();
        let (document, _) = read(&sources, file, &mut arena);
        let value = arena.entry(document.root.expect("a value")).to_data().to_string();
        assert!(value.ends_with(r#""a":6,"b":{"a":3},"c":5}"#), "{value}");
        let places: Vec<_> = document.duplicates.iter().map(|duplicate| (duplicate.lost, duplicate.kept)).collect();
        assert_eq!(places.len(), 3);
        assert!(places.iter().all(|(lost, kept)| lost < kept && sources.slice(*lost) == "\"a\""));
        assert_eq!(places[1].1, places[2].1, "what counts is the last");
    }
}
