//! Text to [`Document`]: JSON5 with a place for every value, several errors in one run, and limits.
//!
//! All documents of a compilation share one [`Arena`]; later stages append to it and never change what is there. This stage knows
//! JSON5 and nothing of test lists.

mod again;
mod arena;
mod brackets;
mod chars;
mod duplicates;
mod escapes;
mod faults;
mod number;
mod read;
mod recover;
mod scan;
mod text;

pub use again::Earlier;
pub use arena::{Arena, Contents, Entry, Member, Members, Name, Node, NodeId, Symbol, Value, Words};
pub(crate) use arena::{BITS, LARGE_OBJECT, Part};
pub use escapes::{escape_breakpoints, source_offset};
pub use read::{Comment, Document, Duplicate, MAX_DEPTH, read};
