//! `tlc explain`: the page of a code, or a list of all codes.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use tlc_compiler::codes::{self, CODES};
use tlc_compiler::diagnostic::did_you_mean;

use crate::USAGE;
use crate::report::{complain, print};

/// Explain a finding by its code
///
/// Prints the page of the code: what it means, why it matters, and what to write instead. Without a code, lists them all.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tlc explain unknown-override\n  tlc explain | grep deny")]
pub struct ExplainArgs {
    /// The code, as it stands in a report
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub fn run(args: &ExplainArgs) -> ExitCode {
    let Some(name) = &args.code else {
        print(&list());
        return ExitCode::SUCCESS;
    };
    let Some(code) = codes::find(name) else {
        let meant = did_you_mean(name, CODES.iter().map(|code| code.name));
        let help = meant.unwrap_or_else(|| "`tlc explain` lists them all".into());
        complain(format_args!("there is no code `{name}`; {help}"));
        return ExitCode::from(USAGE);
    };
    print(code.page);
    ExitCode::SUCCESS
}

/// Every code with its level and what it is.
fn list() -> String {
    let width = CODES.iter().map(|code| code.name.len()).max().unwrap_or_default();
    CODES.iter().fold(String::new(), |mut text, code| {
        let _ = writeln!(text, "{:width$}  {:7}  {}", code.name, code.level.name(), code.summary());
        text
    })
}
