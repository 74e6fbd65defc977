//! The contents of attachments: files beside the store, each named by its SHA-256.
//!
//! A content is written under another name, synced, and renamed; then the directory is synced. So a row may name it when [`keep`] has
//! returned, and not before.
//!
//! [`keep`]: Contents::keep

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Where contents are kept.
#[derive(Clone, Debug)]
pub struct Contents {
    directory: PathBuf,
}

/// What is to be kept.
#[derive(Clone, Debug)]
pub enum ContentSource {
    /// A regular file.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// A content that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its SHA-256.
    pub sha256: String,
    /// How large it is, in bytes.
    pub size: u64,
}

impl Contents {
    /// In this directory.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The file of a content.
    pub fn file(&self, sha256: &str) -> PathBuf {
        self.directory.join(sha256.get(..2).unwrap_or_default()).join(sha256)
    }

    /// Removes what was being written when a program went away.
    pub(super) fn clear(&self) {
        let _ = fs::remove_dir_all(self.directory.join(PART));
    }

    /// Keeps a content of at most `limit` bytes in which `refuse` finds nothing; it is durable when this returns. The error is for people.
    pub fn keep(
        &self,
        source: &ContentSource,
        limit: u64,
        refuse: impl FnMut(&[u8]) -> Option<String>,
    ) -> Result<Kept, String> {
        let parts = self.directory.join(PART);
        let part = parts.join(Uuid::now_v7().to_string());
        let kept = fs::create_dir_all(&parts)
            .map_err(|error| unable(&error))
            .and_then(|()| self.keep_through(&part, source, limit, refuse));
        let _ = fs::remove_file(&part);
        kept
    }

    fn keep_through(
        &self,
        part: &Path,
        source: &ContentSource,
        limit: u64,
        refuse: impl FnMut(&[u8]) -> Option<String>,
    ) -> Result<Kept, String> {
        let mut target = File::create(part).map_err(|error| unable(&error))?;
        let kept = match source {
            ContentSource::File(path) => copy(&mut open(path)?, &mut target, limit, refuse)?,
            ContentSource::Bytes(bytes) => copy(&mut bytes.as_slice(), &mut target, limit, refuse)?,
        };
        target.sync_all().map_err(|error| unable(&error))?;
        let file = self.file(&kept.sha256);
        let settled = || {
            let folder = file.parent().unwrap_or(&self.directory);
            fs::create_dir_all(folder)?;
            fs::rename(part, &file)?;
            [folder, &self.directory].into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
        };
        settled().map_err(|error| unable(&error))?;
        Ok(kept)
    }
}

/// Where contents are while they are written.
const PART: &str = "part";

fn unable(error: &io::Error) -> String {
    format!("unable to keep it: {error}")
}

/// A pipe that nobody writes does not hold it up.
fn open(path: &Path) -> Result<File, String> {
    let fault = |error: io::Error| format!("unable to read `{}`: {error}", path.display());
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(fault)?;
    match file.metadata().map_err(fault)? {
        metadata if metadata.is_file() => Ok(file),
        _ => Err(format!("`{}` is no regular file", path.display())),
    }
}

fn copy(
    source: &mut impl Read,
    target: &mut File,
    limit: u64,
    mut refuse: impl FnMut(&[u8]) -> Option<String>,
) -> Result<Kept, String> {
    let mut hasher = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = source.read(&mut buffer).map_err(|error| format!("unable to read it: {error}"))?;
        let chunk = &buffer[..count];
        size += count as u64;
        if size > limit {
            return Err(format!("it is larger than {limit} bytes, which the station's settings allow"));
        }
        if let Some(reason) = refuse(chunk) {
            return Err(reason);
        }
        if count == 0 {
            break;
        }
        hasher.update(chunk);
        target.write_all(chunk).map_err(|error| unable(&error))?;
    }
    let sha256 = hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    Ok(Kept { sha256, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_contents_are_kept_once_and_others_are_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let contents = Contents::new(directory.path().join("attachments"));
        let bytes = |text: &str| ContentSource::Bytes(text.as_bytes().to_vec());
        let nothing = |_: &[u8]| None;
        let kept = contents.keep(&bytes("hello"), 5, nothing).expect("kept");
        assert_eq!((kept.size, &kept.sha256[..8]), (5, "2cf24dba"));
        assert_eq!(contents.keep(&bytes("hello"), 5, nothing), Ok(kept.clone()));
        assert_eq!(fs::read(contents.file(&kept.sha256)).expect("the content"), b"hello");
        assert!(contents.keep(&bytes("longer"), 5, nothing).expect_err("too long").contains("5 bytes"));
        assert_eq!(contents.keep(&bytes("x"), 5, |_| Some("no".into())), Err("no".into()));
        let path = |path: &str| ContentSource::File(path.into());
        assert!(contents.keep(&path("/dev/null"), 5, nothing).expect_err("a device").contains("no regular file"));
        assert!(contents.keep(&path("/nowhere/x"), 5, nothing).expect_err("no file").contains("/nowhere/x"));
        assert_eq!(fs::read_dir(directory.path().join("attachments/part")).expect("the parts").count(), 0);
    }
}
