//! Text to the [`File`] that it is made of: literals as they are written, with the comments that belong to them.
//!
//! The text was read without errors by `document`; what is nevertheless not understood ends in `None`.

use crate::document::MAX_DEPTH;

/// A file.
pub(super) struct File<'a> {
    pub(super) leading: Vec<&'a str>,
    pub(super) root: Value<'a>,
    pub(super) trailing: Vec<&'a str>,
}

/// A value.
pub(super) enum Value<'a> {
    /// A literal.
    Literal(&'a str),
    /// An object, whose members have keys, or an array.
    Container(Container<'a>),
}

/// An object or an array.
pub(super) struct Container<'a> {
    pub(super) brackets: [char; 2],
    pub(super) items: Vec<Item<'a>>,
    /// Comments after the last item.
    pub(super) last: Vec<&'a str>,
    /// It stands on one line, without comments.
    pub(super) on_one_line: bool,
}

/// A member of an object, or an item of an array.
pub(super) struct Item<'a> {
    /// An empty line stands before it.
    pub(super) apart: bool,
    /// Comments before it.
    pub(super) leading: Vec<&'a str>,
    pub(super) key: Option<&'a str>,
    pub(super) value: Value<'a>,
    /// Comments after it on its line.
    pub(super) trailing: Vec<&'a str>,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Option<File<'_>> {
    let mut reader = Reader { text: text.strip_prefix('\u{feff}').unwrap_or(text), at: 0, depth: 0 };
    let leading = reader.space().comments;
    let root = reader.value()?;
    let trailing = reader.space().comments;
    (reader.at == reader.text.len()).then_some(File { leading, root, trailing })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// What stands between two tokens.
#[derive(Default)]
struct Space<'a> {
    comments: Vec<&'a str>,
    /// How many of the comments stand on the line on which it begins.
    on_line: usize,
    /// A line ends in it.
    ends_line: bool,
    /// It has an empty line before its first comment, or at all if it has none.
    apart: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, len: usize) -> &'a str {
        let taken = &self.rest()[..len];
        self.at += len;
        taken
    }

    fn eat(&mut self, mark: char) -> bool {
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len_utf8();
        }
        found
    }

    fn space(&mut self) -> Space<'a> {
        let mut space = Space::default();
        let mut lines = 0;
        while let Some(next) = self.rest().chars().next() {
            if let Some(comment) = self.comment() {
                space.comments.push(comment);
                space.on_line += usize::from(!space.ends_line);
            } else if is_space(next) {
                self.at += next.len_utf8();
                lines += usize::from(next == '\n');
                space.ends_line |= ends_line(next);
                space.apart |= lines > 1 && space.comments.len() == space.on_line;
            } else {
                break;
            }
        }
        space
    }

    fn comment(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let len = if rest.starts_with("//") {
            rest.find(ends_line).unwrap_or(rest.len())
        } else {
            rest.strip_prefix("/*")?.find("*/")? + 4
        };
        Some(self.take(len).trim_end())
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.rest().chars().next()? {
            '{' => self.container(['{', '}']).map(Value::Container),
            '[' => self.container(['[', ']']).map(Value::Container),
            _ => self.literal().map(Value::Literal),
        }
    }

    /// A string, or a word up to the next mark.
    fn literal(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let len = match rest.chars().next()? {
            quote @ ('"' | '\'') => string_length(rest, quote)?,
            _ => {
                let ends = |(at, c): &(usize, char)| {
                    is_space(*c)
                        || matches!(c, ',' | ':' | '{' | '}' | '[' | ']')
                        || rest[*at..].starts_with("//")
                        || rest[*at..].starts_with("/*")
                };
                rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at)
            }
        };
        (len > 0).then(|| self.take(len))
    }

    fn container(&mut self, brackets: [char; 2]) -> Option<Container<'a>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let start = self.at;
        self.at += 1;
        let mut container = Container { brackets, items: Vec::new(), last: Vec::new(), on_one_line: false };
        let mut before = self.space();
        let mut is_separated = true;
        while !self.eat(brackets[1]) {
            let mut item = self.item(brackets[0] == '{', before).filter(|_| is_separated)?;
            (before, is_separated) = self.after(&mut item);
            container.items.push(item);
        }
        container.last = before.comments;
        let is_plain = |item: &Item<'_>| {
            item.leading.is_empty()
                && item.trailing.is_empty()
                && match &item.value {
                    Value::Literal(_) => true,
                    Value::Container(inner) => inner.on_one_line,
                }
        };
        container.on_one_line = container.last.is_empty()
            && container.items.iter().all(is_plain)
            && !self.text[start..self.at].contains(ends_line);
        self.depth -= 1;
        Some(container)
    }

    fn item(&mut self, has_key: bool, before: Space<'a>) -> Option<Item<'a>> {
        let mut leading = before.comments;
        let mut key = None;
        if has_key {
            key = Some(self.literal()?);
            leading.extend(self.space().comments);
            if !self.eat(':') {
                return None;
            }
            leading.extend(self.space().comments);
        }
        Some(Item { apart: before.apart, leading, key, value: self.value()?, trailing: Vec::new() })
    }

    /// What follows an item up to the next one, without the comments that belong to it; and whether a comma is in it.
    fn after(&mut self, item: &mut Item<'a>) -> (Space<'a>, bool) {
        let mut before = self.space();
        let rest = before.comments.split_off(before.on_line);
        item.trailing = before.comments;
        let comma = self.eat(',');
        let mut after = if comma { self.space() } else { Space::default() };
        let closes = after.ends_line && !before.ends_line;
        if closes {
            let others = after.comments.split_off(after.on_line);
            item.trailing.append(&mut after.comments);
            after.comments = others;
        }
        after.comments.splice(0..0, rest);
        (after, comma)
    }
}

/// The length of the string that a text begins with.
fn string_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let closes = |(_, c): &(usize, char)| {
        let closes = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    };
    text.char_indices().skip(1).find(closes).map(|(at, _)| at + 1)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
