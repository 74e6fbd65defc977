//! `tlc-station`: runs compiled plans on a station that does not carry the compiler.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tlc_plan::Plan;
use tlc_runtime::cli::{
    CONTROL, ControlArgs, RESULTS, ResultsArgs, RunArgs, STORE, StoreArgs, examples, read_device_data, trace_to_stderr,
};
use tlc_runtime::station::read_text;
use tlc_runtime::{Edit, Edits, Exit, care_for_store, control, results, run};

const EXAMPLES: &str = "\
Examples:
  tlc-station run main.plan.json     run a plan
  tlc-station control status         see from another terminal what it does
  tlc-station results last           show the last run again

Exit codes: 0 fine, 1 a test failed, 2 usage, 3 the environment failed.";

const RUN: &str = "\
Examples:
  tlc-station run main.plan.json --station station.json5
  tlc-station run main.plan.json --only SMT.Rails --unit HRN-000042
  tlc-station run main.plan.json --status untested,failed";

/// Runs compiled test lists
#[derive(Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a plan
    #[command(after_help = RUN)]
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
    #[command(after_help = examples("tlc-station", CONTROL))]
    Control(ControlArgs),
    /// Show the results of earlier runs
    #[command(after_help = examples("tlc-station", RESULTS))]
    Results(ResultsArgs),
    /// Check, compact or copy a store
    #[command(after_help = examples("tlc-station", STORE))]
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn every_command_shows_an_example() {
        let mut arguments = Arguments::command();
        arguments.build();
        for command in arguments.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let (name, help) = (command.get_name().to_owned(), command.render_help().to_string());
            assert!(help.contains("Example") && help.contains(&format!("\n  tlc-station {name}")), "{help}");
        }
    }
}
