//! A deterministic simulation of scheduler, dispatcher and store: random lists, outcomes and operators on a virtual clock, and a program that
//! dies before or after every step of its store, or at any moment, and once more while it recovers.
//!
//! Preparation, recovery, dispatcher, scheduler and store are the real ones; the workers are scripted, and the store is in memory. A case is
//! first played without a crash, then with a crash at each step in turn. What was shown, started, ordered and recorded is compared after
//! every death and at the end; `simulation/checks.rs` says what must hold.
//!
//! It plays the same cases each time, until the program has died 1,500 times. `TLC_SIMULATION=1000000 cargo test --release -p tlc-runtime
//! --test simulation -- --nocapture` plays until it has died so often, and `TLC_SEED=N` begins with a certain case.

mod common;
#[allow(dead_code)]
mod model;

#[path = "simulation/cases.rs"]
mod cases;
#[path = "simulation/checks.rs"]
mod checks;
#[path = "simulation/found.rs"]
mod found;
#[path = "simulation/script.rs"]
mod script;
#[path = "simulation/world.rs"]
mod world;

use std::env;
use std::time::Instant;

use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use cases::{Play, play};
use world::{Deaths, simulate};

/// How often the program dies if nobody says.
const DEATHS: u64 = 1_500;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

#[test]
fn wherever_the_program_dies_nothing_is_lost_or_repeated_and_the_teardowns_run() {
    let first = number("TLC_SEED", 1);
    let wanted = number("TLC_SIMULATION", DEATHS);
    let begun = Instant::now();
    let deaths = Deaths::default();
    let goes_on = || deaths.count() < wanted;
    let mut seed = first;
    println!("TLC_SEED={first}");
    while goes_on() {
        if let Err(finding) = case(seed, &deaths, &goes_on) {
            panic!("TLC_SEED={seed}: {finding}");
        }
        seed += 1;
    }
    println!("{} cases from TLC_SEED={first}, {} deaths, {:.1?}", seed - first, deaths.count(), begun.elapsed());
}

/// One random case; what is found is made as small as it can be.
fn case(seed: u64, deaths: &Deaths, goes_on: &dyn Fn() -> bool) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config =
        Config { failure_persistence: None, max_shrink_iters: 5_000, max_shrink_time: 60_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let tree = play().new_tree(&mut runner).map_err(|reason| reason.to_string())?;
    let test = |play: Play| simulate(&play, deaths, goes_on).map_err(TestCaseError::fail);
    runner.run_one(tree, test).map(|_| ()).map_err(|error| error.to_string())
}
