//! The command `tlc`.

mod eval;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "tlc", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Eval(eval::EvalArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Eval(args) => eval::run(&args),
    }
}
