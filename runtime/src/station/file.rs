//! Reads text from regular files, and never more than there may be.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

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
