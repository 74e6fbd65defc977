//! `tlc simulate`: what a list would do, without doing it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tlc_compiler::plan::{Data, Plan};
use tlc_compiler::{Request, compile, source};
use tlc_runtime::schedule::{Settings, TeardownPolicy};
use tlc_runtime::simulate::scenario::{Scenario, play};
use tlc_runtime::simulate::{
    Consequence, Durations, Expectation, Script, durations, evaluation, every_failure, run as simulate,
};
use tlc_runtime::store::Reader;

use crate::diff::compiled_plan;
use crate::input::{ListArgs, WithArgs};
use crate::report::{Report, Stream, complain, print};
use crate::{ENVIRONMENT, FAILED, USAGE};

/// How a timeline is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each thing that happens
    Text,
    /// One JSON document
    Json,
}

/// Whether teardowns run when a run does not go its normal way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Teardown {
    /// After a stop, an abort, a power loss, too
    Always,
    /// Only when the list gets to them
    Reference,
}

/// Show what a list would do: which tests run, in which order, what is skipped and why, which teardowns, what the verdict is
///
/// The real scheduler on a virtual clock; every test that is not named passes. Exit 0 if the run would pass, 1 if not.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tlc simulate main.test_list.json --fail Radio.Calibrate\n  tlc simulate main.test_list.json --crash-at Radio --format json\n  tlc simulate main.test_list.json --every-failure"
)]
pub struct SimulateArgs {
    /// The list: a path to a `*.test_list.json`, an id, or a plan of `tlc compile`
    #[arg(value_name = "LIST", required_unless_present = "scenario")]
    list: Option<String>,
    #[command(flatten)]
    with: WithArgs,
    /// A test fails, always or so often
    #[arg(long, value_name = "PATH[:N]")]
    fail: Vec<String>,
    /// The operator aborts a test or group when it first runs
    #[arg(long, value_name = "PATH")]
    abort: Vec<String>,
    /// The power goes when a test or group first runs
    #[arg(long, value_name = "PATH")]
    crash_at: Vec<String>,
    /// The operator stops everything when a test or group first runs
    #[arg(long, value_name = "PATH")]
    stop: Vec<String>,
    /// Only this test or group runs; a test of a sequence stands for the whole sequence
    #[arg(long, value_name = "PATH")]
    only: Option<String>,
    /// Everything before this test or group is skipped
    #[arg(long, value_name = "PATH", conflicts_with = "every_failure")]
    from: Option<String>,
    /// The build phase, instead of the list's
    #[arg(long, value_name = "PHASE", value_parser = tlc_compiler::plan::plan::PHASES)]
    phase: Option<String>,
    /// Parallel tests end in an order drawn from this
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Whether teardowns run after a stop, an abort or a power loss
    #[arg(long, value_enum, default_value = "always", value_name = "POLICY")]
    teardown: Teardown,
    /// Take durations from this store of results
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    /// Fail each test alone, and show what follows
    #[arg(long, conflicts_with_all = ["fail", "abort", "crash_at", "stop"])]
    every_failure: bool,
    /// Play a recorded scenario
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    scenario: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: &SimulateArgs) -> ExitCode {
    let done = match (&args.scenario, &args.list) {
        (Some(scenario), _) => play_scenario(scenario),
        (None, Some(list)) => what_if(args, list),
        (None, None) => Err(ExitCode::from(USAGE)),
    };
    done.unwrap_or_else(|code| code)
}

fn what_if(args: &SimulateArgs, list: &str) -> Result<ExitCode, ExitCode> {
    let (plan, expectations) = plan_of(args, list)?;
    let script = script(args, &plan)?;
    let unknown = script.unknown_paths(&plan);
    if !unknown.is_empty() {
        complain(format_args!("`{}` has no test `{}`", plan.id, unknown.join("`, `")));
        return Err(ExitCode::from(USAGE));
    }
    let evaluation = evaluation(&plan, &script.device);
    if args.every_failure {
        let rows = every_failure(&plan, &evaluation, &script, &expectations);
        match args.format {
            Format::Json => print_json(&rows)?,
            Format::Text if rows.is_empty() => print("nothing ran, so nothing can fail\n"),
            Format::Text => print(&rows.iter().map(row).collect::<String>()),
        }
        return Ok(exit(rows.iter().all(|row| row.differences.is_empty())));
    }
    let timeline = simulate(&plan, &evaluation, &script);
    match args.format {
        Format::Json => print_json(&timeline)?,
        Format::Text => print(&timeline.to_string()),
    }
    Ok(exit(timeline.verdict.is_some_and(|verdict| verdict.is_pass())))
}

fn exit(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), ExitCode> {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        complain(format_args!("the result cannot be written: {error}"));
        ExitCode::from(ENVIRONMENT)
    })?;
    print(&format!("{text}\n"));
    Ok(())
}

/// The plan, and what the list's `simulate` section expects; a compiled plan has no such section.
fn plan_of(args: &SimulateArgs, list: &str) -> Result<(Plan, Vec<Expectation>), ExitCode> {
    if let Some(plan) = compiled_plan(list)? {
        return Ok((plan, Vec::new()));
    }
    let compiled = ListArgs { list: list.to_owned(), with: args.with.clone() }.usable()?;
    let compilation = compiled.compilation;
    let section = compilation.config.as_ref().and_then(|config| config.get(&compilation.arena, "simulate"));
    let expectations = match section {
        Some(section) => expectations(&compilation.arena.entry(section).to_data())?,
        None => Vec::new(),
    };
    let plan = compilation.plan.ok_or_else(|| {
        complain(format_args!("`{}` has no tests: it is a library for other lists", compiled.found.id));
        ExitCode::from(FAILED)
    })?;
    Ok((plan, expectations))
}

fn expectations(section: &Data) -> Result<Vec<Expectation>, ExitCode> {
    serde_json::to_value(section).and_then(serde_json::from_value).map_err(|error| {
        complain(format_args!("the list's `simulate` is no array of expectations: {error}"));
        ExitCode::from(FAILED)
    })
}

fn script(args: &SimulateArgs, plan: &Plan) -> Result<Script, ExitCode> {
    let teardown = match args.teardown {
        Teardown::Always => TeardownPolicy::Always,
        Teardown::Reference => TeardownPolicy::Reference,
    };
    let default = Script::default();
    Ok(Script {
        fail: args.fail.iter().map(|text| failure(text)).collect(),
        abort: args.abort.clone(),
        crash_at: args.crash_at.clone(),
        stop: args.stop.clone(),
        only: args.only.clone(),
        device: args.with.device()?.unwrap_or(default.device),
        settings: Settings {
            teardown,
            phase: args.phase.clone(),
            auto_run: None,
            from: args.from.as_deref().map(|path| as_listed(plan, path)),
        },
        durations: known_durations(args, plan)?,
        seed: args.seed,
        limit: default.limit,
    })
}

/// The path as the plan has it; one that it does not have stays as it is.
fn as_listed(plan: &Plan, path: &str) -> String {
    plan.find(path).map_or_else(|| path.to_owned(), |node| plan.node(node).path.clone())
}

/// `PATH` or `PATH:N`.
fn failure(text: &str) -> (String, Option<u32>) {
    match text.rsplit_once(':').and_then(|(path, times)| Some((path, times.parse().ok()?))) {
        Some((path, times)) => (path.to_owned(), Some(times)),
        None => (text.to_owned(), None),
    }
}

fn known_durations(args: &SimulateArgs, plan: &Plan) -> Result<Durations, ExitCode> {
    let Some(path) = &args.store else { return Ok(Durations::default()) };
    Reader::open(path).and_then(|store| durations(plan, &store)).map_err(|error| {
        complain(format_args!("the store `{}` cannot be read: {error}", path.display()));
        ExitCode::from(ENVIRONMENT)
    })
}

fn row(row: &Consequence) -> String {
    let mut text = format!("{}  {}\n", row.fail, row.verdict);
    let lists =
        [("not run", &row.not_run_groups), ("teardowns", &row.teardowns), ("TEARDOWNS MISSED", &row.missed_teardowns)];
    for (what, paths) in lists.into_iter().filter(|(_, paths)| !paths.is_empty()) {
        text += &format!("    {what}: {}\n", paths.join(", "));
    }
    for difference in &row.differences {
        text += &format!("    NOT AS EXPECTED: {difference}\n");
    }
    text
}

/// Plays a scenario. Its tests are compiled as a list that inherits the classes which every list has.
fn play_scenario(path: &Path) -> Result<ExitCode, ExitCode> {
    let usage = |message: String| {
        complain(format_args!("the scenario `{}` cannot be played: {message}", path.display()));
        ExitCode::from(USAGE)
    };
    let text = source::read_text(path).map_err(usage)?;
    let scenario: Scenario = serde_json::from_str(&text).map_err(|error| usage(error.to_string()))?;
    let plan = scenario_plan(&scenario)?.ok_or_else(|| usage("it has no plan".to_owned()))?;
    let recording = play(&plan, &evaluation(&plan, &scenario.device_data()), &scenario).map_err(usage)?;
    print_json(&recording)?;
    Ok(ExitCode::SUCCESS)
}

fn scenario_plan(scenario: &Scenario) -> Result<Option<Plan>, ExitCode> {
    // Made anew, so that nobody else has put anything into it.
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    let directory = std::env::temp_dir().join(format!("tlc-scenario.{}.{now}", std::process::id()));
    let list = directory.join("scenario.test_list.json");
    let section = |value: &serde_json::Value| if value.is_null() { serde_json::json!({}) } else { value.clone() };
    let text = serde_json::json!({
        "label": "Scenario",
        "constants": section(&scenario.constants),
        "options": section(&scenario.options),
        "definitions": classes(),
        "tests": scenario.tests,
    });
    let written = std::fs::create_dir(&directory).and_then(|()| std::fs::write(&list, text.to_string()));
    if let Err(error) = written {
        complain(format_args!("`{}` cannot be written: {error}", list.display()));
        return Err(ExitCode::from(ENVIRONMENT));
    }
    let request = Request { id: "scenario".to_owned(), layers: vec![directory.clone()], ..Request::default() };
    let compilation = compile(&request);
    let _ = std::fs::remove_dir_all(&directory);
    if compilation.is_refused() {
        let mut report = Report::new(Stream::Error);
        report.add(&compilation.diagnostics, &compilation.sources);
        report.show();
        return Err(ExitCode::from(USAGE));
    }
    Ok(compilation.plan)
}

/// The classes of the list `base`.
fn classes() -> serde_json::Value {
    let step = |label: &str, operation: &str| serde_json::json!({"inherit": "ShutdownStep", "label": label, "args": {"operation": operation}});
    serde_json::json!({
        "FactoryTest": {"inherit": "FactoryTest"},
        "TestGroup": {"inherit": "TestGroup"},
        "FlattenGroup": {"inherit": "FlattenGroup"},
        "ShutdownStep": {"inherit": "ShutdownStep"},
        "HaltStep": step("Halt", "halt"),
        "RebootStep": step("Reboot", "reboot"),
        "FullRebootStep": step("Full Reboot", "full_reboot"),
    })
}
