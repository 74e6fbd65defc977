//! `tlc eval`: evaluates expressions and prints what they give as JSON.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tlc_compiler::expression::{Context, check_names, parse};
use tlc_compiler::plan::Data;
use tlc_compiler::plan::evaluate::{Binding, Limits, Scope, evaluate_to_data};
use tlc_compiler::plan::expression::Root;
use tlc_compiler::source;

/// Evaluates an expression, as it would be in the argument of a test.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The expression, without `eval! `.
    #[arg(
        value_name = "EXPR",
        required_unless_present = "jsonl",
        conflicts_with = "jsonl",
        allow_hyphen_values = true
    )]
    pub expression: Option<String>,

    /// A JSON file that says what `constants`, `options`, `locals`, `device` and the others are.
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,

    /// Read one JSON string a line and answer `{"value": …}` or `{"error": …}` a line.
    #[arg(long)]
    pub jsonl: bool,
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
    let scope = match args.scope.as_deref().map_or_else(|| Ok(default_scope()), read_scope) {
        Ok(scope) => scope,
        Err(message) => {
            eprintln!("tlc eval: {message}");
            return ExitCode::from(2);
        }
    };
    match &args.expression {
        Some(expression) => print_one(expression, &scope),
        None => answer_lines(&scope),
    }
}

/// Nothing but empty constants, options and locals, and no device data.
fn default_scope() -> Scope {
    let empty = Data::object(tlc_compiler::plan::data::Object::new());
    bind(&empty)
}

fn read_scope(path: &Path) -> Result<Scope, String> {
    let data: Data = source::read_json(path).map_err(|error| format!("{}: {error}", path.display()))?;
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
    match evaluate(text, scope) {
        Ok(value) => {
            println!("{value}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{}: {} (at {}..{})", problem.kind, problem.message, problem.start, problem.end);
            if let Some(help) = problem.help {
                eprintln!("help: {help}");
            }
            ExitCode::FAILURE
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
