//! The compiler: test-list files become a plan, with diagnostics.

pub mod diagnostic;
pub mod document;
pub mod expression;
pub mod source;
