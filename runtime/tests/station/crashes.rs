//! The program crashes before and after every transaction of its store, and once more while it recovers; then the run is resumed, and the
//! store is compared with what the tests wrote down.
//!
//! First each transaction in turn, then pairs of them until the time is over: 20 seconds, or `TLC_CRASH_SECONDS`. `TLC_SEED` repeats a run.

use std::time::{Duration, Instant};

use tlc_plan::{Data, Plan};
use tlc_runtime::simulate::{Happening, Script, evaluation, run};

use crate::kills::{Random, check, count_passed, number, plan, seed};
use crate::line::{Line, Ran, add, group, list, shell, teardown};

/// How long it looks for crash points if nobody says, in seconds.
const SECONDS: u64 = 20;

/// A place where the program crashes; whether that is reached depends on the run.
type Point = (&'static str, u64);

#[test]
fn a_crash_at_any_transaction_loses_nothing_and_the_teardowns_run() {
    let begun = Instant::now();
    let limit = Duration::from_secs(number("TLC_CRASH_SECONDS").unwrap_or(SECONDS));
    let seed = seed();
    println!("{} s, TLC_SEED={seed}", limit.as_secs());
    let mut random = Random(seed);
    let plan = plan();
    let mut transactions = 0;
    while survives(&plan, &[("before", transactions + 1), ("after", transactions + 1)]) {
        transactions += 1;
    }
    assert!(transactions >= 8, "there are crash points: {transactions}");
    let mut pairs = 0;
    while begun.elapsed() < limit {
        let mut point = || (["before", "after"][random.below(2) as usize], 1 + random.below(transactions));
        let points = [point(), point()];
        crash_and_resume(&plan, &points, &format!("TLC_SEED={seed}, {points:?}"));
        pairs += 1;
    }
    println!("{transactions} transactions, each before and after; {pairs} pairs");
}

/// Crashes at each of these points, in a run of its own; whether one of them was reached.
fn survives(plan: &Plan, points: &[Point]) -> bool {
    points.iter().filter(|&&point| crash_and_resume(plan, &[point], &format!("{point:?}"))).count() > 0
}

/// Crashes at one point after the other, then resumes; whether the first one was reached.
fn crash_and_resume(plan: &Plan, points: &[Point], what: &str) -> bool {
    let line = Line::new();
    let mut shown = std::collections::BTreeMap::new();
    for (place, (moment, number)) in points.iter().enumerate() {
        let mut command = line.command(plan, &[]);
        let ran = Ran::new(&command.env("TLC_CRASH", format!("{moment}:{number}")).output().expect("tlc-station"));
        count_passed(&ran.stdout, &mut shown);
        if ran.code.is_some() {
            check(&line, &shown, &format!("{what}\n{}{}", ran.stdout, ran.stderr));
            return place > 0;
        }
        if crate::kills::is_finished(&line) {
            check(&line, &shown, what);
            return true;
        }
    }
    let ran = line.run(plan, &[]);
    check(&line, &shown, &format!("{what}\n{}{}", ran.stdout, ran.stderr));
    true
}

#[test]
fn a_simulated_power_loss_is_what_a_run_does_that_goes_on() {
    for lost in ["Group.Inner", "Group.InnerDown", "Last", "Down"] {
        let dies = |path: &str| {
            if path == lost { "mkdir \"$LINE/died\" 2>/dev/null && kill -KILL $PPID; true" } else { "true" }
        };
        let mut plan = list(vec![shell("First", "true")]);
        let root = plan.root();
        let inner = add(&mut plan, root, group("Group"));
        for path in ["Group.Before", "Group.Inner", "Group.Rest"] {
            add(&mut plan, inner, shell(&path[6..], dies(path)));
        }
        add(&mut plan, inner, teardown(shell("InnerDown", dies("Group.InnerDown"))));
        add(&mut plan, root, shell("Last", dies("Last")));
        add(&mut plan, root, teardown(shell("Down", dies("Down"))));

        let device = Data::object(indexmap::IndexMap::new());
        let script = Script { crash_at: vec![lost.to_owned()], ..Script::default() };
        let simulated = run(&plan, &evaluation(&plan, &device), &script);
        let starts = simulated.entries.iter().filter_map(|entry| match &entry.what {
            Happening::Started { path, .. } => Some(path.clone()),
            _ => None,
        });

        let line = Line::new();
        assert_eq!(line.command(&plan, &[]).output().expect("tlc-station").status.code(), None, "{lost}");
        let resumed = line.run(&plan, &[]);
        let last = line.results(&["last"]);
        let attempts = last["attempts"].as_array().expect("attempts").iter();
        let started: Vec<_> = attempts.map(|attempt| attempt["path"].as_str().expect("a path")).collect();
        assert_eq!(started, starts.collect::<Vec<_>>(), "{lost}: {}", resumed.stdout);
        let verdict = simulated.verdict.map(|verdict| verdict.status.name());
        assert_eq!(last["run"]["verdict"].as_str(), verdict, "{lost}");
    }
}
