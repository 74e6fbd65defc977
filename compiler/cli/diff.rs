//! `tlc diff`: what changes in behaviour between two lists, directories or plans.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;
use tlc_compiler::plan::diff::{Change, diff};
use tlc_compiler::plan::wire::FORMAT;
use tlc_compiler::plan::{Plan, diff as plans};
use tlc_compiler::source;

use crate::input::{WithArgs, expand};
use crate::report::{Report, Stream, complain, print};
use crate::{FAILED, USAGE};

/// How a difference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a review
    Human,
    /// One JSON document
    Json,
}

/// Show what changes in behaviour between two lists, two directories of lists, or two plans
///
/// Tests added, removed and moved; arguments, limits, conditions, failure actions. What only moved in the files is not shown. Exit 0 if
/// nothing changes, 1 if something does.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tlc diff old/main.test_list.json new/main.test_list.json\n  tlc diff released.plan.json main.test_list.json --format json"
)]
pub struct DiffArgs {
    /// Before: a list, a directory of lists, or a plan of `tlc compile`
    #[arg(value_name = "BEFORE")]
    before: String,
    /// After
    #[arg(value_name = "AFTER")]
    after: String,
    #[command(flatten)]
    with: WithArgs,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub fn run(args: &DiffArgs) -> ExitCode {
    match compare(args) {
        Ok(code) | Err(code) => code,
    }
}

fn compare(args: &DiffArgs) -> Result<ExitCode, ExitCode> {
    let (before, after) = (plans_of(args, &args.before)?, plans_of(args, &args.after)?);
    let alone = before.len() == 1 && after.len() == 1;
    let mut lists: Vec<(String, Vec<Change>)> = Vec::new();
    if alone {
        let (old, new) = (before.into_values().next(), after.into_values().next());
        if let (Some(old), Some(new)) = (old, new) {
            lists.push((new.id.clone(), diff(&old, &new)));
        }
    } else {
        for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
            lists.push((name.clone(), changes_of(before.get(name), after.get(name))));
        }
    }
    lists.retain(|(_, changes)| !changes.is_empty());
    match args.format {
        Format::Json => {
            let document = json!({ "lists": lists.iter().map(|(list, changes)| json!({ "list": list, "changes": changes })).collect::<Vec<_>>() });
            print(&format!("{document:#}\n"));
        }
        Format::Human => print(&human(&lists)),
    }
    Ok(if lists.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// A list that only one side has: all of its tests were removed or added.
fn changes_of(before: Option<&Plan>, after: Option<&Plan>) -> Vec<Change> {
    let tests = |plan: &Plan| -> Vec<(String, String)> {
        plan.preorder().skip(1).map(|id| (plan.node(id).path.clone(), plans::runs(plan, id))).collect()
    };
    match (before, after) {
        (Some(old), Some(new)) => diff(old, new),
        (Some(old), None) => tests(old).into_iter().map(|(path, runs)| Change::Removed { path, runs }).collect(),
        (None, Some(new)) => tests(new).into_iter().map(|(path, runs)| Change::Added { path, runs }).collect(),
        (None, None) => Vec::new(),
    }
}

/// The plans that an argument stands for, by the name of their list. Libraries have none.
fn plans_of(args: &DiffArgs, argument: &str) -> Result<BTreeMap<String, Plan>, ExitCode> {
    if let Some(plan) = compiled_plan(argument)? {
        return Ok(BTreeMap::from([(plan.id.clone(), plan)]));
    }
    let is_directory = source::is_directory(Path::new(argument));
    let mut plans = BTreeMap::new();
    let mut report = Report::new(Stream::Error);
    let mut refused = None;
    for list in expand(argument)? {
        let compiled = args.with.compile(&list, args.with.device()?)?;
        if compiled.is_refused() {
            compiled.report_to(&mut report);
            refused = Some(compiled.refused());
        }
        let name = if is_directory {
            list.strip_prefix(argument).unwrap_or(&list).trim_start_matches('/').to_owned()
        } else {
            compiled.found.id
        };
        plans.extend(compiled.compilation.plan.map(|plan| (name, plan)));
    }
    report.show();
    match refused {
        Some(code) => Err(code),
        None => Ok(plans),
    }
}

/// The plan of a file that says that it is one.
pub fn compiled_plan(argument: &str) -> Result<Option<Plan>, ExitCode> {
    let Ok(text) = source::read_text(Path::new(argument)) else { return Ok(None) };
    if !text.chars().take(200).collect::<String>().contains(FORMAT) {
        return Ok(None);
    }
    Plan::from_json(&text).map(Some).map_err(|error| {
        complain(format_args!("`{argument}` cannot be used: {error}"));
        ExitCode::from(USAGE)
    })
}

fn human(lists: &[(String, Vec<Change>)]) -> String {
    if lists.is_empty() {
        return "no change in behaviour\n".to_owned();
    }
    let texts: Vec<String> = lists.iter().map(|(list, changes)| format!("{list}\n{}", told(changes))).collect();
    texts.join("\n")
}

/// Changes of one test stand below its path, in columns.
fn told(changes: &[Change]) -> String {
    let mut text = String::new();
    for near in changes.chunk_by(|a, b| changed_path(a).is_some() && changed_path(a) == changed_path(b)) {
        match changed_path(&near[0]) {
            Some("") => text += "~ (the list)\n",
            Some(path) => text += &format!("~ {path}\n"),
            None => {}
        }
        let width = near.iter().map(|change| what(change).chars().count()).max().unwrap_or_default();
        text.extend(near.iter().map(|change| line(change, width)));
    }
    text
}

/// The path of something that has changed where it was.
fn changed_path(change: &Change) -> Option<&str> {
    match change {
        Change::Changed { path, .. } => Some(path),
        Change::Added { .. } | Change::Removed { .. } | Change::Moved { .. } => None,
    }
}

fn what(change: &Change) -> &str {
    match change {
        Change::Changed { what, .. } => what,
        Change::Added { .. } | Change::Removed { .. } | Change::Moved { .. } => "",
    }
}

fn line(change: &Change, width: usize) -> String {
    match change {
        Change::Added { path, runs } => format!("+ {path}  ({runs})\n"),
        Change::Removed { path, runs } => format!("- {path}  ({runs})\n"),
        Change::Moved { path, before, after } => {
            let place =
                |before: &Option<String>| before.as_ref().map_or("first".to_owned(), |id| format!("after {id}"));
            format!("> {path}  moved: was {}, is {}\n", place(before), place(after))
        }
        Change::Changed { what, before, after, .. } => {
            format!(
                "    {:width$} {} → {}\n",
                format!("{what}:"),
                short(before.as_ref()),
                short(after.as_ref()),
                width = width + 1
            )
        }
    }
}

/// A value in one line, cut where it is long; `--format json` has all of it.
fn short(value: Option<&String>) -> String {
    const LONGEST: usize = 60;
    match value {
        None => "(none)".to_owned(),
        Some(text) if text.chars().count() <= LONGEST => text.clone(),
        Some(text) => text.chars().take(LONGEST - 1).collect::<String>() + "…",
    }
}
