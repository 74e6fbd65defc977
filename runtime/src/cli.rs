//! The command line that `tlc run` and `tlc-station run` share, and those of `control`, `results` and `store`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tlc_plan::Data;
use tlc_plan::plan::PHASES;
use tracing_subscriber::EnvFilter;

use crate::control::Request;
use crate::report::{Format, Progress};
use crate::run::RunOptions;
use crate::schedule::Status;
use crate::station::read_text;

/// What `control` is good for.
pub const CONTROL: &[&str] = &[
    "control status",
    "control wait && echo passed",
    "control restart SMT.Radio",
    "control set-iterations RunIn.Stress 10 --store night.sqlite",
];

/// What `results` is good for.
pub const RESULTS: &[&str] = &["results last", "results show 12 --format json", "results test SMT.Radio --limit 5"];

/// What `store` is good for.
pub const STORE: &[&str] = &["store check", "store backup copy.sqlite", "store vacuum --store night.sqlite"];

/// The examples below the help of a command, for the program that has it.
pub fn examples(program: &str, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("  {program} {line}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}

/// How a run is to be made; what is run stands before it.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// The store of results [default: station.sqlite in the state directory]
    #[arg(long, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// The directory of Python tests
    #[arg(long, value_name = "DIR", value_parser = directory)]
    pub tests: Option<PathBuf>,
    /// The station's settings
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub station: Option<PathBuf>,
    /// Start a new run even if there is an interrupted one, which is given up
    #[arg(long)]
    pub new: bool,
    /// Run only this group or test; a test of a sequence stands for the whole sequence
    #[arg(long, value_name = "PATH")]
    pub only: Option<String>,
    /// Begin with this group or test: everything before it is skipped
    #[arg(long, value_name = "PATH", conflicts_with = "status")]
    pub from: Option<String>,
    /// Try each test that fails again, up to N times, if the list does not try it more often
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub retry: u32,
    /// A number for tests that make random choices, which they find as `TLC_SEED`
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Continue the last run with the tests that have one of these statuses, for example `untested,failed`
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = status)]
    pub status: Vec<Status>,
    /// Answers to the prompts of tests, before the station's
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub answers: Option<PathBuf>,
    /// The Python interpreter for tests
    #[arg(long, value_name = "PROGRAM")]
    pub python: Option<String>,
    /// The phase, instead of the list's
    #[arg(long, value_name = "PHASE", value_parser = PHASES)]
    pub phase: Option<String>,
    /// The locale for texts
    #[arg(long, value_name = "LOCALE", default_value = "en-US")]
    pub locale: String,
    /// Who runs it, for the record
    #[arg(long, value_name = "NAME", default_value = "")]
    pub operator: String,
    /// The unit under test, for the record
    #[arg(long, value_name = "ID", default_value = "")]
    pub unit: String,
    /// Plain lines, also on a terminal
    #[arg(long, conflicts_with = "quiet")]
    pub plain: bool,
    /// Only warnings and the summary
    #[arg(long, short)]
    pub quiet: bool,
}

/// Show what earlier runs have found
#[derive(Args, Clone, Debug)]
pub struct ResultsArgs {
    /// What to show
    #[command(subcommand)]
    pub what: Results,
}

/// What can be shown.
#[derive(Subcommand, Clone, Debug)]
pub enum Results {
    /// The latest runs, the last one first
    List {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Where from, and how
        #[command(flatten)]
        source: ResultsSource,
    },
    /// The last run
    Last {
        /// Where from, and how
        #[command(flatten)]
        source: ResultsSource,
    },
    /// One run
    Show {
        /// Its number, the beginning of its id, or `last`
        run: String,
        /// Where from, and how
        #[command(flatten)]
        source: ResultsSource,
    },
    /// The latest attempts at one test
    Test {
        /// The test
        path: String,
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Where from, and how
        #[command(flatten)]
        source: ResultsSource,
    },
}

/// Show, stop or change the run that is on, from another terminal
#[derive(Args, Clone, Debug)]
pub struct ControlArgs {
    /// What is asked
    #[command(subcommand)]
    pub what: ControlCommand,
    /// The store of the run [default: station.sqlite in the state directory]
    #[arg(long, value_name = "PATH", global = true)]
    pub store: Option<PathBuf>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
}

/// What can be asked of a run.
#[derive(Subcommand, Clone, Debug)]
pub enum ControlCommand {
    /// Show what the run does
    Status,
    /// Wait until the run has ended; the exit code is the run's
    Wait,
    /// End what runs; teardowns run, and the run ends
    Stop,
    /// End a group or test; the run goes on after it
    Abort {
        /// The group or test
        path: String,
    },
    /// End what runs, and run a group or test afresh, and nothing else
    Restart {
        /// The group or test
        path: String,
    },
    /// End a group or test, and make it untested
    Clear {
        /// The group or test
        path: String,
    },
    /// Change how often a group or test runs, when it is next begun
    SetIterations {
        /// The group or test
        path: String,
        /// How often it is to pass; -1 for no end
        #[arg(allow_negative_numbers = true)]
        iterations: i64,
        /// How often it may fail before it has failed; -1 for no end [default: what it was]
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        retries: Option<i64>,
    },
}

/// Check, compact or copy a store
#[derive(Args, Clone, Debug)]
pub struct StoreArgs {
    /// What is done
    #[command(subcommand)]
    pub what: StoreCommand,
    /// The store [default: station.sqlite in the state directory]
    #[arg(long, value_name = "PATH", global = true)]
    pub store: Option<PathBuf>,
}

/// What can be done with a store.
#[derive(Subcommand, Clone, Debug)]
pub enum StoreCommand {
    /// Look whether the store is whole, and whether the logs that it names are
    Check {
        /// How the answer is written
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Give room that is not used back to the disk; not while a run is on
    Vacuum,
    /// Write a copy of the store, also while a run is on
    Backup {
        /// The copy; it must not exist
        file: PathBuf,
    },
}

/// Where results come from, and how they are written.
#[derive(Args, Clone, Debug)]
pub struct ResultsSource {
    /// The store [default: station.sqlite in the state directory]
    #[arg(long, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// How
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl ControlCommand {
    /// The same, as it is sent.
    pub fn request(&self) -> Request {
        match self.clone() {
            Self::Status => Request::Status {},
            Self::Wait => Request::Wait {},
            Self::Stop => Request::Stop {},
            Self::Abort { path } => Request::Abort { path },
            Self::Restart { path } => Request::Restart { path },
            Self::Clear { path } => Request::Clear { path },
            Self::SetIterations { path, iterations, retries } => Request::SetIterations { path, iterations, retries },
        }
    }
}

impl RunArgs {
    /// The options of a run; device data comes from elsewhere.
    pub fn options(&self, device_data: Option<Data>) -> RunOptions {
        RunOptions {
            store: self.store.clone(),
            tests: self.tests.clone(),
            station: self.station.clone(),
            new: self.new,
            only: self.only.clone(),
            from: self.from.clone(),
            retry: self.retry,
            seed: self.seed,
            status: self.status.clone(),
            answers: self.answers.clone(),
            python: self.python.clone(),
            phase: self.phase.clone(),
            device_data,
            locale: self.locale.clone(),
            operator: self.operator.clone(),
            unit: self.unit.clone(),
            progress: match (self.quiet, self.plain) {
                (true, _) => Progress::Quiet,
                (false, true) => Progress::Plain,
                (false, false) => Progress::Fitting,
            },
        }
    }
}

/// Sends what the parts of the runtime say about their work to stderr, as far as the variable `TLC_LOG` asks for it, for example
/// `TLC_LOG=tlc_runtime=debug`.
pub fn trace_to_stderr() {
    if std::env::var_os("TLC_LOG").is_some() {
        let filter = EnvFilter::try_from_env("TLC_LOG").unwrap_or_else(|_| EnvFilter::new("debug"));
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    }
}

/// Reads device data: a file with a JSON object. The error is a message for people.
pub fn read_device_data(path: &Path) -> Result<Data, String> {
    let text = read_text(path, DEVICE_DATA_LIMIT)
        .map_err(|error| format!("unable to read the device data `{}`: {error}", path.display()))?;
    let data: Data = serde_json::from_str(&text)
        .map_err(|error| format!("{}:{}:{}: {error}", path.display(), error.line(), error.column()))?;
    match data.as_object() {
        Some(_) => Ok(data),
        None => Err(format!("{}: device data is {}, expected an object", path.display(), data.type_name())),
    }
}

/// No device data is larger than this, in bytes.
const DEVICE_DATA_LIMIT: u64 = 64 << 20;

fn directory(name: &str) -> Result<PathBuf, String> {
    match fs::metadata(name) {
        Ok(metadata) if metadata.is_dir() => Ok(name.into()),
        Ok(_) => Err("it is no directory".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn file(name: &str) -> Result<PathBuf, String> {
    match fs::metadata(name) {
        Ok(metadata) if metadata.is_file() => Ok(name.into()),
        Ok(_) => Err("it is no regular file".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn status(word: &str) -> Result<Status, String> {
    let name = word.to_ascii_uppercase().replace('-', "_");
    Status::from_name(&name)
        .ok_or_else(|| "expected untested, active, passed, failed, failed_and_waived or skipped".to_owned())
}
