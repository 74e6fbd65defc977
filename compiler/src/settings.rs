//! `tlc.json5`: where layers, tests, catalogues and the station's settings lie, and levels of lints.
//!
//! The nearest file above a list comes in, typed settings go out; paths are relative to the file. What cannot be used is left out and
//! reported.

use std::path::{Component, Path, PathBuf};

use crate::check::key_is_lost;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, did_you_mean, unreadable};
use crate::document::{Arena, Entry, read};
use crate::levels::{Level, NotALint, lint};
use crate::source::{self, FileId, ReadError, SourceMap, Span};

/// The name of the file.
pub const FILE_NAME: &str = "tlc.json5";

/// What a `tlc.json5` says. Without one, everything is empty.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The directory of the file, if there is one.
    pub directory: Option<PathBuf>,
    /// Directories of lists, the lowest first; they lie above `directory`.
    pub layers: Vec<PathBuf>,
    /// The directory of the Python tests.
    pub tests: Option<PathBuf>,
    /// The directory of the catalogues.
    pub po: Option<PathBuf>,
    /// The station's settings, a file.
    pub station: Option<PathBuf>,
    /// Levels of lints, in the order of the file; no code stands twice.
    pub lints: Vec<LintLevel>,
}

/// A lint and the level that it is to have.
#[derive(Clone, Copy, Debug)]
pub struct LintLevel {
    /// The lint.
    pub lint: &'static Code,
    /// Its level.
    pub level: Level,
}

const KEYS: [&str; 5] = ["layers", "tests", "po", "lints", "station"];
const LEVELS: [&str; 3] = ["deny", "warn", "allow"];

impl Settings {
    /// Reads the nearest file, in a directory or above it.
    pub fn nearest(directory: &Path, sources: &mut SourceMap, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory }.to_owned();
        loop {
            let path = below(&directory, FILE_NAME);
            match sources.read(&path) {
                Ok(file) => return Self::of_file(directory, sources, file, diagnostics),
                Err(ReadError::NotFound) => {}
                Err(error) => {
                    diagnostics.push(unreadable(&path, &error, None));
                    return Self { directory: Some(directory), ..Self::default() };
                }
            }
            match above(&directory) {
                Some(next) => directory = next,
                None => return Self::default(),
            }
        }
    }

    fn of_file(directory: PathBuf, sources: &SourceMap, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut arena = Arena::default();
        let (document, faults) = read(sources, file, &mut arena);
        diagnostics.extend(faults);
        let lost = document.duplicates.iter().map(|lost| key_is_lost(arena.text(lost.key), lost));
        diagnostics.extend(lost);
        let mut settings = Self::default();
        if let Some(root) = document.root.map(|root| arena.entry(root)) {
            if !root.is_object() {
                diagnostics.push(wrong_value("`tlc.json5`", "an object", root));
            }
            Reading { settings: &mut settings, directory: &directory, diagnostics }.members(root);
        }
        settings.directory = Some(directory);
        settings
    }
}

/// Settings that are being read.
struct Reading<'a> {
    settings: &'a mut Settings,
    directory: &'a Path,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    fn members(&mut self, root: Entry<'_>) {
        for member in root.members() {
            let value = root.arena.entry(member.value);
            let key = root.arena.text(member.key);
            match key {
                "layers" => self.settings.layers = self.layers(value),
                "tests" => self.settings.tests = self.directory(key, value),
                "po" => self.settings.po = self.directory(key, value),
                "station" => self.settings.station = self.file(key, value),
                "lints" => self.lints(value),
                _ => self.diagnostics.push(unknown_key(key, member.key_span)),
            }
        }
    }

    fn layers(&mut self, value: Entry<'_>) -> Vec<PathBuf> {
        let items = value.items();
        if items.len() == 0 && value.type_name() != "an array" {
            self.diagnostics.push(wrong_value("`layers`", "an array of paths", value));
        }
        items.filter_map(|item| self.directory("layers", item)).collect()
    }

    fn directory(&mut self, key: &str, value: Entry<'_>) -> Option<PathBuf> {
        let path = self.path(key, value)?;
        if !source::is_directory(&path) {
            self.diagnostics.push(missing(key, "a directory", &path, value.span()));
            return None;
        }
        Some(path)
    }

    fn file(&mut self, key: &str, value: Entry<'_>) -> Option<PathBuf> {
        let path = self.path(key, value)?;
        if !source::is_file(&path) {
            self.diagnostics.push(missing(key, "a file", &path, value.span()));
            return None;
        }
        Some(path)
    }

    fn path(&mut self, key: &str, value: Entry<'_>) -> Option<PathBuf> {
        match value.as_str() {
            Some("") | None => {
                let owner = if key == "layers" { "an item of `layers`".into() } else { format!("`{key}`") };
                self.diagnostics.push(wrong_value(&owner, "a path", value));
                None
            }
            Some(path) => Some(below(self.directory, path)),
        }
    }

    fn lints(&mut self, value: Entry<'_>) {
        if !value.is_object() {
            return self.diagnostics.push(wrong_value("`lints`", "an object of levels", value));
        }
        for member in value.members() {
            let written = value.arena.entry(member.value);
            let code = value.arena.text(member.key);
            match (lint(code), written.as_str().and_then(Level::named)) {
                (Err(reason), _) => self.diagnostics.push(not_a_lint(code, &reason, member.key_span)),
                (Ok(_), None) => self.diagnostics.push(wrong_level(code, written)),
                (Ok(lint), Some(level)) => self.settings.lints.push(LintLevel { lint, level }),
            }
        }
    }
}

/// A path in a directory; without a `./` before it if that is the current one.
fn below(directory: &Path, path: &str) -> PathBuf {
    if directory == Path::new(".") { PathBuf::from(path) } else { source::shortened(directory.join(path)) }
}

/// The directory around another; none for the root.
fn above(directory: &Path) -> Option<PathBuf> {
    match directory.components().next_back() {
        Some(Component::Normal(_)) => match directory.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => Some(parent.to_owned()),
            _ => Some(".".into()),
        },
        Some(Component::CurDir) => up_from(directory, "..".into()),
        Some(Component::ParentDir) => up_from(directory, directory.join("..")),
        Some(Component::RootDir | Component::Prefix(_)) | None => None,
    }
}

fn up_from(directory: &Path, above: PathBuf) -> Option<PathBuf> {
    (source::is_directory(&above) && !source::is_same(directory, &above)).then_some(above)
}

fn unknown_key(key: &str, span: Span) -> Diagnostic {
    let help = did_you_mean(key, KEYS).unwrap_or_else(|| format!("the keys are {}", listed(&KEYS)));
    Diagnostic::error("settings-key", format!("`{FILE_NAME}` has no key `{key}`"), span, "unknown").help(help)
}

fn wrong_value(owner: &str, expected: &str, value: Entry<'_>) -> Diagnostic {
    let found = match value.as_str() {
        Some(text) => format!("`\"{text}\"`"),
        None => value.type_name().into(),
    };
    Diagnostic::error(
        "settings-value",
        format!("{owner} is {expected}, found {found}"),
        value.span(),
        format!("expected {expected}"),
    )
    .help("for example `{layers: [\"../lists\"], tests: \"tests\", po: \"po\", station: \"station.json5\"}`")
}

fn wrong_level(code: &str, value: Entry<'_>) -> Diagnostic {
    let levels = listed(&LEVELS);
    let found = value.as_str().map_or_else(|| value.type_name().into(), |text| format!("`\"{text}\"`"));
    let meant = value.as_str().and_then(|text| did_you_mean(text, LEVELS));
    let message = format!("the level of `{code}` is one of {levels}, found {found}");
    Diagnostic::error("settings-value", message, value.span(), "not a level")
        .help(meant.unwrap_or_else(|| "`deny` makes it an error, `warn` a warning, `allow` is silent".into()))
}

fn not_a_lint(code: &str, reason: &NotALint, span: Span) -> Diagnostic {
    let finding = match reason {
        NotALint::Unknown(_) => {
            Diagnostic::error("unknown-lint", format!("there is no lint `{code}`"), span, "unknown")
        }
        NotALint::Fixed => {
            Diagnostic::error("fixed-level", format!("the level of `{code}` cannot be set"), span, "no lint")
        }
    };
    finding.help(reason.to_string())
}

fn missing(key: &str, expected: &str, path: &Path, span: Span) -> Diagnostic {
    let message = format!("`{key}` names {expected}, found none at `{}`", path.display());
    Diagnostic::error("settings-path", message, span, "not there")
        .help(format!("paths are relative to the directory of `{FILE_NAME}`"))
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| ["`", name, "`"].concat()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The settings of a directory that has `a`, `b` and `station.json5`, and the messages with what they point at.
    fn settings(text: &str) -> (Settings, String, tempfile::TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["a", "b", "lists/deep"] {
            fs::create_dir_all(directory.path().join(name)).expect("made");
        }
        fs::write(directory.path().join("station.json5"), "{}").expect("written");
        fs::write(directory.path().join(FILE_NAME), text).expect("written");
        let (mut sources, mut diagnostics) = (SourceMap::default(), Vec::new());
        let settings = Settings::nearest(&directory.path().join("lists/deep"), &mut sources, &mut diagnostics);
        let shown = diagnostics.iter().map(|diagnostic| {
            let place = diagnostic.labels.first().map_or("", |label| sources.slice(label.span));
            let message = diagnostic.message.replace(&directory.path().display().to_string(), "DIR");
            format!("{}: {message} @ {place} ? {}", diagnostic.code, diagnostic.help.as_deref().unwrap_or_default())
        });
        (settings, shown.collect::<Vec<_>>().join("\n"), directory)
    }

    #[test]
    fn the_nearest_file_above_counts_and_paths_are_relative_to_it() {
        let text =
            "{layers: ['a', 'b'], tests: 'a', po: 'b', station: 'station.json5', lints: {'duplicate-key': 'warn'}}";
        let (settings, shown, directory) = settings(text);
        assert_eq!(shown, "");
        assert_eq!(settings.directory.as_deref(), Some(directory.path()));
        assert_eq!(settings.layers, [directory.path().join("a"), directory.path().join("b")]);
        assert_eq!(settings.tests, Some(directory.path().join("a")));
        assert_eq!(settings.po, Some(directory.path().join("b")));
        assert_eq!(settings.station, Some(directory.path().join("station.json5")));
        assert_eq!((settings.lints[0].lint.name, settings.lints[0].level), ("duplicate-key", Level::Warn));
    }

    #[test]
    fn mistakes_have_their_places() {
        let text = r#"{
            layer: [], tests: 7, po: "c", layers: ["a", 1, "b", ""], station: "a", colours: {},
            lints: {"duplicate-key": "denny", "po-duplicate": true, "unknown-override": "deny", "bad-id": "warn", "duplicate-kye": "warn"},
            tests: "a",
        }"#;
        let (settings, shown, directory) = settings(text);
        insta::assert_snapshot!(shown, @r#"
        duplicate-key: the key `tests` stands twice; the last one counts @ tests ? remove one of them
        settings-key: `tlc.json5` has no key `layer` @ layer ? did you mean `layers`?
        settings-path: `po` names a directory, found none at `DIR/c` @ "c" ? paths are relative to the directory of `tlc.json5`
        settings-value: an item of `layers` is a path, found an integer @ 1 ? for example `{layers: ["../lists"], tests: "tests", po: "po", station: "station.json5"}`
        settings-value: an item of `layers` is a path, found `""` @ "" ? for example `{layers: ["../lists"], tests: "tests", po: "po", station: "station.json5"}`
        settings-path: `station` names a file, found none at `DIR/a` @ "a" ? paths are relative to the directory of `tlc.json5`
        settings-key: `tlc.json5` has no key `colours` @ colours ? the keys are `layers`, `tests`, `po`, `lints`, `station`
        settings-value: the level of `duplicate-key` is one of `deny`, `warn`, `allow`, found `"denny"` @ "denny" ? did you mean `deny`?
        settings-value: the level of `po-duplicate` is one of `deny`, `warn`, `allow`, found a boolean @ true ? `deny` makes it an error, `warn` a warning, `allow` is silent
        fixed-level: the level of `bad-id` cannot be set @ "bad-id" ? only lints have a level that can be set; `tlc explain` lists them
        unknown-lint: there is no lint `duplicate-kye` @ "duplicate-kye" ? did you mean `duplicate-key`?
        "#);
        assert_eq!(settings.tests, Some(directory.path().join("a")));
        assert_eq!(settings.layers.len(), 2);
        assert_eq!(settings.lints.len(), 1);
    }

    #[test]
    fn a_broken_file_is_reported_and_still_marks_its_directory() {
        let (settings, shown, directory) = settings("[1 2]");
        insta::assert_snapshot!(shown, @r#"
        json-syntax: expected `,` or `]` after the item, found `2` @  ? put a `,` here
        settings-value: `tlc.json5` is an object, found an array @ [1 2] ? for example `{layers: ["../lists"], tests: "tests", po: "po", station: "station.json5"}`
        "#);
        assert_eq!(settings.directory.as_deref(), Some(directory.path()));
    }

    #[test]
    fn directories_above_are_found_from_any_path() {
        let up = |path: &str| above(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(up("a/b").as_deref(), Some("a"));
        assert_eq!(up("a").as_deref(), Some("."));
        assert_eq!(up(".").as_deref(), Some(".."));
        assert_eq!(up("..").as_deref(), Some("../.."));
        assert_eq!(up("/a").as_deref(), Some("/"));
        assert_eq!(up("/"), None);
        let mut far = PathBuf::from(".");
        for _ in 0..100 {
            match above(&far) {
                Some(next) => far = next,
                None => return,
            }
        }
        panic!("the way up has an end");
    }
}
