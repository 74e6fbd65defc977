//! Writes to stdout and stderr: with colours if that is a terminal and nobody objects, and silently into a closed pipe.

use std::borrow::Cow;
use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use crate::schedule::{Outcome, Status};

/// Where this program writes, and whether in colour.
#[derive(Clone, Debug)]
pub struct Output {
    terminal: bool,
    colours: bool,
    error_colours: bool,
}

/// The colours of a terminal that carry a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Neither.
    Yellow,
    /// Less important.
    Dim,
    /// More important.
    Bold,
}

impl Colour {
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
        }
    }

    pub(super) fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Green,
            Outcome::Failed | Outcome::Error | Outcome::Timeout | Outcome::Aborted | Outcome::Crashed => Self::Red,
        }
    }

    pub(super) fn of_status(status: &str) -> Self {
        match Status::from_name(status) {
            Some(Status::Passed) => Self::Green,
            Some(Status::Failed) => Self::Red,
            Some(Status::FailedAndWaived | Status::Skipped | Status::Untested | Status::Active) | None => Self::Yellow,
        }
    }
}

impl Output {
    /// The output of this program, with colours where they are seen and wanted.
    pub fn new() -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && env::var_os("TERM").is_none_or(|term| term != "dumb");
        let (terminal, errors) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self { terminal: terminal && errors, colours: terminal && wanted, error_colours: errors && wanted }
    }

    /// An output without colours.
    pub fn plain() -> Self {
        Self { terminal: false, colours: false, error_colours: false }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(super) fn paint(&self, text: &str, colour: Colour) -> String {
        painted(text, colour, self.colours)
    }

    pub(super) fn paint_error(&self, text: &str, colour: Colour) -> String {
        painted(text, colour, self.error_colours)
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

fn painted(text: &str, colour: Colour, on: bool) -> String {
    if on { format!("\x1b[{}m{text}\x1b[0m", colour.code()) } else { text.to_owned() }
}

/// The text without what would move a terminal's cursor, or worse: of control characters it has ends of lines, tabs and colours. Much of what
/// is shown was said by a test, or by a device.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let is_kept = |at: usize, character| match character {
        '\n' | '\t' => true,
        '\x1b' => is_colour(&text[at + 1..]),
        character => !character.is_control(),
    };
    if text.char_indices().all(|(at, character)| is_kept(at, character)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.char_indices().filter(|&(at, character)| is_kept(at, character)).map(|(_, character)| character).collect(),
    )
}

/// What a test, a device or a list says, for people: without what would move the cursor or change colours.
pub(crate) fn said(text: &str) -> String {
    text.chars().filter(|&character| !character.is_control() || matches!(character, '\n' | '\t')).collect()
}

/// Whether what follows an escape sets a colour.
fn is_colour(rest: &str) -> bool {
    let end =
        rest.strip_prefix('[').map(|codes| codes.trim_start_matches(|code: char| code.is_ascii_digit() || code == ';'));
    end.is_some_and(|end| end.starts_with('m'))
}

/// Writes text to stdout, as far as that is possible.
pub(crate) fn write(text: &str) {
    let _ = try_write(text);
}

/// Writes text to stdout. Whoever closed it does not want it.
pub(crate) fn try_write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(clean(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to stderr.
pub(super) fn error_line(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean(line));
}

/// Writes text to stderr as it is, for a prompt.
pub(crate) fn write_error(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_says_moves_no_cursor() {
        let text = "\x1b]0;owned\x07\x1b[2Jred \x1b[31mred\x1b[0m\r\n\tend\0\u{9b}1A";
        assert_eq!(clean(text), "]0;owned[2Jred \x1b[31mred\x1b[0m\n\tend1A");
        assert!(matches!(clean("plain\n"), Cow::Borrowed(_)));
        assert_eq!(said("\x1b[31mred\n"), "[31mred\n");
    }
}
