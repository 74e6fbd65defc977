//! From a test of the plan to an attempt that runs: arguments, program, limits, and the special case of a shutdown.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tlc_plan::evaluate::{Limits, Scope};
use tlc_plan::plan::{Isolation, Program as PlanProgram, Test};
use tlc_plan::resolve::{ResolveError, resolve};
use tlc_plan::{Data, NodeId, Template};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use uuid::Uuid;

use super::bench::Job;
use super::{Course, Dispatch, Happening, RunPlace, Workers, journal};
use crate::schedule::{Outcome, Purpose, is_teardown};
use crate::station::{Resources, Services, Settings};
use crate::store::AttemptStart;
use crate::worker::measure::Declared;
use crate::worker::{Attempt, Ended, Ending, Facilities, Identity, Program, Python, Sources, Surroundings};

/// How long a machine may stay up after its shutdown was ordered, if the test does not say (reference: Z6).
const WAIT_SHUTDOWN: Duration = Duration::from_mins(1);

/// What attempts of a run stand on.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub place: RunPlace,
    pub settings: Arc<Settings>,
    pub python: Option<Arc<Python>>,
    pub variables: Vec<(String, String)>,
    pub workers: Workers,
    pub sources: Arc<Sources>,
    pub surroundings: Arc<Surroundings>,
    pub services: Arc<tokio::sync::Mutex<Services>>,
    pub resources: Arc<Resources>,
    pub facilities: Arc<Facilities>,
}

/// An attempt that is about to start, with its row.
pub(super) enum Prepared {
    /// A process.
    Run(Box<Job>, AttemptStart),
    /// The scheduler is asked whether the machine may go down.
    ShutDown(AttemptStart),
    /// It is over before it starts.
    Over(Box<Ended>, AttemptStart),
}

/// A shutdown that was allowed.
pub(super) struct ShutdownOrder {
    workers: Workers,
    settings: Arc<Settings>,
    operation: String,
    wait: Duration,
}

impl Prepared {
    /// Its row.
    pub fn start(&self) -> &AttemptStart {
        match self {
            Self::Run(_, start) | Self::ShutDown(start) | Self::Over(_, start) => start,
        }
    }
}

impl Dispatch<'_> {
    /// Resolves what can be resolved only now. Whatever is wrong ends the attempt, and nothing else.
    pub(super) fn prepare(&self, course: &Course, path: &str, number: u32, purpose: Purpose) -> Prepared {
        let mut attempt = self.blank(path, number);
        let over = |ended: Ended, attempt: &Attempt| Prepared::Over(Box::new(ended), journal::attempt(attempt));
        let Some((node, test)) = course.index.get(path).and_then(|&id| Some((id, self.plan.node(id).test.as_ref()?)))
        else {
            return over(Ended::broken(format!("the plan has no test `{path}`")), &attempt);
        };
        if let Purpose::AfterShutdown { error } = purpose {
            return over(after_shutdown(error), &attempt);
        }
        match self.fill(&mut attempt, node, test) {
            Err(message) => over(Ended::broken(message), &attempt),
            Ok(()) if test.program == PlanProgram::Shutdown => match self.shutdown_refusal(node) {
                Some(message) => over(Ended::broken(message), &attempt),
                None => Prepared::ShutDown(journal::attempt(&attempt)),
            },
            Ok(()) => {
                attempt.source_sha256 = self.ground.sources.digest(&attempt);
                let start = journal::attempt(&attempt);
                Prepared::Run(Box::new(Job::new(self.plan, node, attempt)), start)
            }
        }
    }

    fn blank(&self, path: &str, number: u32) -> Attempt {
        let place = &self.ground.place;
        let invocation = Uuid::now_v7().to_string();
        Attempt {
            identity: Identity {
                run: place.id.clone(),
                slot: self.run.slot,
                unit: self.run.unit.clone(),
                invocation,
                number,
                path: path.into(),
                list: self.plan.id.clone(),
                phase: self.schedule.phase().unwrap_or_default().into(),
                locale: place.locale.to_string(),
                station: place.station.to_string(),
                operator: self.identity.operator.clone().unwrap_or_default(),
            },
            program: Program::Exec(Vec::new()),
            args: Data::default(),
            time_limit: None,
            log: place.logs.join(log_name(self.attempts, path, number)),
            log_limit: self.ground.settings.limits.log_bytes,
            variables: self.ground.variables.clone(),
            directory: PathBuf::new(),
            surroundings: Arc::clone(&self.ground.surroundings),
            output: self.ground.settings.output.of(path),
            measurements: Data::object(IndexMap::new()),
            declared: Declared::default(),
            dut_options: Data::default(),
            source_sha256: None,
        }
    }

    fn scope(&self, node: NodeId) -> Result<Scope, String> {
        let device = self.schedule.device();
        self.evaluation.scope_of_attempt(self.plan, node, device, self.spaces.shelf(device))
    }

    /// Fills in what is known only now.
    fn fill(&self, attempt: &mut Attempt, node: NodeId, test: &Test) -> Result<(), String> {
        let scope = self.scope(node).map_err(|error| format!("unable to resolve arguments: locals: {error}"))?;
        attempt.args = self.resolved(&test.args, &scope, "arguments")?;
        attempt.time_limit = self.time_limit(node, test);
        attempt.program = match &test.program {
            PlanProgram::Exec(template) => Program::Exec(argv(&self.resolved(template, &scope, "exec")?)?),
            PlanProgram::Pytest(name) => self.python_test(name, test.isolation)?,
            PlanProgram::Shutdown => Program::Exec(Vec::new()),
            PlanProgram::Nothing => return Err("it names no program: neither `pytest_name` nor `exec`".into()),
        };
        attempt.measurements = self.resolved(&test.measurements, &scope, "measurements")?;
        attempt.declared =
            Declared::read(&attempt.measurements).map_err(|what| format!("unable to resolve measurements: {what}"))?;
        attempt.dut_options = self.evaluation.dut_options(self.plan, node);
        Ok(())
    }

    fn resolved(&self, template: &Template, scope: &Scope, what: &str) -> Result<Data, String> {
        let wrong = |error: ResolveError| format!("unable to resolve {what}: {error}");
        resolve(template, self.plan, scope, &Limits::default()).map_err(wrong)
    }

    fn python_test(&self, name: &str, isolation: Isolation) -> Result<Program, String> {
        let place = &self.ground.place;
        match (&self.ground.python, &place.tests) {
            (Some(python), Some(tests)) => {
                Ok(Program::Python { python: Arc::clone(python), tests: tests.clone(), name: name.into(), isolation })
            }
            (None, _) => Err("there is no Python interpreter".into()),
            (_, None) => Err("no directory of Python tests is known: give one with --tests".into()),
        }
    }

    /// A teardown without a limit of its own has the station's; all others may take as long as they want.
    fn time_limit(&self, node: NodeId, test: &Test) -> Option<Duration> {
        let own = test.timeout_secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
        let station = || self.ground.settings.teardown_timeout_secs.duration();
        own.or_else(|| is_teardown(self.plan, node).then(station))
    }

    fn argument(&self, node: NodeId, name: &str) -> Option<Data> {
        let test = self.plan.node(node).test.as_ref()?;
        let scope = self.scope(node).ok()?;
        resolve(&test.args, self.plan, &scope, &Limits::default()).ok()?.get(name).cloned()
    }

    fn operation(&self, node: NodeId) -> String {
        let named = self.argument(node, "operation");
        named.as_ref().and_then(Data::as_str).unwrap_or("reboot").to_owned()
    }

    fn shutdown_refusal(&self, node: NodeId) -> Option<String> {
        let operation = self.operation(node);
        let allowed = self.ground.settings.shutdown.get(&operation).is_some_and(|command| !command.is_empty());
        (!allowed).then(|| crate::station::ShutdownError::NotSet(operation).to_string())
    }

    pub(super) fn shutdown_order(&self, node: NodeId) -> ShutdownOrder {
        let seconds = match self.argument(node, "wait_shutdown_secs") {
            Some(Data::Int(seconds)) => u64::try_from(seconds).ok().map(Duration::from_secs),
            Some(Data::Float(seconds)) => Duration::try_from_secs_f64(seconds).ok(),
            _ => None,
        };
        ShutdownOrder {
            workers: self.ground.workers.clone(),
            settings: Arc::clone(&self.ground.settings),
            operation: self.operation(node),
            wait: seconds.unwrap_or(WAIT_SHUTDOWN),
        }
    }
}

fn after_shutdown(error: Option<String>) -> Ended {
    let outcome = if error.is_some() { Outcome::Failed } else { Outcome::Passed };
    Ended { outcome, message: error.clone(), ..Ended::broken(error.unwrap_or_default()) }
}

/// Starts an attempt beside the dispatcher; its end arrives on `over`.
pub(super) fn spawn(
    prepared: Prepared,
    ground: &Ground,
    ending: watch::Receiver<Option<Ending>>,
    over: mpsc::UnboundedSender<Happening>,
    path: String,
    attempt: u32,
) {
    match prepared {
        Prepared::ShutDown(_) => {}
        Prepared::Over(ended, _) => {
            let _ = over.send(Happening::AttemptOver { path, attempt, ended });
        }
        Prepared::Run(job, _) => {
            let ground = ground.clone();
            tokio::spawn(async move {
                let ended = Box::new(job.run(ground, ending, &over).await);
                let _ = over.send(Happening::AttemptOver { path, attempt, ended });
            });
        }
    }
}

/// Orders the shutdown, and waits for what does not come back: the end of this program.
pub(super) fn shut_down(
    order: ShutdownOrder,
    mut ending: watch::Receiver<Option<Ending>>,
    over: mpsc::UnboundedSender<Happening>,
    path: String,
    attempt: u32,
) {
    tokio::spawn(async move {
        let ShutdownOrder { workers, settings, operation, wait } = order;
        let ended = match workers.shut_down(settings, operation).await {
            Ok(()) => tokio::select! {
                biased;
                () = sleep(wait) => {
                    let message = format!("the machine is still up {} s after its shutdown was ordered", wait.as_secs_f64());
                    Ended { outcome: Outcome::Failed, ..Ended::broken(message) }
                }
                Ok(()) = ending.changed() => Ended { outcome: Outcome::Aborted, ..Ended::broken("Aborted: the run was stopped".into()) },
            },
            Err(message) => Ended::broken(message),
        };
        let _ = over.send(Happening::AttemptOver { path, attempt, ended: Box::new(ended) });
    });
}

fn argv(exec: &Data) -> Result<Vec<String>, String> {
    let words = exec
        .as_list()
        .ok_or_else(|| format!("unable to resolve exec: found {}, expected an array", exec.type_name()))?;
    let text = |(position, word): (usize, &Data)| match word.as_str() {
        Some(word) if word.contains('\0') => Err(format!("unable to resolve exec: item {position} has a NUL in it")),
        Some(word) => Ok(word.to_owned()),
        None => Err(format!("unable to resolve exec: item {position} is {}, expected a string", word.type_name())),
    };
    let words = words.iter().enumerate().map(text).collect::<Result<Vec<_>, _>>()?;
    if words.is_empty() { Err("unable to resolve exec: it names no program".into()) } else { Ok(words) }
}

/// The name of a log: its place among the attempts of the run, the test, and which start it is.
fn log_name(place: u32, path: &str, number: u32) -> PathBuf {
    let safe = |character: char| if character.is_alphanumeric() || "-_.".contains(character) { character } else { '_' };
    let path: String = path.chars().map(safe).take(80).collect();
    format!("{place:05}-{path}.{number}.log").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_a_safe_name() {
        assert_eq!(log_name(7, "SMT.Rail 3V3/..", 2).to_string_lossy(), "00007-SMT.Rail_3V3_...2.log");
    }

    #[test]
    fn a_program_is_made_of_strings() {
        let read = |text| argv(&serde_json::from_str::<Data>(text).expect("JSON"));
        assert_eq!(read(r#"["a","b"]"#).expect("words"), ["a", "b"]);
        assert!(read(r#"["a",1]"#).expect_err("a number").contains("item 1 is an integer"));
        assert!(read("[]").expect_err("nothing").contains("no program"));
    }
}
