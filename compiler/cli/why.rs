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
use crate::report::{complain, print};

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
        complain(format_args!("the list has no `{}`: nothing sets it, and it has no default", args.subject));
        return Err(ExitCode::from(USAGE));
    }
    let sources = &compilation.sources;
    Ok(match args.format {
        Format::Json => {
            format!("{:#}\n", Value::from(found.iter().map(|why| to_json(why, sources)).collect::<Vec<_>>()))
        }
        Format::Human => found.iter().map(|why| human(why, sources, 0)).collect::<Vec<_>>().join("\n"),
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
    let names = written.iter().map(|member| compilation.arena.text(member.key).to_string());
    let mut subjects: Vec<Subject> = names
        .filter(|name| !matches!(name.as_str(), "args" | "subtests" | "inherit" | "__comment"))
        .map(|name| Subject::Field(test, vec![name]))
        .collect();
    subjects.extend(arguments(tree, test, compilation));
    subjects
}

fn arguments(tree: &TestTree, test: TestId, compilation: &Compilation) -> Vec<Subject> {
    let args = compilation.arena.entry(tree.test(test).args).members();
    args.iter()
        .map(|member| Subject::Field(test, vec!["args".to_owned(), compilation.arena.text(member.key).to_string()]))
        .collect()
}

fn human(why: &Why, sources: &SourceMap, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut text =
        format!("{indent}{} = {}\n", why.subject, why.value.as_ref().map_or("(not known here)".to_owned(), short));
    for step in &why.steps {
        text += &format!("{indent}  {}\n", line(step, sources));
    }
    for read in &why.reads {
        text += &human(read, sources, depth + 2);
    }
    text
}

fn line(step: &Step, sources: &SourceMap) -> String {
    let place = step.span.map(|span| {
        let position = sources.position(span.start);
        format!("{}:{}:{}", sources.path(sources.file_of(span)).display(), position.line, position.column)
    });
    let text = step.text.as_ref().map(short);
    let by = Some(step.by.clone()).filter(|by| !by.is_empty());
    let rest: Vec<String> = [text, by, place].into_iter().flatten().collect();
    format!("{:<20} {}", step.action, rest.join("   "))
}

/// A value in one line, cut where it is long.
fn short(data: &Data) -> String {
    const LONGEST: usize = 100;
    let text = data.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).collect::<String>() + "…" }
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
