//! Text to [`Document`]: JSON5 with a place for every value, several errors in one run, and limits.
//!
//! All documents of a compilation share one [`Arena`]; later stages append to it and never change what is there. This stage knows
//! JSON5 and nothing of test lists.

mod arena;
mod read;

pub use arena::{Arena, Entry, Member, Node, NodeId, Symbol, Value};
pub use read::{Comment, Document, Duplicate, MAX_DEPTH, read};
