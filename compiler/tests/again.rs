//! A list that is compiled again after an edit is what it is when it is compiled for the first time.

#[path = "../benches/generated/mod.rs"]
#[allow(dead_code)]
mod generated;

use std::fs;
use std::path::Path;

use generated::Shape;
use proptest::prelude::*;
use tlc_compiler::{Compilation, Request, compile, compile_after, dump};

/// Everything that can be seen of a compilation.
fn seen(mut compilation: Compilation) -> (String, Option<String>, String) {
    let found = compilation.diagnostics.iter().map(|found| {
        let places = found.labels.iter().map(|label| {
            let position = compilation.sources.position(label.span.start);
            let path = compilation.sources.path(compilation.sources.file_of(label.span)).display().to_string();
            format!("{path}:{}:{} {}", position.line, position.column, label.text)
        });
        format!("{found:?}\n{}\n", places.collect::<Vec<_>>().join("\n"))
    });
    let found: String = found.collect();
    let hash = compilation.plan.as_ref().map(tlc_compiler::plan::Plan::hash);
    let mut resolved = Vec::new();
    dump::resolved(&mut compilation, &mut resolved).expect("memory takes everything");
    (found, hash, String::from_utf8(resolved).expect("text"))
}

/// One edit of a text, at a line.
#[derive(Clone, Debug)]
enum Edit {
    Remove,
    Twice,
    /// The line is put where another one is.
    Move(usize),
    /// The first of one is replaced by another.
    Replace(&'static str, &'static str),
    Comment,
    Insert(&'static str),
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::Remove),
        Just(Edit::Twice),
        (0..10_000usize).prop_map(Edit::Move),
        prop::sample::select(vec![
            ("0", "7"),
            ("value", "eval! constants.c1.num + "),
            ("eval! ", "eval! 1 + "),
            ("constants", "constant"),
            ("Test1", "Test2"),
            ("Test", "Täst"),
            ("Group", "Gruppe"),
            ("true", "123456789012345678901234567890"),
            ("label", "lable"),
            ("pytest_name", "inherit"),
            (",", ""),
            ("\"", ""),
            ("flag", "url"),
            ("common", "base"),
        ])
        .prop_map(|(from, to)| Edit::Replace(from, to)),
        Just(Edit::Comment),
        prop::sample::select(vec![
            r#""New": {"pytest_name": "new", "args": {"limit": 1.5, "text": "eval! constants.c3.url"}},"#,
            r#""__comment": "eval! nothing","#,
            "}",
            "'single': 0x10,",
        ])
        .prop_map(Edit::Insert),
    ]
}

/// A file by its number, a line, and what happens there.
fn edit(folder: &Path, file: usize, line: usize, edit: &Edit) {
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let path = &files[file % files.len()];
    let text = fs::read_to_string(path).expect("text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return;
    }
    let at = line % lines.len();
    match edit {
        Edit::Remove => drop(lines.remove(at)),
        Edit::Twice => lines.insert(at, lines[at].clone()),
        Edit::Move(to) => {
            let to = to % lines.len();
            lines.swap(at, to);
        }
        Edit::Replace(from, to) => {
            let at = (at..lines.len()).chain(0..at).find(|line| lines[*line].contains(from)).unwrap_or(at);
            lines[at] = lines[at].replacen(from, to, 1);
        }
        Edit::Comment => lines[at] += " // a comment",
        Edit::Insert(text) => lines.insert(at, (*text).to_owned()),
    }
    fs::write(path, lines.join("\n")).expect("written");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_was_compiled_before_makes_no_difference(
        shape in prop_oneof![Just(Shape::Line(150)), Just(Shape::Line(450)), Just(Shape::Fan(900))],
        changes in prop::collection::vec((0..10usize, 0..10_000usize, edits(), any::<bool>()), 1..8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        generated::write(folder.path(), shape);
        let request = Request { id: "main".into(), layers: vec![folder.path().to_owned()], ..Request::default() };
        let mut last = compile(&request);
        for (file, line, change, back) in changes {
            let before: Vec<_> = fs::read_dir(folder.path())
                .expect("a folder")
                .map(|file| file.expect("a file").path())
                .map(|path| (path.clone(), fs::read(&path).expect("bytes")))
                .collect();
            edit(folder.path(), file, line, &change);
            last = compile_after(&request, Some(&last));
            // A second time after the same edit, so that what is taken over was taken over itself.
            let again = compile_after(&request, Some(&last));
            let fresh = seen(compile(&request));
            prop_assert_eq!(&seen(again), &fresh);
            let looked_at = compile_after(&request, Some(&last));
            prop_assert_eq!(&seen(std::mem::replace(&mut last, looked_at)), &fresh);
            if back {
                for (path, bytes) in before {
                    fs::write(path, bytes).expect("written");
                }
            }
        }
    }
}
