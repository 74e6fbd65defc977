//! `tlc fmt`: lists in their canonical form.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tlc_compiler::diagnostic::{Diagnostic, Severity};
use tlc_compiler::document::{Arena, read};
use tlc_compiler::format::format;
use tlc_compiler::source::{ReadError, SourceMap};

use crate::compile::write;
use crate::input::expand;
use crate::report::{Report, Stream, complain, print};
use crate::{ENVIRONMENT, FAILED, USAGE};

/// Put lists in their canonical form
///
/// Orders the fields of lists and tests, writes two spaces for each level and one item a line, and keeps comments and texts as they are. An
/// object or array that stands on one line stays there if it fits. A list with syntax errors is reported and left alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tlc fmt main.test_list.json\n  tlc fmt --check lists/")]
pub struct FmtArgs {
    /// Lists, or directories whose lists are all formatted
    #[arg(value_name = "FILE|DIR", required = true)]
    targets: Vec<String>,
    /// Write nothing: print the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

/// What became of a file.
enum Formatted {
    Unchanged,
    Changed(String),
    Broken(Box<(Vec<Diagnostic>, SourceMap)>),
}

pub fn run(args: &FmtArgs) -> ExitCode {
    match format_all(args) {
        Ok(code) | Err(code) => code,
    }
}

fn format_all(args: &FmtArgs) -> Result<ExitCode, ExitCode> {
    let files: Vec<String> =
        args.targets.iter().map(|argument| expand(argument)).collect::<Result<Vec<_>, _>>()?.concat();
    let mut report = Report::new(Stream::Error);
    let mut failed = false;
    for file in files.iter().map(PathBuf::from) {
        match formatted(&file)? {
            Formatted::Unchanged => {}
            Formatted::Changed(_) if args.check => {
                failed = true;
                print(&format!("{}\n", file.display()));
            }
            Formatted::Changed(text) => write(&file, &text).map_err(|error| unwritable(&file, &error))?,
            Formatted::Broken(problems) => {
                failed = true;
                report.add(&problems.0, &problems.1);
            }
        }
    }
    report.show();
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

fn formatted(path: &Path) -> Result<Formatted, ExitCode> {
    let mut sources = SourceMap::default();
    let file = match sources.read(path) {
        Ok(file) => file,
        Err(ReadError::NotUtf8(_, span)) => {
            let problem = Diagnostic::error("not-utf8", "the file is not UTF-8", span, "the first byte that is not")
                .help("save the file as UTF-8");
            return Ok(Formatted::Broken(Box::new((vec![problem], sources))));
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    let (_, problems) = read(&sources, file, &mut Arena::default());
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Ok(Formatted::Broken(Box::new((problems, sources))));
    }
    Ok(match format(sources.text(file)) {
        Some(text) if text != sources.text(file) => Formatted::Changed(text),
        _ => Formatted::Unchanged,
    })
}

fn unreadable(path: &Path, error: &ReadError) -> ExitCode {
    complain(format_args!("`{}` cannot be read: {error}", path.display()));
    ExitCode::from(if matches!(error, ReadError::NotFound) { USAGE } else { ENVIRONMENT })
}

fn unwritable(path: &Path, error: &std::io::Error) -> ExitCode {
    complain(format_args!("`{}` cannot be written: {error}", path.display()));
    ExitCode::from(ENVIRONMENT)
}
