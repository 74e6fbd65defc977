//! What the simulation found, made small: each dies at every step, and at every step of the life after that.

use crate::cases::{Extra, Play};
use crate::model::random::Case;
use crate::model::{Incident, Spec, Wish};
use crate::world::{Deaths, simulate, simulate_pairs};

fn leaf() -> Spec {
    Spec::default()
}

fn group(children: Vec<Spec>) -> Spec {
    Spec { children, ..leaf() }
}

fn teardown() -> Spec {
    Spec { teardown: true, ..leaf() }
}

fn failing(spec: Spec) -> Spec {
    Spec { outcomes: vec![false; 4], ..spec }
}

/// A run of one node of a list.
fn play(node: usize, children: Vec<Spec>) -> Play {
    let wishes = vec![Wish { node, filter: None }];
    let case = Case { root: group(children), stop_on_failure: false, wishes, incidents: Vec::new() };
    Play { case, extras: Vec::new(), x: false, chance: 7 }
}

fn holds(play: &Play) {
    simulate_pairs(play, &Deaths::default()).unwrap_or_else(|finding| panic!("{finding}"));
}

#[test]
fn a_run_of_a_part_keeps_its_verdict_when_it_had_ended_and_is_resumed() {
    let stops = Spec { action: "STOP", ..group(vec![leaf(), leaf()]) };
    let mut play = play(1, vec![stops, failing(leaf())]);
    play.case.incidents = vec![(2, 1, Incident::Crash)];
    holds(&play);
}

#[test]
fn a_failed_teardown_with_stop_does_not_end_an_interrupted_run() {
    let down = Spec { action: "STOP", ..failing(teardown()) };
    let with_down = Spec { test_group: true, ..group(vec![leaf(), down]) };
    holds(&play(0, vec![with_down, leaf()]));
}

#[test]
fn a_teardown_that_is_interrupted_is_not_lost_if_another_one_fails() {
    let restarts = Spec { allow_reboot: true, ..leaf() };
    let mut play = play(0, vec![group(vec![restarts, teardown()]), teardown(), failing(teardown())]);
    play.case.stop_on_failure = true;
    holds(&play);
}

#[test]
fn a_restart_that_waits_for_teardowns_is_not_lost() {
    let mut play = play(0, vec![leaf(), group(vec![leaf(), teardown()]), teardown()]);
    play.extras = vec![(3, 1, Extra::Restart(1))];
    // While it takes its time.
    for chance in 0..3 {
        play.chance = chance;
        holds(&play);
    }
}

#[test]
fn a_restart_is_not_lost_when_a_shutdown_and_other_deaths_come_before_its_turn() {
    let shuts_down = Spec { shuts_down: true, ..leaf() };
    let rounds = Spec { teardown: true, iterations: 3, ..group(vec![shuts_down, leaf(), leaf(), leaf()]) };
    let mut play = play(0, vec![group(vec![leaf(), rounds])]);
    play.extras = vec![(5, 1, Extra::Restart(0))];
    play.chance = 3_529_330_489_268_821_910;
    simulate(&play, &Deaths::default(), &|| true).unwrap_or_else(|finding| panic!("{finding}"));
}

#[test]
fn a_restart_during_the_teardowns_of_a_failed_run_is_not_lost() {
    let fails = Spec { action: "PARENT", ..failing(leaf()) };
    let mut play = play(0, vec![fails, Spec { teardown: true, ..group(vec![leaf(), leaf(), leaf()]) }]);
    play.extras = vec![(3, 1, Extra::Restart(1))];
    holds(&play);
}
