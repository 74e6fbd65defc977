//! A [`File`] to its text.

use super::read::{Container, File, Item, Value};

/// How long a line may be with an object or array that stands on it as a whole.
const WIDTH: usize = 100;

/// Writes a file.
pub(super) fn write(file: &File<'_>) -> String {
    let mut writer = Writer { text: String::new() };
    for comment in &file.leading {
        writer.text.push_str(comment);
        writer.line(0);
    }
    writer.value(&file.root, 0, 0);
    writer.text.push('\n');
    for comment in &file.trailing {
        writer.text.push_str(comment);
        writer.text.push('\n');
    }
    writer.text
}

struct Writer {
    text: String,
}

impl Writer {
    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    /// Writes a value after `column` characters of its line.
    fn value(&mut self, value: &Value<'_>, depth: usize, column: usize) {
        match value {
            Value::Literal(text) => self.text.push_str(text),
            Value::Container(container) => {
                match one_line(container).filter(|line| column + line.chars().count() < WIDTH) {
                    Some(line) => self.text.push_str(&line),
                    None => self.lines(container, depth),
                }
            }
        }
    }

    fn lines(&mut self, container: &Container<'_>, depth: usize) {
        self.text.push(container.brackets[0]);
        for (index, item) in container.items.iter().enumerate() {
            if item.apart && index > 0 {
                self.text.push('\n');
            }
            self.item(item, depth + 1, index + 1 < container.items.len());
        }
        for comment in &container.last {
            self.line(depth + 1);
            self.text.push_str(comment);
        }
        if !container.items.is_empty() || !container.last.is_empty() {
            self.line(depth);
        }
        self.text.push(container.brackets[1]);
    }

    fn item(&mut self, item: &Item<'_>, depth: usize, is_followed: bool) {
        for comment in &item.leading {
            self.line(depth);
            self.text.push_str(comment);
        }
        self.line(depth);
        let mut column = 2 * depth;
        if let Some(key) = item.key {
            self.text.push_str(key);
            self.text.push_str(": ");
            column += key.chars().count() + 2;
        }
        self.value(&item.value, depth, column);
        if is_followed {
            self.text.push(',');
        }
        for comment in &item.trailing {
            self.text.push(' ');
            self.text.push_str(comment);
        }
    }
}

/// A container as one line, if it was one.
fn one_line(container: &Container<'_>) -> Option<String> {
    let is_empty = container.items.is_empty() && container.last.is_empty();
    if !container.on_one_line && !is_empty {
        return None;
    }
    let mut line = String::from(container.brackets[0]);
    for (index, item) in container.items.iter().enumerate() {
        if index > 0 {
            line.push_str(", ");
        }
        if let Some(key) = item.key {
            line.push_str(key);
            line.push_str(": ");
        }
        match &item.value {
            Value::Literal(text) => line.push_str(text),
            Value::Container(inner) => line.push_str(&one_line(inner)?),
        }
        if line.len() > 4 * WIDTH {
            return None;
        }
    }
    line.push(container.brackets[1]);
    Some(line)
}
