//! The compiler: test-list files become a plan, with diagnostics.

pub mod diagnostic;
pub mod document;
pub mod lineage;
pub mod merge;
pub mod source;
