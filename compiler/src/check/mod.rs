//! Everything that came of a list to findings about what its author probably did not mean.
//!
//! One file is one lint, whose page in the book has the same name. The list has a meaning without any of them, so nothing here stops it
//! from being used. This stage comes last: a lint is silent about what another stage has already reported.

mod arguments;
mod bad_exec;
mod child_action_without_effect;
mod constant_condition;
mod definition_without_effect;
mod duplicate_key;
mod group_never_runs;
mod headless;
mod impossible_limits;
mod json5_in_json;
mod never_ends;
mod prefix_without_space;
mod python_tests;
mod requirement_comes_later;
mod runs_nothing;
mod shared_resource;
mod shutdown_operation;
mod test_class;
mod test_syntax;
mod text_without_english;
mod truth;
mod undefined_value;
mod unknown_phase;
mod unknown_program;
mod unknown_test;
mod unmatched_pattern;
mod untranslated_text;
mod unused;
mod unused_constant;
mod unused_definition;

pub(crate) use duplicate_key::key_is_lost;
pub use headless::{Headless, headless};
pub(crate) use python_tests::PythonTests;
pub use unused::unused;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Arena;
use crate::levels::Levels;
use crate::lineage::Lineage;
use crate::source::SourceMap;
use crate::tree::{Evaluation, TestTree};

/// The options that have rules about tests.
const RULES: [&str; 2] = ["skipped_tests", "waived_tests"];

/// What there is to look at.
pub(crate) struct Checked<'a> {
    pub(crate) lineage: &'a Lineage,
    pub(crate) config: &'a Config,
    pub(crate) tree: Option<&'a TestTree>,
    /// What the Python tests of the tree declare, if it is known where they lie.
    pub(crate) tests: Option<&'a PythonTests>,
    pub(crate) arena: &'a Arena,
    pub(crate) sources: &'a SourceMap,
    pub(crate) levels: &'a Levels,
}

/// Looks at a list with every lint.
pub(crate) fn check(list: &Checked<'_>, evaluation: &mut Evaluation, diagnostics: &mut Vec<Diagnostic>) {
    duplicate_key::check(list, diagnostics);
    json5_in_json::check(list, diagnostics);
    definition_without_effect::check(list, diagnostics);
    prefix_without_space::check(list, diagnostics);
    let Some(tree) = list.tree else { return };
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    runs_nothing::check(tree, list.arena, diagnostics);
    child_action_without_effect::check(tree, list.arena, diagnostics);
    requirement_comes_later::check(tree, list.arena, diagnostics);
    shared_resource::check(tree, list.arena, diagnostics);
    never_ends::check(tree, list.arena, diagnostics);
    impossible_limits::check(tree, list.arena, diagnostics);
    bad_exec::check(tree, list.arena, evaluation, diagnostics);
    shutdown_operation::check(tree, list.arena, evaluation, diagnostics);
    text_without_english::check(tree, list.arena, diagnostics);
    untranslated_text::check(tree, list, evaluation.catalogues(), diagnostics);
    let never = group_never_runs::check(tree, list.arena, evaluation, diagnostics);
    constant_condition::check(tree, list, &never, evaluation, diagnostics);
    unknown_phase::check(tree, list, evaluation, diagnostics);
    undefined_value::check(tree, list, evaluation, diagnostics);
    if let Some(tests) = list.tests {
        unknown_test::check(tree, tests, list.arena, diagnostics);
        unknown_program::check(tree, &tests.directory, list.arena, evaluation, diagnostics);
        test_syntax::check(tree, tests, list.arena, diagnostics);
        test_class::check(tree, tests, list.arena, list.sources, diagnostics);
        arguments::check(tree, tests, list.arena, evaluation, diagnostics);
    }
    if !refused {
        // A refused list may lack tests, so that a pattern matches nothing only because of that.
        unmatched_pattern::check(tree, list.arena, evaluation, diagnostics);
    }
}
