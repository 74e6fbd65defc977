//! Services: readiness, what they publish, and what happens if they are not there.

use std::fs;

use crate::line::{Line, is_alive, list, shell};

fn settings(line: &Line, text: &str) -> String {
    line.write("station.json5", text);
    line.path("station.json5").display().to_string()
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
    assert!(
        seen.contains("the service `board` unable to start `/nowhere/board`") || seen.contains("`/nowhere/board`"),
        "{seen}"
    );
    let seen = run(r#"{ environment: { A: "${home}/x" } }"#);
    assert!(seen.contains("`environment.A`") && seen.contains("`${home}`"), "{seen}");
    let seen = run("{\n  sevices: {} }");
    assert!(seen.contains("station.json5:2:") && seen.contains("sevices"), "{seen}");
    assert!(!line.path("never").exists(), "no test was started");
    let ran = line.run(&plan, &[]).ended_with(0);
    assert!(!ran.stdout.contains("goes on"), "what did not begin is not resumed: {}", ran.stdout);
}

#[test]
fn a_shutdown_that_is_not_set_is_refused_with_what_to_set() {
    use tlc_plan::Template;
    use tlc_plan::plan::{Class, Node, Program};
    let line = Line::new();
    let mut step = Node { class: Class::RebootStep, ..shell("Reboot", "") };
    if let Some(test) = &mut step.test {
        test.program = Program::Shutdown;
        test.args = Template::Data(serde_json::from_str(r#"{"operation": "reboot"}"#).expect("JSON"));
    }
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
