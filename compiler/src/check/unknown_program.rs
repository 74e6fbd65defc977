//! `unknown-program`: an `exec` names a program below the tests directory that is not there, or that is no program.
//!
//! A program that is named without a `/` is looked for at the station, and an absolute path is the station's, too: nothing is known of them.

use hashbrown::HashSet;
use std::path::Path;

use crate::arguments::Given;
use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::{self, Span};
use crate::tree::{Evaluation, TestTree};

pub(super) fn check(
    tree: &TestTree,
    directory: &Path,
    arena: &Arena,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut seen = HashSet::new();
    for id in tree.preorder().filter(|id| tree.is_leaf(*id) && !tree.test(*id).class.is_shutdown()) {
        let exec = arena.entry(tree.test(id).object).get("exec");
        let Some(word) = exec.and_then(|exec| exec.items().next()).filter(|word| word.as_str().is_some()) else {
            continue;
        };
        if !seen.insert((word.id, tree.test(id).locals)) {
            continue;
        }
        let Given::Data(program) = evaluation.given(word.id, tree.locals_of(id), arena) else { continue };
        let Some(program) = program.as_str().filter(|program| is_below_tests(program)) else { continue };
        let finding = match source::is_program(&directory.join(program)) {
            Some(true) => continue,
            Some(false) => no_program(program, directory, word.span()),
            None => unknown(program, directory, word.span()),
        };
        if !diagnostics.contains(&finding) {
            diagnostics.push(finding);
        }
    }
}

fn is_below_tests(program: &str) -> bool {
    program.contains('/') && !program.starts_with('/') && !program.contains('\0')
}

fn unknown(program: &str, directory: &Path, span: Span) -> Diagnostic {
    let message = format!("there is no program `{program}` in `{}`", directory.display());
    Diagnostic::warning("unknown-program", message, span, "not there")
        .help("a program that is named with a `/` is looked for below the directory of tests")
}

fn no_program(program: &str, directory: &Path, span: Span) -> Diagnostic {
    let message = format!("`{program}` in `{}` is no file that may be executed", directory.display());
    Diagnostic::warning("unknown-program", message, span, "no program").help("make it executable: `chmod +x`")
}
