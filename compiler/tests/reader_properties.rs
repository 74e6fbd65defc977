//! What holds of every text: values survive, nothing panics, and every place lies in the file.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tlc_compiler::diagnostic::Diagnostic;
use tlc_compiler::document::{Arena, Document, escape_breakpoints, read, source_offset};
use tlc_compiler::source::{SourceMap, Span};
use tlc_plan::Data;

fn reading(text: &str) -> (SourceMap, Arena, Document, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add(Path::new("list"), text.into()).expect("room");
    let mut arena = Arena::default();
    let (document, diagnostics) = read(&sources, file, &mut arena);
    (sources, arena, document, diagnostics)
}

fn any_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(|float| json!(float)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        any::<String>().prop_map(Value::String)
    ];
    leaf.prop_recursive(6, 100, 20, |inner| {
        let members = prop::collection::vec((any::<String>(), inner.clone()), 0..20);
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(Value::Array),
            members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Texts that are nearly JSON5: its pieces in any order.
fn nearly_json5() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "'", "\\", "\n", "\r\n", " ", "\t", "\u{a0}", "\u{2028}", "\u{feff}", "//",
        "/*", "*/", "/", "#", "=", ";", "a", "é", "𝄞", "\"a\"", "'b'", "true", "nul", "NaN", "-", "+", ".", "0", "12",
        "1e5", "0x", "e", "\\u", "d83d", "\\ude00", "\\\n", "“", "”", "，", "：", "\u{0}", "(", "@", "  ",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn lies_in(text: &str, span: Span) -> bool {
    let (start, end) = (span.start as usize, span.end() as usize);
    end <= text.len() && text.is_char_boundary(start) && text.is_char_boundary(end)
}

fn check(text: &str) {
    let (_, arena, document, diagnostics) = reading(text);
    assert!(document.root.is_some() || !diagnostics.is_empty(), "neither a value nor a message");
    let labels = diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels).map(|label| label.span);
    let comments = document.comments.iter().map(|comment| comment.span);
    let noted = document.json5_only.iter().map(|(span, _)| *span);
    for span in labels.chain(comments).chain(noted) {
        assert!(lies_in(text, span), "{span:?}");
    }
    if let Some(root) = document.root {
        assert!(lies_in(text, arena.node(root).span));
        arena.entry(root).to_data();
    }
}

#[test]
fn a_string_that_ends_in_a_wide_character_and_is_not_closed_has_a_place() {
    check("\"“\n*/");
}

proptest! {
    #[test]
    fn json_is_read_as_serde_json_writes_it(value in any_value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        let (_, arena, document, diagnostics) = reading(&text);
        prop_assert_eq!(diagnostics, []);
        prop_assert_eq!(arena.entry(document.root.expect("a value")).to_data(), Data::from(&value));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn no_nearly_valid_text_panics(text in nearly_json5()) {
        check(&text);
    }

    #[test]
    fn a_cut_file_never_panics(value in any_value(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_string_pretty(&value).expect("JSON");
        let at = cut.index(text.len() + 1);
        if text.is_char_boundary(at) {
            check(&text[..at]);
        }
    }

    #[test]
    fn places_in_strings_are_where_their_characters_are(text in any::<String>()) {
        let literal = serde_json::to_string(&text).expect("JSON");
        let (sources, arena, document, _) = reading(&literal);
        let span = arena.node(document.root.expect("a value")).span;
        let breakpoints = escape_breakpoints(&sources, span, 0);
        for (index, c) in text.chars().enumerate() {
            let offset = source_offset(&sources, span, index);
            let written = literal[offset as usize..].chars().next();
            prop_assert!(written == Some(c) || written == Some('\\'));
            let extra = breakpoints.iter().rev().find(|(from, _)| (*from as usize) < index).map_or(0, |(_, extra)| *extra);
            prop_assert_eq!(sources.position(offset).column, 2 + index as u32 + extra);
        }
    }
}
