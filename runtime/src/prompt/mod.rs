//! Who answers the prompts of tests.

mod answers;

pub use answers::{Answer, Answers, AnswersError};
