//! The parser that `grammar/expression.pest` describes.

/// The parser.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/expression.pest"]
pub(super) struct Grammar;
