//! `tlc run`: compiles a list and runs it in this process.

use std::process::ExitCode;

use clap::Args;
use tlc_runtime::cli::RunArgs;

use crate::FAILED;
use crate::input::ListArgs;
use crate::report::complain;

/// Compile a list and run it here
///
/// Each run is a new one, unless the store holds an interrupted run of the same plan, which then goes on. Ctrl-C ends the running test, runs
/// the teardowns and records what happened; a second one ends everything at once.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tlc run lists/demo/main.test_list.json\n  tlc run main.test_list.json --only SMT.Rails --unit HRN-000042\n  tlc run main.test_list.json --status untested,failed"
)]
pub struct RunListArgs {
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    station: RunArgs,
}

pub fn run(args: &RunListArgs) -> ExitCode {
    match compile_and_run(args) {
        Ok(code) | Err(code) => code,
    }
}

fn compile_and_run(args: &RunListArgs) -> Result<ExitCode, ExitCode> {
    let mut list = args.list.clone();
    list.with.tests.clone_from(&args.station.tests);
    let compiled = list.usable()?;
    let Some(plan) = &compiled.compilation.plan else {
        complain(format_args!("`{}` has no tests: it is a library for other lists", compiled.found.id));
        return Err(ExitCode::from(FAILED));
    };
    let mut options = args.station.options(list.with.device()?);
    options.tests = options.tests.or_else(|| compiled.found.settings.tests.clone());
    options.station = options.station.or_else(|| compiled.found.settings.station.clone());
    Ok(tlc_runtime::run(plan, &options).into())
}
