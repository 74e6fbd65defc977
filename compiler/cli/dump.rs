//! `tlc dump`: what became of a list, at any stage.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tlc_compiler::plan::{Data, Plan};
use tlc_compiler::{Compilation, dump};

use crate::FAILED;
use crate::input::ListArgs;
use crate::report::{complain, print, print_by};
use crate::tree;

/// A stage of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// The files as they were read
    Document,
    /// The files in the order of inheritance
    Lineage,
    /// The list after inheritance, before tests are built
    Config,
    /// The tests, resolved
    Tree,
    /// What a station runs
    Plan,
}

/// How a stage is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Tree,
    /// One JSON document
    Json,
    /// For Graphviz
    Dot,
}

/// Show what a list resolves to
///
/// `--format json` of the tree is the public resolved form: every argument evaluated, every default filled in.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tlc dump main.test_list.json\n  tlc dump main --lists lists/ --format json | jq .tests\n  tlc dump main.test_list.json --stage plan --format dot | dot -Tsvg > plan.svg"
)]
pub struct DumpArgs {
    #[command(flatten)]
    list: ListArgs,
    /// Which stage
    #[arg(long, value_enum, default_value = "tree")]
    stage: Stage,
    /// How to write it
    #[arg(long, value_enum, default_value = "tree")]
    format: Format,
}

pub fn run(args: &DumpArgs) -> ExitCode {
    match dump(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(code) => code,
    }
}

fn dump(args: &DumpArgs) -> Result<(), ExitCode> {
    let mut list = args.list.clone();
    list.with.only_findings = args.format == Format::Json && args.stage != Stage::Plan;
    let mut compilation = list.usable()?.compilation;
    match (args.format, args.stage) {
        (Format::Dot, Stage::Tree | Stage::Plan) => print(&dot(plan(&compilation)?)),
        (Format::Dot, Stage::Document | Stage::Lineage | Stage::Config) => {
            complain("only the tree and the plan are graphs: use `--format json` for this stage");
            return Err(ExitCode::from(crate::USAGE));
        }
        (Format::Json, Stage::Plan) => print(&(plan(&compilation)?.to_json() + "\n")),
        (Format::Tree, Stage::Tree) => print(&tree::tests(&compilation)),
        (Format::Tree, Stage::Plan) => print(&tree::plan(plan(&compilation)?)),
        (Format::Tree, Stage::Lineage) => print(&tree::lineage(&compilation)),
        (Format::Json, Stage::Tree) => print_by(|output| dump::resolved(&mut compilation, output)),
        (Format::Json | Format::Tree, stage) => print_by(|output| dump::write(&data(&compilation, stage), output)),
    }
    // The process ends here: to take a large list apart value by value would be for nothing.
    std::mem::forget(compilation);
    Ok(())
}

fn plan(compilation: &Compilation) -> Result<&Plan, ExitCode> {
    compilation.plan.as_ref().ok_or_else(|| {
        complain(format_args!("`{}` has no tests: it is a library for other lists, and has no plan", compilation.id));
        ExitCode::from(FAILED)
    })
}

fn data(compilation: &Compilation, stage: Stage) -> Data {
    let (arena, sources) = (&compilation.arena, &compilation.sources);
    match stage {
        Stage::Document => {
            compilation.lineage.as_ref().map_or(Data::Null, |lineage| dump::documents(lineage, arena, sources))
        }
        Stage::Lineage => compilation.lineage.as_ref().map_or(Data::Null, |lineage| dump::lineage(lineage, sources)),
        Stage::Config | Stage::Tree | Stage::Plan => {
            compilation.config.as_ref().map_or(Data::Null, |config| dump::value(arena, config.root))
        }
    }
}

/// The plan for Graphviz: what contains what, and dashed what requires what.
fn dot(plan: &Plan) -> String {
    use tlc_compiler::plan::plan::Edge;
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text =
        format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n", quote(&plan.id));
    for id in plan.preorder() {
        let node = plan.node(id);
        let name = if node.path.is_empty() { &*plan.id } else { &*node.id };
        let style = match (&node.test, node.teardown, node.parallel) {
            (_, true, _) => ", style=dashed",
            (None, _, true) => ", style=\"rounded,bold\"",
            (None, _, false) => ", style=rounded",
            (Some(_), false, _) => "",
        };
        text += &format!("  n{} [label=\"{}\"{style}];\n", id.index(), quote(name));
    }
    for edge in plan.graph().raw_edges() {
        let style = match edge.weight {
            Edge::Contains(_) => "",
            Edge::Requires(_) => " [style=dashed, constraint=false, label=\"requires\"]",
        };
        text += &format!("  n{} -> n{}{style};\n", edge.source().index(), edge.target().index());
    }
    text + "}\n"
}
