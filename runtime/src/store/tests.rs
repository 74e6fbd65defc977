//! A store keeps what it is told, and refuses what is not one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::*;

fn new_run() -> NewRun {
    NewRun {
        id: "0199aaaa-0000-7000-8000-000000000001".into(),
        plan_hash: "ab".repeat(32),
        plan: "{}".into(),
        list: "main".into(),
        station: "here".into(),
        slot: 0,
        unit: String::new(),
        operator: String::new(),
        phase: "PVT".into(),
        root: String::new(),
        continues: None,
        settings: "{}".into(),
    }
}

fn key(number: RunNumber) -> RunKey {
    RunKey { number, slot: 0, unit: String::new() }
}

fn entry(kind: &str, source: Source) -> Entry {
    Entry {
        source,
        kind: kind.into(),
        path: Some("a".into()),
        invocation: None,
        at: Timestamp::now(),
        monotonic: Duration::from_millis(5),
        body: "{}".into(),
    }
}

fn filled(path: &Path) -> RunNumber {
    let mut store = Store::open(path).expect("a store");
    let number = store.begin(&new_run(), &[]).expect("a run");
    let start = AttemptStart {
        invocation: "i1".into(),
        path: "a".into(),
        number: 1,
        program: "[]".into(),
        arguments: "{}".into(),
        source_sha256: None,
        operator: String::new(),
        log: "a.log".into(),
    };
    let test = Change::Test { path: "a".into(), position: 0, label: "A".into(), leaf: true, teardown: false };
    let entries = [entry("started", Source::Schedule), entry("attempt_started", Source::Station)];
    store.commit(&key(number), &entries, &[test, Change::AttemptStarted(start)]).expect("a transaction");
    number
}

#[test]
fn an_interrupted_run_is_found_with_its_events() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("deep/station.sqlite");
    let number = filled(&path);
    let mut store = Store::open(&path).expect("the store again");
    let run = store.interrupted(&new_run().plan_hash, 0).expect("a query").expect("a run");
    assert_eq!((run.run, run.state.as_str()), (number.0, "running"));
    let events = store.scheduled_events(number).expect("events");
    assert_eq!(events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["started"]);
    let ended =
        Change::RunEnded { state: "finished", verdict: "PASSED", attempts: 1, duration: Duration::from_secs(1) };
    store.commit(&key(number), &[], &[ended]).expect("a transaction");
    assert!(store.interrupted(&new_run().plan_hash, 0).expect("a query").is_none());
    let reader = Reader::open(&path).expect("a reader beside the writer");
    assert_eq!(reader.runs(10).expect("runs")[0].verdict.as_deref(), Some("PASSED"));
    assert_eq!(reader.find("0199aaaa").expect("a query").expect("a run").run, number.0);
    assert_eq!(reader.history("a", 5).expect("attempts").len(), 1);
}

#[test]
fn events_are_append_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("station.sqlite");
    filled(&path);
    let connection = Connection::open(&path).expect("a connection");
    for sql in ["DELETE FROM events", "UPDATE events SET kind = 'x'"] {
        assert!(connection.execute(sql, []).expect_err("refused").to_string().contains("append-only"));
    }
}

#[test]
fn one_program_writes_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("station.sqlite");
    let first = Store::open(&path).expect("a store");
    let second = Store::open(&path).expect_err("it is locked");
    assert!(matches!(second, StoreError::Locked(_, Some(process)) if process == std::process::id()), "{second}");
    drop(first);
    Store::open(&path).expect("free again");
}

#[test]
fn a_damaged_store_is_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("station.sqlite");
    fs::write(&path, "these are notes, not a store").expect("written");
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged(..))));
    assert_eq!(fs::read_to_string(&path).expect("text"), "these are notes, not a store");

    let path = directory.path().join("hole.sqlite");
    filled(&path);
    let mut bytes = fs::read(&path).expect("the store");
    let from = bytes.len().min(4096);
    bytes[from..].fill(0x5a);
    fs::write(&path, &bytes).expect("written");
    let error = Store::open(&path).expect_err("a hole");
    assert!(matches!(error, StoreError::Damaged(..)), "{error}");
    assert_eq!(fs::read(&path).expect("the store"), bytes);
}

#[test]
fn newer_and_foreign_stores_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("newer.sqlite");
    filled(&path);
    let connection = Connection::open(&path).expect("a connection");
    connection.pragma_update(None, "user_version", VERSION + 1).expect("a newer version");
    drop(connection);
    let error = Store::open(&path).expect_err("newer");
    assert!(matches!(error, StoreError::Newer(_, version) if version == VERSION + 1), "{error}");
    assert!(matches!(Reader::open(&path), Err(StoreError::Newer(..))));

    let path = directory.path().join("foreign.sqlite");
    Connection::open(&path).and_then(|other| other.execute_batch("CREATE TABLE cats (name TEXT)")).expect("cats");
    assert!(matches!(Store::open(&path), Err(StoreError::Foreign(_))));
}

#[test]
fn a_place_that_cannot_be_written_is_said() {
    let error = Store::open(Path::new("/proc/nowhere/station.sqlite")).expect_err("no place");
    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert!(matches!(Reader::open(Path::new("/proc/nowhere.sqlite")), Err(StoreError::Missing(_))));
}

#[test]
fn a_store_of_the_first_version_is_brought_up_to_date() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("station.sqlite");
    let mut old = Connection::open(&path).expect("a connection");
    schema::migrate_to(&mut old, 0, 1).expect("the first version");
    drop(old);
    let number = filled(&path);
    let store = Store::open(&path).expect("the store");
    assert_eq!(schema::version(&store.connection).expect("a version"), VERSION);
    assert_eq!(store.attempts(number).expect("attempts")[0].source_sha256, None);
}

#[test]
fn tables_that_are_made_anew_keep_their_rows_and_what_refers_to_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("station.sqlite");
    let mut old = Connection::open(&path).expect("a connection");
    schema::migrate_to(&mut old, 0, 3).expect("the third version");
    let rows = "
        INSERT INTO plans VALUES ('p', 'main', 't', x'00');
        INSERT INTO runs (id, plan_hash, list, station, slot, unit, operator, phase, root, settings, tlc_version, started_at, state)
            VALUES ('r', 'p', 'main', 's', 0, '', '', 'PVT', '', '{}', '0', 't', 'running');
        INSERT INTO events (run, slot, unit, at, monotonic_us, source, kind, body)
            VALUES (1, 0, '', 't', 1, 'schedule', 'started', '{}'), (1, 0, '', 't', 2, 'station', 'resumed', '{}');
        INSERT INTO attempts (invocation, run, slot, unit, path, number, program, arguments, log, started_at, error_code)
            VALUES ('i', 1, 0, '', 'a', 1, '[]', '{}', 'a.log', 't', 'E1');
        INSERT INTO notes (invocation, position, at, level, text) VALUES ('i', 0, 't', 'info', 'kept');
    ";
    old.execute_batch(rows).expect("rows");
    drop(old);
    let mut store = Store::open(&path).expect("the store");
    assert_eq!(schema::version(&store.connection).expect("a version"), VERSION);
    assert_eq!(store.scheduled_events(RunNumber(1)).expect("events").len(), 2);
    let attempt = &store.attempts(RunNumber(1)).expect("attempts")[0];
    assert_eq!((attempt.invocation.as_str(), attempt.error_code.as_deref()), ("i", Some("E1")));
    let count = |sql: &str| store.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(count("SELECT count(*) FROM notes WHERE invocation = 'i'"), 1);
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(count("PRAGMA foreign_keys"), 1);
    store.commit(&key(RunNumber(1)), &[entry("stop", Source::Schedule)], &[]).expect("a transaction");
    let last: i64 = store.connection.query_row("SELECT max(seq) FROM events", [], |row| row.get(0)).expect("a number");
    assert_eq!(last, 3);
}

#[test]
fn a_transaction_without_room_is_left_out_as_a_whole_and_can_be_repeated() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("station.sqlite");
    let number = filled(&path);
    let mut store = Store::open(&path).expect("the store");
    let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a number");
    let limit = |store: &Store, pages: i64| {
        store.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
    };
    limit(&store, pages).expect("a limit");
    let large = Entry { body: format!("\"{}\"", "x".repeat(100_000)), ..entry("stop", Source::Schedule) };
    let entries = [entry("started", Source::Schedule), large];
    let error = store.commit(&key(number), &entries, &[]).expect_err("no room");
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert_eq!(store.scheduled_events(number).expect("events").len(), 1, "nothing of it is there");
    limit(&store, pages + 1000).expect("room");
    store.commit(&key(number), &entries, &[]).expect("a transaction");
    assert_eq!(store.scheduled_events(number).expect("events").len(), 3);
}
