//! The services of a station: helper processes that are there while tests run.
//!
//! Each runs in a process group of its own, with its output in a bounded file. They start in their order, each when the one before is
//! ready, and end in the opposite order. Tests can switch them: which of them are to run follows from what all running tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::directories::Places;
use super::need::{Need, is_wanted};
use super::process::{Running, check_readiness, forget_readiness, is_ready, missing, prepare, spawn};
use super::{Service, Settings};
use crate::worker::{GRACE, Reaper, Secrets, finish_output, has_ended, last_lines, terminate_group};

/// How often a service is asked whether it is ready.
const POLL: Duration = Duration::from_millis(10);

/// How many lines of a service's output are shown when it does not start.
const SHOWN_LINES: usize = 10;

/// What services stand on.
#[derive(Clone, Debug)]
pub(crate) struct ServiceGround {
    pub settings: Arc<Settings>,
    pub places: Places,
    pub variables: Vec<(String, String)>,
    /// The id of the run.
    pub run: String,
    pub reaper: Arc<Reaper>,
    /// What their logs must not have.
    pub secrets: Arc<Secrets>,
}

/// The services of a run.
#[derive(Debug)]
pub(crate) struct Services {
    ground: ServiceGround,
    running: Vec<Running>,
    /// How often each was started.
    starts: BTreeMap<String, u32>,
    /// Those that ended by themselves; they are not started again.
    lost: BTreeSet<String>,
    /// What running tests need, each under a key of its own.
    needs: BTreeMap<u64, Need>,
    next: u64,
}

/// A need that is met, until it is given back.
#[derive(Debug)]
pub(crate) struct Met(u64);

/// Why a service is not there.
#[derive(Debug)]
pub struct ServiceError {
    /// The service.
    pub name: String,
    /// What happened.
    pub what: String,
    /// The end of its output.
    pub output: Vec<String>,
}

impl Services {
    /// No service runs yet.
    pub fn new(ground: ServiceGround) -> Self {
        Self {
            ground,
            running: Vec::new(),
            starts: BTreeMap::new(),
            lost: BTreeSet::new(),
            needs: BTreeMap::new(),
            next: 0,
        }
    }

    /// Whether the settings of all services make sense, also of those that nobody has enabled yet.
    pub fn check(&self) -> Result<(), ServiceError> {
        let ServiceGround { settings, places, variables, .. } = &self.ground;
        for (name, service) in &settings.services {
            let fail = |why: String| ServiceError::not_started(name, &why);
            prepare(service, settings, places, variables).map_err(fail)?;
            check_readiness(service.ready.as_ref(), places).map_err(fail)?;
        }
        Ok(())
    }

    /// Starts what is to run and does not, and ends what is not to run. What was started before an error still runs.
    pub async fn settle(&mut self) -> Result<(), ServiceError> {
        let settings = Arc::clone(&self.ground.settings);
        let wanted =
            |needs: &BTreeMap<u64, Need>, name: &str, service: &Service| is_wanted(name, service, needs.values());
        for (name, service) in settings.services.iter().rev() {
            if !wanted(&self.needs, name, service) {
                self.stop_one(name).await;
            }
        }
        for (name, service) in &settings.services {
            let is_there = self.lost.contains(name) || self.running.iter().any(|running| running.name == *name);
            if !is_there && wanted(&self.needs, name, service) {
                self.start(name, service).await?;
            }
        }
        Ok(())
    }

    /// Switches services as a test needs it; if that fails, nothing of it stays.
    pub async fn meet(&mut self, need: Need) -> Result<Met, ServiceError> {
        let key = self.next;
        self.next += 1;
        self.needs.insert(key, need);
        match self.settle().await {
            Ok(()) => Ok(Met(key)),
            Err(error) => {
                self.needs.remove(&key);
                // The first error says more than what follows from it.
                let _ = self.settle().await;
                Err(error)
            }
        }
    }

    /// Switches them back.
    pub async fn give_back(&mut self, met: Met) -> Result<(), ServiceError> {
        self.needs.remove(&met.0);
        self.settle().await
    }

    async fn start(&mut self, name: &str, service: &Service) -> Result<(), ServiceError> {
        let ServiceGround { settings, places, variables, run, reaper, secrets } = &self.ground;
        let fail = |why: String| ServiceError::not_started(name, &why);
        let command = prepare(service, settings, places, variables).map_err(fail)?;
        let starts = self.starts.entry(name.into()).or_default();
        *starts += 1;
        if *starts > 1 {
            forget_readiness(service.ready.as_ref(), places);
        }
        let log = places.logs.join(log_name(name, *starts));
        let invocation = format!("service:{run}:{name}");
        let running = spawn(name, command, &invocation, run, log, secrets.stream(), reaper)
            .map_err(|error| fail(format!("`{}`: {error}", service.command[0])))?;
        self.running.push(running);
        self.wait_until_ready(service).await
    }

    async fn wait_until_ready(&mut self, service: &Service) -> Result<(), ServiceError> {
        let Some(ready) = &service.ready else { return Ok(()) };
        let deadline = Instant::now() + service.ready_timeout_secs.duration();
        let Some(running) = self.running.last_mut() else { return Ok(()) };
        loop {
            if is_ready(ready, &self.ground.places, &running.log) {
                return Ok(());
            }
            let ended = has_ended(running.leader);
            if !ended && Instant::now() < deadline {
                sleep(POLL).await;
                continue;
            }
            let name = running.name.clone();
            let log = running.log.clone();
            let what = match (self.stop_last().await, ended) {
                (Some(status), true) => format!("ended before it was ready: {status}"),
                (None, true) => "ended before it was ready".into(),
                (_, false) => format!("was not ready after {} s: {}", service.ready_timeout_secs.0, missing(ready)),
            };
            return Err(ServiceError { name, what, output: last_lines(&log, SHOWN_LINES) });
        }
    }

    /// A service that has ended by itself, once, and how.
    pub async fn lost(&mut self) -> Option<(String, Option<ExitStatus>)> {
        let position = self.running.iter().position(|running| has_ended(running.leader))?;
        let running = self.running.remove(position);
        let name = running.name.clone();
        self.lost.insert(name.clone());
        Some((name, self.end(running).await))
    }

    /// Ends all services, the last one first.
    pub async fn stop(&mut self) {
        while !self.running.is_empty() {
            self.stop_last().await;
        }
    }

    async fn stop_one(&mut self, name: &str) {
        self.lost.remove(name);
        if let Some(position) = self.running.iter().position(|running| running.name == name) {
            let running = self.running.remove(position);
            self.stop_running(running).await;
        }
    }

    async fn stop_last(&mut self) -> Option<ExitStatus> {
        let running = self.running.pop()?;
        self.stop_running(running).await
    }

    async fn stop_running(&self, running: Running) -> Option<ExitStatus> {
        terminate_group(running.leader);
        let deadline = Instant::now() + GRACE;
        while !has_ended(running.leader) && Instant::now() < deadline {
            sleep(POLL).await;
        }
        self.end(running).await
    }

    async fn end(&self, mut running: Running) -> Option<ExitStatus> {
        let reaper = &self.ground.reaper;
        reaper.end(running.leader, &running.invocation).await;
        let status = running.child.wait();
        reaper.forget(running.leader);
        finish_output(running.output, GRACE).await;
        status.ok()
    }
}

fn log_name(name: &str, start: u32) -> PathBuf {
    if start == 1 { format!("service-{name}.log") } else { format!("service-{name}.{start}.log") }.into()
}

impl ServiceError {
    fn not_started(name: &str, why: &str) -> Self {
        Self { name: name.into(), what: format!("cannot be started: {why}"), output: Vec::new() }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service `{}` {}", self.name, self.what)?;
        for line in &self.output {
            write!(f, "\n  {}> {line}", self.name)?;
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {}
