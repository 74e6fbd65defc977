//! `tlc run`: compiles a list and runs it in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::SystemTime;

use clap::Args;
use tlc_compiler::source::stamp;
use tlc_runtime::cli::RunArgs;
use tlc_runtime::{Edit, Edits};

use crate::FAILED;
use crate::input::{Compiled, ListArgs};
use crate::report::{Format, Report, Stream, complain};

/// Compile a list and run it here
///
/// Each run is a new one, unless the store holds an interrupted run of the same plan, which then goes on. Ctrl-C ends the running test, runs
/// the teardowns and records what happened; a second one ends everything at once. A list that is edited meanwhile is picked up between two tests.
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
    let compiled = Rc::new(list.usable()?);
    let Some(plan) = &compiled.compilation.plan else {
        complain(format_args!("`{}` has no tests: it is a library for other lists", compiled.found.id));
        return Err(ExitCode::from(FAILED));
    };
    let mut options = args.station.options(list.with.device()?);
    options.tests = options.tests.or_else(|| compiled.found.settings.tests.clone());
    options.station = options.station.or_else(|| compiled.found.settings.station.clone());
    Ok(tlc_runtime::run(plan, &options, edits(list, compiled.clone())).into())
}

/// Looks whether one of the files that a list is made of has changed, and compiles it then, with what the last time left.
fn edits(list: ListArgs, mut last: Rc<Compiled>) -> Edits {
    let mut watched = Watched::default();
    watched.add(&last);
    Edits::new(move || {
        if !watched.has_changed() {
            return Edit::None;
        }
        let device = list.with.device().ok().flatten();
        let Ok(compiled) = list.with.compile_after(&list.list, device, Some(&last.compilation)) else {
            return Edit::Broken(format!("the list `{}` cannot be found", list.list));
        };
        last = Rc::new(compiled);
        watched.add(&last);
        match &last.compilation.plan {
            Some(plan) if !last.is_refused() => Edit::Plan(Box::new(plan.clone())),
            Some(_) | None => {
                let mut report = Report::new(Stream::Error);
                last.report_to(&mut report);
                Edit::Broken(format!("{}\n{}", report.summary(), report.text(Format::Human)))
            }
        }
    })
}

/// The files of a list, as they were at the last look. A version that cannot be used is not looked at twice.
#[derive(Default)]
struct Watched(BTreeMap<PathBuf, Option<(SystemTime, u64)>>);

impl Watched {
    fn add(&mut self, compiled: &Compiled) {
        let paths = compiled.compilation.sources.paths().chain(compiled.settings.1.paths());
        self.0.extend(paths.map(|path| (path.to_owned(), stamp(path))));
    }

    fn has_changed(&mut self) -> bool {
        let mut changed = false;
        for (path, seen) in &mut self.0 {
            let now = stamp(path);
            changed |= std::mem::replace(seen, now) != now;
        }
        changed
    }
}
