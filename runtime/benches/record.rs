//! What it costs to record: a durable record beside a bare append and `fdatasync` on the same disk, and events through the scheduler and
//! the store.
//!
//! `cargo bench -p tlc-runtime --bench record` measures and prints; `TMPDIR` says on which disk.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tlc_plan::Plan;
use tlc_runtime::schedule::{Action, Command, Event, Outcome, Schedule, Settings};
use tlc_runtime::store::{Change, Entry, NewRun, RunKey, Source, Store};

#[path = "../tests/common/mod.rs"]
mod common;

/// How many records are made of each kind, by turns.
const ROUNDS: usize = 2_000;

/// How large a bare record is, in bytes.
const RECORD: usize = 200;

/// How many tests the scheduler runs through.
const TESTS: usize = 2_000;

fn main() {
    // `cargo test` runs benches once to see that they work.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, tests) = if quick { (3, 40) } else { (ROUNDS, TESTS) };
    records(rounds);
    events(tests, 1);
    events(tests, 64);
}

/// A durable record beside a bare one, by turns.
fn records(rounds: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = Store::open(&directory.path().join("station.sqlite")).expect("a store");
    let key = begin(&mut store, "bare", &[]);
    let mut file = File::create(directory.path().join("bare")).expect("a file");
    let (mut bare, mut recorded) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(time(|| {
            file.write_all(&[b'x'; RECORD]).expect("room");
            file.sync_data().expect("a disk");
        }));
        let entry = [entry(&json!({ "text": "x".repeat(RECORD) }))];
        recorded.push(time(|| store.commit(&key, &entry, &[]).expect("a transaction")));
    }
    let (bare, recorded) = (median(bare), median(recorded));
    println!("append and fdatasync      {bare:>10.1?} a record");
    println!("an event in the store     {recorded:>10.1?} a record, {:.2} x", recorded.div_duration_f64(bare));
}

/// A list of tests that all pass: each end goes through the scheduler, and what follows is committed, so many ends at a time.
fn events(tests: usize, together: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = Store::open(&directory.path().join("station.sqlite")).expect("a store");
    let groups: Vec<Value> = (0..tests.div_ceil(together)).map(|group| parallel(group, together)).collect();
    let plan = common::plan(&json!(groups), &Value::Null);
    let key = begin(&mut store, "events", &rows(&plan));
    let mut schedule = Schedule::new(&plan, Settings::default());
    let begun = Instant::now();
    let (mut events, mut commits) = (0, 0);
    let mut waiting =
        vec![Event::Started { device: tlc_plan::Data::default() }, Event::Command(Command::Restart { path: None })];
    while !waiting.is_empty() {
        let (mut entries, mut changes, mut next) = (Vec::new(), Vec::new(), Vec::new());
        for event in waiting.drain(..) {
            entries.push(entry(&serde_json::to_value(&event).expect("JSON")));
            events += 1;
            for action in schedule.on(&plan, &common::SmallConditions, event) {
                follow(action, &mut changes, &mut next);
            }
        }
        store.commit(&key, &entries, &changes).expect("a transaction");
        commits += 1;
        waiting = next;
    }
    let second = Duration::from_secs(1).div_duration_f64(begun.elapsed() / events);
    println!(
        "scheduler and store       {second:>10.0} events a second, {together} tests at a time, {commits} commits for {events} events"
    );
}

fn parallel(group: usize, members: usize) -> Value {
    let tests: Vec<Value> =
        (0..members).map(|number| json!({"id": format!("T{number}"), "pytest_name": "t"})).collect();
    json!({"id": format!("G{group}"), "parallel": true, "subtests": tests})
}

fn follow(action: Action, changes: &mut Vec<Change>, next: &mut Vec<Event>) {
    match action {
        Action::Start { path, attempt, .. } => {
            next.push(Event::AttemptEnded {
                path,
                attempt,
                outcome: Outcome::Passed,
                message: None,
                changes: Vec::new(),
            });
        }
        Action::StateChanged { path, state } => changes.push(Change::State {
            path,
            status: state.status.name(),
            outcome: None,
            message: None,
            count: state.count,
            state: serde_json::to_string(&state).expect("JSON"),
        }),
        _ => {}
    }
}

fn rows(plan: &Plan) -> Vec<Change> {
    let row = |(position, id)| {
        let node = plan.node(id);
        Change::Test {
            path: node.path.clone(),
            position,
            label: node.id.to_string(),
            leaf: node.test.is_some(),
            teardown: false,
        }
    };
    (0..).zip(plan.preorder()).map(row).collect()
}

fn begin(store: &mut Store, id: &str, rows: &[Change]) -> RunKey {
    let run = NewRun {
        id: id.into(),
        plan_hash: "0".repeat(64),
        plan: "{}".into(),
        list: "main".into(),
        station: "bench".into(),
        slot: 0,
        unit: String::new(),
        operator: String::new(),
        phase: "PVT".into(),
        root: String::new(),
        continues: None,
        settings: "{}".into(),
    };
    let number = store.begin(&run, rows).expect("a run");
    RunKey { number, slot: 0, unit: String::new() }
}

fn entry(body: &Value) -> Entry {
    Entry {
        source: Source::Schedule,
        kind: "bench".into(),
        path: None,
        invocation: None,
        at: Timestamp::now(),
        monotonic: Duration::ZERO,
        body: body.to_string(),
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
