//! The station's half of tlc: a plan goes in, results come out.
//!
//! [`schedule`] decides what happens next and touches nothing outside; [`simulate`] plays it on a virtual clock. At a station, `dispatch`
//! drives it: [`worker`] runs the tests, [`store`] keeps what happened, [`station`] holds what belongs to the machine, [`report`] shows it
//! to people, and [`mod@control`] lets them change it from another terminal. [`run`] is the whole of it, and [`cli`] is what both commands, `tlc` and `tlc-station`, say about it on the command line.

pub mod cli;
pub mod control;
mod dispatch;
pub mod prompt;
pub mod report;
mod run;
pub mod schedule;
mod shelf;
pub mod simulate;
pub mod station;
pub mod store;
mod words;
pub mod worker;

#[doc(hidden)]
pub use run::rehearsal;
pub use run::{Edit, Edits, Exit, RunOptions, control, results, run, store as care_for_store};
