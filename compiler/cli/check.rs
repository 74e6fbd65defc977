//! `tlc check`: every mistake in some lists.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rayon::prelude::*;
use tlc_compiler::source;
use tlc_compiler::{Compilation, Headless, unused};
use tlc_runtime::prompt::Answers;
use tlc_runtime::station::FileError;

use crate::input::{Compiled, WithArgs, expand};
use crate::report::{Format, Report, Stream, complain, print};
use crate::{ENVIRONMENT, FAILED, USAGE};

/// Report every mistake in lists
///
/// Prints each mistake with its place, its cause and the next step. What several lists inherit is said once.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tlc check main.test_list.json\n  tlc check lists/ --format json\n  tlc check main --lists base/ --lists board/\n  tlc check main.test_list.json --headless answers.json5"
)]
pub struct CheckArgs {
    /// Lists, or directories whose lists are all checked
    #[arg(value_name = "LIST|DIR", required = true)]
    targets: Vec<String>,
    #[command(flatten)]
    with: WithArgs,
    /// The directory of Python tests, whose declared arguments are compared with those of the lists
    #[arg(long, value_name = "DIR")]
    tests: Option<PathBuf>,
    /// A file of answers: report the prompts of Python tests that it does not answer
    #[arg(long, value_name = "FILE")]
    headless: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn run(args: &CheckArgs) -> ExitCode {
    match check(args) {
        Ok(code) | Err(code) => code,
    }
}

fn check(args: &CheckArgs) -> Result<ExitCode, ExitCode> {
    let with = WithArgs { tests: args.tests.clone(), only_findings: true, ..args.with.clone() };
    with.check()?;
    let device = with.device()?;
    let lists: Vec<String> =
        args.targets.iter().map(|argument| expand(argument)).collect::<Result<Vec<_>, _>>()?.concat();
    let compile = |list: &String| with.compile(list, device.clone());
    let mut compiled: Vec<Compiled> = match &lists[..] {
        [only] => vec![compile(only)?],
        many => many.par_iter().map(compile).collect::<Result<_, _>>()?,
    };
    let mut report = Report::new(Stream::Output);
    if let Some(file) = &args.headless {
        report.headless = Some(headless(&mut compiled, file, args.tests.as_deref())?);
    }
    for list in &compiled {
        list.report_to(&mut report);
    }
    report_unused(&compiled, &args.targets, &mut report);
    print(&report.text(args.format));
    if args.format == Format::Human {
        let checked = if let [list] = &compiled[..] {
            format!("`{}`", list.found.id)
        } else {
            format!("{} lists", compiled.len())
        };
        let prompts = report.headless.map(|numbers| format!("{}\n", in_words(numbers))).unwrap_or_default();
        print(&format!("{prompts}{checked}: {}\n", report.summary()));
    }
    let unreadable = compiled.iter().any(|list| list.refused() == ExitCode::from(ENVIRONMENT));
    let code = match (unreadable, report.errors) {
        (true, _) => ExitCode::from(ENVIRONMENT),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(FAILED),
    };
    // The process ends here: to take a large list apart value by value would be for nothing.
    std::mem::forget(compiled);
    Ok(code)
}

/// Looks for the prompts that a file of answers does not answer.
fn headless(compiled: &mut [Compiled], file: &Path, tests: Option<&Path>) -> Result<Headless, ExitCode> {
    let answers = Answers::read(file).map_err(|error| {
        let usage = matches!(error, FileError::Unreadable(..));
        complain(error);
        ExitCode::from(if usage { USAGE } else { ENVIRONMENT })
    })?;
    // No prompt has this name; what answers it answers all.
    let answered = |path: &str, prompt: Option<&str>| answers.answer(path, prompt.unwrap_or("\0")).is_some();
    let mut all = Headless::default();
    for list in compiled {
        let Some(tests) = tests.or(list.found.settings.tests.as_deref()) else {
            complain("the directory of tests is not known: give it with `--tests DIR`, or as `tests` in `tlc.json5`");
            return Err(ExitCode::from(USAGE));
        };
        let found = tlc_compiler::headless(&mut list.compilation, tests, &answered);
        all.answered += found.answered;
        all.unanswered += found.unanswered;
        all.unclear += found.unclear;
        all.programs += found.programs;
    }
    Ok(all)
}

fn in_words(numbers: Headless) -> String {
    let Headless { answered, unanswered, unclear, programs } = numbers;
    let prompts = format!("prompts: {answered} answered, {unanswered} not answered, {unclear} not known");
    match programs {
        0 => prompts,
        1 => format!("{prompts}; 1 test is a program, of which nothing is known"),
        _ => format!("{prompts}; {programs} tests are programs, of which nothing is known"),
    }
}

/// What no list of a project uses, for projects all of whose lists were checked.
fn report_unused(compiled: &[Compiled], targets: &[String], report: &mut Report) {
    let mut projects: Vec<PathBuf> = compiled.iter().filter_map(|list| list.found.settings.directory.clone()).collect();
    projects.sort();
    projects.dedup();
    projects.retain(|project| targets.iter().any(|target| holds(Path::new(target), project)));
    let lists: Vec<&Compilation> = compiled.iter().map(|list| &list.compilation).collect();
    for (at, finding) in unused(&lists, &projects) {
        let mut findings = vec![finding];
        lists[at].levels.apply(&mut findings);
        report.add(&findings, &lists[at].sources);
    }
}

/// Whether a directory is another, or lies around it.
fn holds(target: &Path, directory: &Path) -> bool {
    source::is_directory(target) && directory.ancestors().any(|around| source::is_same(target, around))
}
