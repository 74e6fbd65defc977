//! The README's tour is true: each command in it is run, and prints what the README shows.
//!
//! The commands run in one folder after the other, beside a copy of `lists/`. Times, ids and folders are not compared, and a line `…` stands
//! for any number of lines. `TLC_BLESS=1 cargo test --test readme` writes what was printed into the README; read it before you commit.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::root;

/// A command of the tour, and what the README says that it prints.
struct Step {
    command: String,
    shown: Vec<String>,
}

#[test]
fn the_tour_is_true() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root().join("lists"), &folder.path().join("lists"));
    let mut told = readme.clone();
    let mut wrong = Vec::new();
    let steps = steps(&readme);
    assert!(steps.len() >= 5, "the README has no tour");
    for step in &steps {
        let printed = run(&step.command, folder.path());
        let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
        if !agree(&step.shown, &printed) {
            wrong.push(format!("$ {}\n{}", step.command, printed.join("\n")));
            told = told.replacen(&text(step, &step.shown), &text(step, &printed), 1);
        }
    }
    if std::env::var_os("TLC_BLESS").is_some() {
        fs::write(root().join("README.md"), told).expect("the README can be written");
    } else {
        assert!(wrong.is_empty(), "the README shows something else than what is printed:\n\n{}", wrong.join("\n\n"));
    }
}

/// The commands in blocks of the console that begin with a prompt.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
                (None, Some(step)) => step.shown.push(line.to_owned()),
                (None, None) => {}
            },
            (false, _) => {}
        }
    }
    steps
}

fn text(step: &Step, lines: &[impl AsRef<str>]) -> String {
    let mut text = format!("$ {}\n", step.command);
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
    text
}

fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tlc")).parent().expect("a program lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", program.display()))
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .output()
        .expect("a shell can be started");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Whether the shown lines are the printed ones, in what is compared.
fn agree(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=printed.len()).any(|skipped| agree(rest, &printed[skipped..]))
        }
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(line, others)| compared(first) == compared(line) && agree(rest, others))
        }
    }
}

/// A line without what differs from run to run: the width of its gaps, times, ids and folders.
fn compared(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    if word.contains('/') && word.contains(".log") {
        return "<log>".to_owned();
    }
    let letters = word.trim_matches(|letter: char| letter.is_ascii_punctuation());
    let is_hash = letters.len() >= 8 && letters.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash {
        return "<id>".to_owned();
    }
    let number = letters.trim_end_matches(['s', 'm', 'h']);
    let is_time = number.starts_with(|letter: char| letter.is_ascii_digit())
        && (number.contains(['.', ':']) || number.len() < letters.len() || number.matches('-').count() == 2)
        && number.bytes().all(|byte| byte.is_ascii_digit() || b".:-".contains(&byte));
    if is_time { "<time>".to_owned() } else { word.to_owned() }
}
