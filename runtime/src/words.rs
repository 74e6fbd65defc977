//! What the readers of JSON and JSON5 say of a mistake, in the words that people have for JSON.

/// Words of the readers, and what they mean to whoever wrote the text; the longer ones first.
const WORDS: [(&str, &str); 31] = [
    ("invalid type: sequence", "found an array"),
    ("invalid type: map", "found an object"),
    ("invalid type: null", "found `null`"),
    ("invalid type: unit value", "found `null`"),
    ("invalid type: integer", "found"),
    ("invalid type: floating point", "found"),
    ("invalid type: number", "found a number"),
    ("invalid type: boolean", "found"),
    ("invalid type: string", "found"),
    ("invalid value: integer", "found"),
    ("invalid value: floating point", "found"),
    ("invalid value: string", "found"),
    ("unknown variant", "found"),
    ("expected a map", "expected an object"),
    ("expected a sequence", "expected an array"),
    ("expected opening brace", "expected an object"),
    ("expected opening bracket", "expected an array"),
    ("expected string or object", "expected a string or an object with one key"),
    ("expected variant identifier", "expected a string"),
    ("expected identifier", "expected a key"),
    ("expected string", "expected a string"),
    ("expected bool", "expected `true` or `false`"),
    ("expected a boolean", "expected `true` or `false`"),
    ("expected number", "expected a number"),
    ("expected a nonzero u64", "expected an integer of 1 or more"),
    ("EOF parsing", "it ends in the middle of an"),
    ("internally tagged enum Request", "an object with a `request`"),
    ("invalid number", "it cannot be this number"),
    ("number out of range", "it cannot be this number"),
    ("missing field", "there is no"),
    ("struct Envelope", "an object with `version` and `body`"),
];

/// Types of integers and floating-point numbers, which stand at the end of a message.
const NUMBERS: [(&str, &str); 8] = [
    ("i64", "an integer"),
    ("i128", "an integer"),
    ("u8", "an integer from 0 to 255"),
    ("u16", "an integer from 0 to 65535"),
    ("u32", "an integer from 0 to 4294967295"),
    ("u64", "an integer of 0 or more"),
    ("usize", "an integer of 0 or more"),
    ("f64", "a number"),
];

/// A message of a reader for people. What stands between quotes is the author's own text.
pub(crate) fn plain(what: &str) -> String {
    let (mut said, mut rest) = (String::new(), what);
    while let Some(start) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(start);
        let (quoted, after) = quoted.split_at(quoted_len(quoted));
        said += &in_plain_words(before);
        said += quoted;
        rest = after;
    }
    said + &in_plain_words(rest)
}

/// How long a quoted text is that stands at the beginning; a quotation mark in it has a backslash before it.
fn quoted_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if !escaped && Some(byte) == text.bytes().next() {
            return at + 1;
        }
        escaped = !escaped && byte == b'\\';
    }
    text.len()
}

fn in_plain_words(what: &str) -> String {
    let what = WORDS.iter().fold(what.to_owned(), |what, (words, plain)| what.replace(words, plain));
    if let Some((before, _)) = what.split_once("expected struct ") {
        return format!("{before}expected an object");
    }
    let number =
        NUMBERS.iter().find_map(|(name, plain)| Some((what.strip_suffix(&format!("expected {name}"))?, plain)));
    match number {
        Some((before, plain)) => format!("{before}expected {plain}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::plain;
    use crate::control::{Envelope, Request};
    use crate::station::Service;

    #[track_caller]
    fn json<T: DeserializeOwned>(text: &str) -> String {
        match serde_json::from_str::<serde_json::Value>(text).and_then(serde_json::from_value::<T>) {
            Ok(_) => panic!("{text} is fine"),
            Err(error) => plain(&error.to_string()),
        }
    }

    #[track_caller]
    fn json5<T: DeserializeOwned>(text: &str) -> String {
        match json5::from_str::<T>(text) {
            Ok(_) => panic!("{text} is fine"),
            Err(error) => plain(error.to_string().split(" at line ").next().unwrap_or_default()),
        }
    }

    #[test]
    fn mistakes_have_the_words_of_json() {
        assert_eq!(json::<u16>("70000"), "it cannot be this number");
        assert_eq!(json5::<u16>("70000"), "found `70000`, expected an integer from 0 to 65535");
        assert_eq!(json5::<u64>("-1"), "found `-1`, expected an integer of 0 or more");
        assert_eq!(json::<bool>("\"yes\""), "found \"yes\", expected `true` or `false`");
        assert_eq!(json::<String>("[]"), "found an array, expected a string");
        assert_eq!(json::<Vec<u8>>("{}"), "found an object, expected an array");
        assert_eq!(json::<String>("null"), "found `null`, expected a string");
        assert_eq!(json::<String>("true"), "found `true`, expected a string");
        assert_eq!(json5::<Vec<u8>>("{}"), "expected an array");
        assert_eq!(json5::<Service>("3"), "expected an object");
        assert_eq!(json5::<Service>("{}"), "there is no `command`");
        assert_eq!(json5::<Service>("{command: 'a'}"), "expected an array");
        assert_eq!(json5::<Service>("{command: [1]}"), "expected a string");
        assert_eq!(json5::<Service>("{command: ['a'], enabled: 1}"), "expected `true` or `false`");
        assert_eq!(json5::<Service>("{command: ['a'], lifetime: 'x'}"), "found `x`, expected `run` or `station`");
        let lifetime = |text: &str| json5::<Service>(&format!("{{command: ['a'], lifetime: '{text}'}}"));
        let own = "expected struct: invalid number, expected string: i64";
        assert_eq!(lifetime(own), format!("found `{own}`, expected `run` or `station`"));
        assert_eq!(
            json::<bool>(r#""a \" invalid number""#),
            r#"found "a \" invalid number", expected `true` or `false`"#
        );
        assert_eq!(json5::<Service>("{"), "it ends in the middle of an object");
        let request = json::<Envelope<Request>>;
        assert_eq!(request("3"), "found a number, expected an object with `version` and `body`");
        assert_eq!(request(r#"{"version": 1, "body": {"request": "abort"}}"#), "there is no `path`");
        assert_eq!(request(r#"{"version": 1, "body": {"request": 1}}"#), "found a number, expected a string");
        let iterations = r#"{"version": 1, "body": {"request": "set_iterations", "path": "a", "iterations": "x"}}"#;
        assert_eq!(request(iterations), "found \"x\", expected an integer");
    }
}
