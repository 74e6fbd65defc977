//! The contract between the compiler and a station: what a compiled test list is made of.
//!
//! [`data`] is plain JSON data, [`members`] are those of its objects, [`expression`] is an `eval!` expression as a tree, [`value`] and [`evaluate`] give it Python's
//! meaning, [`template`] is data with expressions in it, [`resolve`](mod@resolve) makes data of that, [`plan`] is the graph of tests, [`names`]
//! are those that a test may have, and [`wire`] is its versioned form on disk. Nothing here reads a file, parses a list or runs a test.

mod canonical;
pub mod data;
pub mod diff;
pub mod evaluate;
pub mod expression;
pub mod members;
pub mod names;
pub mod plan;
pub mod resolve;
pub mod template;
pub mod value;
pub mod wire;

pub use data::Data;
pub use plan::{NodeId, Plan};
pub use template::Template;
