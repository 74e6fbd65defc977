//! A station in a temporary directory: plans, tests, settings, a store, and the command that runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde_json::Value;
use tempfile::TempDir;
use tlc_plan::expression::{Builder, Node as ExpressionNode, Place, Root};
use tlc_plan::names::Names;
use tlc_plan::plan::{ActionOnFailure, Class, Count, ExpressionSource, Isolation, Node, Program, Test, Text};
use tlc_plan::template::ExpressionUse;
use tlc_plan::{Data, NodeId, Plan, Template};

/// A group without anything special.
pub fn group(id: &str) -> Node {
    Node {
        path: String::new(),
        id: id.into(),
        label: Text::from([("en-US".into(), id.into())]).into(),
        class: Class::FactoryTest,
        test: None,
        run_if: None,
        iterations: Count::Times(1),
        retries: Count::Times(0),
        action_on_failure: ActionOnFailure::Next,
        teardown: false,
        parallel: false,
        allow_reboot: false,
        disable_abort: false,
        no_host: false,
        exclusive_resources: Names::default(),
        enable_services: Names::default(),
        disable_services: Names::default(),
        dut_options: Data::object(IndexMap::new()).into(),
        layout: Data::Null.into(),
        locals: 0,
    }
}

fn leaf(id: &str, program: Program) -> Node {
    let test = Test {
        program,
        args: Template::Data(Data::object(IndexMap::new())),
        timeout_secs: None,
        isolation: Isolation::Fork,
        measurements: Template::Data(Data::object(IndexMap::new())).into(),
    };
    Node { test: Some(test), ..group(id) }
}

/// A test that runs a shell script.
pub fn shell(id: &str, script: &str) -> Node {
    exec(id, &["sh", "-c", script])
}

/// A test that runs a program.
pub fn exec(id: &str, argv: &[&str]) -> Node {
    let argv = Data::list(argv.iter().map(|word| Data::from(*word)).collect());
    leaf(id, Program::Exec(Template::Data(argv).into()))
}

/// A Python test.
pub fn python(id: &str, name: &str, args: &str) -> Node {
    let mut node = leaf(id, Program::Pytest(name.into()));
    if let Some(test) = &mut node.test {
        test.args = Template::Data(serde_json::from_str(args).expect("arguments"));
    }
    node
}

/// A test with a time limit.
pub fn within(seconds: f64, mut node: Node) -> Node {
    if let Some(test) = &mut node.test {
        test.timeout_secs = Some(seconds);
    }
    node
}

/// A teardown.
pub fn teardown(node: Node) -> Node {
    Node { teardown: true, ..node }
}

/// A list of tests.
pub fn list(nodes: Vec<Node>) -> Plan {
    let mut plan = Plan::new("main".into(), Text::default(), group(""));
    let root = plan.root();
    for node in nodes {
        add(&mut plan, root, node);
    }
    plan
}

/// Adds a node below another, with its path.
pub fn add(plan: &mut Plan, parent: NodeId, mut node: Node) -> NodeId {
    let above = &plan.node(parent).path;
    node.path = if above.is_empty() { node.id.to_string() } else { format!("{above}.{}", node.id) };
    plan.add_child(parent, node)
}

/// A station of its own.
pub struct Line {
    directory: TempDir,
}

impl Line {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("tests")).expect("a directory of tests");
        Self { directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    /// Writes the station's settings, which let tests know where the line is; what comes back names them on a command line.
    pub fn settings(&self, text: &str) -> String {
        self.write("station.json5", &text.replacen('{', "{ pass_environment: [\"LINE\"], ", 1));
        self.path("station.json5").display().to_string()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The command that runs a plan here.
    pub fn command(&self, plan: &Plan, more: &[&str]) -> Command {
        self.write("plan.json", &plan.to_json());
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
        command.arg("run");
        if !more.contains(&"--station") {
            self.write("plain.json5", "{ pass_environment: [\"LINE\"] }");
            command.arg("--station").arg(self.path("plain.json5"));
        }
        command
            .arg(self.path("plan.json"))
            .arg("--store")
            .arg(self.path("station.sqlite"))
            .arg("--tests")
            .arg(self.path("tests"))
            .args(more)
            .env("LINE", self.directory.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a plan to its end.
    pub fn run(&self, plan: &Plan, more: &[&str]) -> Ran {
        Ran::new(&self.command(plan, more).output().expect("tlc-station"))
    }

    /// Starts a run that something is done to.
    pub fn start(&self, plan: &Plan, more: &[&str]) -> Child {
        self.command(plan, more).spawn().expect("tlc-station")
    }

    /// What `results` says, as JSON.
    pub fn results(&self, what: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_tlc-station"))
            .arg("results")
            .args(what)
            .args(["--format", "json", "--store"])
            .arg(self.path("station.sqlite"))
            .output()
            .expect("tlc-station");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The last attempt of the last run at a test.
    pub fn attempt(&self, path: &str) -> Value {
        let last = self.results(&["last"]);
        let attempts = last["attempts"].as_array().expect("attempts");
        attempts.iter().rev().find(|attempt| attempt["path"] == path).cloned().unwrap_or_default()
    }

    /// The statuses of the tests of the last run.
    pub fn statuses(&self) -> Vec<(String, String)> {
        let last = self.results(&["last"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tests = last["tests"].as_array().expect("tests").iter();
        tests.filter(|test| test["leaf"] == true).map(|test| (text(&test["path"]), text(&test["status"]))).collect()
    }
}

/// A run that ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// Waits until something holds; a busy machine may take its time.
#[track_caller]
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and is no zombie; the file holds its number.
pub fn is_alive(file: &Path) -> bool {
    let Ok(pid) = fs::read_to_string(file) else { return false };
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A test that runs only if a condition of [`conditions`] is true.
pub fn only_if(condition: u32, node: Node) -> Node {
    Node { run_if: Some(ExpressionUse { expression: condition, source: condition }), ..node }
}

/// Gives a list the conditions `device.KEY`.
pub fn conditions(plan: &mut Plan, keys: &[&str]) {
    for key in keys {
        let place = Place::new(0, 1);
        let mut builder = Builder::new();
        let names: Vec<u32> = key.split('.').map(|name| builder.name(name)).collect();
        let names = builder.path(&names);
        builder.push(ExpressionNode::Path { root: Root::Device, names }, place).expect("a small tree");
        plan.expressions.push(builder.finish());
        plan.sources.push(ExpressionSource {
            text: format!("device.{key}").into(),
            file: "list".into(),
            line: 1,
            column: 1,
            escapes: Vec::new(),
            places: [place].into(),
        });
    }
}

/// What the command says about a store in a directory.
pub fn text_of(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tlc-station"))
        .args(arguments)
        .arg("--store")
        .arg(directory.join("station.sqlite"))
        .output()
        .expect("tlc-station");
    String::from_utf8(output.stdout).expect("UTF-8") + &String::from_utf8_lossy(&output.stderr)
}
