//! `undeclared-argument`, `missing-argument`, `wrong-argument`, `wrong-declaration`: the arguments of a leaf do not fit what its Python
//! test declares in `ARGS`, so that every attempt fails (reference: T2, T7).
//!
//! What only a station or the test itself knows fits everything (reference: T5).

use hashbrown::HashSet;

use crate::arguments::{Declaration, Problem, ProblemKind};
use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::tree::{Evaluation, TestId, TestTree};

use super::PythonTests;
use super::python_tests::{Found, place};

pub(super) fn check(
    tree: &TestTree,
    tests: &PythonTests,
    arena: &Arena,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut seen = HashSet::new();
    let mut faulty = HashSet::new();
    for id in tree.preorder() {
        let test = tree.test(id);
        let Some((name, Found::Declared(declaration))) = tests.of(tree, arena, id) else { continue };
        if faulty.insert(name) {
            diagnostics.extend(faults(declaration, place(tree, arena, id)));
        }
        if declaration.faults.is_empty() && seen.insert((name, test.args, test.locals)) {
            diagnostics.extend(of_leaf(tree, id, declaration, arena, evaluation));
        }
    }
}

fn of_leaf(
    tree: &TestTree,
    id: TestId,
    declaration: &Declaration,
    arena: &Arena,
    evaluation: &mut Evaluation,
) -> Vec<Diagnostic> {
    let args = arena.entry(tree.test(id).args);
    let locals = tree.locals_of(id);
    let members = args.members();
    let given = members.map(|member| (arena.text(member.key), evaluation.given(member.value, locals, arena)));
    let problems = declaration.check(given.collect::<Vec<_>>());
    let findings = problems.iter().map(|problem| match args.member(&problem.argument) {
        Some(member) => {
            let span = match problem.kind {
                ProblemKind::Undeclared(_) | ProblemKind::Missing => member.key_span,
                ProblemKind::WrongType(..) | ProblemKind::Schema(_) | ProblemKind::NoEnglish => {
                    arena.entry(member.value).span()
                }
            };
            finding(problem, span, declaration, &tree.path(arena, id))
        }
        None => finding(problem, place(tree, arena, id), declaration, &tree.path(arena, id)),
    });
    findings.collect()
}

fn finding(problem: &Problem, span: Span, declaration: &Declaration, path: &str) -> Diagnostic {
    let (code, text) = match &problem.kind {
        ProblemKind::Missing => ("missing-argument", "not given here"),
        ProblemKind::Undeclared(_) => ("undeclared-argument", "not declared"),
        ProblemKind::WrongType(..) => ("wrong-argument", "of another type"),
        ProblemKind::Schema(_) => ("wrong-argument", "not allowed"),
        ProblemKind::NoEnglish => ("wrong-argument", "no English"),
    };
    let declared = problem.declared.unwrap_or(declaration.class);
    let at_declaration =
        if problem.declared.is_some() { "declared here" } else { "the test's arguments are in its `ARGS`" };
    Diagnostic::denied(code, format!("`{path}`: {problem}"), span, text)
        .label(declared, at_declaration)
        .help(next_step(problem, declaration))
}

fn next_step(problem: &Problem, declaration: &Declaration) -> String {
    let name = &problem.argument;
    match &problem.kind {
        ProblemKind::Missing => format!("add `{name}` to the `args`, or give it a default in the test"),
        ProblemKind::Undeclared(Some(meant)) => format!("did you mean `{meant}`?"),
        ProblemKind::Undeclared(None) if declaration.arguments.is_empty() => "the test takes no arguments".into(),
        ProblemKind::Undeclared(None) => {
            let names: Vec<_> = declaration.arguments.iter().map(|known| format!("`{}`", known.name)).collect();
            format!("the test declares {}", names.join(", "))
        }
        ProblemKind::WrongType(expected, _) => format!("give {expected}"),
        ProblemKind::Schema(_) => "give a value that the schema allows, or correct the schema".into(),
        ProblemKind::NoEnglish => "add a text for `en-US`".into(),
    }
}

/// A test whose declaration is itself wrong cannot run.
fn faults(declaration: &Declaration, named: Span) -> Vec<Diagnostic> {
    let faults = declaration.faults.iter();
    faults
        .map(|fault| {
            let message = format!("the declaration of the test cannot be used: {}", fault.message);
            Diagnostic::denied("wrong-declaration", message, fault.span, "here")
                .label(named, "this test runs it")
                .help("correct `ARGS` in the test; until then it fails when it is run")
        })
        .collect()
}
