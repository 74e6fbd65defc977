//! A store that cannot be used: a clear report, exit code 3, nothing overwritten, no test started.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tlc_plan::Plan;

use crate::line::{Line, Ran, eventually, is_alive, list, shell};

fn plan() -> Plan {
    list(vec![shell("Never", "touch \"$LINE/never\"")])
}

#[test]
fn a_damaged_store_is_reported_and_left_alone() {
    let line = Line::new();
    line.write("station.sqlite", "not a store at all");
    let ran = line.run(&plan(), &[]).ended_with(3);
    assert!(ran.stderr.contains("is damaged") && ran.stderr.contains("left as it is"), "{}", ran.stderr);
    assert_eq!(line.read("station.sqlite"), "not a store at all");
    assert!(!line.path("never").exists());
}

#[test]
fn a_newer_store_is_reported() {
    let line = Line::new();
    line.run(&list(vec![]), &[]);
    let connection = rusqlite::Connection::open(line.path("station.sqlite")).expect("the store");
    connection.pragma_update(None, "user_version", 99).expect("a newer version");
    drop(connection);
    let ran = line.run(&plan(), &[]).ended_with(3);
    assert!(ran.stderr.contains("has version 99") && ran.stderr.contains("use a newer tlc"), "{}", ran.stderr);
    assert!(!line.path("never").exists());
}

#[test]
fn a_store_in_use_is_reported_with_its_user() {
    let line = Line::new();
    let child = line.start(&list(vec![shell("Waits", "echo $$ > \"$LINE/test\"; sleep 1000")]), &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    let ran = line.run(&plan(), &[]).ended_with(3);
    assert!(ran.stderr.contains(&format!("in use by another tlc (process {})", child.id())), "{}", ran.stderr);
    assert_eq!(line.results(&["list"])["runs"][0]["state"], "running", "reading is possible");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("sent");
    child.wait_with_output().expect("its end");
    assert!(!line.path("never").exists());
}

#[test]
fn a_store_that_cannot_be_written_is_reported() {
    let line = Line::new();
    line.run(&list(vec![]), &[]);
    fs::set_permissions(line.path(""), Permissions::from_mode(0o755)).expect("set");
    for name in ["station.sqlite", "station.sqlite.lock"] {
        fs::set_permissions(line.path(name), Permissions::from_mode(0o444)).expect("set");
    }
    let mut command = line.command(&plan(), &[]);
    if Uid::effective().is_root() {
        // Nothing is read-only for root.
        command = without_root(&line, &command);
    }
    let ran = Ran::new(&command.output().expect("tlc-station")).ended_with(3);
    assert!(ran.stderr.contains("cannot be written"), "{}", ran.stderr);
    assert!(!line.path("never").exists());
}

/// The same command as another user, with a copy of the program that this user can reach.
fn without_root(line: &Line, command: &Command) -> Command {
    let program = line.path("tlc-station");
    // By another program: what this one writes may be held open by a child that it starts meanwhile, and could not be run.
    let copied = Command::new("cp").arg(command.get_program()).arg(&program).status();
    assert!(copied.is_ok_and(|status| status.success()), "a copy");
    let mut other = Command::new(&program);
    other.args(command.get_args()).uid(65534).gid(65534).env("LINE", line.path(""));
    other
}

#[test]
fn results_of_nothing_say_so() {
    let line = Line::new();
    let results = |what: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
        Ran::new(
            &command
                .arg("results")
                .args(what)
                .arg("--store")
                .arg(line.path("station.sqlite"))
                .output()
                .expect("results"),
        )
    };
    assert!(results(&["last"]).ended_with(3).stderr.contains("there is no store at"));
    line.run(&list(vec![shell("A", "true")]), &[]).ended_with(0);
    assert!(results(&["show", "7"]).ended_with(2).stderr.contains("there is no run `7`"));
    assert!(results(&["test", "B"]).ended_with(2).stderr.contains("no run has a test `B`"));
    assert!(results(&["test", "A"]).ended_with(0).stdout.contains("passed"));
    assert!(results(&["last"]).ended_with(0).stdout.contains("PASSED"));
    assert!(results(&["list"]).ended_with(0).stdout.contains("main"));
}

/// Runs a command with a small disk of its own at `$LINE/disk`; what is on it is copied to `$LINE` at the end. `$LINE/free` makes room.
const SMALL_DISK: &str = "mount -t tmpfs -o size=16m none \"$LINE/disk\" || exit 77
(while [ ! -e \"$LINE/free\" ]; do sleep 0.05; done; rm -f \"$LINE/disk/filler\") &
\"$@\"
code=$?
kill $! 2> /dev/null
cp \"$LINE\"/disk/station.sqlite* \"$LINE\" 2> /dev/null
exit $code";

fn on_a_small_disk(line: &Line, plan: &Plan) -> Command {
    fs::create_dir(line.path("disk")).expect("a directory");
    line.write("plan.json", &plan.to_json());
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh"]);
    command.arg(env!("CARGO_BIN_EXE_tlc-station")).arg("run").arg(line.path("plan.json"));
    command.arg("--store").arg(line.path("disk/station.sqlite")).env("LINE", line.path(""));
    command.stdout(fs::File::create(line.path("stdout")).expect("a file"));
    command.stderr(fs::File::create(line.path("stderr")).expect("a file"));
    command
}

#[test]
fn a_run_pauses_while_the_disk_is_full_and_loses_nothing() {
    let line = Line::new();
    let fill = "dd if=/dev/zero of=\"$LINE/disk/filler\" bs=1k 2> /dev/null; touch \"$LINE/full\"";
    let plan = list(vec![shell("Fill", fill), shell("After", "true"), shell("Last", "true")]);
    let mut child = on_a_small_disk(&line, &plan).spawn().expect("unshare");
    let has_ended = |child: &mut std::process::Child| child.try_wait().expect("its state").is_some();
    while !line.read("stderr").contains("the run pauses") && !has_ended(&mut child) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    if !line.path("full").exists() {
        // Not every machine lets a user mount something.
        eprintln!("not tested: no disk could be mounted here");
        return;
    }
    assert!(!line.read("stdout").contains("After"), "nothing starts that is not on record");
    line.write("free", "");
    let code = child.wait().expect("its end").code();
    assert_eq!(code, Some(0), "{}{}", line.read("stdout"), line.read("stderr"));
    assert!(line.read("stderr").contains("the run goes on"), "{}", line.read("stderr"));
    assert_eq!(line.statuses().iter().filter(|(_, status)| status == "PASSED").count(), 3);
    assert_eq!(line.results(&["last"])["attempts"].as_array().expect("attempts").len(), 3);
}

fn care(line: &Line, what: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    Ran::new(&command.arg("store").args(what).arg("--store").arg(line.path("station.sqlite")).output().expect("store"))
}

#[test]
fn a_store_is_checked_with_its_logs() {
    let line = Line::new();
    assert!(care(&line, &["check"]).ended_with(3).stderr.contains("there is no store"));
    line.run(&list(vec![shell("A", "echo hello"), shell("B", "echo hello")]), &[]).ended_with(0);
    let ran = care(&line, &["check"]).ended_with(0);
    assert!(ran.stdout.contains("is whole: 1 runs, 2 attempts") && ran.stdout.contains("2 logs"), "{}", ran.stdout);
    let log = |path: &str| line.attempt(path)["log"].as_str().expect("a log").to_owned();
    fs::write(log("A"), "something else").expect("written");
    fs::remove_file(log("B")).expect("removed");
    let ran = care(&line, &["check", "--format", "json"]).ended_with(1);
    let checked: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let findings = checked["findings"].to_string();
    assert!(findings.contains("has changed") && findings.contains("cannot be read"), "{findings}");
}

#[test]
fn a_store_is_copied_while_a_run_is_on_and_compacted_when_none_is() {
    let line = Line::new();
    let child = line.start(&list(vec![shell("Waits", "echo $$ > \"$LINE/test\"; sleep 1000")]), &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    let copy = line.path("copy.sqlite").display().to_string();
    care(&line, &["backup", &copy]).ended_with(0);
    assert!(care(&line, &["backup", &copy]).ended_with(3).stderr.contains("it exists already"));
    assert!(care(&line, &["vacuum"]).ended_with(3).stderr.contains("in use by another tlc"));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("sent");
    child.wait_with_output().expect("its end");
    assert!(care(&line, &["vacuum"]).ended_with(0).stdout.contains("bytes after"));
    care(&line, &["check"]).ended_with(0);
    fs::rename(&copy, line.path("station.sqlite")).expect("the copy in its place");
    assert_eq!(line.results(&["last"])["attempts"][0]["path"], "Waits");
}

#[test]
fn a_store_that_is_refused_gets_no_lock_beside_it() {
    let line = Line::new();
    line.write("station.sqlite", "no store at all, but a text");
    line.run(&plan(), &[]).ended_with(3);
    assert!(!line.path("station.sqlite.lock").exists());
    assert_eq!(line.read("station.sqlite"), "no store at all, but a text");
}

#[test]
fn results_are_read_where_nothing_can_be_written() {
    let line = Line::new();
    line.run(&list(vec![shell("A", "true")]), &[]).ended_with(0);
    let away = line.path("a b%c");
    fs::create_dir(&away).expect("a directory");
    fs::copy(line.path("station.sqlite"), away.join("old.sqlite")).expect("a copy");
    fs::set_permissions(line.path(""), Permissions::from_mode(0o755)).expect("set");
    fs::set_permissions(away.join("old.sqlite"), Permissions::from_mode(0o444)).expect("set");
    fs::set_permissions(&away, Permissions::from_mode(0o555)).expect("set");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    command.args(["results", "last", "--store"]).arg(away.join("old.sqlite"));
    if Uid::effective().is_root() {
        command = without_root(&line, &command);
    }
    let ran = Ran::new(&command.output().expect("results"));
    fs::set_permissions(&away, Permissions::from_mode(0o755)).expect("set");
    assert!(ran.ended_with(0).stdout.contains("PASSED"));
}

#[test]
fn a_store_whose_end_cannot_be_read_where_it_is_says_what_to_do() {
    let line = Line::new();
    let child = line.start(&list(vec![shell("Waits", "echo $$ > \"$LINE/test\"; sleep 1000")]), &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    let away = line.path("away");
    fs::create_dir(&away).expect("a directory");
    for name in ["station.sqlite", "station.sqlite-wal"] {
        fs::copy(line.path(name), away.join(name)).expect("a copy");
        fs::set_permissions(away.join(name), Permissions::from_mode(0o444)).expect("set");
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("sent");
    child.wait_with_output().expect("its end");
    assert!(fs::metadata(away.join("station.sqlite-wal")).expect("a log").len() > 0);
    fs::set_permissions(line.path(""), Permissions::from_mode(0o755)).expect("set");
    fs::set_permissions(&away, Permissions::from_mode(0o555)).expect("set");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    command.args(["results", "last", "--store"]).arg(away.join("station.sqlite"));
    if Uid::effective().is_root() {
        command = without_root(&line, &command);
    }
    let ran = Ran::new(&command.output().expect("results"));
    fs::set_permissions(&away, Permissions::from_mode(0o755)).expect("set");
    let said = ran.ended_with(3).stderr;
    assert!(said.contains("station.sqlite-wal") && said.contains("copy both files"), "{said}");
}

/// A device that is always full; it is opened for writing, and never replaced.
fn full() -> fs::File {
    fs::OpenOptions::new().write(true).open("/dev/full").expect("the device")
}

#[test]
fn output_that_cannot_be_written_is_said_and_a_run_goes_on() {
    let line = Line::new();
    let mut command = line.command(&list(vec![shell("A", "true")]), &[]);
    let ran = Ran::new(&command.stdout(full()).output().expect("tlc-station")).ended_with(0);
    assert!(ran.stderr.contains("could not be written to stdout (No space left"), "{}", ran.stderr);
    assert_eq!(line.attempt("A")["outcome"], "passed");
    let mut results = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    results.args(["results", "last", "--store"]).arg(line.path("station.sqlite")).stdout(full());
    let ran = Ran::new(&results.output().expect("results")).ended_with(3);
    assert!(ran.stderr.contains("the results cannot be written to stdout"), "{}", ran.stderr);
}

#[test]
fn what_is_named_on_the_command_line_must_be_there() {
    let line = Line::new();
    let refused = |what: &[&str]| line.run(&plan(), what).ended_with(2).stderr;
    assert!(refused(&["--station", "/nowhere/station.json5"]).contains("No such file"));
    assert!(refused(&["--station", "/dev/zero"]).contains("it is no regular file"));
    let phases = refused(&["--phase", "FOO"]);
    assert!(["PROTO", "EVT", "DVT", "PVT_DOGFOOD", "PVT"].iter().all(|phase| phases.contains(phase)), "{phases}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    command.args(["run", "/dev/zero", "--store"]).arg(line.path("station.sqlite"));
    let ran = Ran::new(&command.output().expect("tlc-station")).ended_with(2);
    assert!(ran.stderr.contains("it is no regular file"), "{}", ran.stderr);
    line.write("plan.json", &plan().to_json());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    command.arg("run").arg(line.path("plan.json")).args(["--tests", "/nowhere/tests"]);
    Ran::new(&command.arg("--store").arg(line.path("station.sqlite")).output().expect("tlc-station")).ended_with(2);
    assert!(!line.path("never").exists() && !line.path("station.sqlite").exists());
}
