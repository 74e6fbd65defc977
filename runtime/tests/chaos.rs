//! Random lists under random events at random moments: every command, edits of the list, late and double answers, shutdowns, power losses.
//! No model says what should come of it; what must hold in any case is checked after every event.

mod common;
#[allow(dead_code)]
mod model;

use indexmap::IndexMap;
use model::Model;
use model::random::{self, Case, case};
use proptest::prelude::*;
use tlc_plan::{Data, Plan};
use tlc_runtime::schedule::{
    Action, Command, DeviceChange, Event, NoteLevel, Outcome, Schedule, Settings, Status, TeardownPolicy,
};

/// What happens next; numbers stand for nodes, or for running attempts, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    /// Attempts end in this way; the number picks one that runs.
    End(usize, Outcome),
    /// An answer to an attempt that does not run, or not any more.
    Stray(usize, u32),
    Command(usize, Order),
    Device(bool),
    AskForShutdown(usize),
    PowerLoss,
    /// The other list takes its place.
    Edit,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Restart,
    AutoRun,
    RunFailed,
    Stop(bool),
    StopAll,
    Kill,
    Clear,
    CancelPending,
    ScheduleRestart,
    SetIterations(i64, i64),
    Note(NoteLevel),
    ClearNotes,
    Engineering(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        6 => Just(Outcome::Passed),
        3 => Just(Outcome::Failed),
        1 => Just(Outcome::Error),
        1 => Just(Outcome::Timeout),
        1 => Just(Outcome::Aborted),
        1 => Just(Outcome::Crashed),
    ];
    let step = prop_oneof![
        12 => (0..64usize, outcome).prop_map(|(which, outcome)| Step::End(which, outcome)),
        1 => (0..64usize, 0..4u32).prop_map(|(node, attempt)| Step::Stray(node, attempt)),
        6 => (0..64usize, order()).prop_map(|(node, order)| Step::Command(node, order)),
        1 => any::<bool>().prop_map(Step::Device),
        1 => (0..64usize).prop_map(Step::AskForShutdown),
        1 => Just(Step::PowerLoss),
        1 => Just(Step::Edit),
    ];
    prop::collection::vec(step, 0..40)
}

fn order() -> impl Strategy<Value = Order> {
    let level = prop::sample::select(&[NoteLevel::Info, NoteLevel::Warning, NoteLevel::Critical][..]);
    prop_oneof![
        3 => Just(Order::Restart),
        2 => Just(Order::AutoRun),
        2 => Just(Order::RunFailed),
        3 => any::<bool>().prop_map(Order::Stop),
        1 => Just(Order::StopAll),
        1 => Just(Order::Kill),
        2 => Just(Order::Clear),
        1 => Just(Order::CancelPending),
        1 => Just(Order::ScheduleRestart),
        2 => (-2..4i64, -2..4i64).prop_map(|(iterations, retries)| Order::SetIterations(iterations, retries)),
        1 => level.prop_map(Order::Note),
        1 => Just(Order::ClearNotes),
        1 => any::<bool>().prop_map(Order::Engineering),
    ]
}

struct Chaos {
    plans: [Plan; 2],
    current: usize,
    schedule: Schedule,
    /// Attempts that were told to end.
    told: Vec<String>,
    /// Whether a run was said to be on.
    running: bool,
    /// What runs was started in another list.
    edited: bool,
}

impl Chaos {
    fn plan(&self) -> &Plan {
        &self.plans[self.current]
    }

    fn path(&self, node: usize) -> String {
        let count = self.plan().preorder().count();
        let id = self.plan().preorder().nth(node % count).expect("a node");
        self.plan().node(id).path.clone()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::End(which, outcome) => self.end(*which, *outcome),
            Step::Stray(node, attempt) => {
                let path = self.path(*node);
                if self.schedule.active().get(&path) != Some(attempt) {
                    let before = self.schedule.clone();
                    self.feed(ended(path, *attempt, Outcome::Passed));
                    assert_eq!(before, self.schedule, "a stray answer changes nothing");
                }
            }
            Step::Command(node, order) => {
                let command = self.command(*node, *order);
                self.feed(Event::Command(command));
            }
            Step::Device(x) => {
                let changes = vec![DeviceChange { key: "x".into(), value: Some((*x).into()) }];
                self.feed(Event::DeviceDataChanged { changes });
            }
            Step::AskForShutdown(node) => {
                let path = self.path(*node);
                self.feed(Event::ShutdownRequested { path });
            }
            Step::PowerLoss => {
                self.told.clear();
                let device = self.schedule.device().clone();
                self.feed(Event::Started { device });
            }
            Step::Edit => {
                self.current = 1 - self.current;
                self.edited = true;
                self.feed(Event::PlanReplaced);
            }
        }
    }

    fn end(&mut self, which: usize, outcome: Outcome) {
        let active = self.schedule.active();
        if active.is_empty() {
            return;
        }
        let Some((path, &attempt)) = active.get_index(which % active.len()) else { return };
        let path = path.clone();
        let outcome = if self.told.contains(&path) { Outcome::Aborted } else { outcome };
        self.told.retain(|told| *told != path);
        self.feed(ended(path, attempt, outcome));
    }

    fn command(&self, node: usize, order: Order) -> Command {
        let path = self.path(node);
        match order {
            Order::Restart => Command::Restart { path: Some(path) },
            Order::AutoRun => Command::AutoRun { path: Some(path) },
            Order::RunFailed => {
                Command::RunWithStatus { statuses: vec![Status::Untested, Status::Failed], path: Some(path) }
            }
            Order::Stop(fail) => Command::Stop { path: Some(path), fail },
            Order::StopAll => Command::Stop { path: None, fail: true },
            Order::Kill => Command::Kill,
            Order::Clear => Command::Clear { path: Some(path) },
            Order::CancelPending => Command::CancelPending,
            Order::ScheduleRestart => Command::ScheduleRestart,
            Order::SetIterations(iterations, retries) => Command::SetIterations { path, iterations, retries },
            Order::Note(level) => Command::AddNote { level, text: String::new() },
            Order::ClearNotes => Command::ClearNotes,
            Order::Engineering(on) => Command::SetEngineering { on },
        }
    }

    fn feed(&mut self, event: Event) {
        let stored = serde_json::to_string(&self.schedule).expect("a schedule serialises");
        let mut copy: Schedule = serde_json::from_str(&stored).expect("a schedule deserialises");
        let plan = &self.plans[self.current];
        let expected = copy.on(plan, &common::SmallConditions, event.clone());
        let actions = self.schedule.on(plan, &common::SmallConditions, event);
        assert_eq!(actions, expected, "what is stored and read back goes on in the same way");
        for action in actions {
            self.check(&action);
        }
        self.check_all();
    }

    fn check(&mut self, action: &Action) {
        match action {
            Action::Start { path, .. } => {
                assert!(self.plan().find(path).is_some(), "`{path}` is not in the list");
                assert!(self.running, "`{path}` starts outside of a run");
            }
            Action::End { path, .. } => {
                assert!(!self.told.contains(path), "`{path}` is told twice to end");
                self.told.push(path.clone());
            }
            Action::RunStarted { .. } => {
                assert!(!self.running, "a run starts in a run");
                self.running = true;
            }
            Action::RunFinished { .. } => {
                assert!(self.running, "a run ends that did not start");
                self.running = false;
            }
            Action::StateChanged { path, .. }
            | Action::Skipped { path, .. }
            | Action::PassedOver { path, .. }
            | Action::LeftOut { path, .. }
            | Action::Round { path, .. }
            | Action::Shutdown { path }
            | Action::ShutdownRefused { path, .. } => assert!(self.plan().find(path).is_some()),
            Action::Note { .. } => {}
        }
    }

    fn check_all(&mut self) {
        self.edited &= !self.schedule.active().is_empty();
        let (plan, schedule) = (self.plan(), &self.schedule);
        assert_eq!(schedule.is_running(), self.running);
        assert!(schedule.states().len() == plan.preorder().count(), "a state for each node, and no other");
        for node in plan.preorder() {
            let path = &plan.node(node).path;
            let status = schedule.states()[path].status;
            if plan.is_leaf(node) {
                assert_eq!(status == Status::Active, schedule.active().contains_key(path), "`{path}` is {status}");
            }
        }
        for group in plan.preorder().filter(|&node| !plan.is_leaf(node) && !plan.node(node).parallel) {
            let path = &plan.node(group).path;
            let children = plan.children(group).iter().map(|&child| schedule.states()[&plan.node(child).path].status);
            assert_eq!(Some(schedule.states()[path].status), children.min_by_key(|&status| rank(status)), "`{path}`");
        }
        let groups: Vec<_> = schedule.active().keys().filter_map(|path| plan.parent(plan.find(path)?)).collect();
        let together = groups.iter().all(|&group| group == groups[0] && plan.node(group).parallel);
        assert!(schedule.active().len() <= 1 || together || self.edited, "{:?}", schedule.active());
        assert!(!schedule.is_running() || !schedule.active().is_empty(), "the run stands still");
    }
}

/// The status of a group is the first of these that a child has.
fn rank(status: Status) -> usize {
    use Status::{Active, Failed, FailedAndWaived, Passed, Skipped, Untested};
    let order = [Active, Failed, Untested, FailedAndWaived, Skipped, Passed];
    order.iter().position(|&other| other == status).expect("a status")
}

fn ended(path: String, attempt: u32, outcome: Outcome) -> Event {
    Event::AttemptEnded { path, attempt, outcome, message: None, changes: Vec::new() }
}

fn play(lists: [&Case; 2], steps: &[Step], teardown: TeardownPolicy) {
    let plans = lists.map(|case| random::plan(case, &Model::new(&case.root, true, false, &[])));
    let settings = Settings { teardown, ..Settings::default() };
    let schedule = Schedule::new(&plans[0], settings);
    let mut chaos = Chaos { plans, current: 0, schedule, told: Vec::new(), running: false, edited: false };
    chaos.feed(Event::Started { device: Data::object(IndexMap::new()) });
    for step in steps {
        chaos.step(step);
    }
    chaos.feed(Event::Command(Command::CancelPending));
    chaos.feed(Event::Command(Command::Stop { path: None, fail: true }));
    // Whatever still runs passes: it ends, unless an operator asked for iterations without an end.
    for _ in 0..2_000 {
        if chaos.schedule.active().is_empty() {
            break;
        }
        chaos.end(0, Outcome::Passed);
    }
    chaos.feed(Event::Command(Command::Kill));
    while !chaos.schedule.active().is_empty() {
        chaos.end(0, Outcome::Passed);
    }
    assert!(!chaos.schedule.is_running(), "the run does not end");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_where_teardowns_always_run(one in case(), other in case(), steps in steps()) {
        play([&one, &other], &steps, TeardownPolicy::Always);
    }

    #[test]
    fn whatever_happens_where_teardowns_run_as_in_the_reference(one in case(), other in case(), steps in steps()) {
        play([&one, &other], &steps, TeardownPolicy::Reference);
    }
}
