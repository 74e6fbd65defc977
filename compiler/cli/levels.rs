//! `--deny`, `--warn` and `--allow`: levels of lints for one run, over those of `tlc.json5`.

use std::process::ExitCode;

use clap::Args;
use tlc_compiler::codes::Code;
use tlc_compiler::levels::{Level, Levels, NotALint, lint};
use tlc_compiler::settings::Settings;

use crate::USAGE;
use crate::report::complain;

/// Levels of lints.
#[derive(Args, Clone, Debug, Default)]
pub struct LevelArgs {
    /// Make a lint an error; may be given several times
    #[arg(long, value_name = "CODE")]
    deny: Vec<String>,
    /// Make a lint a warning; may be given several times
    #[arg(long, value_name = "CODE")]
    warn: Vec<String>,
    /// Leave a lint out; may be given several times
    #[arg(long, value_name = "CODE")]
    allow: Vec<String>,
}

/// A lint and the level that it is to have.
pub type Given = (&'static Code, Level);

impl LevelArgs {
    /// What the command line says.
    pub fn given(&self) -> Result<Vec<Given>, ExitCode> {
        let named = |codes: &[String], level: Level| -> Result<Vec<Given>, ExitCode> {
            codes
                .iter()
                .map(|code| lint(code).map(|lint| (lint, level)).map_err(|reason| unusable(code, &reason)))
                .collect()
        };
        let given: Vec<Given> =
            [named(&self.deny, Level::Deny)?, named(&self.warn, Level::Warn)?, named(&self.allow, Level::Allow)?]
                .concat();
        for (index, (code, level)) in given.iter().enumerate() {
            if given[..index].iter().any(|(other, given)| other.name == code.name && given != level) {
                complain(format_args!("`{}` is given two levels", code.name));
                return Err(ExitCode::from(USAGE));
            }
        }
        Ok(given)
    }
}

/// The levels of the settings, and over them those of the command line.
pub fn levels(settings: &Settings, given: &[Given]) -> Levels {
    let mut levels = Levels::default();
    for written in &settings.lints {
        levels.set(written.lint, written.level);
    }
    for (lint, level) in given {
        levels.set(lint, *level);
    }
    levels
}

fn unusable(code: &str, reason: &NotALint) -> ExitCode {
    match reason {
        NotALint::Unknown(_) => complain(format_args!("there is no lint `{code}`; {reason}")),
        NotALint::Fixed => complain(format_args!("the level of `{code}` cannot be set: {reason}")),
    }
    ExitCode::from(USAGE)
}
