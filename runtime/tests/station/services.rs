//! Services: readiness, what they publish, and what happens if they are not there.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tlc_plan::Template;
use tlc_plan::names::Names;
use tlc_plan::plan::{Class, Node, Program};

use crate::line::{Line, Ran, add, eventually, group, is_alive, list, shell, teardown};

fn settings(line: &Line, text: &str) -> String {
    line.settings(text)
}

#[test]
fn a_service_is_there_for_its_tests_and_gone_after_them() {
    let line = Line::new();
    let settings = settings(
        &line,
        r#"{
            services: {
                echo: {
                    command: ["sh", "-c", "echo $$ > \"$LINE/service\"; pwd > \"$LINE/where\"; echo \"listening at $BOARD\"; echo here > \"$BOARD\"; setsid sleep 1000 & echo $! > \"$LINE/helper\"; wait"],
                    ready: { line: "listening" },
                    environment: { BOARD: "${state_dir}/board" },
                },
            },
            environment: { DEMO_BOARD: "${state_dir}/board" },
        }"#,
    );
    let plan = list(vec![shell(
        "Reads",
        "while [ ! -s \"$DEMO_BOARD\" ]; do sleep 0.01; done; cp \"$DEMO_BOARD\" \"$LINE/got\"; echo \"$DEMO_BOARD\" > \"$LINE/place\"; ls -ld \"$(dirname \"$DEMO_BOARD\")\" > \"$LINE/mode\"",
    )]);
    let ran = line.run(&plan, &["--station", &settings]).ended_with(0);
    assert_eq!(line.read("got"), "here\n", "{}", ran.stderr);
    assert!(line.read("mode").starts_with("drwx------"), "{}", line.read("mode"));
    assert!(!is_alive(&line.path("service")) && !is_alive(&line.path("helper")));
    assert_eq!(
        line.read("where").trim(),
        fs::canonicalize(line.path("")).expect("a path").to_string_lossy().trim_end_matches('/')
    );
    let place = line.read("place");
    assert!(!fs::exists(place.trim()).expect("a path"), "the state directory goes with the run");
}

#[test]
fn a_service_that_does_not_start_is_shown_with_its_output() {
    let line = Line::new();
    let plan = list(vec![shell("Never", "touch \"$LINE/never\"")]);
    let run = |text: &str| line.run(&plan, &["--station", &settings(&line, text)]).ended_with(3).stderr;
    let seen = run(
        r#"{ services: { board: { command: ["sh", "-c", "echo no such port; exit 4"], ready: { path: "/nowhere" } } } }"#,
    );
    assert!(seen.contains("the service `board` ended before it was ready: exit status: 4"), "{seen}");
    assert!(seen.contains("board> no such port"), "{seen}");
    let seen =
        run(r#"{ services: { board: { command: ["sleep", "1000"], ready: { port: 1 }, ready_timeout_secs: 0.2 } } }"#);
    assert!(seen.contains("was not ready after 0.2 s: nothing listens on port 1"), "{seen}");
    let seen = run(r#"{ services: { board: { command: ["/nowhere/board"] } } }"#);
    assert!(seen.contains("the service `board` cannot be started: `/nowhere/board`: "), "{seen}");
    let seen = run(r#"{ services: { off: { command: ["true", "${nope}"], enabled: false } } }"#);
    assert!(seen.contains("the service `off` cannot be started: there is no `${nope}`"), "{seen}");
    let seen = run(r#"{ services: { board: { command: ["sleep", "9"], ready: { path: "${nope}/x" } } } }"#);
    assert!(seen.contains("the service `board` cannot be started: there is no `${nope}`"), "{seen}");
    let seen = run(r#"{ environment: { A: "${home}/x" } }"#);
    assert!(seen.contains("`environment.A`") && seen.contains("`${home}`"), "{seen}");
    let seen = run("{\n  sevices: {} }");
    assert!(seen.contains("station.json5:2:") && seen.contains("sevices"), "{seen}");
    assert!(!line.path("never").exists(), "no test was started");
    let ran = line.run(&plan, &[]).ended_with(0);
    assert!(!ran.stdout.contains("goes on"), "what did not begin is not resumed: {}", ran.stdout);
}

#[test]
fn names_of_directories_in_a_shutdown_command_are_put_for_what_they_stand_for() {
    let line = Line::new();
    line.write("down.sh", "kill -KILL $PPID");
    let command = |name: &str| {
        let text = r#"{ shutdown: { reboot: ["sh", "${NAME}/down.sh"] } }"#.replace("NAME", name);
        settings(&line, &text)
    };
    let plan = list(vec![reboot()]);
    let ran = line.run(&plan, &["--station", &command("home")]).ended_with(3);
    assert!(ran.stderr.contains("`shutdown.reboot`: there is no `${home}`"), "{}", ran.stderr);
    let settings = command("settings_dir");
    line.run(&plan, &["--station", &settings]);
    line.run(&plan, &["--station", &settings]).ended_with(0);
}

fn reboot() -> Node {
    let mut step = Node { class: Class::RebootStep, ..shell("Reboot", "") };
    if let Some(test) = &mut step.test {
        test.program = Program::Shutdown;
        test.args = Template::Data(serde_json::from_str(r#"{"operation": "reboot"}"#).expect("JSON"));
    }
    step
}

#[test]
fn a_shutdown_that_is_not_set_is_refused_with_what_to_set() {
    let line = Line::new();
    let step = reboot();
    line.run(&list(vec![step.clone()]), &[]).ended_with(1);
    let message = line.attempt("Reboot")["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("`shutdown.reboot`"), "{message}");

    // The command stands for a machine that goes down: the program is killed, and started again.
    let settings = settings(&line, r#"{ shutdown: { reboot: ["sh", "-c", "kill -KILL $PPID"] } }"#);
    let plan = list(vec![step, shell("After", "true")]);
    line.run(&plan, &["--station", &settings]);
    line.run(&plan, &["--station", &settings]).ended_with(0);
    let statuses: Vec<_> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["PASSED", "PASSED"]);
}

/// Two services that write their process numbers down; `net` does not run by itself.
const TWO: &str = r#"{
    services: {
        led: { command: ["sh", "-c", "echo $$ > \"$LINE/led\"; exec sleep 1000"], ready: { path: "${settings_dir}/led" }, uses: ["LED"] },
        net: { command: ["sh", "-c", "echo $$ > \"$LINE/net\"; exec sleep 1000"], ready: { path: "${settings_dir}/net" }, enabled: false },
    },
}"#;

/// Passes if exactly these services are alive.
fn sees(id: &str, led: bool, net: bool) -> Node {
    let check = |name: &str, alive: bool| {
        let wanted = if alive { "" } else { "! " };
        format!("{wanted}{{ [ -e \"$LINE/{name}\" ] && kill -0 $(cat \"$LINE/{name}\"); }} || exit 1; ")
    };
    shell(id, &format!("{}{}true", check("led", led), check("net", net)))
}

#[test]
fn services_are_switched_for_the_time_of_a_test() {
    let line = Line::new();
    let settings = settings(&line, TWO);
    let names = |name: &str| Names::from(vec![name.to_owned()]);
    let mut plan = list(vec![
        sees("Before", true, false),
        Node { enable_services: names("net"), disable_services: names("led"), ..sees("Switched", false, true) },
        sees("Between", true, false),
        Node { exclusive_resources: names("LED"), ..sees("Holds", false, false) },
        Node { enable_services: names("unknown"), ..sees("After", true, false) },
    ]);
    let root = plan.root();
    let together = add(&mut plan, root, Node { parallel: true, enable_services: names("net"), ..group("Together") });
    add(&mut plan, together, sees("One", true, true));
    add(&mut plan, together, sees("Other", true, true));
    let ran = line.run(&plan, &["--station", &settings]).ended_with(0);
    assert!(ran.stderr.contains("services that the station's settings do not have: `unknown`"), "{}", ran.stderr);
    assert!(!is_alive(&line.path("led")) && !is_alive(&line.path("net")));
}

#[test]
fn a_service_that_a_test_enables_and_that_does_not_start_is_an_error_of_the_test() {
    let line = Line::new();
    let text = r#"{ services: { net: { command: ["sh", "-c", "echo no cable; exit 3"], ready: { port: 1 }, enabled: false } } }"#;
    let settings = settings(&line, text);
    let needs = Node { enable_services: vec!["net".into()].into(), ..shell("Needs", "touch \"$LINE/never\"") };
    line.run(&list(vec![needs, shell("After", "true")]), &["--station", &settings]).ended_with(1);
    let attempt = line.attempt("Needs");
    let message = attempt["message"].as_str().expect("a message");
    assert!(attempt["outcome"] == "error" && message.contains("the service `net` ended before"), "{attempt}");
    assert!(message.contains("net> no cable") && !line.path("never").exists(), "{message}");
    assert_eq!(line.attempt("After")["outcome"], "passed");
}

#[test]
fn tests_that_hold_the_same_resource_never_run_at_the_same_time() {
    let line = Line::new();
    let mut plan = list(vec![]);
    let root = plan.root();
    let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
    let alone = |resource: &str| format!("mkdir \"$LINE/{resource}\" || exit 1; sleep 0.1; rmdir \"$LINE/{resource}\"");
    for number in 0..4 {
        let resources = if number == 3 { vec!["A".into(), "B".into()] } else { vec!["A".into()] };
        let test = shell(&format!("A{number}"), &alone("a"));
        add(&mut plan, together, Node { exclusive_resources: resources.into(), ..test });
    }
    add(&mut plan, together, Node { exclusive_resources: vec!["B".into()].into(), ..shell("B", &alone("b")) });
    line.run(&plan, &[]).ended_with(0);
}

#[test]
fn a_test_that_waits_for_a_resource_can_be_stopped() {
    let line = Line::new();
    let mut plan = list(vec![]);
    let root = plan.root();
    let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
    for id in ["Holds", "Waits"] {
        let test = shell(id, "echo $$ > \"$LINE/test\"; sleep 1000");
        add(&mut plan, together, Node { exclusive_resources: vec!["A".into()].into(), ..test });
    }
    let child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("sent");
    Ran::new(&child.wait_with_output().expect("its end")).ended_with(1);
    let outcome = |path: &str| line.attempt(path)["outcome"].clone();
    assert_eq!((outcome("Together.Holds"), outcome("Together.Waits")), ("aborted".into(), "aborted".into()));
}

#[test]
fn a_teardown_has_a_time_limit_of_its_own() {
    let line = Line::new();
    let settings = settings(&line, "{ teardown_timeout_secs: 0.3 }");
    let plan = list(vec![shell("Test", "sleep 0.5"), teardown(shell("Down", "sleep 1000"))]);
    let begun = Instant::now();
    line.run(&plan, &["--station", &settings]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(line.attempt("Test")["outcome"], "passed", "it has no limit");
    assert_eq!(line.attempt("Down")["outcome"], "timeout");
}

#[test]
fn ctrl_c_while_a_service_gets_ready_is_said_and_recorded() {
    let line = Line::new();
    let text = r#"{ services: { slow: { command: ["sh", "-c", "echo $$ > \"$LINE/slow\"; exec sleep 1000"], ready: { path: "/nowhere" } } } }"#;
    let child =
        line.start(&list(vec![shell("Never", "touch \"$LINE/never\"")]), &["--station", &settings(&line, text)]);
    eventually("the service starts", || is_alive(&line.path("slow")));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("sent");
    let ran = Ran::new(&child.wait_with_output().expect("its end")).ended_with(1);
    let said = "run 1 was interrupted before any test started; it is recorded as abandoned";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert_eq!(line.results(&["last"])["run"]["state"], "abandoned");
    assert!(!line.path("never").exists());
}
