//! Reads the files that people write for a station: regular ones only, never more than there may be, and JSON5 with the place of a mistake.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::words::plain;

/// No such file is nested deeper than this.
const DEPTH_LIMIT: usize = 64;

/// Why a file of a station cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read: what it is, where, and why.
    Unreadable(&'static str, PathBuf, io::Error),
    /// It is not what it should be.
    Invalid(Mistake),
}

/// Something wrong in a file.
#[derive(Debug)]
pub struct Mistake {
    /// The file.
    pub path: PathBuf,
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// The key that it is about; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

/// The text of a regular file of at most `limit` bytes. A device or a pipe is refused before it is opened.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    let read = File::open(path)?.take(limit + 1).read_to_string(&mut text);
    // A text that was cut in the middle of a character is too long, too.
    if text.len() as u64 > limit || (read.is_err() && fs::metadata(path)?.len() > limit) {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    read.map(|_| text)
}

/// Reads JSON5 from a text; `path` is for messages.
pub(crate) fn parse_json5<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, FileError> {
    if depth(text) > DEPTH_LIMIT {
        return Err(FileError::at(path, String::new(), format!("it is nested deeper than {DEPTH_LIMIT} levels")));
    }
    let mut reader = json5::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let key = error.path().to_string();
        let inner = error.into_inner();
        let place = inner.position().map(|position| (position.line + 1, position.column + 1));
        FileError::Invalid(Mistake { path: path.into(), place, key, what: plain(&without_place(&inner.to_string())) })
    })
}

/// The message of the reader ends with a place that counts from 0; the place is said before it, from 1.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(before, _)| before).to_string()
}

/// How deep brackets are open at most; brackets in texts and comments count too.
fn depth(text: &str) -> usize {
    let mut open = 0_usize;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

impl FileError {
    /// Something wrong with one key.
    pub(super) fn at(path: &Path, key: String, what: String) -> Self {
        Self::Invalid(Mistake { path: path.into(), place: None, key, what })
    }

    /// Whether there is no such file.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Unreadable(_, _, reason) if reason.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { path, place, key, what } = match self {
            Self::Unreadable(what, path, error) => {
                return write!(f, "unable to read {what} `{}`: {error}", path.display());
            }
            Self::Invalid(mistake) => mistake,
        };
        write!(f, "{}", path.display())?;
        if let Some((line, column)) = place {
            write!(f, ":{line}:{column}")?;
        }
        match key.as_str() {
            "" | "." => write!(f, ": {what}"),
            key => write!(f, ": `{key}`: {what}"),
        }
    }
}

impl std::error::Error for FileError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_up_to_a_limit_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("text");
        fs::write(&path, "äöü").expect("a file");
        assert_eq!(read_text(&path, 6).expect("the text"), "äöü");
        assert_eq!(read_text(&path, 4).expect_err("too long").to_string(), "it is larger than 4 bytes");
        assert!(read_text(directory.path(), 4).expect_err("no file").to_string().contains("no regular file"));
        assert!(read_text(Path::new("/dev/zero"), 4).expect_err("no file").to_string().contains("no regular file"));
    }
}
