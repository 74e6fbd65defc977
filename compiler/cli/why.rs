//! `tlc why`: where a value comes from.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tlc_compiler::Compilation;
use tlc_compiler::plan::Data;
use tlc_compiler::source::SourceMap;
use tlc_compiler::tree::{TestId, TestTree};
use tlc_compiler::why::{Step, Subject, Why, explain};

use crate::USAGE;
use crate::input::ListArgs;
use crate::report::{Stream, colours, complain, print};

/// How an explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

/// Show where a value comes from: every file, definition and override that set it, and what its expression read
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tlc why main.test_list.json SMT.Rails.Rail5V0.args.max\n  tlc why main.test_list.json SMT.Rails.run_if\n  tlc why main.test_list.json constants.phase"
)]
pub struct WhyArgs {
    #[command(flatten)]
    list: ListArgs,
    /// PATH, PATH.args.NAME, PATH.FIELD, constants.NAME, options.NAME
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub fn run(args: &WhyArgs) -> ExitCode {
    match why(args) {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

fn why(args: &WhyArgs) -> Result<String, ExitCode> {
    let mut compilation = args.list.usable()?.compilation;
    let subject = Subject::parse(&args.subject, &compilation).map_err(|error| {
        complain(error);
        ExitCode::from(USAGE)
    })?;
    let found: Vec<Why> =
        subjects(subject, &compilation).iter().map(|subject| explain(&mut compilation, subject)).collect();
    let known = found.iter().any(|why| why.value.is_some() || !why.steps.is_empty());
    if !known {
        complain(Subject::unknown(&args.subject, &compilation));
        return Err(ExitCode::from(USAGE));
    }
    let sources = &compilation.sources;
    Ok(match args.format {
        Format::Json => {
            format!("{:#}\n", Value::from(found.iter().map(|why| to_json(why, sources)).collect::<Vec<_>>()))
        }
        Format::Human => {
            let paint = Paint(colours(Stream::Output));
            found.iter().map(|why| human(why, sources, paint, 0)).collect::<Vec<_>>().join("\n")
        }
    })
}

/// A whole test is explained field by field, and its arguments one by one.
fn subjects(subject: Subject, compilation: &Compilation) -> Vec<Subject> {
    let (Subject::Field(test, keys), Some(tree)) = (&subject, &compilation.tree) else { return vec![subject] };
    match &keys[..] {
        [] => fields(tree, *test, compilation),
        [args] if args == "args" => arguments(tree, *test, compilation),
        _ => vec![subject],
    }
}

fn fields(tree: &TestTree, test: TestId, compilation: &Compilation) -> Vec<Subject> {
    let written = compilation.arena.entry(tree.test(test).object).members();
    let names = written.map(|member| compilation.arena.text(member.key).to_string());
    let mut subjects: Vec<Subject> = names
        .filter(|name| !matches!(name.as_str(), "args" | "subtests" | "inherit" | "__comment"))
        .map(|name| Subject::Field(test, vec![name]))
        .collect();
    subjects.extend(arguments(tree, test, compilation));
    subjects
}

fn arguments(tree: &TestTree, test: TestId, compilation: &Compilation) -> Vec<Subject> {
    let args = compilation.arena.entry(tree.test(test).args).members();
    args.map(|member| Subject::Field(test, vec!["args".to_owned(), compilation.arena.text(member.key).to_string()]))
        .collect()
}

fn human(why: &Why, sources: &SourceMap, paint: Paint, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let value = why.value.as_ref().map_or_else(|| "(not known here)".to_owned(), short);
    let mut text = format!("{indent}{} = {}\n", why.subject, paint.strong(&value));
    let rows: Vec<Row> = why.steps.iter().map(|step| Row::of(step, sources)).collect();
    let width = |column: fn(&Row) -> &String| rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0);
    let widths = [width(|row| &row.action), width(|row| &row.text), width(|row| &row.by)];
    for (at, row) in rows.iter().enumerate() {
        let in_force = at + 1 == rows.len();
        let line = format!("{indent}{} {}", if in_force { " ▸" } else { "  " }, row.aligned(widths));
        text += &if in_force { paint.strong(line.trim_end()) } else { paint.faint(line.trim_end()) };
        text += "\n";
    }
    for read in &why.reads {
        text += &human(read, sources, paint, depth + 2);
    }
    text
}

/// The columns of a step.
struct Row {
    action: String,
    text: String,
    by: String,
    place: String,
}

impl Row {
    fn of(step: &Step, sources: &SourceMap) -> Self {
        let place = step.span.map(|span| {
            let position = sources.position(span.start);
            format!("{}:{}:{}", sources.path(sources.file_of(span)).display(), position.line, position.column)
        });
        Self {
            action: step.action.to_owned(),
            text: step.text.as_ref().map(short).unwrap_or_default(),
            by: step.by.clone(),
            place: place.unwrap_or_default(),
        }
    }

    /// One line; a column in which nothing stands takes no room.
    fn aligned(&self, widths: [usize; 3]) -> String {
        let columns = [&self.action, &self.text, &self.by].into_iter().zip(widths).filter(|(_, width)| *width > 0);
        let cells = columns.map(|(cell, width)| format!("{cell:width$}"));
        cells.chain([self.place.clone()]).collect::<Vec<_>>().join("  ")
    }
}

/// How parts of a line are set off, where colours are wanted.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn strong(self, text: &str) -> String {
        if self.0 { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn faint(self, text: &str) -> String {
        if self.0 { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A value in one line, cut where it is long.
fn short(data: &Data) -> String {
    const LONGEST: usize = 60;
    let text = data.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).collect::<String>() + "…" }
}

fn to_json(why: &Why, sources: &SourceMap) -> Value {
    let steps: Vec<Value> = why
        .steps
        .iter()
        .map(|step| {
            let place = step
                .span
                .map(|span| (sources.path(sources.file_of(span)).display().to_string(), sources.position(span.start)));
            json!({
                "action": step.action,
                "by": step.by,
                "file": place.as_ref().map(|(file, _)| file),
                "line": place.as_ref().map(|(_, position)| position.line),
                "column": place.as_ref().map(|(_, position)| position.column),
                "text": step.text,
            })
        })
        .collect();
    let reads: Vec<Value> = why.reads.iter().map(|read| to_json(read, sources)).collect();
    json!({ "subject": why.subject, "value": why.value, "steps": steps, "reads": reads })
}
