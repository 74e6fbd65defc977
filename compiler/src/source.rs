//! Disk to [`SourceMap`]: every file of a run, one after the other, in one space of offsets.
//!
//! This is the only code of the compiler that reads files. A [`Span`] is a place in that space, so it says its file by itself, and one
//! report can show several files. Nothing here knows what the files hold.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// The largest file that is read, in bytes: 64 MiB.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// How much of a file that is not UTF-8 is kept after the first bad byte, in bytes.
const SHOWN_OF_BROKEN: usize = 200;

/// A stretch of bytes of one file, as offsets into the whole [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Where it begins.
    pub start: u32,
    /// How many bytes it has.
    pub len: u32,
}

impl Span {
    /// From `start` to `end`, which is not included.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, len: end - start }
    }

    /// The offset after the last byte.
    pub fn end(self) -> u32 {
        self.start + self.len
    }
}

/// A file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// The files that were read, and where their lines begin.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

#[derive(Debug)]
struct SourceFile {
    path: PathBuf,
    base: u32,
    text: String,
    /// Looked for when a place is first asked for.
    line_starts: OnceLock<Vec<u32>>,
    /// How many code points stand before each block of [`BLOCK`] bytes; empty if every code point is one byte.
    code_points: Vec<u32>,
}

/// About how long a line is, in bytes.
const USUAL_LINE: usize = 24;

/// How far apart counted places lie.
const BLOCK: usize = 1024;

/// The longest stretch of lines that a report shows as it stands; of a longer one it shows what is around the place.
const LONGEST_SHOWN: usize = 4000;

/// How much of a longer line is shown on either side of a place, in bytes.
const AROUND: usize = 60;

/// A line and a column, both from 1; the column counts code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Why a file could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// There is no such file.
    NotFound,
    /// The system refused, with its reason; the file stands in the map as an empty one, at this place.
    Refused(Span, std::io::Error),
    /// It is larger than [`MAX_FILE_BYTES`], or all files together are larger than 4 GiB; it stands in the map as an empty one.
    TooLarge(Span),
    /// It is not UTF-8: the beginning of its text, with U+FFFD in the place of what is none is in the map as this file, and the span is the first of them.
    NotUtf8(FileId, Span),
}

impl SourceMap {
    /// Reads a file and keeps it. What is no file, such as a pipe or a directory, is refused unopened.
    pub fn read(&mut self, path: &Path) -> Result<FileId, ReadError> {
        let bytes = match path.metadata() {
            Ok(found) if !found.is_file() => {
                Err(ReadError::Refused(Span::default(), std::io::Error::other("it is not a file")))
            }
            Ok(found) => read_limited(path, found.len()),
            Err(_) => read_limited(path, 0),
        };
        match bytes.map(String::from_utf8) {
            Ok(Ok(text)) => self.add(path, text).ok_or(ReadError::TooLarge(Span::default())),
            Ok(Err(error)) => Err(self.add_broken(path, &error)),
            Err(ReadError::Refused(_, error)) => Err(ReadError::Refused(self.add_unread(path), error)),
            Err(ReadError::TooLarge(_)) => Err(ReadError::TooLarge(self.add_unread(path))),
            Err(error @ (ReadError::NotFound | ReadError::NotUtf8(..))) => Err(error),
        }
    }

    /// The place of a file that could not be read.
    fn add_unread(&mut self, path: &Path) -> Span {
        self.add(path, String::new()).map_or(Span::default(), |file| Span { start: self.base(file), len: 0 })
    }

    /// Whether a place is that of a file of which nothing could be read.
    pub fn is_unread(&self, span: Span) -> bool {
        self.text(self.file_of(span)).is_empty()
    }

    /// Keeps a text under the name of a file; `None` if the map is full.
    pub fn add(&mut self, path: &Path, text: String) -> Option<FileId> {
        // One byte stands between two files, so that the end of one is not the start of the next.
        let base = self.files.last().map_or(0, |last| u64::from(last.base) + last.text.len() as u64 + 1);
        if base + text.len() as u64 >= u64::from(u32::MAX) {
            return None;
        }
        let code_points = code_points(&text);
        self.files.push(SourceFile {
            path: path.to_owned(),
            base: base as u32,
            text,
            line_starts: OnceLock::new(),
            code_points,
        });
        Some(FileId(self.files.len() as u32 - 1))
    }

    fn add_broken(&mut self, path: &Path, error: &std::string::FromUtf8Error) -> ReadError {
        let valid = error.utf8_error().valid_up_to();
        let shown = error.as_bytes().len().min(valid + SHOWN_OF_BROKEN);
        let text = String::from_utf8_lossy(&error.as_bytes()[..shown]).into_owned();
        let len = '\u{fffd}'.len_utf8() as u32;
        match self.add(path, text) {
            Some(file) => ReadError::NotUtf8(file, Span { start: self.base(file) + valid as u32, len }),
            None => ReadError::TooLarge(Span::default()),
        }
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].text
    }

    /// The offset of a file's first byte.
    pub fn base(&self, file: FileId) -> u32 {
        self.files[file.0 as usize].base
    }

    /// The path of a file, as it was given.
    pub fn path(&self, file: FileId) -> &Path {
        &self.files[file.0 as usize].path
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// The file that a span lies in.
    pub fn file_of(&self, span: Span) -> FileId {
        let after = self.files.partition_point(|file| file.base <= span.start);
        FileId(after.saturating_sub(1) as u32)
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        let file = &self.files[self.file_of(span).0 as usize];
        let start = (span.start - file.base) as usize;
        &file.text[start..start + span.len as usize]
    }

    /// Where an offset lies in its file.
    pub fn position(&self, offset: u32) -> Position {
        let file = &self.files[self.file_of(Span { start: offset, len: 0 }).0 as usize];
        let (line, column) = file.place((offset - file.base) as usize);
        Position { line: line as u32 + 1, column: column as u32 + 1 }
    }
}

impl SourceFile {
    /// Where the lines begin.
    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let mut starts = Vec::with_capacity(self.text.len() / USUAL_LINE + 1);
            starts.push(0);
            starts.extend(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at as u32 + 1));
            starts
        })
    }

    /// The line and the column of a byte, both from 0; the column in code points.
    fn place(&self, local: usize) -> (usize, usize) {
        let line = self.line_starts().partition_point(|start| *start as usize <= local) - 1;
        (line, self.code_points_before(local) - self.code_points_before(self.line_starts()[line] as usize))
    }

    fn code_points_before(&self, local: usize) -> usize {
        let Some(before) = self.code_points.get(local / BLOCK) else { return local };
        let block = &self.text.as_bytes()[local / BLOCK * BLOCK..local];
        *before as usize + block.iter().filter(|byte| starts_code_point(**byte)).count()
    }
}

fn starts_code_point(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

fn code_points(text: &str) -> Vec<u32> {
    if text.is_ascii() {
        return Vec::new();
    }
    let mut before = vec![0];
    for block in text.as_bytes().chunks(BLOCK) {
        let count = block.iter().filter(|byte| starts_code_point(**byte)).count() as u32;
        before.push(before[before.len() - 1] + count);
    }
    before
}

/// Reads a file as text.
pub fn read_text(path: &Path) -> Result<String, String> {
    let bytes = read_limited(path, 0).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// Reads a file of plain JSON, such as device data; it may be a pipe.
pub fn read_json(path: &Path) -> Result<tlc_plan::Data, String> {
    let bytes = read_limited(path, 0).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// The names of the lists in a directory, sorted: `x.test_list` for a file `x.test_list.json`. None if it cannot be read.
pub fn list_names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = files
        .filter_map(|file| file.strip_suffix(".json").filter(|name| name.ends_with(".test_list")).map(Into::into))
        .collect();
    names.sort();
    names
}

/// Whether there is a file that can be read as one.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether what is there is a file that may be executed, or at least cannot be looked at; nothing if there is nothing.
pub fn is_program(path: &Path) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    match path.metadata() {
        Ok(found) => Some(found.is_file() && found.permissions().mode() & 0o111 != 0),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(_) => Some(true),
    }
}

/// Whether there is a directory.
pub fn is_directory(path: &Path) -> bool {
    path.is_dir()
}

/// What is another one when a file has been changed; nothing if there is no file.
pub fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = path.metadata().ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// Whether there is anything.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether two paths lead to the same place.
pub fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The same path without `a/..`, where that leads to the same place.
pub fn shortened(path: PathBuf) -> PathBuf {
    use std::path::Component;
    let mut short = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(short.components().next_back(), Some(Component::Normal(_))) => {
                short.pop();
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) | Component::Normal(_) => {
                short.push(component);
            }
        }
    }
    if short.as_os_str().is_empty() {
        short.push(".");
    }
    if is_same(&path, &short) { short } else { path }
}

/// What is below a directory.
#[derive(Debug, Default)]
pub struct Below {
    /// The files that were looked for, sorted.
    pub files: Vec<PathBuf>,
    /// Directories that cannot be read, sorted, and why.
    pub unreadable: Vec<(PathBuf, std::io::Error)>,
}

/// The files below a directory whose name ends so. Links to directories are not followed.
pub fn files_below(directory: &Path, ending: &str) -> Below {
    let mut found = Below::default();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                found.unreadable.push((directory, error));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if entry.file_name().to_string_lossy().ends_with(ending) {
                found.files.push(path);
            }
        }
    }
    found.files.sort();
    found.unreadable.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Reads a file that probably has so many bytes.
fn read_limited(path: &Path, expected: u64) -> Result<Vec<u8>, ReadError> {
    let file = std::fs::File::open(path).map_err(refused)?;
    let mut bytes = Vec::with_capacity(expected.min(MAX_FILE_BYTES) as usize + 1);
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(ReadError::TooLarge(Span::default())) } else { Ok(bytes) }
}

fn refused(error: std::io::Error) -> ReadError {
    if error.kind() == std::io::ErrorKind::NotFound {
        ReadError::NotFound
    } else {
        ReadError::Refused(Span::default(), error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such file"),
            Self::Refused(_, error) => write!(f, "{error}"),
            Self::TooLarge(_) => write!(f, "it is larger than {} MiB", MAX_FILE_BYTES >> 20),
            Self::NotUtf8(..) => f.write_str("it is not UTF-8"),
        }
    }
}

impl SourceCode for SourceMap {
    /// The lines around a span. A span over two files is refused, so that miette shows a snippet for each.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = u32::try_from(span.offset()).map_err(|_| MietteError::OutOfBounds)?;
        let file = &self.files.get(self.file_of(Span { start, len: 0 }).0 as usize).ok_or(MietteError::OutOfBounds)?;
        let (local, end) = ((start - file.base) as usize, (start - file.base) as usize + span.len());
        if end > file.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let first = file.line_starts().partition_point(|at| *at as usize <= local) - 1;
        let last = file
            .line_starts()
            .partition_point(|at| *at as usize <= end.saturating_sub(usize::from(!span.is_empty())))
            .max(1)
            - 1;
        let mut shown = first.saturating_sub(before);
        let mut from = file.line_starts()[shown] as usize;
        let mut to = file.line_starts().get(last + after + 1).map_or(file.text.len(), |at| *at as usize);
        let mut column = if before == 0 { file.place(local).1 } else { 0 };
        if to - from > LONGEST_SHOWN {
            if span.len() > LONGEST_SHOWN {
                return Err(MietteError::OutOfBounds);
            }
            let begin = file.line_starts()[first] as usize;
            let line_end = file.line_starts().get(last + 1).map_or(file.text.len(), |at| *at as usize);
            from = file.text.floor_char_boundary(local.saturating_sub(AROUND).max(begin));
            to = file.text.ceil_char_boundary((end + AROUND).min(line_end));
            shown = first;
            if before > 0 {
                column = file.place(from).1;
            }
        }
        Ok(Box::new(MietteSpanContents::new_named(
            file.path.display().to_string(),
            &file.text.as_bytes()[from..to],
            (file.base as usize + from, to - from).into(),
            shown,
            column,
            last - shown + 1,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_says_its_file_line_and_column() {
        let mut map = SourceMap::default();
        let a = map.add(Path::new("a"), "x\nyé z\n".into()).expect("room");
        let b = map.add(Path::new("b"), "one".into()).expect("room");
        let z = Span { start: map.base(a) + 6, len: 1 };
        assert_eq!(map.slice(z), "z");
        assert_eq!(map.position(z.start), Position { line: 2, column: 4 });
        assert_eq!(map.file_of(Span { start: map.base(b), len: 3 }), b);
        assert_eq!(map.file_of(Span { start: map.base(b) - 1, len: 0 }), a);
    }

    #[test]
    fn columns_of_long_lines_count_code_points() {
        let mut map = SourceMap::default();
        let text = format!("x\n{}z", "é".repeat(5000));
        let file = map.add(Path::new("a"), text).expect("room");
        let end = map.base(file) + map.text(file).len() as u32 - 1;
        assert_eq!(map.position(end), Position { line: 2, column: 5001 });
        let contents = map.read_span(&(end as usize, 1).into(), 1, 1).expect("a place");
        assert!(contents.data().len() < 200);
        assert_eq!((contents.line(), contents.data().last()), (1, Some(&b'z')));
    }

    #[test]
    fn bytes_that_are_no_text_are_pointed_at() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("bad");
        std::fs::write(&path, b"ab\n\xff").expect("written");
        let mut map = SourceMap::default();
        let Err(ReadError::NotUtf8(file, span)) = map.read(&path) else { panic!("it is not UTF-8") };
        assert_eq!(map.text(file), "ab\n\u{fffd}");
        assert_eq!(map.position(span.start), Position { line: 2, column: 1 });
    }
}
