//! What passes between an attempt and the one who records it.
//!
//! In: what a test reported, as [`Item`]s, and what it wants, as a [`Question`]. Out: an [`Answer`], when what it says is durable. Whatever
//! takes the reports of an attempt fills a [`Desk`]: the protocol, and the readers of a test's output.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Secrets;
use super::judge::{MESSAGE_KEPT, cut};
use super::measure::Judged;
use super::message::{DataRequest, Identities, NoteLevel, Part};
use crate::prompt::Prompter;
use crate::store::Contents;

/// What all attempts of a run use.
#[derive(Debug)]
pub struct Facilities {
    /// The secrets of the station.
    pub secrets: Arc<Secrets>,
    /// Where the contents of attachments are kept.
    pub contents: Contents,
    /// How large an attachment may be, in bytes.
    pub attachment_limit: u64,
    /// Who answers prompts.
    pub prompter: Prompter,
}

/// Something that a test reported, ready for the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place among all that the attempt reported.
    pub position: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Reported,
}

/// What a test can report.
#[derive(Clone, Debug, PartialEq)]
pub enum Reported {
    /// A measurement.
    Measurement(Box<Judged>),
    /// A part with an outcome of its own.
    Result(Part),
    /// A file; its content is durable already.
    Attachment(KeptAttachment),
    /// A text that stays with the attempt.
    Note(KeptNote),
    /// A prompt. A later one with the same position takes its place.
    Prompt(PromptRecord),
}

/// An attachment whose content is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAttachment {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// What people say about it.
    pub description: Option<String>,
    /// The SHA-256 of its content.
    pub sha256: String,
    /// How large it is, in bytes.
    pub size: u64,
}

/// A note, in the locale of the station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptNote {
    /// How grave it is.
    pub level: NoteLevel,
    /// A later note with the same key takes its place.
    pub key: Option<String>,
    /// What it says.
    pub text: String,
}

/// A prompt and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptRecord {
    /// Its name.
    pub name: String,
    /// What kind of prompt.
    pub kind: &'static str,
    /// The question, in the locale of the station.
    pub text: String,
    /// How it stands.
    pub state: PromptState,
    /// The answer, fit for the record.
    pub answer: Option<Value>,
    /// Who answered.
    pub by: Option<&'static str>,
    /// When it was over.
    pub over_at: Option<Timestamp>,
}

/// How a prompt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptState {
    /// Nobody has answered yet.
    Open,
    /// Someone has.
    Answered,
    /// Its time has passed.
    Timeout,
    /// It was taken back.
    Cancelled,
    /// There is no one to answer.
    Unanswerable,
    /// What was answered does not fit.
    Refused,
}

/// What a test wants besides that its reports are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Nothing.
    Nothing,
    /// It says who and what takes part.
    Identity(Box<Identities>),
    /// It reads or changes what outlives it.
    Data(DataRequest),
    /// The terminal is for a prompt from now on.
    TakeTerminal,
    /// The terminal is for the run again.
    GiveTerminalBack,
}

/// An answer to a test.
pub type Answer = Result<Value, Refusal>;

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its number in the protocol.
    pub code: i32,
    /// Why, for people.
    pub message: String,
}

/// What an attempt sends.
#[derive(Debug)]
pub struct Call {
    /// What it reported until now.
    pub items: Vec<Item>,
    /// What it wants.
    pub question: Question,
    /// Whether the answer waits until all of it is durable.
    pub durable: bool,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// What a test shows and nobody records; only the newest counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Display {
    /// What it does.
    pub text: Option<String>,
    /// How far it is, from 0 to 1.
    pub fraction: Option<f64>,
    /// How long it will take yet, in seconds.
    pub remaining_secs: Option<f64>,
}

/// Something from an attempt.
#[derive(Debug)]
pub enum Signal {
    /// It is answered.
    Call(Call),
    /// It is only shown.
    Display(Display),
}

/// Where the reports of one attempt go.
#[derive(Clone)]
pub struct Desk {
    /// What all attempts use.
    pub facilities: Arc<Facilities>,
    send: Arc<dyn Fn(Signal) + Send + Sync>,
}

impl Desk {
    /// A desk whose signals go to `send`, which must not block.
    pub fn new(facilities: Arc<Facilities>, send: impl Fn(Signal) + Send + Sync + 'static) -> Self {
        Self { facilities, send: Arc::new(send) }
    }

    /// Hands something in; it has its place among all calls of the attempt when this returns, and its answer comes later.
    pub fn hand_in(&self, items: Vec<Item>, question: Question, durable: bool) -> Pending {
        let (reply, answer) = oneshot::channel();
        (self.send)(Signal::Call(Call { items, question, durable, reply }));
        Pending(answer)
    }

    /// Shows something.
    pub fn show(&self, display: Display) {
        (self.send)(Signal::Display(display));
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// An answer that is to come.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Answer>);

impl Pending {
    /// Waits for it.
    pub async fn answer(self) -> Answer {
        self.0.await.unwrap_or_else(|_| Err(Refusal::new(Refusal::IMPOSSIBLE, "the run is over")))
    }
}

impl Refusal {
    /// A method that is not known.
    pub const METHOD: i32 = -32601;
    /// The parameters do not fit; the test fails.
    pub const UNFIT: i32 = -32602;
    /// It cannot be answered: the run is over, or the answer would be too long.
    pub const IMPOSSIBLE: i32 = -32603;
    /// There is no one to answer a prompt.
    pub const NOBODY: i32 = -32001;
    /// The prompt's time has passed.
    pub const TIMEOUT: i32 = -32002;
    /// The prompt was taken back.
    pub const CANCELLED: i32 = -32003;
    /// There is no such key.
    pub const NO_KEY: i32 = -32004;
    /// There is no such secret.
    pub const NO_SECRET: i32 = -32005;
    /// It is set already, to something else.
    pub const SET_ALREADY: i32 = -32006;
    /// The file cannot be attached.
    pub const NOT_ATTACHED: i32 = -32007;

    /// A refusal.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: cut(message.into(), MESSAGE_KEPT) }
    }

    /// Something that does not fit.
    pub fn unfit(message: impl Into<String>) -> Self {
        Self::new(Self::UNFIT, message)
    }

    /// Whether the test fails with it.
    pub fn is_unfit(&self) -> bool {
        self.code == Self::UNFIT
    }

    pub(super) fn as_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

impl PromptState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Unanswerable => "unanswerable",
            Self::Refused => "refused",
        }
    }

    /// How a prompt ends with such an answer.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Ok(_) => Self::Answered,
            Err(Refusal { code: Refusal::TIMEOUT, .. }) => Self::Timeout,
            Err(Refusal { code: Refusal::NOBODY, .. }) => Self::Unanswerable,
            Err(Refusal { code: Refusal::UNFIT, .. }) => Self::Refused,
            Err(_) => Self::Cancelled,
        }
    }
}
