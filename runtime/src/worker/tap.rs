//! Reads TAP, versions 12 to 14, as a program writes it to its stdout.
//!
//! In: lines. Out: [`Part`]s, as soon as they are known, and at the end what is wrong with the whole. A line that is no TAP is a line of
//! the log and nothing else. What is kept is bounded, whatever comes.
//!
//! Source: <https://testanything.org/tap-version-14-specification.html>; the older versions differ in what they do not have.

use std::collections::BTreeSet;

/// No attempt has more parts.
const PARTS: usize = 10_000;

/// No more is kept of parts that wait for the end of their subtest, in bytes.
const KEPT: usize = 16 << 20;

/// No name of a part is longer, in bytes.
const NAME: usize = 1 << 10;

/// No message of a part is longer, in bytes.
const MESSAGE: usize = 4 << 10;

/// Subtests are not nested deeper.
const DEPTH: usize = 16;

/// One test point.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// Its description, below those of the subtests that it is in; its number if it has none.
    pub name: String,
    /// How it ended.
    pub outcome: PartOutcome,
    /// What was said about it.
    pub message: Option<String>,
    /// How long it took.
    pub duration_secs: Option<f64>,
}

/// How a test point ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartOutcome {
    /// `ok`.
    Passed,
    /// `not ok`.
    Failed,
    /// It was skipped, or failed and is still to be done.
    Skipped,
}

/// Whether the first line of an output asks to be read as TAP.
pub(super) fn asks(first: &str) -> bool {
    version(first).is_some()
}

/// A reader of one output.
#[derive(Debug, Default)]
pub(super) struct Tap {
    /// The output itself, and the subtests that are open in it.
    levels: Vec<Level>,
    /// The last test point, for which a block of diagnostics may follow, and its level.
    last: Option<(usize, Point)>,
    /// The block of diagnostics that is being read.
    block: Option<Block>,
    /// How many parts there were, with all subtests.
    parts: usize,
    kept: usize,
    /// Why nothing more is read.
    over: Option<String>,
}

#[derive(Debug, Default)]
struct Level {
    planned: Option<u64>,
    /// Why there is nothing in it, if it was planned so.
    skipped: Option<String>,
    seen: BTreeSet<u64>,
    next: u64,
    /// The first thing that is wrong with it.
    problem: Option<String>,
    /// What waits for the test point that closes a subtest.
    waiting: Vec<Part>,
}

#[derive(Debug)]
struct Point {
    part: Part,
    /// Failures in its subtest do not count either.
    excused: bool,
}

#[derive(Debug)]
struct Block {
    indent: usize,
    text: String,
}

impl Tap {
    /// Reads one line; `found` gets what is known now.
    pub fn line(&mut self, line: &str, found: &mut Vec<Part>) {
        let line = line.trim_end_matches(['\n', '\r']);
        if self.over.is_some() || self.in_block(line) {
            return;
        }
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if let Some((level, _)) = self.last
            && line.trim_end() == format!("{:1$}---", "", level * 4 + 2)
        {
            self.block = Some(Block { indent: spaces, text: String::new() });
            return;
        }
        self.settle(found);
        let level = spaces / 4;
        if spaces.is_multiple_of(4) && level < DEPTH && level <= self.levels.len().max(1) {
            self.statement(level, &line[spaces..], found);
        }
    }

    /// The end of the output: what is still to be said, and what is wrong with the whole.
    pub fn finish(mut self, found: &mut Vec<Part>) -> Option<String> {
        self.settle(found);
        self.close_to(1, None, found);
        if self.over.is_some() {
            return self.over;
        }
        let Some(top) = self.levels.pop() else {
            return Some("it announced no plan and had no test points".to_owned());
        };
        if let (Some(0), Some(reason)) = (top.planned, &top.skipped) {
            let message = Some(reason.clone()).filter(|reason| !reason.is_empty());
            found.push(Part { name: "all".to_owned(), outcome: PartOutcome::Skipped, message, duration_secs: None });
        }
        top.complaint()
    }

    fn statement(&mut self, level: usize, text: &str, found: &mut Vec<Part>) {
        if let Some(rest) = strip_word(text, "bail out!") {
            let reason = rest.trim();
            let because = if reason.is_empty() { String::new() } else { format!(": {}", cut(reason, MESSAGE)) };
            self.over = Some(format!("it bailed out{because}"));
        } else if let Some((planned, skipped)) = plan(text) {
            self.level(level, found).plan(planned, skipped);
        } else if let Some(point) = point(text) {
            self.point(level, point, found);
        } else if version(text).is_some() {
            self.level(level, found);
        }
    }

    /// The level itself; what is deeper is closed, for nothing but a test point of this level closes it as it should be.
    fn level(&mut self, level: usize, found: &mut Vec<Part>) -> &mut Level {
        self.close_to(level + 1, None, found);
        while self.levels.len() <= level {
            self.levels.push(Level { next: 1, ..Level::default() });
        }
        &mut self.levels[level]
    }

    fn point(&mut self, level: usize, (number, mut point): (Option<u64>, Point), found: &mut Vec<Part>) {
        self.parts += 1;
        if self.parts > PARTS {
            self.over = Some(format!("it has more than {PARTS} test points"));
            return;
        }
        self.close_to(level + 1, Some(&mut point), found);
        let number = self.level(level, found).count(number);
        if point.part.name.is_empty() {
            point.part.name = number.to_string();
        }
        self.last = Some((level, point));
    }

    /// Closes the levels from this one on. What waits there goes up a level, under the name of the point that closes it.
    fn close_to(&mut self, level: usize, mut closing: Option<&mut Point>, found: &mut Vec<Part>) {
        while self.levels.len() > level.max(1) {
            let Some(closed) = self.levels.pop() else { return };
            // The point belongs to the outermost of them.
            let by = if self.levels.len() == level { closing.as_deref_mut() } else { None };
            let complaint = closed.complaint();
            let parts = closed.waiting.into_iter().map(|part| below(part, by.as_deref()));
            let parts: Vec<Part> = parts.collect();
            self.kept = self.kept.saturating_sub(parts.iter().map(size).sum());
            let depth = self.levels.len() - 1;
            for part in parts {
                self.give(depth, part, found);
            }
            if let (Some(by), Some(complaint)) = (by, complaint)
                && !by.excused
            {
                by.part.outcome = PartOutcome::Failed;
                by.part.message.get_or_insert(format!("its subtest: {complaint}"));
            }
        }
    }

    /// The last test point is complete.
    fn settle(&mut self, found: &mut Vec<Part>) {
        if let Some((level, mut point)) = self.last.take() {
            if let Some(block) = self.block.take() {
                block.tell(&mut point.part);
            }
            self.give(level, point.part, found);
        }
        self.block = None;
    }

    fn give(&mut self, level: usize, part: Part, found: &mut Vec<Part>) {
        if level == 0 {
            found.push(part);
            return;
        }
        self.kept += size(&part);
        if self.kept > KEPT {
            self.over = Some(format!("its subtests have more than {KEPT} bytes"));
        } else if let Some(level) = self.levels.get_mut(level) {
            level.waiting.push(part);
        }
    }

    /// Whether the line belongs to a block of diagnostics.
    fn in_block(&mut self, line: &str) -> bool {
        let Some(block) = &mut self.block else { return false };
        let indented = line.get(..block.indent).is_some_and(|start| start.trim_start_matches(' ').is_empty());
        if !indented && !line.trim().is_empty() {
            // It was never closed; the line is what it is without it.
            return false;
        }
        let text = line.get(block.indent..).unwrap_or_default();
        if text.trim_end() == "..." {
            // What comes after it is no block any more.
            if let (Some((_, point)), Some(block)) = (&mut self.last, self.block.take()) {
                block.tell(&mut point.part);
            }
        } else if block.text.len() + text.len() < MESSAGE {
            block.text.push_str(text);
            block.text.push('\n');
        }
        true
    }
}

impl Level {
    fn plan(&mut self, planned: u64, skipped: Option<String>) {
        if self.planned.is_some() {
            self.problem.get_or_insert_with(|| "it announced two plans".to_owned());
        }
        self.planned = Some(planned);
        self.skipped = skipped;
    }

    /// The number of a test point.
    fn count(&mut self, number: Option<u64>) -> u64 {
        let number = number.unwrap_or(self.next);
        if !self.seen.insert(number) {
            self.problem.get_or_insert_with(|| format!("it has two test points {number}"));
        }
        self.next = number.saturating_add(1);
        number
    }

    fn complaint(&self) -> Option<String> {
        let seen = self.seen.len() as u64;
        let counted = match self.planned {
            None => Some(format!("it announced no plan for its {}", points(seen))),
            Some(planned) if planned != seen && self.problem.is_none() => {
                Some(format!("it planned {} and had {seen}", points(planned)))
            }
            Some(planned) => {
                let beyond = self.seen.iter().find(|&&number| number == 0 || number > planned);
                beyond.map(|number| format!("it planned {} and had a test point {number}", points(planned)))
            }
        };
        self.problem.clone().or(counted)
    }
}

impl Block {
    /// What is said in it becomes the message: its `message` if it has one, else all of it.
    fn tell(self, part: &mut Part) {
        let value = |key: &str| {
            let line = self.text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
            let line = line.trim();
            let quoted = |mark: char| line.strip_prefix(mark)?.strip_suffix(mark);
            let text = quoted('"').or_else(|| quoted('\'')).unwrap_or(line);
            (!text.is_empty() && !text.starts_with(['|', '>', '&', '*', '!'])).then(|| text.to_owned())
        };
        let milliseconds = value("duration_ms").and_then(|text| text.parse::<f64>().ok());
        part.duration_secs = milliseconds.map(|ms| ms / 1000.0).filter(|secs| secs.is_finite() && *secs >= 0.0);
        let whole = self.text.trim();
        let only_duration = whole.lines().count() == 1 && milliseconds.is_some();
        let said =
            value("message").or_else(|| Some(whole.to_owned()).filter(|text| !text.is_empty() && !only_duration));
        if let Some(said) = said {
            part.message = Some(match part.message.take() {
                Some(before) => format!("{before}: {said}"),
                None => said,
            });
        }
    }
}

/// A part of a subtest, under the point that closes it.
fn below(mut part: Part, by: Option<&Point>) -> Part {
    let Some(Point { part: above, excused }) = by else { return part };
    part.name = cut(&format!("{} > {}", above.name, part.name), NAME);
    if *excused && part.outcome == PartOutcome::Failed {
        part.outcome = PartOutcome::Skipped;
    }
    part
}

fn size(part: &Part) -> usize {
    size_of::<Part>() + part.name.len() + part.message.as_ref().map_or(0, String::len)
}

fn points(number: u64) -> String {
    if number == 1 { "1 test point".to_owned() } else { format!("{number} test points") }
}

fn cut(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].to_owned()
}

/// What follows a word at the beginning, whatever its case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let begin = text.get(..word.len())?;
    begin.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

fn version(text: &str) -> Option<u32> {
    strip_word(text, "tap version ")?.trim().parse().ok()
}

/// `1..N`, perhaps with a reason why there is nothing: how many, and the reason.
fn plan(text: &str) -> Option<(u64, Option<String>)> {
    let (range, comment) = match text.split_once('#') {
        Some((range, comment)) => (range.trim_end(), Some(comment.trim())),
        None => (text.trim_end(), None),
    };
    let planned = range.strip_prefix("1..")?.parse().ok()?;
    let skipped = comment.and_then(|comment| strip_word(comment, "skip")).map(|rest| {
        let reason = rest.trim_start_matches(|character: char| character.is_alphanumeric() || character == ':');
        cut(reason.trim(), MESSAGE)
    });
    Some((planned, skipped))
}

/// `ok 3 - what # SKIP why`: its number if it has one, and the rest of it.
fn point(text: &str) -> Option<(Option<u64>, Point)> {
    let (passed, rest) = match text.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let numbered = digits > 0 && rest[digits..].chars().next().is_none_or(char::is_whitespace);
    let number = if numbered { rest[..digits].parse().ok() } else { None };
    let rest = if numbered { rest[digits..].trim_start() } else { rest };
    let (description, directive) = split_directive(rest);
    let description = description.trim();
    let description = description.strip_prefix("- ").or(description.strip_prefix('-')).unwrap_or(description);
    let (outcome, message) = match directive {
        Some(Directive::Skip(reason)) => (PartOutcome::Skipped, Some(reason).filter(|reason| !reason.is_empty())),
        Some(Directive::Todo(reason)) => {
            let message = if reason.is_empty() { "TODO".to_owned() } else { format!("TODO: {reason}") };
            (if passed { PartOutcome::Passed } else { PartOutcome::Skipped }, Some(message))
        }
        None => (if passed { PartOutcome::Passed } else { PartOutcome::Failed }, None),
    };
    let name = cut(&unescaped(description.trim()), NAME);
    let message = message.map(|message| cut(&message, MESSAGE));
    let excused = outcome == PartOutcome::Skipped;
    Some((number, Point { part: Part { name, outcome, message, duration_secs: None }, excused }))
}

enum Directive {
    Skip(String),
    Todo(String),
}

/// Splits at the first `#` that is not escaped and begins a directive; any other belongs to the description.
fn split_directive(text: &str) -> (&str, Option<Directive>) {
    let mut escaped = false;
    for (place, character) in text.char_indices() {
        if character == '#' && !escaped {
            let comment = text[place + 1..].trim_start();
            // SKIP, SKIPPED, skip: all are in use.
            let reason = |word: &str| {
                let rest = strip_word(comment, word)?;
                let word_ends = rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len());
                Some(unescaped(rest[word_ends..].trim_start_matches(':').trim()))
            };
            if let Some(reason) = reason("skip") {
                return (&text[..place], Some(Directive::Skip(reason)));
            }
            if let Some(reason) = reason("todo") {
                return (&text[..place], Some(Directive::Todo(reason)));
            }
        }
        escaped = character == '\\' && !escaped;
    }
    (text, None)
}

fn unescaped(text: &str) -> String {
    text.replace("\\#", "#").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        let mut found = Vec::new();
        let mut tap = Tap::default();
        text.lines().for_each(|line| tap.line(line, &mut found));
        let problem = tap.finish(&mut found);
        let shown = found.iter().map(|part| {
            let message = part.message.as_ref().map_or(String::new(), |message| format!(" ({message})"));
            let duration = part.duration_secs.map_or(String::new(), |secs| format!(" {secs} s"));
            format!("{:?} {}{message}{duration}", part.outcome, part.name)
        });
        (shown.collect(), problem)
    }

    #[test]
    fn points_have_numbers_descriptions_and_directives() {
        let text = "TAP version 13\n1..7\nok 1 - one\nok\nnot ok 3 three\nok 4 - four # SKIP no probe\n\
                    not ok 5 # todo later\n# a comment\nnoise\nok 6 - C\\# is a sharp \\\\ # of course\nokay\nok 7 # Skipped: why";
        let (parts, problem) = read(text);
        let expected = [
            "Passed one",
            "Passed 2",
            "Failed three",
            "Skipped four (no probe)",
            "Skipped 5 (TODO: later)",
            "Passed C# is a sharp \\ # of course",
            "Skipped 7 (why)",
        ];
        assert_eq!((parts.iter().map(String::as_str).collect::<Vec<_>>(), problem), (expected.to_vec(), None));
    }

    #[test]
    fn a_plan_may_come_last_and_must_be_right() {
        assert_eq!(read("ok\nok\n1..2").1, None);
        let wrong = |text: &str| read(text).1.expect("it is wrong");
        assert_eq!(wrong("1..3\nok\nok"), "it planned 3 test points and had 2");
        assert_eq!(wrong("1..1\nok\nok"), "it planned 1 test point and had 2");
        assert_eq!(wrong("ok\nok"), "it announced no plan for its 2 test points");
        assert_eq!(wrong("1..2\nok 1\nok 1"), "it has two test points 1");
        assert_eq!(wrong("1..2\nok 1\nok 7"), "it planned 2 test points and had a test point 7");
        assert_eq!(wrong("1..1\n1..1\nok"), "it announced two plans");
        assert_eq!(wrong("hello"), "it announced no plan and had no test points");
    }

    #[test]
    fn everything_may_be_skipped_and_everything_given_up() {
        assert_eq!(read("1..0 # SKIP no hardware"), (vec!["Skipped all (no hardware)".to_owned()], None));
        let (parts, problem) = read("1..3\nok 1 a\nBail out! the fixture is open\nok 2 b");
        assert_eq!((parts, problem), (vec!["Passed a".into()], Some("it bailed out: the fixture is open".into())));
    }

    #[test]
    fn diagnostics_become_the_message() {
        let text = "1..3\nnot ok 1 - rail\n  ---\n  message: '3.01 V is too low'\n  duration_ms: 250\n  ...\n\
                    not ok 2 - other\n  ---\n  wanted: 1\n  found: 2\n  ...\nok 3\n  ---\n  duration_ms: 5\nnoise";
        let (parts, problem) = read(text);
        let expected =
            ["Failed rail (3.01 V is too low) 0.25 s", "Failed other (wanted: 1\nfound: 2)", "Passed 3 0.005 s"];
        assert_eq!((parts.iter().map(String::as_str).collect::<Vec<_>>(), problem), (expected.to_vec(), None));
    }

    #[test]
    fn subtests_have_the_name_of_the_point_that_closes_them() {
        let text = "TAP version 14\n1..3\n# Subtest: power\n    1..2\n    ok 1 - rail\n        ok 1 - deep\n        1..1\n    ok 2 - load\n\
                    ok 1 - power\n    1..1\n    not ok 1 - antenna\nnot ok 2 - radio # TODO no antenna\n    1..2\n    ok 1 - x\nok 3 - short";
        let (parts, problem) = read(text);
        let expected = [
            "Passed power > rail",
            "Passed power > load > deep",
            "Passed power > load",
            "Passed power",
            "Skipped radio > antenna",
            "Skipped radio (TODO: no antenna)",
            "Passed short > x",
            "Failed short (its subtest: it planned 2 test points and had 1)",
        ];
        assert_eq!((parts.iter().map(String::as_str).collect::<Vec<_>>(), problem), (expected.to_vec(), None));
    }

    #[test]
    fn only_so_many_points_are_read() {
        let text = "ok\n".repeat(PARTS + 5);
        let (parts, problem) = read(&text);
        assert_eq!((parts.len(), problem), (PARTS, Some("it has more than 10000 test points".into())));
        let name = "x".repeat(5000);
        let mut tap = Tap::default();
        let mut found = Vec::new();
        (0..PARTS).for_each(|_| tap.line(&format!("    ok - {name}"), &mut found));
        assert!(tap.kept <= KEPT + NAME + size_of::<Part>() && found.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_panics(lines in prop::collection::vec(prop_oneof![
            "[ ]{0,9}(ok|not ok)?[ ]?[0-9]{0,20}[ -]{0,3}[a#\\\\é ]{0,6}(# ?(SKIP|TODO|skip)[a-zé:]{0,4})?",
            "[ ]{0,9}(1\\.\\.[0-9]{0,21}|---|\\.\\.\\.|TAP version 1[2-4]|Bail out!.{0,4}|message: .{0,4})",
            any::<String>(),
        ], 0..40)) {
            let mut found = Vec::new();
            let mut tap = Tap::default();
            for line in &lines {
                tap.line(line, &mut found);
                prop_assert!(tap.levels.len() <= DEPTH + 1);
            }
            tap.finish(&mut found);
            prop_assert!(found.iter().all(|part| !part.name.is_empty()));
            prop_assert!(found.len() <= lines.len() + 1);
        }
    }
}
