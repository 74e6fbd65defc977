//! The workers of a simulation, and what people do while they work.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tlc_runtime::control::{Answer, Request};
use tlc_runtime::rehearsal::{Caller, Played, Script};
use tlc_runtime::schedule::Outcome;
use tlc_runtime::station::{Settings, ShutdownError};
use tlc_runtime::worker::{Attempt, Ended, Ending};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::sleep;

use crate::cases::{Extra, Play};
use crate::model::{Incident, Model};
use tlc_runtime::store::Memory;

/// What workers and people have done, and what went wrong.
pub struct Ledger {
    pub store: Memory,
    /// How often each test was started.
    starts: BTreeMap<String, usize>,
    /// Every attempt that was started, and how it ended if it did.
    pub attempts: BTreeMap<String, Option<Outcome>>,
    /// How many run.
    pub running: usize,
    /// Requests of this life of the program that may have been answered.
    asked: Vec<(Request, oneshot::Receiver<Answer>)>,
    /// Requests that were said to be done.
    pub done: Vec<Request>,
    /// The list was edited.
    pub edited: bool,
    /// Runs whose leftovers were ended.
    pub ended_left_behind: BTreeSet<String>,
    pub findings: Vec<String>,
}

impl Ledger {
    pub fn new(store: Memory) -> Self {
        Self {
            store,
            starts: BTreeMap::new(),
            attempts: BTreeMap::new(),
            running: 0,
            asked: Vec::new(),
            done: Vec::new(),
            edited: false,
            ended_left_behind: BTreeSet::new(),
            findings: Vec::new(),
        }
    }

    /// Takes note of what was answered; whoever has not been answered never will be.
    pub fn hear(&mut self) {
        for (request, mut answer) in std::mem::take(&mut self.asked) {
            if matches!(answer.try_recv(), Ok(Answer::Done {})) {
                self.done.push(request);
            }
        }
    }

    /// Whether there is a run that can go on.
    pub fn is_interrupted(&self) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE state = 'running')";
        self.store.connection().query_row(sql, [], |row| row.get(0)).unwrap_or(false)
    }

    /// Whether the last run came to its end.
    pub fn has_ended(&self) -> bool {
        let sql = "SELECT state IN ('finished', 'stopped') FROM runs ORDER BY run DESC LIMIT 1";
        !self.is_interrupted() && self.store.connection().query_row(sql, [], |row| row.get(0)).unwrap_or(false)
    }

    /// How many runs there are.
    pub fn runs(&self) -> i64 {
        self.store.connection().query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap_or(0)
    }

    /// The events of the last run, for people.
    pub fn log(&self) -> String {
        let read = || {
            self.store
                .connection()
                .prepare("SELECT kind, path, body FROM events WHERE run = (SELECT max(run) FROM runs) ORDER BY seq")?
                .query_map([], |row| {
                    let (kind, path): (String, Option<String>) = (row.get(0)?, row.get(1)?);
                    let body: serde_json::Value = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
                    let more = [&body["outcome"], &body["message"], &body["number"], &body["filter"]];
                    let more: Vec<_> = more.iter().filter(|it| !it.is_null()).map(ToString::to_string).collect();
                    Ok(format!("\n  {kind} {} {}", path.unwrap_or_default(), more.join(" ")))
                })?
                .collect::<rusqlite::Result<String>>()
        };
        read().unwrap_or_else(|error| error.to_string())
    }

    fn begin(&mut self, attempt: &Attempt) -> usize {
        let identity = &attempt.identity;
        if !self.is_on_record(&identity.invocation) {
            self.findings.push(format!("`{}` started before its start was on record", identity.path));
        }
        if self.attempts.insert(identity.invocation.clone(), None).is_some() {
            self.findings.push(format!("`{}` was started twice as {}", identity.path, identity.invocation));
        }
        self.running += 1;
        let starts = self.starts.entry(identity.path.clone()).or_default();
        *starts += 1;
        *starts
    }

    fn is_on_record(&self, invocation: &str) -> bool {
        let sql = "SELECT count(*) FROM attempts JOIN runs USING (run) WHERE invocation = ?1 AND outcome IS NULL AND runs.state = 'running'";
        let found = self
            .store
            .connection()
            .prepare_cached(sql)
            .and_then(|mut it| it.query_row([invocation], |row| row.get::<_, i64>(0)));
        found.is_ok_and(|number| number == 1)
    }
}

/// Plays all tests in one life of the program.
pub struct Actor {
    pub play: Arc<Play>,
    pub model: Arc<Model>,
    pub caller: Caller,
    pub ledger: Arc<Mutex<Ledger>>,
    /// The power goes.
    pub power: Arc<Notify>,
}

pub fn open(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that depends on everything that is named.
pub fn chance(of: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Actor")
    }
}

/// An attempt that runs; it ends also if it is dropped.
struct Running(Arc<Mutex<Ledger>>);

impl Drop for Running {
    fn drop(&mut self) {
        open(&self.0).running -= 1;
    }
}

impl Script for Actor {
    fn play(&self, attempt: Attempt, mut ending: watch::Receiver<Option<Ending>>) -> Played {
        let path = attempt.identity.path.clone();
        let invocation = attempt.identity.invocation.clone();
        let start = open(&self.ledger).begin(&attempt);
        let running = Running(Arc::clone(&self.ledger));
        let node = self.model.nodes.iter().position(|node| node.path == path).unwrap_or_default();
        let outcome = self.play.outcome(&self.model.nodes[node].spec, start);
        let dice = chance((self.play.chance, &path, start));
        let whole = Duration::from_millis(dice % 4 * 700);
        self.interfere(node, start, whole / 2);
        let ledger = Arc::clone(&self.ledger);
        Box::pin(async move {
            let _running = running;
            let outcome = tokio::select! {
                biased;
                () = sleep(whole) => outcome,
                reason = told(&mut ending) => match reason {
                    Ending::Stop(_) if (dice >> 8).is_multiple_of(8) => outcome,
                    Ending::Stop(_) => {
                        let grace = sleep(Duration::from_millis((dice >> 16) % 3 * 500));
                        tokio::select! { () = grace => {}, () = killed(&mut ending) => {} }
                        Outcome::Aborted
                    }
                    Ending::Kill(_) => Outcome::Aborted,
                },
            };
            open(&ledger).attempts.insert(invocation.clone(), Some(outcome));
            Ended { outcome, message: Some(invocation), duration: whole, ..Ended::broken(String::new()) }
        })
    }

    fn shut_down(&self, _: &Settings, _: &str) -> Result<(), ShutdownError> {
        let power = Arc::clone(&self.power);
        tokio::spawn(async move {
            sleep(Duration::from_millis(100)).await;
            power.notify_one();
        });
        Ok(())
    }

    fn end_left_behind(&self, runs: &[String]) {
        open(&self.ledger).ended_left_behind.extend(runs.iter().cloned());
    }
}

async fn told(ending: &mut watch::Receiver<Option<Ending>>) -> Ending {
    loop {
        if let Some(ending) = ending.borrow_and_update().clone() {
            return ending;
        }
        if ending.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn killed(ending: &mut watch::Receiver<Option<Ending>>) {
    while !matches!(told(ending).await, Ending::Kill(_)) {
        if ending.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Actor {
    /// What people and the power do during a start.
    fn interfere(&self, node: usize, start: usize, after: Duration) {
        let path = |node: usize| self.model.nodes[node % self.model.nodes.len()].path.clone();
        let ask = |request| self.later(after, move |actor| actor.ask(request));
        for incident in self.play.incidents(node, start) {
            match incident {
                Incident::StopAll => ask(Request::Stop {}),
                Incident::Kill => {
                    self.later(after, |actor| actor.caller.signal());
                    self.later(after + Duration::from_millis(10), |actor| actor.caller.signal());
                }
                Incident::Crash => self.later(after, |actor| actor.power.notify_one()),
                Incident::Abort { levels, .. } => {
                    let parent = |at: &usize| self.model.nodes[*at].parent;
                    let above = std::iter::successors(Some(node), parent).take(levels + 1).last().unwrap_or(node);
                    ask(Request::Abort { path: path(above) });
                }
            }
        }
        for extra in self.play.extras(node, start, self.model.nodes.len()) {
            match extra {
                Extra::Restart(node) => ask(Request::Restart { path: path(node) }),
                Extra::Clear(node) => ask(Request::Clear { path: path(node) }),
                Extra::SetIterations(node, iterations, retries) => {
                    ask(Request::SetIterations { path: path(node), iterations, retries: Some(retries) });
                }
                Extra::Status => ask(Request::Status {}),
                Extra::Wait => ask(Request::Wait {}),
                Extra::Edit => self.later(after, |actor| open(&actor.ledger).edited = true),
                Extra::Interrupt => self.later(after, |actor| actor.caller.signal()),
            }
        }
    }

    fn later(&self, after: Duration, what: impl FnOnce(&Actor) + Send + 'static) {
        let actor = Actor {
            play: Arc::clone(&self.play),
            model: Arc::clone(&self.model),
            caller: self.caller.clone(),
            ledger: Arc::clone(&self.ledger),
            power: Arc::clone(&self.power),
        };
        tokio::spawn(async move {
            sleep(after).await;
            what(&actor);
        });
    }

    fn ask(&self, request: Request) {
        let answer = self.caller.ask(request.clone());
        open(&self.ledger).asked.push((request, answer));
    }
}
