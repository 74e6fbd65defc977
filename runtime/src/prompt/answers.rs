//! The file of answers for runs without an operator: `--answers FILE`, or `answers` in the station's settings.
//!
//! In: JSON5, an object of tests, each with an object of prompts. Out: [`Answers`], or an error with file, line, column and key.
//! `docs/src/reference/answers.md` describes it.

use std::fmt;
use std::path::Path;

use indexmap::IndexMap;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tlc_plan::Data;

use crate::station::{FileError, parse_json5, read_text};

/// No file of answers is larger than this, in bytes.
const SIZE_LIMIT: u64 = 16 << 20;

/// Stands for any prompt of a test.
const ANY: &str = "*";

/// What a file answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    tests: IndexMap<String, IndexMap<String, Answer>>,
    /// What answers where this one does not.
    otherwise: Option<Box<Answers>>,
}

/// The answer to one prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// One after another; never empty.
    values: Vec<Data>,
}

impl Answer {
    /// What is answered the next time, when it was answered so often before; the last answer repeats.
    pub fn after(&self, times: usize) -> &Data {
        &self.values[times.min(self.values.len() - 1)]
    }
}

impl Answers {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = read_text(path, SIZE_LIMIT)
            .map_err(|error| FileError::Unreadable("the file of answers", path.to_path_buf(), error))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let tests: Distinct<Distinct<Answer>> = parse_json5(path, text)?;
        Ok(Self { tests: tests.0.into_iter().map(|(test, prompts)| (test, prompts.0)).collect(), otherwise: None })
    }

    /// The same, and where it has no answer another file's.
    #[must_use]
    pub fn or(self, other: Option<Self>) -> Self {
        Self { otherwise: other.map(Box::new), ..self }
    }

    /// The answer to a prompt of a test. The path that is named exactly is looked at first, then patterns, the longest first; in each of
    /// them the prompt that is named, then `*`.
    pub fn answer(&self, path: &str, prompt: &str) -> Option<&Answer> {
        let mut fitting: Vec<_> = self.tests.iter().filter(|(pattern, _)| matches(path, pattern)).collect();
        fitting.sort_by_key(|(pattern, _)| (pattern.starts_with('*'), usize::MAX - pattern.len()));
        let own = fitting.into_iter().find_map(|(_, prompts)| prompts.get(prompt).or_else(|| prompts.get(ANY)));
        own.or_else(|| self.otherwise.as_ref()?.answer(path, prompt))
    }

    /// The paths and patterns of tests that the file names, in its order.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.tests.keys().map(String::as_str)
    }
}

/// As in the rules of `skipped_tests`: an exact path, or after `*` the end of one; a list's id before `:` does not count.
fn matches(path: &str, pattern: &str) -> bool {
    crate::schedule::matches(path, pattern)
}

/// An object in which no key stands twice.
struct Distinct<T>(IndexMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Distinct<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctVisitor(std::marker::PhantomData))
    }
}

struct DistinctVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for DistinctVisitor<T> {
    type Value = Distinct<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = IndexMap::new();
        while let Some((key, value)) = map.next_entry::<String, T>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!("`{key}` stands here twice")));
            }
            members.insert(key, value);
        }
        Ok(Distinct(members))
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = Data::deserialize(deserializer)?;
        let several = data.as_object().filter(|members| members.len() == 1).and_then(|members| members.get("answers"));
        match several {
            None => Ok(Self { values: vec![data] }),
            Some(Data::List(values)) if !values.is_empty() => Ok(Self { values: values.to_vec() }),
            Some(Data::List(_)) => Err(D::Error::custom("`answers` is empty; expected one or more")),
            Some(other) => {
                Err(D::Error::custom(format!("`answers` is {}; expected an array of answers", other.type_name())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Answers {
        Answers::parse(Path::new("answers.json5"), text).expect("answers")
    }

    fn wrong(text: &str) -> String {
        Answers::parse(Path::new("answers.json5"), text).expect_err("it is wrong").to_string()
    }

    #[test]
    fn the_more_exact_name_wins() {
        let answers = read(
            "{ '*': { '*': 'any', serial: 'A' }, '*.Rail': { serial: 'B' }, // a comment\n 'SMT.Rail': { ok: true }, 'main:X': {'1': 5} }",
        );
        let answer = |path, prompt| answers.answer(path, prompt).map(|answer| answer.after(0).to_string());
        assert_eq!(answer("SMT.Rail", "ok").as_deref(), Some("true"));
        assert_eq!(answer("SMT.Rail", "serial").as_deref(), Some("\"B\""));
        assert_eq!(answer("SMT.Rail", "else").as_deref(), Some("\"any\""));
        assert_eq!(answer("Other", "serial").as_deref(), Some("\"A\""));
        assert_eq!(answer("X", "1").as_deref(), Some("5"));
        assert_eq!(read("{A: {b: 1}}").answer("A", "c"), None);
        let both = read("{A: {b: 1}}").or(Some(read("{'*': {b: 2, c: 3}}")));
        let answer = |path, prompt| both.answer(path, prompt).map(|answer| answer.after(0).to_string());
        assert_eq!(
            [answer("A", "b"), answer("A", "c"), answer("B", "b"), answer("A", "d")].map(Option::unwrap_or_default),
            ["1", "3", "2", ""]
        );
    }

    #[test]
    fn several_answers_come_one_after_another_and_the_last_repeats() {
        let answers = read("{ A: { n: { answers: [1, 2] }, list: [1, 2] } }");
        let answer = answers.answer("A", "n").expect("an answer");
        assert_eq!([0, 1, 2, 9].map(|times| answer.after(times).to_string()), ["1", "2", "2", "2"]);
        assert_eq!(answers.answer("A", "list").expect("an answer").after(1).to_string(), "[1,2]");
    }

    #[test]
    fn a_mistake_is_shown_with_its_place_and_key() {
        let message = wrong("{\n  A: { n: { answers: [] } } }");
        assert!(message.starts_with("answers.json5:2:") && message.contains("`A.n`: `answers` is empty"), "{message}");
        let message = wrong("{\n  A: 'yes' }");
        assert!(message.starts_with("answers.json5:2:") && message.contains("expected an object"), "{message}");
        assert!(wrong("{ A: {}, A: {} }").contains("`A` stands here twice"), "{}", wrong("{ A: {}, A: {} }"));
        assert!(wrong("[1]").contains("expected an object"));
        assert!(wrong("").starts_with("answers.json5"));
        assert!(wrong(&"[".repeat(100_000)).contains("nested deeper"));
        assert!(
            Answers::read(Path::new("/nowhere/at/all")).expect_err("no file").to_string().contains("/nowhere/at/all")
        );
    }
}
