//! Plays a case: life after life of the program, until its run has ended.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tlc_plan::Plan;
use tlc_runtime::rehearsal::{Cast, Ending, Sight, line, rehearse};
use tlc_runtime::schedule::Status;
use tlc_runtime::station::Settings;
use tlc_runtime::store::{Death, Fate, Memory, Moment};
use tlc_runtime::{Edit, Edits, RunOptions};
use tokio::runtime::Builder;
use tokio::sync::Notify;

use crate::cases::Play;
use crate::checks::{Stage, check_end, check_record};
use crate::model::{Model, Wish};
use crate::script::{Actor, Ledger, chance, open};

/// No run takes longer, on the virtual clock.
const LONGEST: Duration = Duration::from_hours(24);

/// In how many steps of a second life it dies again.
const STEPS_AGAIN: u64 = 4;

/// After so many lives it does not die any more, but for shutdowns.
const RESTLESS: u64 = 12;

/// No run has more lives.
const LIVES: u64 = 200;

/// How often the program has died.
#[derive(Debug, Default)]
pub struct Deaths(Cell<u64>);

impl Deaths {
    pub fn count(&self) -> u64 {
        self.0.get()
    }

    fn one_more(&self) {
        self.0.set(self.0.get() + 1);
        if self.count().is_multiple_of(10_000) {
            println!("{} deaths", self.count());
        }
    }
}

/// How one life of the program ended.
enum Life {
    Died,
    Ended(Result<Ending, String>),
    Stood,
}

/// What is the same for all lives of a case.
struct World<'a> {
    play: Arc<Play>,
    model: Arc<Model>,
    plan: Plan,
    /// The list after an edit.
    edited: Plan,
    settings: Arc<Settings>,
    deaths: &'a Deaths,
}

/// Plays a case without a crash, and then with one at each step of its last run; then whatever the chance of the case says.
pub fn simulate(play: &Play, deaths: &Deaths, goes_on: &dyn Fn() -> bool) -> Result<(), String> {
    let dice = |first: Point, life| fate(chance((play.chance, first.0 == Moment::Before, first.1, life)));
    World::of(play, deaths).each_point(&mut |world, first, last| {
        if !goes_on() {
            return Ok(());
        }
        let mut fates = |life| match life {
            0 => dies(first),
            1..RESTLESS => dice(first, life),
            _ => Fate::default(),
        };
        last.play(world, &mut fates, &format!("{first:?}"))
    })
}

/// The same with one more at each of the first steps of the life after that, and then none.
pub fn simulate_pairs(play: &Play, deaths: &Deaths) -> Result<(), String> {
    World::of(play, deaths).each_point(&mut |world, first, last| {
        for second in points(STEPS_AGAIN) {
            let mut fates = |life| match life {
                0 => dies(first),
                1 => dies(second),
                _ => Fate::default(),
            };
            last.play(world, &mut fates, &format!("{first:?}, {second:?}"))?;
        }
        Ok(())
    })
}

/// A side of a step.
type Point = (Moment, u64);

fn points(steps: u64) -> impl Iterator<Item = Point> {
    (1..=steps).flat_map(|step| [(Moment::Before, step), (Moment::After, step)])
}

fn dies(point: Point) -> Fate {
    Fate { dies: Some(point), full: None }
}

/// The last run of a case, ready to be played again and again.
struct Last<'a> {
    store: Memory,
    wish: &'a Wish,
    /// Its verdict without a crash.
    verdict: Option<Status>,
}

impl Last<'_> {
    fn play(&self, world: &World, fates: &mut dyn FnMut(u64) -> Fate, what: &str) -> Result<(), String> {
        let store = self.store.copy().map_err(|error| error.to_string())?;
        world.run(store, self.wish, fates, self.verdict, what).map(|_| ())
    }
}

/// What a program meets that goes on after a crash: half of them another one, soon.
fn fate(dice: u64) -> Fate {
    let moment = if dice & 1 == 0 { Moment::Before } else { Moment::After };
    let step = 1 + (dice >> 8) % 8;
    match dice >> 1 & 7 {
        0..=3 => Fate { dies: Some((moment, step)), full: None },
        4 => Fate { dies: None, full: Some((step, 1 + (dice >> 16) % 3)) },
        _ => Fate::default(),
    }
}

impl<'a> World<'a> {
    fn of(play: &Play, deaths: &'a Deaths) -> Self {
        let model = play.model();
        let plan = play.plan(&model);
        let mut settings = Settings::default();
        settings.shutdown.insert("reboot".into(), vec!["reboot".into()]);
        let (settings, edited) = (Arc::new(settings), play.edited());
        Self { play: Arc::new(play.clone()), model: Arc::new(model), plan, edited, settings, deaths }
    }

    /// Plays the runs without a crash, and then something for each point of the last one.
    fn each_point(&self, then: &mut dyn FnMut(&Self, Point, &Last) -> Result<(), String>) -> Result<(), String> {
        let error = |error: tlc_runtime::store::StoreError| error.to_string();
        let mut store = Memory::new().map_err(error)?;
        let Some((wish, earlier)) = self.play.case.wishes.split_last() else { return Ok(()) };
        for wish in earlier {
            store = self.run(store, wish, &mut |_| Fate::default(), None, "before")?.0;
        }
        let start = store.copy().map_err(error)?;
        let (_, steps, verdict) = self.run(store, wish, &mut |_| Fate::default(), None, "without a crash")?;
        let last = Last { store: start, wish, verdict };
        points(steps).try_for_each(|point| then(self, point, &last))
    }

    /// A run to its end, whatever happens; the store after it, how many steps its first life had, and its verdict if none was lost.
    fn run(
        &self,
        memory: Memory,
        wish: &Wish,
        fates: &mut dyn FnMut(u64) -> Fate,
        without: Option<Status>,
        what: &str,
    ) -> Result<(Memory, u64, Option<Status>), String> {
        let first = self.options(wish);
        // Most go on with what was on; others ask for the same tests once more, or have changed the list.
        let again = RunOptions { status: Vec::new(), ..first.clone() };
        let mut plan = &self.plan;
        let ledger = Arc::new(Mutex::new(Ledger::new(memory)));
        let mut stage = Stage::default();
        // A second run, another list, and a pause that moves what people do, may well end in another way.
        let mut same = true;
        let mut first_steps = 0;
        let runs = open(&ledger).runs();
        for life in 0..LIVES {
            let fate = fates(life);
            let (sender, witness) = mpsc::channel();
            same &= fate.full.is_none();
            let dice = chance((self.play.chance, what, life)) % 8;
            let options = if open(&ledger).is_interrupted() && dice != 0 { &again } else { &first };
            if life > 0 && dice == 1 || open(&ledger).edited {
                plan = &self.edited;
            }
            same &= life == 0 || dice > 1;
            let (ended, steps) = self.live(&ledger, plan, options, fate, sender);
            let sights: Vec<Sight> = witness.try_iter().collect();
            let told = |finding: String| {
                let shown: Vec<_> = sights.iter().map(|sight| format!("\n  {sight:?}")).collect();
                let log = open(&ledger).log();
                format!("{what}, life {life}, {fate:?}: {finding}\nits events:{log}\nthis life:{}", shown.concat())
            };
            if life == 0 {
                first_steps = steps;
            }
            check_record(&mut stage, &mut open(&ledger), &sights).map_err(told)?;
            let ending = match ended {
                Life::Died => {
                    self.deaths.one_more();
                    // It may have died when all was done.
                    if open(&ledger).runs() == runs || !open(&ledger).has_ended() {
                        continue;
                    }
                    None
                }
                Life::Stood => return Err(told("the run stands still".into())),
                // It could not begin, for want of room; it is tried again.
                Life::Ended(Err(_)) if fate.full.is_some() => continue,
                // Someone did not want to wait for the teardowns of another run.
                Life::Ended(Err(message)) if message == "interrupted" => continue,
                Life::Ended(Err(message)) => return Err(told(message)),
                // It only waits for the machine to go down.
                Life::Ended(Ok(ending)) if ending.shutting_down => continue,
                Life::Ended(Ok(ending)) => Some(ending),
            };
            same &= !open(&ledger).edited;
            let checked = check_end(&open(&ledger), ending.as_ref(), without.filter(|_| same));
            let verdict = checked.map_err(told)?;
            let ledger = Arc::into_inner(ledger).ok_or("someone holds on to the ledger")?;
            let ledger = ledger.into_inner().map_err(|error| error.to_string())?;
            return Ok((ledger.store, first_steps, verdict.filter(|_| same)));
        }
        Err(format!("{what}: no end after {LIVES} lives"))
    }

    fn options(&self, wish: &Wish) -> RunOptions {
        let path = self.model.nodes[wish.node].path.clone();
        RunOptions {
            only: Some(path).filter(|path| !path.is_empty()),
            status: wish.filter.clone().unwrap_or_default(),
            device_data: Some(self.play.device()),
            locale: "en-US".into(),
            ..RunOptions::default()
        }
    }

    /// One life of the program.
    fn live(
        &self,
        ledger: &Arc<Mutex<Ledger>>,
        plan: &Plan,
        options: &RunOptions,
        fate: Fate,
        witness: mpsc::Sender<Sight>,
    ) -> (Life, u64) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let (list, edited) = (Arc::clone(ledger), self.edited.clone());
        let is_edited = std::ptr::eq(plan, &raw const self.edited);
        let (caller, line) = line(Edits::new(move || {
            if is_edited || !open(&list).edited { Edit::None } else { Edit::Plan(Box::new(edited.clone())) }
        }));
        let power = Arc::new(Notify::new());
        let actor = Actor {
            play: Arc::clone(&self.play),
            model: Arc::clone(&self.model),
            caller,
            ledger: Arc::clone(ledger),
            power: Arc::clone(&power),
        };
        let cast = Cast { script: Arc::new(actor), witness, line };
        let mut store = match open(ledger).store.open(fate) {
            Ok(store) => store,
            Err(error) => return (Life::Ended(Err(error.to_string())), 0),
        };
        let life = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let run = rehearse(plan, options, &self.settings, &mut store, cast);
                tokio::select! {
                    biased;
                    () = power.notified() => Life::Died,
                    ended = tokio::time::timeout(LONGEST, run) => ended.map_or(Life::Stood, Life::Ended),
                }
            })
        }));
        drop(runtime);
        match life {
            Ok(life) => (life, store.steps()),
            Err(death) if death.is::<Death>() => (Life::Died, store.steps()),
            Err(panic) => resume_unwind(panic),
        }
    }
}
