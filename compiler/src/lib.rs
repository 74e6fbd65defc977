//! The compiler: test-list files become a plan, with diagnostics.
//!
//! [`compile`] is the chain of stages, read from top to bottom. Each stage is a module with one type in and one type out; a problem is a
//! [`Diagnostic`] value, and one run reports all it can.

pub mod arguments;
pub mod catalogue;
mod check;
pub mod codes;
pub mod config;
pub mod diagnostic;
pub mod document;
pub mod dump;
pub mod expression;
pub mod format;
pub mod levels;
pub mod lineage;
pub mod lists;
pub mod lower;
mod marks;
pub mod merge;
pub mod settings;
pub mod source;
pub mod tree;
pub mod why;
mod words;

pub use check::{Headless, headless, unused};
pub use tlc_plan as plan;

use std::path::PathBuf;

use tlc_plan::{Data, Plan};

use catalogue::Catalogues;
use config::Config;
use diagnostic::{Diagnostic, Severity};
use document::{Arena, Earlier};
use levels::Levels;
use lineage::{Ancestor, Lineage};
use merge::NoTrace;
use source::SourceMap;
use tree::{Evaluation, TestTree};

/// What is to be compiled, and with what.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The list's id.
    pub id: String,
    /// Where lists lie, the lowest layer first.
    pub layers: Vec<PathBuf>,
    /// Where catalogues lie.
    pub po: Option<PathBuf>,
    /// Where Python tests lie.
    pub tests: Option<PathBuf>,
    /// Device data, if some are known.
    pub device: Option<Data>,
    /// Levels of lints that differ from the usual ones.
    pub levels: Levels,
    /// No plan is wanted, only what there is to say.
    pub only_findings: bool,
}

/// Everything that came of a list.
pub struct Compilation {
    /// The list's id.
    pub id: String,
    /// The files that were read.
    pub sources: SourceMap,
    /// The values of all stages.
    pub arena: Arena,
    /// The files in C3 order.
    pub lineage: Option<Lineage>,
    /// The list after inheritance.
    pub config: Option<Config>,
    /// The tests; `None` for a library, and where they could not be built.
    pub tree: Option<TestTree>,
    /// What a station runs; `None` if the list is refused, or only findings were wanted.
    pub plan: Option<Plan>,
    /// Expressions, and what they are evaluated with.
    pub evaluation: Evaluation,
    /// Everything there is to say.
    pub diagnostics: Vec<Diagnostic>,
    /// Levels of lints that differ from the usual ones.
    pub levels: Levels,
}

impl Compilation {
    /// Whether the list cannot be used.
    pub fn is_refused(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The documents that were read as a whole.
    fn documents(&self) -> Earlier<'_> {
        let layers = self.lineage.iter().flat_map(|lineage| &lineage.order).flat_map(|ancestor| &ancestor.layers);
        let sound = layers.filter(|layer| !layer.is_broken).map(|layer| (layer.file, &layer.document));
        Earlier::new(&self.arena, &self.sources, sound)
    }
}

/// Compiles a list.
pub fn compile(request: &Request) -> Compilation {
    compile_after(request, None)
}

/// Compiles a list, as [`compile`] does, and takes over from an earlier compilation what depends on nothing that can have changed: the
/// documents of files that have the same bytes. What comes out is the same, byte by byte.
pub fn compile_after(request: &Request, earlier: Option<&Compilation>) -> Compilation {
    let mut sources = SourceMap::default();
    let mut arena = Arena::default();
    let mut diagnostics = Vec::new();
    let catalogues = match &request.po {
        Some(directory) => {
            let (catalogues, found) = Catalogues::load(&mut sources, directory);
            diagnostics.extend(found);
            catalogues
        }
        None => Catalogues::default(),
    };
    let mut evaluation = Evaluation::new(catalogues, request.device.clone());
    let name = format!("{}{}", request.id, lineage::SUFFIX);
    let documents = earlier.map(Compilation::documents);
    let lineage = lineage::linearize(&name, &request.layers, documents, &mut sources, &mut arena, &mut diagnostics)
        .map_err(|loaded| check_alone(loaded, &mut arena, &mut diagnostics))
        .ok();
    let config = lineage.as_ref().map(|lineage| {
        let (config, found) = config::resolve(lineage, &mut arena, &mut NoTrace);
        diagnostics.extend(found);
        diagnostics.extend(tree::check_schema(&arena, config.root));
        config.with_constants_files(&request.layers, &mut sources, &mut arena, &mut diagnostics)
    });
    let tree = config.as_ref().and_then(|config| {
        let input = tree::Input { sources: &sources, config, list: &request.id };
        tree::resolve(&input, &mut arena, &mut evaluation, &mut diagnostics)
    });
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let sound = tree.as_ref().filter(|_| !refused || only_tests_are_wrong(&diagnostics));
    let plan = match sound {
        Some(tree) if refused || request.only_findings => {
            lower::find(tree, &arena, &sources, &mut evaluation, &mut diagnostics);
            None
        }
        Some(tree) => Some(lower::lower(&request.id, tree, &arena, &sources, &mut evaluation, &mut diagnostics)),
        None => None,
    };
    if let (Some(lineage), Some(config)) = (&lineage, &config) {
        let tests = tree.as_ref().zip(request.tests.as_deref());
        let tests = tests.map(|(tree, directory)| check::PythonTests::read(directory, tree, &arena, &mut sources));
        let (tree, tests, levels) = (tree.as_ref(), tests.as_ref(), &request.levels);
        let list = check::Checked { lineage, config, tree, tests, arena: &arena, sources: &sources, levels };
        check::check(&list, &mut evaluation, &mut diagnostics);
    }
    request.levels.apply(&mut diagnostics);
    diagnostic::settle(&mut diagnostics);
    Compilation {
        id: request.id.clone(),
        sources,
        arena,
        lineage,
        config,
        tree,
        plan,
        evaluation,
        diagnostics,
        levels: request.levels.clone(),
    }
}

/// Refusals that leave every value as it is meant, so that arguments that fail are no consequence of them.
const OF_TESTS: [&str; 7] = [
    "bad-count",
    "bad-id",
    "group-in-parallel",
    "test-after-teardown",
    "two-programs",
    "unknown-definition",
    "unknown-requirement",
];

/// Whether a list is refused for its tests alone: the arguments of those that could be built are looked at all the same.
fn only_tests_are_wrong(diagnostics: &[Diagnostic]) -> bool {
    let mut refusals = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    refusals.all(|refusal| OF_TESTS.contains(&refusal.code))
}

/// Lists that cannot be brought together are looked at one by one; what is wrong in one of them is so with any parents.
fn check_alone(loaded: Vec<Ancestor>, arena: &mut Arena, diagnostics: &mut Vec<Diagnostic>) {
    for ancestor in loaded {
        if ancestor.layers.iter().any(|layer| layer.is_broken) {
            continue;
        }
        let (config, found) = config::resolve(&Lineage { order: vec![ancestor] }, arena, &mut NoTrace);
        diagnostics.extend(found);
        diagnostics.extend(tree::check_fields(arena, config.root));
    }
}
