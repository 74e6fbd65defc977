//! Python tests in warm interpreters: what they share, what they do not, and that nothing of them survives.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tlc_plan::Plan;
use tlc_plan::plan::{Isolation, Node};

use crate::line::{Line, add, eventually, group, is_alive, list, python, shell, within};

const EACH: [(&str, Isolation); 3] =
    [("Fork", Isolation::Fork), ("Spawn", Isolation::Spawn), ("Shared", Isolation::Shared)];

fn isolated(isolation: Isolation, mut node: Node) -> Node {
    if let Some(test) = &mut node.test {
        test.isolation = isolation;
    }
    node
}

fn shared(id: &str, name: &str) -> Node {
    isolated(Isolation::Shared, python(id, name, "{}"))
}

/// A test with this body; `{LINE}` is the directory of the line.
fn case(line: &Line, name: &str, body: &str) {
    let body = body.replace('\n', "\n        ").replace("{LINE}", &line.path("").display().to_string());
    line.write(
        &format!("tests/{name}.py"),
        &format!(
            "import os, signal, subprocess, sys, threading, time, unittest\nCOUNT = []\n\
             class T(unittest.TestCase):\n    def runTest(self):\n        COUNT.append(1)\n        {body}\n"
        ),
    );
}

/// Writes a line about the process to `seen`.
const SAY: &str = "with open('{LINE}/seen', 'a') as f: print(os.getpid(), os.getppid(), len(COUNT), file=f)";

fn seen(line: &Line) -> Vec<Vec<u32>> {
    let number = |word: &str| word.parse().expect("a number");
    line.read("seen").lines().map(|line| line.split_whitespace().map(number).collect()).collect()
}

fn outcome(line: &Line, path: &str) -> (String, String) {
    let attempt = line.attempt(path);
    (attempt["outcome"].as_str().unwrap_or("").to_owned(), attempt["message"].as_str().unwrap_or("").to_owned())
}

#[test]
fn a_forked_test_has_a_process_of_its_own_and_a_shared_one_has_not() {
    let line = Line::new();
    case(&line, "say", SAY);
    let tests = |isolation| list(["A", "B", "C"].map(|id| isolated(isolation, python(id, "say", "{}"))).to_vec());
    line.run(&tests(Isolation::Fork), &[]).ended_with(0);
    let forked = seen(&line);
    assert!(forked[0][0] != forked[1][0] && forked[0][1] == forked[1][1], "one parent, many children: {forked:?}");
    assert!(forked.iter().all(|seen| seen[2] == 1), "each imports its module: {forked:?}");
    line.write("seen", "");
    line.run(&tests(Isolation::Shared), &[]).ended_with(0);
    let shared = seen(&line);
    assert!(shared[0][..2] == shared[1][..2], "{shared:?}");
    assert_eq!(shared.iter().map(|seen| seen[2]).collect::<Vec<_>>(), [1, 2, 3], "the module stays");
    line.write("seen", "");
    line.run(&tests(Isolation::Spawn), &[]).ended_with(0);
    let spawned = seen(&line);
    assert!(spawned[0][0] != spawned[1][0] && spawned[0][2] == 1 && spawned[2][2] == 1, "{spawned:?}");
}

#[test]
fn every_isolation_records_output_environment_status_and_use() {
    for (name, isolation) in EACH {
        let line = Line::new();
        case(
            &line,
            "one",
            "print(os.environ['TLC_TEST_PATH'], os.environ['TLC_TESTS'], os.listdir())\nsubprocess.run(['sh', '-c', 'echo from $TLC_TEST_PATH >&2'])\n\
             sum(range(2000000))\nself.assertNotIn('TLC_PROTOCOL_READ_FD', os.environ)",
        );
        case(&line, "dies", "print('last words')\nos.kill(os.getpid(), signal.SIGSEGV)");
        case(&line, "quits", "os._exit(3)");
        let test = |id: &str, file: &str| isolated(isolation, python(id, file, "{}"));
        let plan = list(vec![test("One", "one"), test("Dies", "dies"), test("Quits", "quits"), test("Two", "one")]);
        line.run(&plan, &[]).ended_with(1);
        for path in ["One", "Two"] {
            let attempt = line.attempt(path);
            assert_eq!(
                (&attempt["outcome"], &attempt["exit_code"]),
                (&"passed".into(), &0.into()),
                "{name}: {attempt}"
            );
            assert!(attempt["cpu_ms"].as_i64().expect("a time") > 5, "{name}: {attempt}");
            assert!(attempt["peak_memory_bytes"].as_i64().expect("a size") > 4 << 20, "{name}: {attempt}");
            let log = fs::read_to_string(attempt["log"].as_str().expect("a log")).expect("the log");
            let words: Vec<_> = log.lines().filter_map(|line| line.split_once(' ')).map(|(_, text)| text).collect();
            let tests = fs::canonicalize(line.path("tests")).expect("the tests");
            assert_eq!(words, [format!("{path} {} []", tests.display()), format!("from {path}")], "{name}");
        }
        let dies = line.attempt("Dies");
        assert_eq!(dies["outcome"], "crashed", "{name}");
        assert_eq!(dies["message"], "its process was ended by signal SIGSEGV before it reported an outcome", "{name}");
        assert!(fs::read_to_string(dies["log"].as_str().expect("a log")).expect("it").contains("last words"), "{name}");
        let message = "its process exited with code 3 before it reported an outcome";
        assert_eq!(outcome(&line, "Quits"), ("crashed".into(), message.into()), "{name}");
    }
}

#[test]
fn a_time_limit_ends_a_test_in_every_isolation_from_within_first() {
    for (name, isolation) in EACH {
        let line = Line::new();
        case(&line, "gentle", "try: time.sleep(1000)\nfinally: open('{LINE}/cleaned', 'w').close()");
        case(
            &line,
            "stubborn",
            "open('{LINE}/pid', 'w').write(str(os.getpid()))\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)",
        );
        case(&line, "good", "pass");
        let test = |id: &str, file: &str| isolated(isolation, python(id, file, "{}"));
        let plan = list(vec![
            within(2.0, test("Gentle", "gentle")),
            within(1.0, test("Stubborn", "stubborn")),
            test("Good", "good"),
        ]);
        line.run(&plan, &[]).ended_with(1);
        assert_eq!(outcome(&line, "Gentle"), ("timeout".into(), "ended after its time limit of 2 s".into()), "{name}");
        assert!(line.path("cleaned").exists(), "{name}: it heard of it");
        assert_eq!(outcome(&line, "Stubborn").0, "timeout", "{name}");
        assert!(line.path("pid").exists() && !is_alive(&line.path("pid")), "{name}");
        assert_eq!(outcome(&line, "Good").0, "passed", "{name}");
    }
}

#[test]
fn whatever_a_test_leaves_behind_is_ended_in_every_isolation() {
    let leave = "
def daemon(name, run):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open('{LINE}/' + name, 'w') as f: f.write(str(os.getpid()))
            run()
        os._exit(0)
    os.wait()
daemon('forked', lambda: time.sleep(1000))
daemon('became', lambda: os.execvp('sleep', ['sleep', '1000']))
if os.fork() == 0:
    with open('{LINE}/member', 'w') as f: f.write(str(os.getpid()))
    time.sleep(1000)
while not all(os.path.exists('{LINE}/' + name) and open('{LINE}/' + name).read() for name in ('forked', 'became', 'member')): time.sleep(0.01)";
    for (name, isolation) in EACH {
        let line = Line::new();
        case(&line, "leaves", leave);
        let file = |name: &str| format!("! grep -qs '^State:.[RSD]' /proc/$(cat \"$LINE/{name}\")/status");
        let gone = ["forked", "became", "member"].map(file).join(" && ");
        let plan = list(vec![isolated(isolation, python("Leaves", "leaves", "{}")), shell("Look", &gone)]);
        line.run(&plan, &[]).ended_with(0);
        assert_eq!(outcome(&line, "Leaves"), ("passed".into(), String::new()), "{name}");
    }
}

#[test]
fn a_shared_worker_is_replaced_when_a_test_left_something_behind() {
    let line = Line::new();
    case(&line, "good", SAY);
    case(&line, "thread", &format!("{SAY}\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"));
    case(&line, "child", &format!("{SAY}\nsubprocess.Popen(['sleep', '1000'])"));
    case(&line, "moves", &format!("{SAY}\nos.chdir('/')"));
    case(&line, "fails", &format!("{SAY}\nself.fail('so it is')"));
    let plan = list(
        ["thread", "good", "child", "good", "moves", "good", "fails", "good"]
            .iter()
            .enumerate()
            .map(|(number, name)| shared(&format!("T{number}"), name))
            .collect(),
    );
    line.run(&plan, &[]).ended_with(1);
    let pids: Vec<u32> = seen(&line).iter().map(|seen| seen[0]).collect();
    assert_ne!(pids[0], pids[1], "a thread");
    assert_eq!(pids[1], pids[2]);
    assert_ne!(pids[2], pids[3], "a child");
    assert_ne!(pids[4], pids[5], "another directory");
    assert_eq!(pids[6], pids[7], "a failure leaves nothing behind");
    assert_eq!(outcome(&line, "T6"), ("failed".into(), "so it is".into()));
}

#[test]
fn members_of_a_parallel_group_each_have_a_worker() {
    for isolation in [Isolation::Fork, Isolation::Shared] {
        let line = Line::new();
        for (own, other) in [("a", "b"), ("b", "a")] {
            let meet = format!(
                "open('{{LINE}}/{own}', 'w').close()\nwhile not os.path.exists('{{LINE}}/{other}'): time.sleep(0.01)"
            );
            case(&line, own, &format!("{meet}\nprint('{own}')"));
        }
        let mut plan = list(vec![]);
        let root = plan.root();
        let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
        for (id, name) in [("A", "a"), ("B", "b")] {
            add(&mut plan, together, isolated(isolation, python(id, name, "{}")));
        }
        line.run(&plan, &[]).ended_with(0);
        let log = fs::read_to_string(line.attempt("Together.A")["log"].as_str().expect("a log")).expect("the log");
        assert!(log.ends_with(" a\n") && log.lines().count() == 1, "{log}");
    }
}

#[test]
fn a_changed_source_is_read_again() {
    let line = Line::new();
    fs::write(line.path("station.json5"), "{ python_preload: ['warmed'] }").expect("settings");
    line.write("tests/warmed.py", "VALUE = 'old'\n");
    line.write("tests/helper.py", "VALUE = 'old'\n");
    case(&line, "reads", "import warmed, helper\nprint(warmed.VALUE, helper.VALUE)");
    let write = "printf \"VALUE = 'brand new'\\n\" > \"$TLC_TESTS/warmed.py\"; cp \"$TLC_TESTS/warmed.py\" \"$TLC_TESTS/helper.py\"";
    for isolation in [Isolation::Fork, Isolation::Shared] {
        line.write("tests/warmed.py", "VALUE = 'old'\n");
        line.write("tests/helper.py", "VALUE = 'old'\n");
        let reads = |id: &str| isolated(isolation, python(id, "reads", "{}"));
        let plan = list(vec![reads("Before"), shell("Write", write), reads("After")]);
        let station = line.path("station.json5").display().to_string();
        line.run(&plan, &["--station", &station]).ended_with(0);
        let log = |path: &str| fs::read_to_string(line.attempt(path)["log"].as_str().expect("a log")).expect("the log");
        assert!(log("Before").ends_with(" old old\n"), "{}", log("Before"));
        assert!(log("After").ends_with(" brand new brand new\n"), "{}", log("After"));
    }
}

#[test]
fn a_module_that_cannot_be_preloaded_is_named() {
    let line = Line::new();
    fs::write(line.path("station.json5"), "{ python_preload: ['nowhere_at_all'] }").expect("settings");
    case(&line, "good", "pass");
    let station = line.path("station.json5").display().to_string();
    line.run(&list(vec![python("Good", "good", "{}")]), &["--station", &station]).ended_with(1);
    let (outcome, message) = outcome(&line, "Good");
    assert!(
        outcome == "error" && message.contains("ModuleNotFoundError: No module named 'nowhere_at_all'"),
        "{message}"
    );
}

#[test]
fn an_interpreter_that_dies_is_replaced_and_its_test_goes_on() {
    let line = Line::new();
    case(
        &line,
        "kills",
        &format!("{SAY}\ntime.sleep(0.2)\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(0.3)\nprint('still here')"),
    );
    case(&line, "good", SAY);
    case(
        &line,
        "dies",
        "time.sleep(0.2)\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(0.2)\nos.kill(os.getpid(), signal.SIGABRT)",
    );
    let plan = list(vec![
        python("Kills", "kills", "{}"),
        python("Good", "good", "{}"),
        python("Dies", "dies", "{}"),
        shared("Last", "good"),
    ]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(outcome(&line, "Kills"), ("passed".into(), String::new()));
    assert_eq!(outcome(&line, "Good").0, "passed");
    assert_eq!(
        outcome(&line, "Dies"),
        ("crashed".into(), "its process was ended by signal SIGABRT before it reported an outcome".into())
    );
    assert_eq!(outcome(&line, "Last").0, "passed");
    let parents: Vec<u32> = seen(&line).iter().map(|seen| seen[1]).collect();
    assert!(parents[0] != parents[1], "{parents:?}");
}

/// A plan whose one test writes its number and its parent's, and stays.
fn stays(line: &Line, isolation: Isolation) -> Plan {
    case(
        line,
        "stays",
        "open('{LINE}/parent', 'w').write(str(os.getppid()))\nopen('{LINE}/child', 'w').write(str(os.getpid()))\ntime.sleep(1000)",
    );
    list(vec![isolated(isolation, python("Stays", "stays", "{}"))])
}

#[test]
fn when_the_runtime_is_killed_its_interpreters_and_their_tests_end_by_themselves() {
    for (name, isolation) in EACH {
        let line = Line::new();
        let plan = stays(&line, isolation);
        let mut child = line.start(&plan, &[]);
        eventually("the test", || is_alive(&line.path("child")));
        child.kill().expect("it is there");
        child.wait().expect("its end");
        eventually("their end", || !is_alive(&line.path("child")));
        if isolation != Isolation::Spawn {
            eventually("its end", || !is_alive(&line.path("parent")));
        }
        println!("{name}");
    }
}

#[test]
fn a_stop_and_a_second_signal_end_a_test_in_a_warm_interpreter() {
    for isolation in [Isolation::Fork, Isolation::Shared] {
        for twice in [false, true] {
            let line = Line::new();
            let plan = stays(&line, isolation);
            let child = line.start(&plan, &[]);
            eventually("the test", || is_alive(&line.path("child")));
            let process = Pid::from_raw(child.id().cast_signed());
            kill(process, Signal::SIGINT).expect("it is there");
            if twice {
                sleep(Duration::from_millis(50));
                let _ = kill(process, Signal::SIGINT);
            }
            assert_eq!(child.wait_with_output().expect("its end").status.code(), Some(1));
            assert_eq!(outcome(&line, "Stays").0, "aborted");
            assert!(!is_alive(&line.path("child")) && !is_alive(&line.path("parent")));
        }
    }
}

#[test]
fn a_missing_interpreter_is_said_before_anything_runs_with_the_tests_that_need_it() {
    let line = Line::new();
    let tests = ["A", "B", "C", "D", "E"].map(|id| python(id, "good", "{}"));
    let ran = line.run(&list(tests.to_vec()), &["--python", "python9"]).ended_with(3);
    let words = "`A`, `B`, `C` and 2 more tests need a Python interpreter: there is no `python9` on PATH";
    assert!(ran.stderr.contains(words) && ran.stderr.contains("/python9`"), "{}", ran.stderr);
}
