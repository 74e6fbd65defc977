//! The book and the pages beside it hold together: every relative link leads to a file, every anchor to a heading, the book's summary
//! names every page, and the lists in it compile.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{root, run};

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page is UTF-8");
        for target in links(&text) {
            if let Err(reason) = follow(&page, &target) {
                broken.push(format!("{}: `{target}` {reason}", shown(&page)));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn the_summary_names_every_page() {
    let book = root().join("docs/src");
    let summary = fs::read_to_string(book.join("SUMMARY.md")).expect("the book has a summary");
    let named: BTreeSet<PathBuf> = links(&summary).iter().map(|target| book.join(target)).collect();
    let all: BTreeSet<PathBuf> =
        markdown_below(&book).into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    let forgotten: Vec<String> = all.difference(&named).map(|page| shown(page)).collect();
    assert!(forgotten.is_empty(), "not in docs/src/SUMMARY.md:\n{}", forgotten.join("\n"));
}

#[test]
fn the_lists_in_the_book_compile() {
    let standard = root().join("lists");
    let arguments = ["check", "main.test_list.json", "--lists", standard.to_str().expect("a path that is text")];
    let mut checked = 0;
    // The pages of the diagnostics show mistakes.
    let pages = markdown_below(&root().join("docs")).into_iter().filter(|page| !shown(page).contains("/diagnostics/"));
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page is UTF-8");
        for list in blocks(&text, "json").filter(|block| is_list(block)) {
            let folder = common::directory(&[("main.test_list.json", list)]);
            let found = run(folder.path(), &arguments);
            assert_eq!(found.code, 0, "{}:\n{list}\n{}{}", shown(&page), found.stdout, found.stderr);
            checked += 1;
        }
    }
    assert!(checked > 0, "no page has a list");
}

/// Whether a block of code is a whole list, which can run.
fn is_list(block: &str) -> bool {
    block.starts_with('{') && block.contains("\"label\"") && block.contains("\"tests\": [") && !block.contains('…')
}

/// The blocks of code in a language.
fn blocks<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let mark = format!("```{language}\n");
    let after: Vec<&str> = text.split(&mark).skip(1).collect();
    after.into_iter().filter_map(|rest| rest.split_once("\n```")).map(|(block, _)| block)
}

fn shown(page: &Path) -> String {
    page.strip_prefix(root()).unwrap_or(page).display().to_string()
}

/// The pages of the book, and those at the top.
fn pages() -> Vec<PathBuf> {
    let mut pages = markdown_below(&root().join("docs"));
    pages.extend(markdown_in(root()));
    pages
}

fn markdown_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = markdown_in(folder);
    for path in entries(folder).into_iter().filter(|path| path.is_dir()) {
        found.extend(markdown_below(&path));
    }
    found
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// The targets of the links of a page, without those inside code.
fn links(text: &str) -> Vec<String> {
    prose(text)
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// A page without its blocks of code and its words in code.
fn prose(text: &str) -> String {
    let mut inside_block = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside_block = !inside_block;
        } else if !inside_block {
            let words = line.split('`').enumerate().filter(|(position, _)| position % 2 == 0);
            kept.extend(words.map(|(_, words)| words));
            kept.push('\n');
        }
    }
    kept
}

fn follow(page: &Path, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file =
        if path.is_empty() { page.to_owned() } else { page.parent().expect("a page lies in a folder").join(path) };
    if !file.exists() {
        return Err("does not exist".into());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    if headings(&text).contains(anchor) { Ok(()) } else { Err("has no such heading".into()) }
}

/// The anchors of a page's headings.
fn headings(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings.map(anchor).collect()
}

fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        })
        .collect()
}
