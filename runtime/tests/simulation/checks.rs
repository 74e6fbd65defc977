//! What must hold whenever the program has died or ended.
//!
//! - Whatever was shown to have ended is in the store, with the same outcome. Whatever was said to be done is.
//! - Every attempt that a worker was given is in the store once, before it started; no attempt has two ends. The numbers of events have no
//!   gaps.
//! - The tables of results say what the events say: a new scheduler that is given them has the same states and the same verdict.
//! - At the end every attempt has an end, nothing runs, the teardowns of every group that was entered ran and were not lost, and without a
//!   loss or the abort of a group the verdict is the one without a crash.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rusqlite::Connection;
use serde_json::Value;
use tlc_plan::Plan;
use tlc_runtime::control::Request;
use tlc_runtime::rehearsal::{Ending, Sight};
use tlc_runtime::schedule::{Action, Command, Event, Outcome, Schedule, State, Status, Verdict};
use tlc_runtime::store::{Fate, RunNumber};

use crate::common::SmallConditions;
use crate::common::teardowns::{is_below, is_teardown, settles, teardowns_ran};
use crate::script::Ledger;

/// What is known of a run from one life of the program to the next.
#[derive(Default)]
pub struct Stage {
    /// Attempts that were shown to have ended, and how.
    shown: BTreeMap<String, Outcome>,
}

/// An attempt in the store.
struct Row {
    run: i64,
    invocation: String,
    path: String,
    number: u32,
    outcome: Option<String>,
    message: Option<String>,
}

impl Row {
    /// Its end was not seen.
    fn is_lost(&self) -> bool {
        self.message.as_deref().is_some_and(|message| message.contains("went away while it ran"))
    }
}

/// What holds at any time.
pub fn check_record(stage: &mut Stage, ledger: &mut Ledger, sights: &[Sight]) -> Result<(), String> {
    ledger.hear();
    if let Some(finding) = ledger.findings.first() {
        return Err(finding.clone());
    }
    if ledger.running != 0 {
        return Err(format!("{} attempts outlive the program", ledger.running));
    }
    let store = ledger.store.connection();
    for sight in sights {
        // Workers say their invocation with every end; what never ran has another message.
        if let Sight::Ended { outcome, message: Some(invocation), .. } = sight
            && ledger.attempts.contains_key(invocation)
            && stage.shown.insert(invocation.clone(), *outcome).is_some()
        {
            return Err(format!("the end of {invocation} was shown twice"));
        }
    }
    let rows = attempts(store)?;
    for (invocation, outcome) in &stage.shown {
        let row = rows.iter().find(|row| row.invocation == *invocation);
        let recorded = row.and_then(|row| row.outcome.clone());
        if recorded != Some(outcome.to_string()) {
            return Err(format!("{invocation} was shown as {outcome}, and is recorded as {recorded:?}"));
        }
    }
    for (invocation, outcome) in &ledger.attempts {
        let row = rows.iter().find(|row| row.invocation == *invocation).ok_or("an attempt is not on record")?;
        match (&row.outcome, outcome) {
            (Some(recorded), Some(outcome)) if *recorded == outcome.to_string() || row.is_lost() => {}
            (Some(_), None) if row.is_lost() => {}
            (None, _) => {}
            (recorded, outcome) => return Err(format!("`{}` ended as {outcome:?}, not {recorded:?}", row.path)),
        }
    }
    sequence_is_whole(store)?;
    starts_are_single(store, &rows)?;
    for request in &ledger.done {
        is_recorded(store, request)?;
    }
    let runs = numbers(store, "SELECT run FROM runs WHERE state = 'running'")?;
    for run in runs {
        replay(ledger, run)?;
    }
    Ok(())
}

/// What holds at the end; the status, if nothing was lost on the way.
pub fn check_end(ledger: &Ledger, ending: Option<&Ending>, without: Option<Status>) -> Result<Option<Status>, String> {
    let store = ledger.store.connection();
    let open = numbers(store, "SELECT run FROM runs WHERE state = 'running'")?;
    if !open.is_empty() {
        return Err(format!("the runs {open:?} are open"));
    }
    let rows = attempts(store)?;
    let last = numbers(store, "SELECT max(run) FROM runs")?[0];
    if let Some(row) = rows.iter().find(|row| row.outcome.is_none()) {
        return Err(format!("`{}` has no end", row.path));
    }
    for run in numbers(
        store,
        "SELECT run FROM runs WHERE state <> 'abandoned' AND run NOT IN (SELECT run FROM events WHERE kind = 'kill')",
    )? {
        let replayed = replay(ledger, run)?;
        // What was there before an edit has no group any more.
        if !replayed.edited {
            let of_run: Vec<_> = rows.iter().filter(|row| row.run == run).collect();
            teardowns(&replayed.plan, &replayed.actions, &of_run).map_err(|missed| format!("run {run}: {missed}"))?;
        }
    }
    let finished = replay(ledger, last)?.finished;
    let recorded: Option<String> = store
        .query_row("SELECT verdict FROM runs WHERE run = ?1", [last], |row| row.get(0))
        .map_err(|error| error.to_string())?;
    let status = recorded.as_deref().and_then(Status::from_name).ok_or("there is no verdict")?;
    if let Some(verdict) = &finished
        && verdict.status != status
    {
        return Err(format!("the verdict is {status}, and the events say {verdict:?}"));
    }
    if let Some(ending) = ending
        && (ending.verdict.status != status || finished.is_some_and(|finished| finished.root != ending.verdict.root))
    {
        return Err(format!("the verdict is {:?}, and recorded as {status}", ending.verdict));
    }
    // What is left of a group that someone aborted runs when an interrupted run goes on.
    let aborted = "SELECT 1 FROM events JOIN tests USING (run, path) WHERE kind = 'stop' AND NOT leaf";
    let is_aborted = !numbers(store, aborted)?.is_empty();
    let is_whole = !is_aborted && !rows.iter().any(Row::is_lost);
    match without {
        Some(without) if is_whole && without != status => {
            Err(format!("the verdict is {status}, and without a crash {without}"))
        }
        _ => Ok(Some(status).filter(|_| is_whole)),
    }
}

fn attempts(store: &Connection) -> Result<Vec<Row>, String> {
    let read = || {
        store
            .prepare_cached("SELECT run, invocation, path, number, outcome, message FROM attempts ORDER BY invocation")?
            .query_map([], |row| {
                Ok(Row {
                    run: row.get(0)?,
                    invocation: row.get(1)?,
                    path: row.get(2)?,
                    number: row.get(3)?,
                    outcome: row.get(4)?,
                    message: row.get(5)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error| error.to_string())
}

fn numbers(store: &Connection, sql: &str) -> Result<Vec<i64>, String> {
    let read = || store.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<_>>>();
    read().map_err(|error| error.to_string())
}

fn sequence_is_whole(store: &Connection) -> Result<(), String> {
    let found = numbers(store, "SELECT max(seq) - count(*) FROM events HAVING count(*) > 0")?;
    if found.iter().all(|&missing| missing == 0) { Ok(()) } else { Err("the numbers of events have gaps".into()) }
}

/// Each attempt has one start among the events, and each start of a test one end at most; of several attempts at a start all but the last
/// were lost.
fn starts_are_single(store: &Connection, rows: &[Row]) -> Result<(), String> {
    let sql = "SELECT 1 FROM events WHERE kind = 'attempt_started' GROUP BY invocation HAVING count(*) > 1
        UNION ALL SELECT 2 FROM events WHERE kind = 'attempt_ended'
            GROUP BY run, path, json_extract(body, '$.attempt') HAVING count(*) > 1
        UNION ALL SELECT 3 FROM attempts WHERE NOT EXISTS (SELECT 1 FROM events WHERE kind = 'attempt_started'
            AND events.run = attempts.run AND events.invocation = attempts.invocation)";
    if let Some(which) = numbers(store, sql)?.first() {
        return Err(format!("an attempt has {}", ["two starts", "two ends", "no start"][*which as usize - 1]));
    }
    let mut last: BTreeMap<(i64, &str, u32), &Row> = BTreeMap::new();
    for row in rows {
        if let Some(before) = last.insert((row.run, &row.path, row.number), row)
            && !before.is_lost()
        {
            return Err(format!("start {} of `{}` was repeated", row.number, row.path));
        }
    }
    Ok(())
}

/// What was said to be done is among the events.
fn is_recorded(store: &Connection, request: &Request) -> Result<(), String> {
    let (kind, path) = match request {
        Request::Stop {} => ("stop", None),
        Request::Abort { path } => ("stop", Some(path)),
        Request::Restart { path } => ("restart", Some(path)),
        Request::Clear { path } => ("clear", Some(path)),
        Request::SetIterations { path, .. } => ("set_iterations", Some(path)),
        Request::Status {} | Request::Wait {} => return Ok(()),
    };
    let sql = "SELECT count(*) FROM events WHERE kind = ?1 AND source = 'schedule' AND (path IS ?2 OR ?2 = '')";
    let found: Result<i64, _> =
        store.prepare_cached(sql).and_then(|mut it| it.query_row((kind, path), |row| row.get(0)));
    match found {
        Ok(1..) => Ok(()),
        Ok(_) => Err(format!("{request:?} was said to be done and is not on record")),
        Err(error) => Err(error.to_string()),
    }
}

/// A plan, as the store has it. The last ones are kept, for they are read again and again.
fn plan(store: &Connection, hash: &str) -> Result<Rc<Plan>, String> {
    thread_local!(static KNOWN: RefCell<HashMap<String, Rc<Plan>>> = RefCell::default());
    if let Some(plan) = KNOWN.with_borrow(|known| known.get(hash).cloned()) {
        return Ok(plan);
    }
    let sql = "SELECT bytes FROM plans WHERE hash = ?1";
    let bytes: Vec<u8> = store.query_row(sql, [hash], |row| row.get(0)).map_err(|error| error.to_string())?;
    let plan = Plan::from_json(&String::from_utf8_lossy(&bytes)).map(Rc::new).map_err(|error| error.to_string())?;
    KNOWN.with_borrow_mut(|known| {
        if known.len() > 16 {
            known.clear();
        }
        known.insert(hash.to_owned(), Rc::clone(&plan));
    });
    Ok(plan)
}

/// What the events of a run say.
struct Replayed {
    /// The list at the end.
    plan: Rc<Plan>,
    edited: bool,
    actions: Vec<Action>,
    finished: Option<Verdict>,
}

/// Gives the events of a run to a new scheduler, and compares its states with the table.
fn replay(ledger: &Ledger, run: i64) -> Result<Replayed, String> {
    let fault = |error: tlc_runtime::store::StoreError| error.to_string();
    let store = ledger.store.open(Fate::default()).map_err(fault)?;
    let row = store.run(RunNumber(run)).map_err(fault)?.ok_or("no such run")?;
    let settings: Value = serde_json::from_str(&row.settings).map_err(|error| error.to_string())?;
    let states: Option<BTreeMap<String, State>> =
        serde_json::from_value(settings["states"].clone()).map_err(|error| error.to_string())?;
    let schedule = serde_json::from_value(settings["schedule"].clone()).map_err(|error| error.to_string())?;
    let mut list = plan(ledger.store.connection(), &row.plan_hash)?;
    let mut edited = false;
    let mut schedule = Schedule::with_states(&list, schedule, states.into_iter().flatten());
    let mut actions = Vec::new();
    let mut restart = None;
    for event in store.scheduled_events(RunNumber(run)).map_err(fault)? {
        if event.kind != "resumed" {
            let mut body: Value = serde_json::from_str(&event.body).map_err(|error| error.to_string())?;
            let replaced = body.as_object_mut().and_then(|body| body.shift_remove("plan"));
            if let Some(hash) = replaced.as_ref().and_then(Value::as_str) {
                list = plan(ledger.store.connection(), hash)?;
                edited = true;
            }
            let event: Event = serde_json::from_value(body).map_err(|error| error.to_string())?;
            if let Event::Command(command) = &event {
                restart = match command {
                    Command::Restart { path } => Some(path.clone().unwrap_or_default()),
                    // The last is how a run ends that nobody wants to go on with.
                    Command::Stop { path: None, .. } | Command::Kill | Command::CancelPending => None,
                    _ => restart,
                };
            }
            let done = schedule.on(&list, &SmallConditions, event);
            if done.iter().any(|action| matches!(action, Action::RunStarted { filter: None, .. })) {
                restart = None;
            }
            actions.extend(done);
        }
    }
    for test in store.tests(RunNumber(run)).map_err(fault)? {
        let Some(known) = schedule.states().get(&test.path) else { continue };
        let recorded = match test.state.as_str() {
            "" => State::new(list.node(list.find(&test.path).ok_or("no such node")?)),
            text => serde_json::from_str(text).map_err(|error| error.to_string())?,
        };
        if recorded != *known || test.status != known.status.name() || test.count != known.count {
            return Err(format!(
                "run {run}: `{}` is recorded as {recorded:?}, and the events say {known:?}",
                test.path
            ));
        }
    }
    // What an edit took away does not start.
    let known = |path: &String| path.is_empty() || list.find(path).is_some();
    if let Some(path) = restart.filter(|path| row.state == "finished" && known(path)) {
        return Err(format!("the restart of `{path}` was lost"));
    }
    let finished = actions.iter().rev().find_map(|action| match action {
        Action::RunFinished { verdict } => Some(schedule.verdict_on(&row.root, verdict.clone())),
        _ => None,
    });
    Ok(Replayed { plan: list, edited, actions, finished })
}

/// The teardowns ran, each after the last test of its group, and to their ends.
fn teardowns(plan: &Plan, actions: &[Action], rows: &[&Row]) -> Result<(), String> {
    let by_hand = |action: &Action| match action {
        Action::End { path, .. } => is_teardown(plan, path),
        _ => false,
    };
    if actions.iter().any(by_hand) {
        return Ok(());
    }
    teardowns_ran(plan, actions)?;
    let is_lost = |path: &str, number: u32| {
        rows.iter().rfind(|row| row.path == path && row.number == number).is_some_and(|row| row.is_lost())
    };
    // One that takes the station with it is given up.
    let given_up = |name: &str| rows.iter().filter(|row| is_below(&row.path, name) && row.is_lost()).count() > 3;
    for group in plan.preorder().filter(|&node| !plan.is_leaf(node) && !plan.node(node).parallel) {
        let path = &plan.node(group).path;
        let last = actions.iter().rposition(|action| match action {
            Action::Start { path: leaf, .. } => is_below(leaf, path) && !is_teardown(plan, leaf),
            _ => false,
        });
        let entered = |last: &usize| {
            let root = actions[..*last].iter().rev().find_map(|action| match action {
                Action::RunStarted { root, .. } => Some(root),
                _ => None,
            });
            !is_teardown(plan, path) && root.is_some_and(|root| is_below(path, root))
        };
        let Some(last) = last.filter(entered) else { continue };
        for &teardown in plan.children(group).iter().filter(|&&child| plan.node(child).teardown) {
            let name = &plan.node(teardown).path;
            let ran = actions[last..].iter().any(|action| match action {
                Action::Start { path, attempt, .. } => settles(action, name) && !is_lost(path, *attempt),
                _ => settles(action, name),
            });
            if !ran && !given_up(name) {
                return Err(format!("the teardown `{name}` was lost, and did not run again"));
            }
        }
    }
    Ok(())
}
