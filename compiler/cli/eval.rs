//! `tlc eval`: evaluates expressions and prints what they give as JSON.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tlc_compiler::Compilation;
use tlc_compiler::diagnostic::did_you_mean;
use tlc_compiler::expression::{Context, check_names, parse};
use tlc_compiler::plan::Data;
use tlc_compiler::plan::evaluate::{Binding, Limits, Scope, evaluate_to_data};
use tlc_compiler::plan::expression::Root;
use tlc_compiler::source::{SourceMap, Span, read_json};
use tlc_compiler::tree::{TestTree, try_out};

use crate::input::{ListArgs, WithArgs};
use crate::report::{Report, Stream, complain, print};
use crate::{FAILED, USAGE};

const EXAMPLES: &str = "\
Examples:
  tlc eval '7 // 2'
  tlc eval 'constants.phase' --list main.test_list.json
  tlc eval 'locals.voltage * 1.05' --list main --at SMT.Rails.Rail5V0
  tlc eval 'device.component.has_touch' --list main --device-data unit.json";

/// Evaluate an expression, as it would be in the argument of a test, and print its value as JSON
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EvalArgs {
    /// The expression, without `eval! `
    #[arg(
        value_name = "EXPR",
        required_unless_present = "jsonl",
        conflicts_with = "jsonl",
        allow_hyphen_values = true
    )]
    expression: Option<String>,

    /// The list whose constants, options and locals it reads: a path to a `*.test_list.json`, or an id
    #[arg(long, value_name = "LIST", conflicts_with = "scope")]
    list: Option<String>,

    /// The group or test whose locals it reads; those of the list itself if none is named
    #[arg(long, value_name = "PATH", requires = "list")]
    at: Option<String>,

    #[command(flatten)]
    with: WithArgs,

    /// A JSON file that says what `constants`, `options`, `locals`, `device` and the others are
    #[arg(long, value_name = "FILE")]
    scope: Option<PathBuf>,

    /// Read one JSON string a line and answer `{"value": …}` or `{"error": …}` a line
    #[arg(long)]
    jsonl: bool,
}

/// What went wrong with one expression.
struct Problem {
    kind: &'static str,
    message: String,
    help: Option<String>,
    start: u32,
    end: u32,
}

/// Runs the command.
pub fn run(args: &EvalArgs) -> ExitCode {
    match scope(args) {
        Ok(scope) => match &args.expression {
            Some(expression) => print_one(expression, &scope),
            None => answer_lines(&scope),
        },
        Err(code) => code,
    }
}

fn scope(args: &EvalArgs) -> Result<Scope, ExitCode> {
    match (&args.list, &args.scope) {
        (Some(list), _) => scope_at(&ListArgs { list: list.clone(), with: args.with.clone() }, args.at.as_deref()),
        (None, _) if belongs_to_a_list(&args.with) => Err(usage("`--lists`, `--po` and `--device-data` need `--list`")),
        (None, Some(file)) => read_scope(file).map_err(|message| usage(&message)),
        (None, None) => Ok(default_scope()),
    }
}

fn belongs_to_a_list(with: &WithArgs) -> bool {
    !with.lists.is_empty() || with.po.is_some() || with.device_data.is_some()
}

fn usage(message: &str) -> ExitCode {
    complain(message);
    ExitCode::from(USAGE)
}

/// What an argument of this node reads; without a path, that of the list itself.
fn scope_at(list: &ListArgs, path: Option<&str>) -> Result<Scope, ExitCode> {
    let mut compilation = list.usable()?.compilation;
    let Some(tree) = &compilation.tree else {
        return Err(usage(&format!("`{}` has no tests: it is a library for other lists", compilation.id)));
    };
    let test = match path {
        Some(path) => {
            tree.find(&compilation.arena, path).ok_or_else(|| usage(&no_such_test(path, tree, &compilation)))?
        }
        None => tree.root(),
    };
    let locals = &tree.locals_of(test).value;
    Ok(compilation.evaluation.scope(locals).clone())
}

fn no_such_test(path: &str, tree: &TestTree, compilation: &Compilation) -> String {
    let paths: Vec<String> = tree.preorder().skip(1).take(10_000).map(|id| tree.path(&compilation.arena, id)).collect();
    let help = did_you_mean(path, paths.iter().map(String::as_str))
        .unwrap_or_else(|| format!("`tlc dump {}` shows its tests", compilation.id));
    format!("`{}` has no test `{path}`: {help}", compilation.id)
}

/// Nothing but empty constants, options and locals, and no device data.
fn default_scope() -> Scope {
    let empty = Data::object(tlc_compiler::plan::data::Object::new());
    bind(&empty)
}

fn read_scope(path: &Path) -> Result<Scope, String> {
    let data: Data = read_json(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let members = data.as_object().ok_or_else(|| format!("{}: expected an object", path.display()))?;
    if let Some(unknown) = members.keys().find(|key| Root::of(key).is_none()) {
        return Err(format!("{}: `{unknown}` is no name of the scope", path.display()));
    }
    Ok(bind(&data))
}

/// What the file does not name is empty, or for `dut`, `station` and `state_proxy` not known.
fn bind(data: &Data) -> Scope {
    let empty = Data::object(tlc_compiler::plan::data::Object::new());
    let mut scope = Scope::new();
    for root in Root::ALL {
        let binding = match (root, data.get(root.name())) {
            (Root::Device, given) => Binding::device(given.unwrap_or(&empty)),
            (_, Some(Data::Null)) => Binding::null(),
            (_, Some(given)) => Binding::attributes(given),
            (Root::Constants | Root::Options | Root::Locals, None) => Binding::attributes(&empty),
            (Root::Dut | Root::Station | Root::StateProxy, None) => Binding::Unresolvable,
        };
        scope.set(root, binding);
    }
    scope
}

fn evaluate(text: &str, scope: &Scope) -> Result<Data, Problem> {
    let expression = parse(text).map_err(Problem::from)?;
    if let Some(finding) = check_names(&expression, Context::Argument).into_iter().next() {
        return Err(Problem::from(finding));
    }
    evaluate_to_data(&expression, scope, &Limits::default()).map_err(|error| Problem {
        kind: error.kind.name(),
        message: error.message,
        help: error.help,
        start: error.start,
        end: error.end,
    })
}

impl From<tlc_compiler::expression::SyntaxError> for Problem {
    fn from(error: tlc_compiler::expression::SyntaxError) -> Self {
        let kind = error.kind.name();
        Self { kind, message: error.message, help: error.help, start: error.start, end: error.end }
    }
}

fn print_one(text: &str, scope: &Scope) -> ExitCode {
    let mut sources = SourceMap::default();
    let Some(file) = sources.add(Path::new("EXPR"), text.to_owned()) else {
        return usage("the expression is too long");
    };
    let start = sources.base(file);
    match try_out(Span::new(start, start + text.len() as u32), scope, &sources) {
        Ok(value) => {
            print(&format!("{value}\n"));
            ExitCode::SUCCESS
        }
        Err(findings) => {
            let mut report = Report::new(Stream::Error);
            report.add(&findings, &sources);
            report.show();
            ExitCode::from(FAILED)
        }
    }
}

fn answer_lines(scope: &Scope) -> ExitCode {
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answered = line.and_then(|line| {
            writeln!(output, "{}", answer(&line, scope))?;
            output.flush()
        });
        if let Err(error) = answered {
            eprintln!("tlc eval: {error}");
            return ExitCode::from(3);
        }
    }
    ExitCode::SUCCESS
}

fn answer(line: &str, scope: &Scope) -> String {
    let answer = match serde_json::from_str::<String>(line) {
        Ok(text) => evaluate(&text, scope),
        Err(error) => Err(Problem {
            kind: "UsageError",
            message: format!("the line is no JSON string: {error}"),
            help: None,
            start: 0,
            end: 0,
        }),
    };
    match answer {
        Ok(value) => format!("{{\"value\":{value}}}"),
        Err(problem) => {
            let mut error = json!({
                "kind": problem.kind,
                "message": problem.message,
                "start": problem.start,
                "end": problem.end,
            });
            if let Some(help) = problem.help {
                error["help"] = help.into();
            }
            json!({ "error": error }).to_string()
        }
    }
}
