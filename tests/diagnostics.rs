//! Every code has its place in the registry, its page, a case that shows it and a near miss that does not.
//!
//! `tests/check/CODE/fails` is a directory of lists in which `tlc check main.test_list.json` reports the code and nothing else; the report
//! is `expected.txt`. In `tests/check/CODE/passes` there is nothing to report. Directories whose name begins with `_` hold reports of
//! several findings. A case may have `arguments.txt`: further arguments of the command.
//!
//! `UPDATE_EXPECT=1 cargo test --test diagnostics` records the reports; read them then.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Outcome, diagnostics, root, run};
use tlc_compiler::codes::{self, CODES, Code, Level};

/// Codes that no small directory of lists can show, and the test that does.
const SHOWN_ELSEWHERE: &[(&str, &str)] = &[
    ("json-depth", "brackets_without_an_end_do_not_exhaust_the_stack"),
    ("too-deep", "groups_in_each_other_are_stopped_at_a_limit"),
    ("too-many-tests", "a_fan_of_groups_is_stopped_at_a_limit"),
    ("unreadable-file", "a_list_that_cannot_be_read_is_the_environments"),
];

fn cases() -> PathBuf {
    root().join("tests/check")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn page(code: &str) -> PathBuf {
    root().join("docs/src/diagnostics").join(format!("{code}.md"))
}

fn check(case: &Path, format: &str) -> Outcome {
    let more = fs::read_to_string(case.join("arguments.txt")).unwrap_or_default();
    let mut arguments = vec!["check", "main.test_list.json", "--format", format];
    arguments.extend(more.split_whitespace());
    run(case, &arguments)
}

/// Compares with what was recorded, or records it.
fn expect(path: &Path, found: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, found).expect("written");
    } else if fs::read_to_string(path).unwrap_or_default() != found {
        wrong.push(format!("{} is not what is reported:\n{found}", path.display()));
    }
}

/// What every document of `--format json` holds to.
fn well_formed(case: &Path, found: &[serde_json::Value]) -> Result<(), String> {
    for finding in found {
        let code = finding["code"].as_str().ok_or("no code")?;
        let known = codes::find(code).ok_or_else(|| format!("`{code}` is not in the registry"))?;
        let severity = finding["severity"].as_str().ok_or("no severity")?;
        let levels_set = case.join("arguments.txt").exists() || case.join("tlc.json5").exists();
        if severity != severity_of(known) && !levels_set {
            return Err(format!("`{code}` is reported as {severity}"));
        }
        if finding["message"].as_str().is_none_or(str::is_empty) {
            return Err(format!("`{code}` has no message"));
        }
        if finding["help"].as_str().is_none_or(str::is_empty) {
            return Err(format!("`{code}` has no help"));
        }
        let labels = finding["labels"].as_array().filter(|labels| !labels.is_empty()).ok_or("no labels")?;
        for (index, label) in labels.iter().enumerate() {
            if label["primary"] != (index == 0) {
                return Err(format!("`{code}`: the first label is the primary one"));
            }
            inside_its_file(case, label).map_err(|reason| format!("`{code}`: {reason}: {label}"))?;
        }
    }
    Ok(())
}

fn severity_of(code: &Code) -> &'static str {
    match code.level {
        Level::Refusal | Level::Deny => "error",
        Level::Warn | Level::Allow => "warning",
        Level::Note => "note",
    }
}

fn inside_its_file(case: &Path, label: &serde_json::Value) -> Result<(), String> {
    let number = |key: &str| label[key].as_u64().ok_or(format!("no `{key}`"));
    let bytes = fs::read(case.join(label["file"].as_str().ok_or("no file")?)).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let start = (number("line")?, number("column")?);
    let end = (number("end_line")?, number("end_column")?);
    for (line, column) in [start, end] {
        let content = lines.get(line as usize - 1).ok_or("the line is not in the file")?;
        if column < 1 || column as usize > content.chars().count() + 1 {
            return Err("the column is not in the line".into());
        }
    }
    if start <= end { Ok(()) } else { Err("it ends before it begins".into()) }
}

#[test]
fn every_code_has_a_case_that_shows_it_alone() {
    let mut wrong = Vec::new();
    for code in CODES.iter().filter(|code| !SHOWN_ELSEWHERE.iter().any(|(shown, _)| *shown == code.name)) {
        let case = cases().join(code.name).join("fails");
        if !case.is_dir() {
            wrong.push(format!("`{}` has no case {}", code.name, case.display()));
            continue;
        }
        let human = check(&case, "human");
        expect(&case.join("expected.txt"), &human.stdout, &mut wrong);
        let found = diagnostics(&check(&case, "json"));
        let others = if code.level == Level::Note { "json-syntax" } else { code.name };
        let counted = u8::from(found.iter().any(|finding| finding["severity"] == "error"));
        if !found.iter().any(|finding| finding["code"] == code.name)
            || found.iter().any(|finding| finding["code"] != code.name && finding["code"] != others)
            || human.code != i32::from(counted)
        {
            let codes: Vec<&serde_json::Value> = found.iter().map(|finding| &finding["code"]).collect();
            wrong.push(format!("{}: reported {codes:?}, exit {} {}", case.display(), human.code, human.stderr));
        }
        wrong.extend(well_formed(&case, &found).err().map(|reason| format!("{}: {reason}", case.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_near_miss_in_which_nothing_is_wrong() {
    let mut wrong = Vec::new();
    for code in CODES.iter().filter(|code| !SHOWN_ELSEWHERE.iter().any(|(shown, _)| *shown == code.name)) {
        let case = cases().join(code.name).join("passes");
        if !case.is_dir() {
            wrong.push(format!("`{}` has no near miss {}", code.name, case.display()));
            continue;
        }
        let outcome = check(&case, "human");
        if outcome.code != 0 || !outcome.stdout.ends_with(": no problems\n") {
            wrong.push(format!("{}: exit {}\n{}{}", case.display(), outcome.code, outcome.stdout, outcome.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_report_holds_all_mistakes_and_none_of_their_consequences() {
    let mut wrong = Vec::new();
    for group in folders(&cases()).into_iter().filter(|folder| name(folder).starts_with('_')) {
        for case in folders(&group) {
            expect(&case.join("expected.txt"), &check(&case, "human").stdout, &mut wrong);
            let found = diagnostics(&check(&case, "json"));
            wrong.extend(well_formed(&case, &found).err().map(|reason| format!("{}: {reason}", case.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cases_and_pages_are_of_codes_that_exist() {
    let known: BTreeSet<&str> = CODES.iter().map(|code| code.name).collect();
    let cases =
        folders(&cases()).iter().map(|path| name(path)).filter(|name| !name.starts_with('_')).collect::<Vec<_>>();
    let pages = fs::read_dir(root().join("docs/src/diagnostics")).expect("the pages");
    let pages =
        pages.map(|entry| name(&entry.expect("an entry").path()).replace(".md", "")).filter(|name| name != "README");
    let stray: Vec<String> = cases.into_iter().chain(pages).filter(|name| !known.contains(&**name)).collect();
    assert!(stray.is_empty(), "of no code: {stray:?}");
    let bad_input = read(&root().join("tests/bad_input.rs"));
    for (code, test) in SHOWN_ELSEWHERE {
        assert!(known.contains(code) && bad_input.contains(&format!("fn {test}(")), "{code}: {test}");
    }
}

#[test]
fn the_registry_is_sorted_and_is_what_the_compiler_uses() {
    let names: Vec<&str> = CODES.iter().map(|code| code.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    let registered: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
    let mut used = BTreeSet::new();
    let mut open = vec![root().join("compiler/src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("codes.rs") {
            let text = read(&path);
            used.extend(kebab_literals(text.split("#[cfg(test)]").next().unwrap_or_default()));
        }
    }
    assert_eq!(used.difference(&registered).collect::<Vec<_>>(), Vec::<&String>::new(), "used and not registered");
    assert_eq!(registered.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "registered and not used");
}

/// The literals of a source that look like a code: words of small letters and digits, joined by dashes.
fn kebab_literals(source: &str) -> Vec<String> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_code = |text: &&str| {
        text.contains('-')
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.split('-').all(|word| !word.is_empty() && word.bytes().all(is_word))
    };
    source.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).filter(is_code).map(str::to_owned).collect()
}

#[test]
fn every_page_has_its_parts() {
    let mut wrong = Vec::new();
    for code in CODES {
        let text = read(&page(code.name));
        let mut parts = vec![format!("# `{}`\n", code.name), "## What it means\n".into(), "## Example\n".into()];
        parts.push("## Instead\n".into());
        if code.is_lint() {
            parts.extend(["## Why it matters\n".into(), "## Its level\n".into()]);
            parts.extend([format!("`{}`", code.level.name()), format!("--allow {}", code.name)]);
        }
        wrong.extend(
            parts.iter().filter(|part| !text.contains(&***part)).map(|part| format!("{}: no {part:?}", code.name)),
        );
        if !text.starts_with(&parts[0]) || code.summary().starts_with('#') || !code.summary().ends_with('.') {
            wrong.push(format!("{}: a page begins with its code and one sentence", code.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_lists_on_a_page_are_those_of_its_cases() {
    let mut wrong = Vec::new();
    for code in CODES.iter().filter(|code| cases().join(code.name).is_dir()) {
        let text = read(&page(code.name));
        for (part, case) in [("## Example", "fails"), ("## Instead", "passes")] {
            let section = text.split_once(part).map_or("", |(_, rest)| rest).split("\n## ").next().unwrap_or_default();
            let blocks: Vec<&str> = section.split("```").skip(1).step_by(2).collect();
            if blocks.is_empty() {
                wrong.push(format!("{}: no list below {part}", code.name));
            }
            let files = files_below(&cases().join(code.name).join(case));
            for block in blocks {
                let block = block.split_once('\n').map_or("", |(_, lines)| lines);
                if !block.contains('…') && !files.iter().any(|file| file.trim_end() == block.trim_end()) {
                    wrong.push(format!("{}: {part} is no file of {case}:\n{block}", code.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            texts.extend(files_below(&path));
        } else {
            texts.push(String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned());
        }
    }
    texts
}

#[test]
fn the_index_lists_every_code() {
    let index = read(&root().join("docs/src/diagnostics/README.md"));
    let listed: Vec<&str> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let expected: Vec<String> = CODES
        .iter()
        .map(|code| format!("| [`{0}`]({0}.md) | {1} | {2} |", code.name, code.level.name(), code.summary()))
        .collect();
    assert_eq!(listed, expected, "docs/src/diagnostics/README.md");
}

#[test]
fn a_page_is_printed_and_a_near_code_is_meant() {
    let explained = run(root(), &["explain", "unknown-override"]);
    assert_eq!((explained.code, &*explained.stdout), (0, &*read(&page("unknown-override"))));
    let listed = run(root(), &["explain"]);
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, CODES.len()));
    let unknown = run(root(), &["explain", "unknwon-override"]);
    assert_eq!((unknown.code, &*unknown.stdout), (2, ""));
    assert_eq!(unknown.stderr, "tlc: there is no code `unknwon-override`; did you mean `unknown-override`?\n");
}

#[test]
fn levels_on_the_command_line_must_be_of_lints() {
    let case = cases().join("unknown-override/fails");
    let check = |arguments: &[&str]| run(&case, &[&["check", "main.test_list.json"], arguments].concat());
    assert_eq!(check(&["--warn", "unknown-override"]).code, 0);
    assert_eq!(check(&["--warn", "unknown-override", "--warn", "unknown-override"]).code, 0);
    for (arguments, message) in [
        (&["--allow", "unknown-overide"][..], "there is no lint `unknown-overide`; did you mean `unknown-override`?"),
        (&["--allow", "bad-id"], "the level of `bad-id` cannot be set"),
        (&["--allow", "unknown-override", "--deny", "unknown-override"], "`unknown-override` is given two levels"),
    ] {
        let outcome = check(arguments);
        assert_eq!((outcome.code, &*outcome.stdout), (2, ""), "{arguments:?}");
        assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    }
}
