//! The settings of a station: `station.json5`.
//!
//! In: the text of the file. Out: [`Settings`], or an error with file, line, column and key. `docs/src/reference/station.md` describes
//! every key.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;
use tlc_plan::Data;

use super::file::{FileError, parse_json5, read_text};
use crate::schedule::TeardownPolicy;
use crate::worker::{OutputForm, ProcessLimits, pattern_problem};

/// No settings are larger than this, in bytes.
const SIZE_LIMIT: u64 = 1 << 20;

/// The settings of a station; all of them have a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What the station is called in records; its host name if there is nothing else.
    pub station: Option<String>,
    /// The interpreter for Python tests; `python3` if there is nothing else.
    pub python: Option<String>,
    /// Modules that a warm interpreter imports before it runs its first test.
    pub python_preload: Vec<String>,
    /// Variables for every test.
    pub environment: IndexMap<String, String>,
    /// Variables of the runtime's environment that tests get, too: names, or beginnings of names with a `*`.
    pub pass_environment: Vec<String>,
    /// Helper processes by their names, in the order in which they start.
    pub services: IndexMap<String, Service>,
    /// When teardowns run.
    pub teardown: TeardownPolicy,
    /// After how many seconds a teardown without a `timeout_secs` of its own is ended.
    pub teardown_timeout_secs: Positive,
    /// How much of what is kept.
    pub limits: Limits,
    /// The commands for shutdown steps, by operation: `reboot`, `halt`, `full_reboot`.
    pub shutdown: IndexMap<String, Vec<String>>,
    /// Which programs write to their stdout what is more than a log.
    pub output: Outputs,
    /// Answers for runs without an operator.
    pub answers: Option<PathBuf>,
    /// Where secrets come from, by their names.
    pub secrets: IndexMap<String, SecretSource>,
    /// What expressions see as `station`.
    pub data: Data,
    /// Where the file is; what it names is relative to that.
    #[serde(skip)]
    pub directory: PathBuf,
}

/// A number of seconds, more than 0.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Positive(pub f64);

/// How much of what is kept, and what each process of a test may use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many bytes of an attempt's output are kept.
    pub log_bytes: u64,
    /// How much memory a process of a test may write, in bytes.
    pub memory_bytes: Option<NonZeroU64>,
    /// How many files it may have open.
    pub open_files: Option<NonZeroU64>,
    /// How much CPU time it may use, in seconds.
    pub cpu_secs: Option<NonZeroU64>,
    /// How many processes and threads its user may have.
    pub processes: Option<NonZeroU64>,
    /// How large a file may be that it writes, in bytes.
    pub file_bytes: Option<NonZeroU64>,
    /// How many bytes an attachment may have.
    pub attachment_bytes: u64,
}

/// Which programs write to their stdout what is more than a log: paths of tests, in which `*` stands for any text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outputs {
    /// TAP.
    pub tap: Vec<String>,
    /// Event lines of Lager's steps.
    pub lager: Vec<String>,
}

impl Outputs {
    /// What the program of a test writes.
    pub fn of(&self, path: &str) -> OutputForm {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| fits(path, pattern));
        match () {
            () if named(&self.lager) => OutputForm::Lager,
            () if named(&self.tap) => OutputForm::Tap,
            () => OutputForm::Unknown,
        }
    }
}

/// Whether a path fits a pattern, in which `*` stands for any text.
fn fits(path: &str, pattern: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return path == pattern };
    let Some(mut left) = path.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(end)
}

/// A helper process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How it is known to be ready; at once if it does not say.
    pub ready: Option<Ready>,
    /// After how many seconds it must be ready.
    #[serde(default = "ready_timeout")]
    pub ready_timeout_secs: Positive,
    /// How long it lives.
    #[serde(default)]
    pub lifetime: Lifetime,
    /// Where it starts; the directory of the settings if it does not say.
    pub directory: Option<String>,
    /// Variables for this service only.
    #[serde(default)]
    pub environment: IndexMap<String, String>,
    /// Whether it runs although no test enables it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Resources that it uses: while a test holds one of them, the service does not run.
    #[serde(default)]
    pub uses: Vec<String>,
}

/// When a service is ready.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ready {
    /// When this path exists.
    Path(String),
    /// When it has written a line that contains this.
    Line(String),
    /// When something listens on this port of this machine.
    Port(u16),
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// From this variable of this program.
    Env(String),
    /// From this file.
    File(String),
    /// From what this program says.
    Command(Vec<String>),
}

/// How long a service lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifetime {
    /// From the start of a run to its end.
    #[default]
    Run,
    /// As long as the station's program.
    Station,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            station: None,
            python: None,
            python_preload: Vec::new(),
            environment: IndexMap::new(),
            pass_environment: Vec::new(),
            services: IndexMap::new(),
            teardown: TeardownPolicy::default(),
            teardown_timeout_secs: Positive(300.0),
            limits: Limits::default(),
            shutdown: IndexMap::new(),
            output: Outputs::default(),
            answers: None,
            secrets: IndexMap::new(),
            data: Data::object(IndexMap::new()),
            directory: PathBuf::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            log_bytes: 4 << 20,
            attachment_bytes: 64 << 20,
            memory_bytes: None,
            open_files: None,
            cpu_secs: None,
            processes: None,
            file_bytes: None,
        }
    }
}

impl Limits {
    /// Those that hold for each process of a test.
    pub fn of_processes(&self) -> ProcessLimits {
        ProcessLimits {
            memory_bytes: self.memory_bytes.map(NonZeroU64::get),
            open_files: self.open_files.map(NonZeroU64::get),
            cpu_secs: self.cpu_secs.map(NonZeroU64::get),
            processes: self.processes.map(NonZeroU64::get),
            file_bytes: self.file_bytes.map(NonZeroU64::get),
        }
    }
}

fn yes() -> bool {
    true
}

fn ready_timeout() -> Positive {
    Positive(10.0)
}

impl TryFrom<f64> for Positive {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        if seconds > 0.0 && seconds <= 1e9 {
            return Ok(Self(seconds));
        }
        Err(format!("{seconds} is no number of seconds; expected more than 0"))
    }
}

impl Positive {
    /// As a duration.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs_f64(self.0)
    }
}

impl Settings {
    /// The variables from which secrets come.
    pub(crate) fn secret_variables(&self) -> Vec<&str> {
        let variables = self.secrets.values().filter_map(|source| match source {
            SecretSource::Env(name) => Some(name.as_str()),
            SecretSource::File(_) | SecretSource::Command(_) => None,
        });
        variables.collect()
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let unreadable = |error| FileError::Unreadable("the station's settings", path.to_path_buf(), error);
        let text = read_text(path, SIZE_LIMIT).map_err(unreadable)?;
        let mut settings = Self::parse(path, &text)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        settings.directory = std::path::absolute(directory).map_err(unreadable)?;
        Ok(settings)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let settings: Self = parse_json5(path, text)?;
        settings.check(path)?;
        Ok(settings)
    }

    fn check(&self, path: &Path) -> Result<(), FileError> {
        for (name, service) in &self.services {
            if service.command.is_empty() {
                let key = format!("services.{name}.command");
                return Err(FileError::at(path, key, "it is empty; expected a program and its arguments".into()));
            }
        }
        for (place, pattern) in self.pass_environment.iter().enumerate() {
            if let Some(problem) = pattern_problem(pattern) {
                return Err(FileError::at(path, format!("pass_environment[{place}]"), problem));
            }
        }
        for (name, source) in &self.secrets {
            if matches!(source, SecretSource::Command(command) if command.is_empty()) {
                let key = format!("secrets.{name}.command");
                return Err(FileError::at(path, key, "it is empty; expected a program and its arguments".into()));
            }
        }
        if self.data.as_object().is_none() {
            let found = format!("found {}, expected an object", self.data.type_name());
            return Err(FileError::at(path, "data".into(), found));
        }
        let operations = ["reboot", "halt", "full_reboot"];
        match self.shutdown.keys().find(|operation| !operations.contains(&operation.as_str())) {
            None => Ok(()),
            Some(other) => {
                let key = format!("shutdown.{other}");
                Err(FileError::at(path, key, format!("unknown operation, expected one of {operations:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Settings::parse(Path::new("station.json5"), text).expect_err("it is wrong").to_string()
    }

    #[test]
    fn everything_has_a_default() {
        let settings = Settings::parse(Path::new("station.json5"), "{}").expect("settings");
        assert_eq!(settings.teardown, TeardownPolicy::Always);
        assert!(settings.services.is_empty());
    }

    #[test]
    fn a_service_reads_as_it_is_written() {
        let text = "{ // a board\n services: { board: { command: ['b'], ready: { port: 80 }, lifetime: 'station' } }, \
                    teardown: 'reference', data: { line: 3 } }";
        let settings = Settings::parse(Path::new("station.json5"), text).expect("settings");
        let board = &settings.services["board"];
        assert_eq!((board.ready.clone(), board.lifetime), (Some(Ready::Port(80)), Lifetime::Station));
        assert_eq!(settings.data.to_string(), "{\"line\":3}");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, path, expected) in [
            ("SMT.Rail", "SMT.Rail", true),
            ("SMT.*", "SMT.Rail.A", true),
            ("*.Rail", "SMT.Rail", true),
            ("SMT.*.Rail", "SMT.A.B.Rail", true),
            ("S*M*T", "SMT", true),
            ("*", "", true),
            ("SMT.*.Rail", "SMT.Rail", false),
            ("a*a", "a", false),
            ("*Rail", "SMT.Rails", false),
            ("SMT", "SMT.Rail", false),
        ] {
            assert_eq!(fits(path, pattern), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_mistake_is_shown_with_its_place_and_key() {
        let message = wrong("{\n  services: {\n    board: { comand: ['b'] } } }");
        assert!(
            message.starts_with("station.json5:3:") && message.contains("comand") && message.contains("services.board"),
            "{message}"
        );
        let message = wrong("{\n  python: 3 }");
        assert!(message.starts_with("station.json5:2:") && message.contains("`python`"), "{message}");
        let message = wrong("{ teardown_timeout_secs: -1 }");
        assert!(message.contains("-1 is no number of seconds"), "{message}");
        assert!(wrong("{ services: { a: { command: [] } } }").contains("`services.a.command`"));
        assert!(wrong("{ pass_environment: ['A', 'B=1'] }").contains("`pass_environment[1]`"));
        assert!(wrong("{ limits: { memory_bytes: 0 } }").contains("`limits.memory_bytes`"));
        assert!(wrong("{ shutdown: { dance: [] } }").contains("`shutdown.dance`"));
        assert!(wrong(&"[".repeat(100_000)).contains("nested deeper"));
        assert!(wrong("").starts_with("station.json5"));
    }
}
