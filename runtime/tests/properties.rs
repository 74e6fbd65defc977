//! Random lists, random outcomes, random commands and power losses: the scheduler against a naive model, and what must hold in any case.
//!
//! `PROPTEST_CASES=100000 cargo test --release -p tlc-runtime --test properties` is the long form.

mod common;
mod model;

use std::collections::VecDeque;

use common::teardowns::teardowns_ran;
use model::random::{self, Case, case};
use model::{Incident, Model};
use proptest::prelude::*;
use tlc_plan::plan::Plan;
use tlc_runtime::schedule::{
    Action, Command, DeviceChange, Event, Outcome, Schedule, Settings, State, Status, TeardownPolicy,
};

/// The scheduler in a scripted world.
struct World<'a> {
    plan: &'a Plan,
    model: &'a Model,
    schedule: Schedule,
    running: VecDeque<(String, u32)>,
    /// What happens to which attempt.
    incidents: VecDeque<(String, u32, Incident)>,
    starts: Vec<usize>,
    log: Vec<String>,
    actions: Vec<Action>,
}

impl World<'_> {
    fn run(&mut self, event: Event) {
        self.feed(event);
        for _ in 0..10_000 {
            if let Some((path, attempt, incident)) = self.incidents.pop_front() {
                self.happen(path, attempt, incident);
            } else if let Some((path, attempt)) = self.running.pop_front() {
                self.end(path, attempt);
            } else {
                assert!(!self.schedule.is_running(), "the run neither goes on nor ends");
                return;
            }
        }
        panic!("the run does not end");
    }

    fn feed(&mut self, event: Event) {
        // What is stored and read back goes on in the same way.
        let stored = serde_json::to_string(&self.schedule).expect("a schedule serialises");
        let read: Schedule = serde_json::from_str(&stored).expect("a schedule deserialises");
        assert_eq!(read, self.schedule);
        self.schedule = read;
        let actions = self.schedule.on(self.plan, &common::SmallConditions, event);
        self.actions.extend(actions.iter().cloned());
        let mut told = Vec::new();
        for action in actions {
            match action {
                Action::Start { path, attempt, .. } => self.start(path, attempt),
                Action::End { path, attempt, .. } => told.push((path, attempt)),
                _ => {}
            }
        }
        for (path, attempt) in told {
            self.running.retain(|(running, _)| *running != path);
            self.feed(ended(path, attempt, Outcome::Aborted, Vec::new()));
        }
    }

    fn start(&mut self, path: String, attempt: u32) {
        let leaf = self.leaf(&path);
        self.starts[leaf] += 1;
        let number = self.starts[leaf];
        let incident = self.model.incidents.iter().find(|it| it.0 == leaf && it.1 == number);
        self.incidents.extend(incident.map(|it| (path.clone(), attempt, it.2)));
        self.log.push(path.clone());
        self.running.push_back((path, attempt));
    }

    fn end(&mut self, path: String, attempt: u32) {
        let leaf = self.leaf(&path);
        let spec = &self.model.nodes[leaf].spec;
        let passed = spec.outcomes.get(self.starts[leaf] - 1).copied().unwrap_or(true);
        let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
        let change = DeviceChange { key: "x".into(), value: Some(true.into()) };
        let changes = if spec.sets { vec![change] } else { Vec::new() };
        self.feed(ended(path, attempt, outcome, changes));
    }

    fn happen(&mut self, path: String, attempt: u32, incident: Incident) {
        let leaf = self.leaf(&path);
        if !self.running.contains(&(path, attempt)) {
            return;
        }
        match incident {
            Incident::StopAll => self.feed(Event::Command(Command::Stop { path: None, fail: true })),
            Incident::Kill => self.feed(Event::Command(Command::Kill)),
            Incident::Crash => {
                self.running.clear();
                self.incidents.clear();
                let device = self.schedule.device().clone();
                self.feed(Event::Started { device });
            }
            Incident::Abort { levels, fail } => {
                let mut at = leaf;
                for _ in 0..levels {
                    at = self.model.nodes[at].parent.unwrap_or(at);
                }
                let path = Some(self.model.nodes[at].path.clone());
                self.feed(Event::Command(Command::Stop { path, fail }));
            }
        }
    }

    fn leaf(&self, path: &str) -> usize {
        self.model.nodes.iter().position(|node| node.path == path).expect("a start of a leaf of the list")
    }
}

fn ended(path: String, attempt: u32, outcome: Outcome, changes: Vec<DeviceChange>) -> Event {
    Event::AttemptEnded { path, attempt, outcome, message: None, changes }
}

fn check(case: &Case, always: bool) {
    let model = Model::new(&case.root, always, case.stop_on_failure, &case.incidents);
    let plan = random::plan(case, &model);
    let teardown = if always { TeardownPolicy::Always } else { TeardownPolicy::Reference };
    let settings = Settings { teardown, auto_run: Some(false), ..Settings::default() };
    let stored = model.nodes.iter().zip(&model.status).map(|(node, &status)| {
        let id = plan.find(&node.path).expect("the same list");
        (node.path.clone(), State { status, ..State::new(plan.node(id)) })
    });
    let schedule = Schedule::with_states(&plan, settings, stored);
    let mut expected = Model::new(&case.root, always, case.stop_on_failure, &case.incidents);
    for n in (0..expected.nodes.len()).rev() {
        if expected.nodes[n].spec.waived && expected.status[n] == Status::Failed {
            expected.waive(n);
        }
    }
    let starts = vec![0; model.nodes.len()];
    let mut world = World {
        plan: &plan,
        model: &model,
        schedule,
        running: VecDeque::new(),
        incidents: VecDeque::new(),
        starts,
        log: Vec::new(),
        actions: Vec::new(),
    };
    world.run(Event::Started { device: tlc_plan::Data::object(indexmap::IndexMap::new()) });
    for wish in &case.wishes {
        let path = Some(model.nodes[wish.node].path.clone());
        let command = match &wish.filter {
            None => Command::Restart { path },
            Some(statuses) => Command::RunWithStatus { statuses: statuses.clone(), path },
        };
        world.run(Event::Command(command));
        expected.run(wish);
        compare(&world, &expected);
    }
    paths_exist(&plan, &world.actions);
    if always {
        teardowns_ran(&plan, &world.actions).unwrap_or_else(|missed| panic!("{missed}"));
    }
}

fn compare(world: &World, expected: &Model) {
    assert_eq!(world.log, expected.log, "what was started");
    for (node, status) in expected.nodes.iter().zip(&expected.status) {
        assert_eq!(world.schedule.states()[&node.path].status, *status, "the status of `{}`", node.path);
    }
}

fn paths_exist(plan: &Plan, actions: &[Action]) {
    for action in actions {
        let path = match action {
            Action::Start { path, .. }
            | Action::End { path, .. }
            | Action::StateChanged { path, .. }
            | Action::Skipped { path, .. }
            | Action::PassedOver { path, .. }
            | Action::LeftOut { path, .. }
            | Action::Round { path, .. }
            | Action::Shutdown { path }
            | Action::ShutdownRefused { path, .. }
            | Action::RunStarted { root: path, .. } => path,
            Action::RunFinished { verdict } => &verdict.root,
            Action::Note { .. } => continue,
        };
        assert!(plan.find(path).is_some(), "`{path}` is not in the list");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn as_the_model_where_teardowns_always_run(case in case()) {
        check(&case, true);
    }

    #[test]
    fn as_the_model_where_teardowns_run_as_in_the_reference(case in case()) {
        check(&case, false);
    }
}
