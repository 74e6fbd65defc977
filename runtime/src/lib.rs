//! The station's half of tlc: a plan goes in, results come out.
//!
//! [`schedule`] decides what happens next and touches nothing outside; [`simulate`] plays it on a virtual clock.

pub mod schedule;
pub mod simulate;
