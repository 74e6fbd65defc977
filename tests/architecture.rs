//! The architecture is what `docs/src/architecture.md` says: these tests read the manifests and the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every arrow between the packages.
const ARROWS: &[(&str, &str)] =
    &[("tlc", "tlc-compiler"), ("tlc", "tlc-runtime"), ("tlc-compiler", "tlc-plan"), ("tlc-runtime", "tlc-plan")];

const MANIFESTS: &[&str] = &["Cargo.toml", "compiler/Cargo.toml", "runtime/Cargo.toml", "runtime/plan/Cargo.toml"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest(path: &str) -> toml::Table {
    let text = std::fs::read_to_string(root().join(path)).expect("the manifest is there");
    text.parse().expect("the manifest is TOML")
}

fn dependencies(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    manifest
        .get(section)
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

fn sources_below(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            // Unit tests stand at the end of a file; they may do what the program may not.
            let program = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.push((path, program));
        }
    }
    assert!(!found.is_empty(), "`{folder}` has no sources");
    found
}

fn assert_free_of(folder: &str, words: &[&str], allowed: &[&str], why: &str) {
    for (path, text) in sources_below(folder) {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        if allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        for word in words {
            assert!(!text.contains(word), "{name} uses `{word}`: {why}");
        }
    }
}

#[test]
fn packages_depend_on_each_other_only_as_the_architecture_says() {
    let mut arrows = BTreeSet::new();
    for path in MANIFESTS {
        let manifest = manifest(path);
        let name = manifest["package"]["name"].as_str().expect("a name").to_owned();
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for dependency in dependencies(&manifest, section) {
                if dependency.starts_with("tlc") {
                    arrows.insert((name.clone(), dependency));
                }
            }
        }
    }
    let expected: BTreeSet<_> = ARROWS.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    assert_eq!(arrows, expected);
}

#[test]
fn a_station_has_no_parser() {
    for path in ["runtime/Cargo.toml", "runtime/plan/Cargo.toml"] {
        let used = dependencies(&manifest(path), "dependencies");
        for parser in ["pest", "pest_derive", "tlc-compiler", "miette"] {
            assert!(!used.contains(parser), "{path} uses {parser}");
        }
    }
}

#[test]
fn the_top_level_has_no_other_folders() {
    let allowed = ["compiler", "docs", "grammar", "lists", "runtime", "target", "tests"];
    for entry in std::fs::read_dir(root()).expect("the root") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().expect("a type").is_dir();
        assert!(
            !is_folder || name.starts_with('.') || allowed.contains(&&*name),
            "the folder `{name}` has no place in the house"
        );
    }
}

#[test]
fn versions_stand_in_one_place() {
    for path in &MANIFESTS[1..] {
        let manifest = manifest(path);
        for section in ["dependencies", "dev-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            for (name, value) in table {
                let shared = value.get("workspace").and_then(toml::Value::as_bool).unwrap_or(false);
                assert!(shared, "{path}: {name} does not take its version from the workspace");
            }
        }
    }
}

#[test]
fn only_source_touches_files_in_the_compiler() {
    let words = ["std::fs", "std::env", "File::open", "read_to_string", "std::process", "std::net"];
    assert_free_of("compiler/src", &words, &["compiler/src/source.rs"], "only `source` touches the outside world");
}

#[test]
fn the_scheduler_is_pure() {
    let words =
        ["std::fs", "std::time", "std::thread", "std::process", "std::env", "tokio", "rand::", "SystemTime", "Instant"];
    assert_free_of(
        "runtime/src/schedule",
        &words,
        &[],
        "the scheduler has no clock, thread, file, process or randomness",
    );
}

#[test]
fn libraries_do_not_print() {
    let words = ["println!", "eprintln!", "print!(", "eprint!("];
    let allowed = ["runtime/src/report", "runtime/src/main.rs"];
    for folder in ["compiler/src", "runtime/plan/src", "runtime/src"] {
        assert_free_of(folder, &words, &allowed, "only the command and the reporters print");
    }
}
