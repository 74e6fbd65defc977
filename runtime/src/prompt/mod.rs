//! Who answers the prompts of tests: a file, else the terminal, else nobody.
//!
//! In: a prompt and where it comes from. Out: an answer that fits it, or why there is none. [`Answers`] reads the file;
//! `docs/src/reference/answers.md` describes it.

mod accept;
mod answers;
mod terminal;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use answers::{Answer, Answers};

use crate::worker::MASK;
use crate::worker::desk::{Answer as Answered, Refusal};
use crate::worker::message::{Kind, Prompt};
pub(crate) use accept::accept;
use terminal::Terminal;
pub(crate) use terminal::TerminalGuard;

/// Answers the prompts of a run.
#[derive(Debug, Default)]
pub struct Prompter {
    answers: Option<Answers>,
    /// How often each prompt of each test was answered from the file.
    given: Mutex<HashMap<(String, String), usize>>,
    terminal: Option<Terminal>,
}

/// A prompt with its place in the run.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// What is asked.
    pub prompt: Prompt,
    /// Its name.
    pub name: String,
    /// The test that asks.
    pub path: String,
    /// What its texts are in.
    pub locale: String,
}

impl Prompter {
    /// With a file, if there is one, and the terminal, if a person sits there.
    pub fn new(answers: Option<Answers>) -> Self {
        Self { answers, given: Mutex::default(), terminal: Terminal::of_this_program() }
    }

    /// Nobody answers.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// What the file says, if it says something.
    pub(crate) fn on_file(&self, placed: &Placed) -> Option<Answered> {
        let answer = self.answers.as_ref()?.answer(&placed.path, &placed.name)?;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let times = given.entry((placed.path.clone(), placed.name.clone())).or_default();
        let value = serde_json::to_value(answer.after(*times)).unwrap_or_default();
        *times += 1;
        Some(accept(&placed.prompt, &value).map_err(|what| {
            let name = &placed.name;
            let shown = if placed.prompt.is_secret() { MASK.to_owned() } else { value.to_string() };
            Refusal::unfit(format!("`prompt`: the file of answers answers `{name}` with {shown}: {what}"))
        }))
    }

    /// The terminal, as soon as no other prompt has it; `None` if there is no one.
    pub(crate) async fn terminal(&self) -> Option<TerminalGuard<'_>> {
        match &self.terminal {
            Some(terminal) => terminal.take().await,
            None => None,
        }
    }

    /// What is answered if there is no one: a time that is over needs nobody.
    pub(crate) async fn alone(&self, prompt: &Prompt) -> (Answered, Option<&'static str>) {
        match (prompt.kind, prompt.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())) {
            (Kind::Countdown, Some(time)) => {
                tokio::time::sleep(time).await;
                (Ok(Value::Bool(true)), Some("time"))
            }
            _ => (Err(Refusal::new(Refusal::NOBODY, "there is no one to answer")), None),
        }
    }
}
