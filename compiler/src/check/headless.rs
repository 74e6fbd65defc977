//! `unanswered-prompt` and `unclear-prompt`: what a run without an operator would be asked, and a file of answers does not answer.
//!
//! In: a compiled list, the directory of its Python tests, and a function that knows the file. The sources of the tests are read, and of
//! the modules beside them that they import; nothing is executed. A test that is always left out is not looked at. Programs are not read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use tlc_plan::expression::{Expression, Root};

use crate::Compilation;
use crate::arguments::{Asking, PromptCall, PromptName, Unchecked};
use crate::diagnostic::{Diagnostic, settle};
use crate::document::{Arena, Value};
use crate::source::{ReadError, SourceMap, Span};
use crate::tree::{Evaluation, TestId, TestTree};

use super::group_never_runs::left_out;
use super::python_tests::{name_of, source_of};

/// What came of it, in numbers; a prompt of several tests counts for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headless {
    /// Prompts that the file answers.
    pub answered: usize,
    /// Prompts that it does not answer.
    pub unanswered: usize,
    /// Prompts of which the source does not say enough, and sources that cannot be read.
    pub unclear: usize,
    /// Tests that are programs, of which nothing is known.
    pub programs: usize,
}

/// No test has more modules that are looked at.
const MODULES: usize = 200;

/// Looks for prompts of a list that have no answer. `answers` knows whether the file answers a prompt, by the path of its test and its
/// name; without a name, whether it answers every prompt of the test.
pub fn headless(list: &mut Compilation, tests: &Path, answers: &dyn Fn(&str, Option<&str>) -> bool) -> Headless {
    let Compilation { tree: Some(tree), arena, sources, evaluation, diagnostics, levels, .. } = list else {
        return Headless::default();
    };
    let mut modules = Modules { directory: tests, sources, read: HashMap::new() };
    let mut numbers = Headless::default();
    let mut found: BTreeMap<Span, Asked> = BTreeMap::new();
    for id in reachable(tree, arena, evaluation) {
        let path = tree.path(arena, id);
        let Some(name) = name_of(tree, arena, id) else {
            numbers.programs += usize::from(runs_program(tree, arena, id));
            continue;
        };
        let (calls, unclear) = modules.asked_by(arena.text(name));
        for call in calls {
            let known = match &call.name {
                PromptName::Known(name) => Some(name.clone()),
                PromptName::Place(place) => Some(place.to_string()),
                PromptName::Unknown => None,
            };
            match (answers(&path, known.as_deref()), &known) {
                (true, _) => numbers.answered += 1,
                (false, Some(_)) => numbers.unanswered += 1,
                (false, None) => numbers.unclear += 1,
            }
            if !answers(&path, known.as_deref()) {
                found.entry(call.span).or_insert_with(|| Asked::Call(call, Vec::new())).by(&path);
            }
        }
        for unclear in unclear.into_iter().filter(|_| !answers(&path, None)) {
            numbers.unclear += 1;
            found.entry(unclear.span).or_insert_with(|| Asked::Unread(unclear, Vec::new())).by(&path);
        }
    }
    let mut findings: Vec<Diagnostic> = found.into_values().map(Asked::told).collect();
    levels.apply(&mut findings);
    diagnostics.extend(findings);
    settle(diagnostics);
    numbers
}

/// Something without an answer, and the tests that it belongs to.
enum Asked {
    Call(PromptCall, Vec<String>),
    Unread(Unchecked, Vec<String>),
}

impl Asked {
    fn by(&mut self, path: &str) {
        let (Self::Call(_, tests) | Self::Unread(_, tests)) = self;
        tests.push(path.to_owned());
    }

    fn told(self) -> Diagnostic {
        match self {
            Self::Call(call, tests) => match &call.name {
                PromptName::Known(name) => unanswered(&call, name, &tests),
                PromptName::Place(place) => unanswered(&call, &place.to_string(), &tests),
                PromptName::Unknown => unclear_name(&call, &tests),
            },
            Self::Unread(unchecked, tests) => unread(&unchecked, &tests),
        }
    }
}

/// The leaves that a run can come to.
fn reachable(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation) -> Vec<TestId> {
    let mut never = left_out(tree, arena, evaluation);
    let mut leaves = Vec::new();
    for id in tree.preorder().skip(1) {
        let test = tree.test(id);
        if test.parent.is_some_and(|parent| never.contains(&parent)) || is_false(test.run_if, arena, evaluation) {
            never.insert(id);
        }
        if tree.is_leaf(id) && !never.contains(&id) {
            leaves.push(id);
        }
    }
    leaves
}

/// Whether a condition is false by what is known here.
fn is_false(run_if: Option<crate::document::NodeId>, arena: &Arena, evaluation: &mut Evaluation) -> bool {
    let Some((node, Value::String(text))) = run_if.map(|node| (node, arena.node(node).value)) else { return false };
    let parsed = evaluation.expression(text, 0, arena);
    let roots = parsed.as_ref().as_ref().map(Expression::roots).unwrap_or_default();
    let options_wait = evaluation.options_read_device() && roots.contains(&Root::Options);
    let waits = !evaluation.has_device() && (roots.contains(&Root::Device) || options_wait);
    !waits && !evaluation.condition(node, arena).is_truthy()
}

fn runs_program(tree: &TestTree, arena: &Arena, id: TestId) -> bool {
    let test = tree.test(id);
    !test.class.is_shutdown() && arena.entry(test.object).get("exec").is_some_and(|exec| exec.items().len() > 0)
}

/// The modules of a directory, each read once.
struct Modules<'a> {
    directory: &'a Path,
    sources: &'a mut SourceMap,
    /// `None` if there is no such module in the directory.
    read: HashMap<String, Option<Asking>>,
}

impl Modules<'_> {
    /// What a test asks, itself and through what it imports, and what is not known of it.
    fn asked_by(&mut self, name: &str) -> (Vec<PromptCall>, Vec<Unchecked>) {
        let (mut calls, mut unclear) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            if seen.len() >= MODULES || !seen.insert(name.clone()) {
                continue;
            }
            let Some(asking) = self.module(&name) else { continue };
            // A number says nothing about the place of a prompt of another module.
            let alone = seen.len() == 1;
            let known = |call: &PromptCall| alone || !matches!(call.name, PromptName::Place(_));
            let numbered = |call: &PromptCall| PromptCall { name: PromptName::Unknown, ..call.clone() };
            // A countdown ends by itself.
            let asks = asking.calls.iter().filter(|call| call.function != "countdown");
            calls.extend(asks.map(|call| if known(call) { call.clone() } else { numbered(call) }));
            unclear.extend(asking.unchecked.clone());
            open.extend(asking.imports.iter().rev().filter_map(|import| absolute(import, &name)));
        }
        (calls, unclear)
    }

    fn module(&mut self, name: &str) -> Option<&Asking> {
        if !self.read.contains_key(name) {
            let asking = match source_of(self.directory, name, self.sources) {
                Ok(file) => Some(Asking::read(self.sources, file)),
                Err(ReadError::NotFound) => None,
                Err(ReadError::Refused(span, _) | ReadError::TooLarge(span) | ReadError::NotUtf8(_, span)) => {
                    let unchecked = Unchecked { reason: "the source cannot be read".into(), span };
                    Some(Asking { unchecked: Some(unchecked), ..Asking::default() })
                }
            };
            self.read.insert(name.to_owned(), asking);
        }
        self.read.get(name)?.as_ref()
    }
}

/// The dotted name of an import of a module.
fn absolute(import: &str, within: &str) -> Option<String> {
    let name = import.trim_start_matches('.');
    let dots = import.len() - name.len();
    let mut folder: Vec<&str> = within.split('.').collect();
    if dots == 0 || dots > folder.len() {
        return (dots == 0).then(|| name.to_owned());
    }
    folder.truncate(folder.len() - dots);
    folder.extend(Some(name).filter(|name| !name.is_empty()));
    (!folder.is_empty()).then(|| folder.join("."))
}

fn of_tests(tests: &[String]) -> String {
    const MOST_SHOWN: usize = 3;
    let shown = tests.iter().take(MOST_SHOWN).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    match tests.len().saturating_sub(MOST_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn unanswered(call: &PromptCall, name: &str, tests: &[String]) -> Diagnostic {
    let message = format!("the prompt `{name}` of {} is not answered", of_tests(tests));
    let first = tests.first().map_or("*", String::as_str);
    let key = serde_json::Value::from(name);
    let help = match call.name {
        PromptName::Place(_) => format!(
            "answer it with `\"{first}\": {{ {key}: … }}`; it has no name, and this is its place in the source: name it with `prompt=\"…\"`"
        ),
        PromptName::Known(_) | PromptName::Unknown => format!("answer it with `\"{first}\": {{ {key}: … }}`"),
    };
    Diagnostic::denied("unanswered-prompt", message, call.span, asked(call)).help(help)
}

fn asked(call: &PromptCall) -> String {
    match &call.text {
        Some(text) => format!("asks {text:?}"),
        None => "asked here".to_owned(),
    }
}

fn unclear_name(call: &PromptCall, tests: &[String]) -> Diagnostic {
    let message = format!("the name of a prompt of {} is only known when the test runs", of_tests(tests));
    Diagnostic::warning("unclear-prompt", message, call.span, asked(call))
        .help("write `prompt=\"NAME\"` in the call; `\"*\"` answers every prompt of a test")
}

fn unread(unchecked: &Unchecked, tests: &[String]) -> Diagnostic {
    let message = format!("what {} asks is not known: {}", of_tests(tests), unchecked.reason);
    Diagnostic::warning("unclear-prompt", message, unchecked.span, "here")
        .help("correct the source; `\"*\"` answers every prompt of a test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_relative_to_the_folder_of_their_module() {
        let name = |import, within| absolute(import, within).unwrap_or_default();
        assert_eq!(name("a.b", "x.y"), "a.b");
        assert_eq!(
            (name(".a", "x.y"), name(".", "x.y"), name("..a.b", "x.y")),
            ("x.a".into(), "x".into(), "a.b".into())
        );
        assert_eq!((absolute("...a", "x.y"), absolute(".", "x")), (None, None));
    }
}
