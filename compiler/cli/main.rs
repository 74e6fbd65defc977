//! The command `tlc`: arguments in, text and an exit code out.
//!
//! Exit codes: 0 fine, 1 the lists have errors or a test failed, 2 usage, 3 the environment failed.

mod check;
mod compile;
mod diff;
mod dump;
mod eval;
mod explain;
mod fmt;
mod input;
mod levels;
mod report;
mod run;
mod simulate;
mod tree;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tlc_runtime::cli::{CONTROL, ControlArgs, RESULTS, ResultsArgs, STORE, StoreArgs, examples};

/// The lists have errors, or a test failed.
const FAILED: u8 = 1;

/// The command line asks for something that is not there.
const USAGE: u8 = 2;

/// A file cannot be read or written, or a program cannot be started.
const ENVIRONMENT: u8 = 3;

const EXAMPLES: &str = "\
Examples:
  tlc check main.test_list.json      report every mistake in a list
  tlc check lists/                   and in all lists of a directory
  tlc dump main.test_list.json       show the tests that it resolves to
  tlc run main.test_list.json        run them here
  tlc results last                   show the last run again

Exit codes: 0 fine, 1 the lists have errors or a test failed, 2 usage, 3 the environment failed.";

const COMPLETIONS: &str = "\
Examples:
  tlc completions bash >> ~/.bashrc
  tlc completions zsh > ~/.zfunc/_tlc
  tlc completions fish > ~/.config/fish/completions/tlc.fish";

/// Compiles declarative factory test lists and runs them at stations.
#[derive(Parser)]
#[command(name = "tlc", version, about, after_help = EXAMPLES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// What a command takes is built when it is the one that is asked for: all of them together cost as much as a short list.
#[derive(Subcommand)]
#[command(defer = true)]
enum Command {
    /// Report every mistake in lists
    Check(check::CheckArgs),
    /// Show what a list resolves to
    Dump(dump::DumpArgs),
    /// Compile a list and run it here
    Run(Box<run::RunListArgs>),
    /// Show, stop or change the run that is on, from another terminal
    #[command(after_help = examples("tlc", CONTROL))]
    Control(ControlArgs),
    /// Show what earlier runs have found
    #[command(after_help = examples("tlc", RESULTS))]
    Results(ResultsArgs),
    /// Check, compact or copy a store
    #[command(after_help = examples("tlc", STORE))]
    Store(StoreArgs),
    /// Write the plan of a list, which `tlc-station run` runs without the list
    Compile(compile::CompileArgs),
    /// Explain a finding by its code
    Explain(explain::ExplainArgs),
    /// Put lists in their canonical form
    Fmt(fmt::FmtArgs),
    /// Show what changes in behaviour between two lists, two directories of lists, or two plans
    Diff(diff::DiffArgs),
    /// Show what a list would do: which tests run, in which order, what is skipped and why, which teardowns, what the verdict is
    Simulate(simulate::SimulateArgs),
    /// Show where a value comes from: every file, definition and override that set it, and what its expression read
    Why(why::WhyArgs),
    /// Evaluate an expression, as it would be in the argument of a test, and print its value as JSON
    Eval(eval::EvalArgs),
    /// Print the completions of a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    tlc_runtime::cli::trace_to_stderr();
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Dump(args) => dump::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Control(args) => tlc_runtime::control(&args).into(),
        Command::Store(args) => tlc_runtime::care_for_store(&args).into(),
        Command::Results(args) => tlc_runtime::results(&args).into(),
        Command::Compile(args) => compile::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Completions { shell } => completions(shell),
    }
}

fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tlc", &mut text);
    report::print(&String::from_utf8_lossy(&text));
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let (name, help) = (command.get_name().to_owned(), command.render_help().to_string());
            assert!(help.contains("Example") && help.contains(&format!("\n  tlc {name}")), "{help}");
        }
    }
}
