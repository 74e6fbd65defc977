//! `.po` catalogues: a directory of them to the texts of every locale.
//!
//! A file `de-DE.po` holds the texts of the locale `de-DE`. What counts of an entry is its English text and its translation; entries that
//! are fuzzy, empty or for a context do not count, and of a plural only the first form does. A text without an entry stays English.
//!
//! Files are read here and not by a library, because a mistake in one must have its place and must never end the process.

use hashbrown::HashMap;
use std::path::{Path, PathBuf};

use tlc_plan::plan::Text;

use crate::diagnostic::{Diagnostic, Severity, unreadable};
use crate::source::{self, SourceMap, Span};

mod entries;

/// The locale of the texts in lists.
pub const ENGLISH: &str = "en-US";

/// The texts of every locale.
#[derive(Debug)]
pub struct Catalogues {
    locales: Vec<String>,
    /// The directory that they were read from.
    directory: Option<PathBuf>,
    texts: HashMap<String, Texts>,
}

/// English texts and their translations.
type Texts = HashMap<String, String>;

impl Default for Catalogues {
    /// English only.
    fn default() -> Self {
        Self { locales: vec![ENGLISH.into()], directory: None, texts: HashMap::new() }
    }
}

impl Catalogues {
    /// Reads every catalogue in a directory. One that cannot be read is a locale all the same: its texts are English.
    pub fn load(sources: &mut SourceMap, directory: &Path) -> (Self, Vec<Diagnostic>) {
        let (mut catalogues, mut diagnostics) = (Self::default(), Vec::new());
        if !source::is_directory(directory) {
            diagnostics.push(no_directory(directory));
            return (catalogues, diagnostics);
        }
        catalogues.directory = Some(directory.to_owned());
        let below = source::files_below(directory, ".po");
        let own = below.unreadable.iter().filter(|(path, _)| path == directory);
        diagnostics.extend(own.map(|(path, error)| unreadable_directory(path, error)));
        for path in below.files {
            let locale = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if path.parent() != Some(directory) || locale.is_empty() {
                continue;
            }
            let texts = load_file(sources, &path, &mut diagnostics);
            catalogues.texts.insert(locale, texts);
        }
        let mut others: Vec<_> = catalogues.texts.keys().filter(|locale| *locale != ENGLISH).cloned().collect();
        others.sort();
        catalogues.locales.extend(others);
        (catalogues, diagnostics)
    }

    /// Whether every text stays as it is, in English.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The known locales: English first, the others sorted.
    pub fn locales(&self) -> &[String] {
        &self.locales
    }

    /// The file of a locale.
    pub fn file(&self, locale: &str) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(format!("{locale}.po")))
    }

    /// The translation of an English text, if the locale has one.
    pub fn lookup(&self, locale: &str, english: &str) -> Option<&str> {
        self.texts.get(locale)?.get(english).map(String::as_str)
    }

    /// A text in a locale: its translation, or as it is.
    pub fn translate<'a>(&'a self, locale: &str, english: &'a str) -> &'a str {
        self.lookup(locale, english).unwrap_or(english)
    }

    /// A text in every known locale.
    pub fn text(&self, english: &str) -> Text {
        self.locales.iter().map(|locale| (locale.as_str().into(), self.translate(locale, english).into())).collect()
    }
}

fn load_file(sources: &mut SourceMap, path: &Path, diagnostics: &mut Vec<Diagnostic>) -> Texts {
    let file = match sources.read(path) {
        Ok(file) => file,
        Err(error) => {
            diagnostics.push(unreadable(path, &error, None));
            return Texts::new();
        }
    };
    let (entries, faults) = entries::read(sources.text(file), sources.base(file));
    diagnostics.extend(faults);
    let mut texts = Texts::with_capacity(entries.len());
    let mut places: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
    for entry in &entries {
        if let Some(first) = places.insert(&entry.english, entry.span) {
            diagnostics.push(twice(&entry.english, entry.span, first));
            places.insert(&entry.english, first);
        } else if entry.counts() {
            texts.insert(entry.english.clone(), entry.translation.clone());
        }
    }
    texts
}

fn unreadable_directory(directory: &Path, error: &std::io::Error) -> Diagnostic {
    let message = format!("the directory `{}` cannot be read: {error}", directory.display());
    Diagnostic::new("unreadable-file", Severity::Error, message).help("give yourself the right to read it")
}

fn no_directory(directory: &Path) -> Diagnostic {
    let message = format!("expected a directory of catalogues, found none at `{}`", directory.display());
    Diagnostic::new("unreadable-file", Severity::Error, message)
        .help("catalogues are files such as `de-DE.po` in one directory")
}

fn twice(english: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::warning("po-duplicate", format!("the text `{english}` stands twice"), span, "this entry has no effect")
        .label(first, "the first one counts")
        .help("remove one of them")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn load(files: &[(&str, &str)]) -> (Catalogues, String) {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            fs::write(directory.path().join(name), text).expect("written");
        }
        let mut sources = SourceMap::default();
        let (catalogues, diagnostics) = Catalogues::load(&mut sources, directory.path());
        let shown = diagnostics.iter().map(|diagnostic| {
            let place = diagnostic.labels.first().map(|label| sources.position(label.span.start));
            let place = place.map_or("nowhere".into(), |place| format!("{}:{}", place.line, place.column));
            format!("{place} {}: {}", diagnostic.code, diagnostic.message)
        });
        (catalogues, shown.collect::<Vec<_>>().join("\n"))
    }

    const HEADER: &str = "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\n";

    #[test]
    fn english_comes_first_and_the_others_are_sorted() {
        let (catalogues, shown) =
            load(&[("zh-CN.po", HEADER), ("de-DE.po", HEADER), ("notes.txt", "x"), ("en-US.po", "")]);
        assert_eq!((catalogues.locales(), &*shown), (&["en-US", "de-DE", "zh-CN"].map(String::from)[..], ""));
        assert_eq!(Catalogues::default().locales(), ["en-US"]);
        assert_eq!(Catalogues::default().text("x"), Text::from([("en-US".into(), "x".into())]));
    }

    #[test]
    fn what_has_no_translation_stays_english() {
        let text = [
            HEADER,
            "msgid \"Start\"\nmsgstr \"Anfang\"\n",
            "#, fuzzy\nmsgid \"End\"\nmsgstr \"Anfang\"\n\n",
            "msgid \"Middle\"\nmsgstr \"\"\n\n",
            "msgctxt \"button\"\nmsgid \"Go\"\nmsgstr \"Los\"\n\n",
            "#~ msgid \"Old\"\n#~ msgstr \"Alt\"\n\n",
            "#| msgid \"Before\"\n#. a comment\n#, c-format\n  msgid \"Two \"\n  \"lines\\n\"\nmsgstr \"\"\n\"Zwei \\\"Zeilen\\\"\\n\"\n\n",
            "msgid \"test\"\nmsgid_plural \"tests\"\nmsgstr[0] \"Test\"\nmsgstr[1] \"Tests\"\n",
        ];
        let (catalogues, shown) = load(&[("de-DE.po", &text.concat())]);
        assert_eq!(shown, "");
        let german = |english| catalogues.lookup("de-DE", english);
        assert_eq!(german("Start"), Some("Anfang"));
        assert_eq!(german("Two lines\n"), Some("Zwei \"Zeilen\"\n"));
        assert_eq!(german("test"), Some("Test"));
        for english in ["End", "Middle", "Go", "Old", "Before", "", "missing"] {
            assert_eq!(german(english), None);
            assert_eq!(catalogues.translate("de-DE", english), english);
        }
        assert_eq!(catalogues.text("Start").get("de-DE").map(|text| &**text), Some("Anfang"));
        assert_eq!(catalogues.text("Start").get("en-US").map(|text| &**text), Some("Start"));
    }

    #[test]
    fn mistakes_have_their_places_and_the_rest_is_read() {
        let text = [
            "\"stray\"\n",
            "msgid \"a\"\nmsgstr \"A\n\n",
            "msgid \"b\" x\nmsgstr \"B\"\n\n",
            "masgid \"c\"\n\n",
            "msgid \"d\"\n\nmsgid \"e\"\nmsgstr \"\\q\"\n\n",
            "#\nmsgstr \"F\"\n\n",
            "msgid \"g\"\nmsgstr \"G\"\n\nmsgid \"g\"\nmsgstr \"H\"\n",
            "msgid \"i\"",
        ];
        let (catalogues, shown) = load(&[("de-DE.po", &text.concat())]);
        insta::assert_snapshot!(shown, @r#"
        1:1 po-syntax: expected `msgid` or `msgstr`, found a string
        3:8 po-syntax: expected a closing `"`, found the end of the line
        5:11 po-syntax: expected a string, found `x`
        8:1 po-syntax: expected `msgid` or `msgstr`, found `masgid`
        10:1 po-syntax: expected `msgstr` after `msgid`, found none
        13:8 po-syntax: expected an escape such as `\n` or `\"`, found another
        16:1 po-syntax: expected `msgid` before `msgstr`, found none
        23:1 po-syntax: expected `msgstr` after `msgid`, found none
        21:1 po-duplicate: the text `g` stands twice
        "#);
        assert_eq!(catalogues.lookup("de-DE", "g"), Some("G"));
    }

    #[test]
    fn a_directory_that_is_missing_is_said() {
        let (catalogues, diagnostics) = Catalogues::load(&mut SourceMap::default(), Path::new("no/such/directory"));
        assert_eq!((catalogues.locales().len(), diagnostics.len()), (1, 1));
    }
}
