//! JSON in canonical form: compact, the keys of each object sorted by their characters.
//!
//! In: whatever can be serialised. Out: its bytes. It is written once, from front to back; where the members of an object turn out not to be in
//! order, they are put in order at its end.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::ops::Range;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// The canonical form of a value.
pub(crate) fn canonical(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let text = RefCell::new(Vec::new());
    let formatter = Sorting { text: &text, open: Vec::new(), members: Vec::new(), moved: Vec::new() };
    value.serialize(&mut Serializer::with_formatter(Text(&text), formatter))?;
    Ok(text.into_inner())
}

/// What is written so far. The formatter sees it, too.
struct Text<'a>(&'a RefCell<Vec<u8>>);

impl io::Write for Text<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A member of an object that is not closed yet: where it stands in the text.
struct Member {
    key: Range<usize>,
    /// Its key is not written as it is meant.
    escaped: bool,
    end: usize,
}

impl Member {
    /// The characters of its key.
    fn key<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let written = &text[self.key.clone()];
        if self.escaped {
            Cow::Owned(serde_json::from_slice::<String>(written).unwrap_or_default().into_bytes())
        } else {
            Cow::Borrowed(&written[1..written.len() - 1])
        }
    }
}

struct Sorting<'a> {
    text: &'a RefCell<Vec<u8>>,
    /// For each open object, how many members there were before it.
    open: Vec<usize>,
    members: Vec<Member>,
    /// Members on their way to where they belong.
    moved: Vec<u8>,
}

impl Sorting<'_> {
    fn put(&self, byte: u8) -> usize {
        let mut text = self.text.borrow_mut();
        text.push(byte);
        text.len()
    }

    fn length(&self) -> usize {
        self.text.borrow().len()
    }

    /// Puts the members of an object, which are the last of all, in order.
    fn sort(&mut self, first: usize) {
        let members = &mut self.members[first..];
        let mut text = self.text.borrow_mut();
        if members.is_sorted_by(|one, other| one.key(&text) <= other.key(&text)) {
            return;
        }
        let begin = members[0].key.start;
        members.sort_by(|one, other| one.key(&text).cmp(&other.key(&text)));
        self.moved.clear();
        for member in members {
            self.moved.extend_from_slice(&text[member.key.start..member.end]);
            self.moved.push(b',');
        }
        self.moved.pop();
        text[begin..].copy_from_slice(&self.moved);
    }
}

impl Formatter for Sorting<'_> {
    fn begin_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b'{');
        self.open.push(self.members.len());
        Ok(())
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        let begin = if first { self.length() } else { self.put(b',') };
        self.members.push(Member { key: begin..begin, escaped: false, end: begin });
        Ok(())
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let text = self.text.borrow();
        if let Some(member) = self.members.last_mut() {
            member.key.end = text.len();
            member.escaped = text[member.key.clone()].contains(&b'\\');
        }
        Ok(())
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        // Those of the objects in it are closed by now.
        if let Some(member) = self.members.last_mut() {
            member.end = self.text.borrow().len();
        }
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let first = self.open.pop().unwrap_or_default();
        self.sort(first);
        self.members.truncate(first);
        self.put(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let key = prop_oneof!["[ab\"\\\\\n]{0,3}", "\\PC{0,3}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            key.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_sorting_a_tree_of_values_gives(value in value()) {
            let mut sorted = value.clone();
            sorted.sort_all_objects();
            let text = canonical(&value).expect("values can be written");
            prop_assert_eq!(String::from_utf8(text).expect("UTF-8"), sorted.to_string());
        }
    }

    #[test]
    fn keys_are_sorted_and_nothing_else_is() {
        let text = canonical(&json!({ "b": [2, 1], "a": { "d": {}, "c": null } })).expect("values can be written");
        assert_eq!(String::from_utf8_lossy(&text), r#"{"a":{"c":null,"d":{}},"b":[2,1]}"#);
    }
}
