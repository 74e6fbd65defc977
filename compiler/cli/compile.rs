//! `tlc compile`: a list to the file that a station runs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::ENVIRONMENT;
use crate::input::ListArgs;
use crate::report::{complain, print};

/// Write the plan of a list, which `tlc-station run` runs without the list
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  tlc compile main.test_list.json -o main.plan.json && tlc-station run main.plan.json"
)]
pub struct CompileArgs {
    #[command(flatten)]
    list: ListArgs,
    /// The file to write
    #[arg(short, long, value_name = "PLAN")]
    output: PathBuf,
}

pub fn run(args: &CompileArgs) -> ExitCode {
    match compile(args) {
        Ok(code) | Err(code) => code,
    }
}

fn compile(args: &CompileArgs) -> Result<ExitCode, ExitCode> {
    let compiled = args.list.usable()?;
    let Some(plan) = &compiled.compilation.plan else {
        complain(format_args!(
            "`{}` has no tests: it is a library for other lists, and has no plan",
            compiled.found.id
        ));
        return Err(ExitCode::from(crate::FAILED));
    };
    let hash = plan.hash();
    write(&args.output, &format!("{}\n", plan.to_json_with(hash.clone()))).map_err(|error| {
        complain(format_args!("`{}` cannot be written: {error}", args.output.display()));
        ExitCode::from(ENVIRONMENT)
    })?;
    print(&format!("{hash}  {}\n", args.output.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a whole file or none: beside it first, then into its place. A file that is there keeps its permissions, and a link its target.
/// What is there and is no file, such as a pipe or a device, is written to.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    }
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if let Ok(known) = path.metadata() {
            file.set_permissions(known.permissions())?;
        }
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&beside, path));
    if placed.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    placed
}
