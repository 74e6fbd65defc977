//! JSON that is written as it is made: one value to a line, two spaces for each level, the bytes that `serde_json` writes for people.

use std::io::{self, Write};
use std::sync::Arc;

use tlc_plan::Data;

use crate::document::{Entry, Value};

/// How much waits before it is written.
const PIECE: usize = 1 << 16;

/// Enough for most levels at once.
const SPACES: [u8; 64] = [b' '; 64];

/// A JSON document on its way out.
pub(super) struct Json<W: Write> {
    output: W,
    waiting: Vec<u8>,
    /// For each list and object that is open, its closing bracket, and whether something is in it.
    open: Vec<(u8, bool)>,
    /// What became of the pieces that were written; after a failure there are no more.
    written: io::Result<()>,
}

impl<W: Write> Json<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, waiting: Vec::with_capacity(PIECE + PIECE / 4), open: Vec::new(), written: Ok(()) }
    }

    /// Ends the document.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.waiting.push(b'\n');
        self.write();
        self.written
    }

    fn write(&mut self) {
        if self.written.is_ok() {
            self.written = self.output.write_all(&self.waiting);
        }
        self.waiting.clear();
    }

    pub(super) fn begin_object(&mut self) {
        self.begin(b'{', b'}');
    }

    pub(super) fn begin_list(&mut self) {
        self.begin(b'[', b']');
    }

    fn begin(&mut self, bracket: u8, close: u8) {
        self.waiting.push(bracket);
        self.open.push((close, false));
    }

    /// Ends what was begun last.
    pub(super) fn end(&mut self) {
        let Some((close, filled)) = self.open.pop() else { return };
        if filled {
            self.new_line();
        }
        self.waiting.push(close);
    }

    /// Goes to the next item of the open list.
    pub(super) fn item(&mut self) {
        if self.waiting.len() >= PIECE {
            self.write();
        }
        if let Some((_, filled)) = self.open.last_mut()
            && std::mem::replace(filled, true)
        {
            self.waiting.push(b',');
        }
        self.new_line();
    }

    /// Goes to the next member of the open object.
    pub(super) fn key(&mut self, key: &str) {
        self.item();
        self.text(key);
        self.waiting.extend_from_slice(b": ");
    }

    fn new_line(&mut self) {
        self.waiting.push(b'\n');
        let mut columns = 2 * self.open.len();
        while columns > SPACES.len() {
            self.waiting.extend_from_slice(&SPACES);
            columns -= SPACES.len();
        }
        self.waiting.extend_from_slice(&SPACES[..columns]);
    }

    pub(super) fn null(&mut self) {
        self.waiting.extend_from_slice(b"null");
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.waiting.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(super) fn text(&mut self, text: &str) {
        let plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        if text.as_bytes().iter().all(plain) {
            self.waiting.push(b'"');
            self.waiting.extend_from_slice(text.as_bytes());
            self.waiting.push(b'"');
        } else {
            self.by_serde(text);
        }
    }

    /// Numbers and texts with escapes are written as `serde_json` does it.
    fn by_serde(&mut self, value: impl serde::Serialize) {
        serde_json::to_writer(&mut self.waiting, &value).expect("a scalar is written to memory");
    }

    pub(super) fn texts(&mut self, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        self.begin_list();
        for text in texts {
            self.item();
            self.text(text.as_ref());
        }
        self.end();
    }

    pub(super) fn data(&mut self, data: &Data) {
        match data {
            Data::Null => self.null(),
            Data::Bool(value) => self.bool(*value),
            Data::Int(value) => self.by_serde(value),
            Data::Big(value) => self.waiting.extend_from_slice(value.to_string().as_bytes()),
            Data::Float(value) => self.by_serde(value),
            Data::String(text) => self.text(text),
            Data::List(items) => {
                self.begin_list();
                for item in items.iter() {
                    self.item();
                    self.data(item);
                }
                self.end();
            }
            Data::Object(members) => {
                self.begin_object();
                for (key, value) in members.iter() {
                    self.key(key);
                    self.data(value);
                }
                self.end();
            }
        }
    }

    pub(super) fn entry(&mut self, entry: Entry<'_>) {
        let arena = entry.arena;
        match entry.value() {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(value),
            Value::Int(value) => self.by_serde(value),
            Value::String(symbol) => self.text(arena.text(symbol)),
            Value::Big(_) | Value::Float(_) => self.data(&entry.to_data()),
            Value::List => {
                self.begin_list();
                for item in entry.items() {
                    self.item();
                    self.entry(item);
                }
                self.end();
            }
            Value::Object => {
                self.begin_object();
                for member in entry.members() {
                    self.key(arena.text(member.key));
                    self.entry(arena.entry(member.value));
                }
                self.end();
            }
        }
    }
}

/// A value of a field, in the form in which it is at hand.
pub(super) enum Field<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    Texts(Vec<&'a str>),
    /// A text in several locales.
    Locales(Vec<(&'a str, &'a str)>),
    Written(Entry<'a>),
    Data(Data),
}

/// What takes the fields of a test.
pub(super) trait Fields {
    fn set(&mut self, key: &'static str, value: Field<'_>);
}

impl<W: Write> Fields for Json<W> {
    fn set(&mut self, key: &'static str, value: Field<'_>) {
        self.key(key);
        match value {
            Field::Null => self.null(),
            Field::Bool(value) => self.bool(value),
            Field::Int(value) => self.by_serde(value),
            Field::Text(text) => self.text(text),
            Field::Texts(texts) => self.texts(texts),
            Field::Locales(texts) => {
                self.begin_object();
                for (locale, text) in texts {
                    self.key(locale);
                    self.text(text);
                }
                self.end();
            }
            Field::Written(entry) => self.entry(entry),
            Field::Data(data) => self.data(&data),
        }
    }
}

/// Keeps one field, and lets the others go by.
pub(super) struct One<'n> {
    pub(super) name: &'n str,
    pub(super) found: Option<Data>,
}

impl Fields for One<'_> {
    fn set(&mut self, key: &'static str, value: Field<'_>) {
        if key == self.name {
            self.found = Some(value.into_data());
        }
    }
}

impl Field<'_> {
    fn into_data(self) -> Data {
        match self {
            Self::Null => Data::Null,
            Self::Bool(value) => Data::Bool(value),
            Self::Int(value) => Data::Int(value),
            Self::Text(text) => Data::from(text),
            Self::Texts(texts) => Data::list(texts.into_iter().map(Data::from).collect()),
            Self::Locales(texts) => {
                let texts = texts.into_iter().map(|(locale, text)| (Arc::from(locale), Data::from(text)));
                Data::object(texts.collect::<tlc_plan::data::Object>())
            }
            Self::Written(entry) => entry.to_data(),
            Self::Data(data) => data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_serde_json() {
        let texts = [
            r#"{"a": [], "b": {}, "c": [[], {}, [1, -2, 3.5, 1e300, 123456789012345678901234567890]], "d": null}"#,
            r#"["", "\"\\\n\u0001\u007f/ü😀\u2028", {"a\nb": {"": [true, false]}}]"#,
            "7",
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{\"x\": [1]}]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        ];
        for text in texts {
            let data: Data = serde_json::from_str(text).expect("JSON");
            let mut bytes = Vec::new();
            let mut json = Json::new(&mut bytes);
            json.data(&data);
            json.finish().expect("memory takes everything");
            let expected = serde_json::to_string_pretty(&data).expect("data are JSON") + "\n";
            assert_eq!(String::from_utf8(bytes).expect("text"), expected);
        }
    }
}
