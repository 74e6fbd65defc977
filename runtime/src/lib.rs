//! The station's half of tlc: a plan goes in, results come out.
//!
//! [`schedule`] decides what happens next and touches nothing outside.

pub mod schedule;
pub mod station;
pub mod store;
pub mod worker;
