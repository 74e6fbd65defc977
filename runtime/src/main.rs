//! `tlc-station`: runs compiled plans on a station that does not carry the compiler.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tlc_plan::Plan;
use tlc_runtime::cli::{ControlArgs, ResultsArgs, RunArgs, StoreArgs, read_device_data, trace_to_stderr};
use tlc_runtime::station::read_text;
use tlc_runtime::{Edit, Edits, Exit, care_for_store, control, results, run};

/// Runs compiled test lists
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a plan
    Run {
        /// What `tlc compile` wrote
        plan: PathBuf,
        /// The device data, a file with a JSON object, instead of the store's
        #[arg(long, value_name = "FILE")]
        device_data: Option<PathBuf>,
        #[command(flatten)]
        options: Box<RunArgs>,
    },
    /// Show, stop or change the run that is on, from another terminal
    Control(ControlArgs),
    /// Show the results of earlier runs
    Results(ResultsArgs),
    /// Check, compact or copy a store
    Store(StoreArgs),
}

fn main() -> ExitCode {
    trace_to_stderr();
    match Arguments::parse().command {
        Command::Run { plan: path, device_data, options } => match read(&path, device_data) {
            Ok((plan, device_data)) => run(&plan, &options.options(device_data), edits(path)),
            Err(message) => Exit::usage(&message),
        },
        Command::Control(arguments) => control(&arguments),
        Command::Results(arguments) => results(&arguments),
        Command::Store(arguments) => care_for_store(&arguments),
    }
    .into()
}

/// No plan is larger than this, in bytes.
const PLAN_LIMIT: u64 = 256 << 20;

fn read_plan(path: &Path) -> Result<Plan, String> {
    let text = read_text(path, PLAN_LIMIT)
        .map_err(|error| format!("unable to read the plan `{}`: {error}", path.display()))?;
    Plan::from_json(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Looks whether the file of the plan has changed, and reads it then.
fn edits(path: PathBuf) -> Edits {
    let stamp = |path: &Path| path.metadata().ok().map(|found| (found.modified().ok(), found.len()));
    let mut seen = stamp(&path);
    Edits::new(move || {
        let now = stamp(&path);
        if std::mem::replace(&mut seen, now) == now {
            return Edit::None;
        }
        read_plan(&path).map_or_else(Edit::Broken, |plan| Edit::Plan(Box::new(plan)))
    })
}

fn read(path: &Path, device_data: Option<PathBuf>) -> Result<(Plan, Option<tlc_plan::Data>), String> {
    let plan = read_plan(path)?;
    let device_data = device_data.map(|path| read_device_data(&path)).transpose()?;
    Ok((plan, device_data))
}
