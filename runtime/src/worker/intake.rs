//! Takes in what a test reports and asks: judges it, keeps it until it is recorded, and sees to the answers.
//!
//! In: [`Incoming`] messages, from the protocol or from a reader of the test's output, in their order. Out: calls at the [`Desk`], answers, and
//! what is [`Gathered`] when the attempt ends. What comes without an id is handed in with the next call, at the latest with the end of the
//! attempt.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::desk::{
    Answer, Desk, Display, Item, KeptAttachment, KeptNote, PromptRecord, PromptState, Question, Refusal, Reported,
};
use super::measure::{self, Declared, Judged, Verdict};
use super::message::{
    Attachment, Content, Finished, Log, LogLevel, Measurement, Message, Note, NoteLevel, Part, PartOutcome, Prompt,
};
use super::{Attempt, DRAIN, Secrets, protocol};
use crate::prompt::Placed;
use crate::store::ContentSource;

/// How many measurements, parts, attachments, notes and prompts an attempt may report.
pub const ITEM_LIMIT: usize = 10_000;

/// How long all of them may be together, as messages, in bytes.
pub const ITEM_BYTES: usize = 16 << 20;

/// How many prompts of a test may be open.
pub const PROMPT_LIMIT: usize = 16;

/// How many things that could not be done are noted.
const COMPLAINTS: usize = 100;

/// How many requests of a test may wait for their answers.
const WAITING: usize = 32;

/// How often what a test shows may change.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

/// One message.
#[derive(Debug)]
pub(super) struct Incoming {
    /// What was sent, or what does not fit.
    pub message: Result<Message, String>,
    /// How long it was, in bytes.
    pub size: usize,
    /// Where the answer goes.
    pub back: Back,
}

/// Where an answer goes.
#[derive(Debug)]
pub(super) enum Back {
    /// Nobody waits for it.
    Nowhere,
    /// To the worker, with the id of its request.
    Pipe(Value, mpsc::Sender<Vec<u8>>),
    /// To a reader of the test's output.
    Reader(oneshot::Sender<Answer>),
}

/// What the intake tells the one who watches the process.
#[derive(Debug)]
pub(super) enum Report {
    /// The worker gave its outcome.
    Finished(Finished),
    /// The worker broke the protocol; the text says how.
    Violation(String),
    /// The worker closed its end in the middle of a message.
    Half,
}

/// What is known of an attempt from its reports.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// What is not handed in yet.
    pub items: Vec<Item>,
    /// What did not fit; the test fails with it.
    pub refused: Option<String>,
    /// What failed: measurements and parts, each in a line.
    pub failures: Vec<String>,
    /// The names of the measurements.
    measured: HashSet<String>,
    places: u32,
    complaints: usize,
    counted: usize,
    bytes: usize,
}

impl Gathered {
    /// Which declared measurements are missing, in a line.
    pub fn missing(&self, declared: &Declared) -> Option<String> {
        measure::missing(declared, |name| self.measured.contains(name))
    }

    fn place(&mut self) -> u32 {
        self.places += 1;
        self.places - 1
    }

    fn keep(&mut self, what: Reported) {
        let position = self.place();
        self.items.push(Item { position, at: Timestamp::now(), what });
    }

    /// Something that the test cannot hear of; a test that goes on and on is not recorded with each of them.
    fn complain(&mut self, text: String) {
        self.complaints += 1;
        if self.complaints <= COMPLAINTS {
            self.keep(Reported::Note(KeptNote { level: NoteLevel::Warning, key: None, text }));
        }
    }

    fn refuse(&mut self, what: &str) {
        self.refused.get_or_insert_with(|| what.to_owned());
    }
}

impl Back {
    /// Gives the answer. A worker that does not read it holds up only itself.
    async fn give(self, answer: Answer) {
        match self {
            Self::Nowhere => {}
            Self::Pipe(id, answers) => {
                let _ = answers.send(protocol::answer(&id, &answer)).await;
            }
            Self::Reader(reply) => {
                let _ = reply.send(answer);
            }
        }
    }

    fn is_awaited(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }
}

/// Takes in the messages of one attempt.
pub(super) struct Intake {
    desk: Desk,
    declared: Declared,
    path: String,
    locale: String,
    directory: PathBuf,
    log: mpsc::Sender<Vec<u8>>,
    reports: mpsc::Sender<Report>,
    gathered: Arc<Mutex<Gathered>>,
    /// Requests that wait for their answers; each holds a permit.
    waiting: Arc<Semaphore>,
    tasks: JoinSet<()>,
    /// Open prompts by their names; `true` takes one back.
    open: Arc<Mutex<HashMap<String, watch::Sender<bool>>>>,
    prompts: usize,
    shown: Display,
    shown_at: Option<Instant>,
    /// What is to be shown next is due then.
    due: Option<Instant>,
    finished: bool,
    /// Nobody waits for a prompt any more.
    left: bool,
}

impl Intake {
    pub fn new(
        attempt: &Attempt,
        desk: Desk,
        log: mpsc::Sender<Vec<u8>>,
        reports: mpsc::Sender<Report>,
        gathered: Arc<Mutex<Gathered>>,
    ) -> Self {
        Self {
            desk,
            declared: attempt.declared.clone(),
            path: attempt.identity.path.clone(),
            locale: attempt.identity.locale.clone(),
            directory: attempt.directory.clone(),
            log,
            reports,
            gathered,
            waiting: Arc::new(Semaphore::new(WAITING)),
            tasks: JoinSet::new(),
            open: Arc::default(),
            prompts: 0,
            shown: Display::default(),
            shown_at: None,
            due: None,
            finished: false,
            left: false,
        }
    }

    /// Takes messages until nobody can send any more, and sees to it that all of them are answered. When the process is gone, nobody waits
    /// for a prompt any more.
    pub async fn run(mut self, mut messages: mpsc::Receiver<Incoming>, mut gone: watch::Receiver<bool>) {
        // What escaped from the test may hold its output open, and nobody waits for that for ever.
        let mut closing = None;
        loop {
            tokio::select! {
                incoming = messages.recv() => match incoming {
                    Some(incoming) => {
                        if let Err(what) = self.take(incoming).await {
                            let _ = self.reports.send(Report::Violation(what)).await;
                            self.leave();
                            break;
                        }
                    }
                    None => break,
                },
                () = until(self.due) => self.show(),
                Some(_) = self.tasks.join_next() => {}
                () = leave(&mut gone), if !self.left => {
                    self.leave();
                    closing = Some(Instant::now() + DRAIN);
                }
                () = until(closing) => {
                    messages.close();
                    closing = None;
                }
            }
        }
        // A test that says nothing more may wait for answers all the same.
        loop {
            tokio::select! {
                task = self.tasks.join_next() => match task {
                    Some(_) => {}
                    None => break,
                },
                () = leave(&mut gone), if !self.left => self.leave(),
            }
        }
    }

    fn leave(&mut self) {
        self.left = true;
        self.take_prompts_back();
    }

    /// Takes one message; the error is a violation of the protocol.
    async fn take(&mut self, incoming: Incoming) -> Result<(), String> {
        let Incoming { message, size, back } = incoming;
        if self.finished {
            return Ok(());
        }
        let message = match message {
            Ok(message) if message.needs_answer() && !back.is_awaited() => {
                Err("sent a request without an `id`, which makes sense only with an answer".to_owned())
            }
            other => other,
        };
        let message = match message {
            Ok(message) => message,
            Err(what) => {
                self.refuse(back, Refusal::unfit(self.text(&what))).await;
                return Ok(());
            }
        };
        self.count(&message, size)?;
        match message {
            Message::Finished(finished) => self.finish(finished, back).await,
            Message::Measurement(measurement) => self.measurement(*measurement, back).await,
            Message::Attachment(attachment) => self.attachment(attachment, back).await,
            Message::Result(part) => self.part(part, back).await,
            Message::Log(log) => self.log(&log, back).await,
            Message::Heading(heading) => {
                self.shown =
                    Display { text: Some(self.text(heading.text.in_locale(&self.locale))), ..Display::default() };
                self.show_soon();
                back.give(Ok(json!({}))).await;
            }
            Message::Progress(progress) => {
                let text = progress.text.map(|text| self.text(text.in_locale(&self.locale)));
                self.shown.text = text.or(self.shown.text.take());
                self.shown.fraction = progress.fraction;
                self.shown.remaining_secs = progress.remaining_secs;
                self.show_soon();
                back.give(Ok(json!({}))).await;
            }
            Message::Note(note) => {
                self.note(note);
                self.hand_in(Question::Nothing, Ok(json!({})), back).await;
            }
            Message::Prompt(prompt) => self.prompt(*prompt, back).await,
            Message::Dismiss(dismiss) => {
                if let Some(open) = lock(&self.open).get(&dismiss.prompt) {
                    open.send_replace(true);
                }
                back.give(Ok(json!({}))).await;
            }
            Message::Identity(identity) => {
                let identity = self.masked(&*identity);
                self.ask(Question::Identity(Box::new(identity)), back).await;
            }
            Message::Data(request) => {
                let request = self.masked_data(request);
                self.ask(Question::Data(request), back).await;
            }
            Message::Secret(secret) => self.secret(secret.name, back).await,
        }
        Ok(())
    }

    /// The secrets that are not to be seen.
    pub fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.desk.facilities.secrets)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        lock(&self.gathered)
    }

    /// A text for the record.
    fn text(&self, text: &str) -> String {
        self.desk.facilities.secrets.mask(text).into_owned()
    }

    async fn refuse(&self, back: Back, refusal: Refusal) {
        let refusal = Refusal { message: self.text(&refusal.message), ..refusal };
        self.gathered().refuse(&refusal.message);
        back.give(Err(refusal)).await;
    }

    fn count(&self, message: &Message, size: usize) -> Result<(), String> {
        if !message.is_counted() {
            return Ok(());
        }
        let mut gathered = self.gathered();
        gathered.counted += 1;
        gathered.bytes += size;
        if gathered.counted > ITEM_LIMIT {
            return Err(format!("reported more than {ITEM_LIMIT} measurements, parts, attachments, notes and prompts"));
        }
        if gathered.bytes > ITEM_BYTES {
            return Err(format!(
                "reported more than {ITEM_BYTES} bytes of measurements, parts, attachments, notes and prompts"
            ));
        }
        Ok(())
    }

    async fn finish(&mut self, finished: Finished, back: Back) {
        self.finished = true;
        self.leave();
        back.give(Ok(json!({}))).await;
        let masked = |text: Option<String>| text.map(|text| self.desk.facilities.secrets.masked(text));
        let finished =
            Finished { message: masked(finished.message), traceback: masked(finished.traceback), ..finished };
        let _ = self.reports.send(Report::Finished(finished)).await;
    }

    async fn measurement(&mut self, measurement: Measurement, back: Back) {
        let judged = match measure::judge(measurement, &self.declared) {
            Ok(judged) => judged,
            Err(what) => return self.refuse(back, Refusal::unfit(format!("sent a wrong `measurement`: {what}"))).await,
        };
        let verdict = judged.verdict;
        {
            let judged = self.masked_measurement(judged);
            let mut gathered = self.gathered();
            gathered.measured.insert(judged.measurement.name.clone());
            gathered.failures.extend(judged.message.clone().filter(|_| verdict == Verdict::Failed));
            gathered.keep(Reported::Measurement(Box::new(judged)));
        }
        self.hand_in(Question::Nothing, Ok(json!({ "outcome": verdict.name() })), back).await;
    }

    async fn part(&mut self, part: Part, back: Back) {
        let secrets = &self.desk.facilities.secrets;
        let part =
            Part { name: secrets.masked(part.name), message: part.message.map(|text| secrets.masked(text)), ..part };
        let failed = match (part.outcome, &part.message) {
            (PartOutcome::Passed | PartOutcome::Skipped, _) => None,
            (PartOutcome::Failed | PartOutcome::Error, Some(message)) => Some(format!("{}: {message}", part.name)),
            (PartOutcome::Failed, None) => Some(format!("{}: failed", part.name)),
            (PartOutcome::Error, None) => Some(format!("{}: error", part.name)),
        };
        {
            let mut gathered = self.gathered();
            gathered.failures.extend(failed);
            gathered.keep(Reported::Result(part));
        }
        self.hand_in(Question::Nothing, Ok(json!({})), back).await;
    }

    async fn attachment(&mut self, attachment: Attachment, back: Back) {
        match self.keep_content(&attachment).await {
            Ok(kept) => {
                let answer = json!({ "sha256": kept.sha256, "size": kept.size });
                self.gathered().keep(Reported::Attachment(kept));
                self.hand_in(Question::Nothing, Ok(answer), back).await;
            }
            Err(what) => {
                let what = format!("`{}` cannot be attached: {what}", attachment.name);
                self.decline(Refusal::new(Refusal::NOT_ATTACHED, self.text(&what)), back).await;
            }
        }
    }

    /// Copies the content; it is durable when this returns.
    async fn keep_content(&self, attachment: &Attachment) -> Result<KeptAttachment, String> {
        let facilities = Arc::clone(&self.desk.facilities);
        let source = match attachment.content() {
            Some(Content::File(path)) => ContentSource::File(self.directory.join(path)),
            Some(Content::Bytes(bytes)) => ContentSource::Bytes(bytes),
            None => return Err("it has no content".to_owned()),
        };
        let remove = attachment.moved == Some(true);
        let kept = tokio::task::spawn_blocking(move || {
            if let ContentSource::File(path) = &source
                && path.canonicalize().is_ok_and(|path| path.starts_with("/proc"))
            {
                return Err("what is in /proc depends on who reads it; attach its content".to_owned());
            }
            let mut is_seen = facilities.secrets.finder();
            let refuse = |chunk: &[u8]| is_seen(chunk).then(|| "it contains a secret".to_owned());
            let kept = facilities.contents.keep(&source, facilities.attachment_limit, refuse)?;
            if let ContentSource::File(path) = &source
                && remove
            {
                std::fs::remove_file(path).map_err(|error| format!("it was kept, but not removed: {error}"))?;
            }
            Ok(kept)
        });
        let kept = kept.await.unwrap_or_else(|_| Err("it was lost".to_owned()))?;
        Ok(KeptAttachment {
            name: self.text(&attachment.name),
            media_type: self.text(&attachment.media_type()),
            description: attachment.description.as_ref().map(|text| self.text(text.in_locale(&self.locale))),
            sha256: kept.sha256,
            size: kept.size,
        })
    }

    async fn log(&self, log: &Log, back: Back) {
        let level = match log.level {
            LogLevel::Debug => "debug: ",
            LogLevel::Info => "",
            LogLevel::Warning => "warning: ",
            LogLevel::Error => "error: ",
        };
        let _ = self.log.send(format!("{level}{}\n", log.text).into_bytes()).await;
        back.give(Ok(json!({}))).await;
    }

    fn note(&self, note: Note) {
        let text = self.text(note.text.in_locale(&self.locale));
        let key = note.key.map(|key| self.desk.facilities.secrets.masked(key));
        self.gathered().keep(Reported::Note(KeptNote { level: note.level, key, text }));
    }

    /// Something that is not done, and that is the test's to handle; if the test does not hear of it, the record does.
    async fn decline(&self, refusal: Refusal, back: Back) {
        if !back.is_awaited() {
            self.gathered().complain(refusal.message.clone());
        }
        back.give(Err(refusal)).await;
    }

    /// What was gathered until now; it goes with the next call.
    fn items(&self) -> Vec<Item> {
        std::mem::take(&mut self.gathered().items)
    }

    /// Answers when what was reported until now is durable; without an id there is no hurry.
    async fn hand_in(&mut self, question: Question, answer: Answer, back: Back) {
        if !back.is_awaited() {
            return;
        }
        let Ok(permit) = Arc::clone(&self.waiting).acquire_owned().await else { return };
        let pending = self.desk.hand_in(self.items(), question, true);
        self.tasks.spawn(async move {
            let recorded = pending.answer().await;
            back.give(recorded.and(answer)).await;
            drop(permit);
        });
    }

    /// Asks the one who knows. A change takes effect also without an id.
    async fn ask(&mut self, question: Question, back: Back) {
        let Ok(permit) = Arc::clone(&self.waiting).acquire_owned().await else { return };
        let pending = self.desk.hand_in(self.items(), question, back.is_awaited());
        let gathered = Arc::clone(&self.gathered);
        self.tasks.spawn(async move {
            let answer = pending.answer().await;
            if let Err(refusal) = &answer {
                let mut gathered = lock(&gathered);
                if refusal.is_unfit() {
                    gathered.refuse(&refusal.message);
                } else if !back.is_awaited() && refusal.code != Refusal::IMPOSSIBLE {
                    gathered.complain(refusal.message.clone());
                }
            }
            back.give(answer).await;
            drop(permit);
        });
    }

    async fn secret(&mut self, name: String, back: Back) {
        let Ok(permit) = Arc::clone(&self.waiting).acquire_owned().await else { return };
        let secrets = Arc::clone(&self.desk.facilities.secrets);
        self.tasks.spawn(async move {
            back.give(secrets.hand_out(&name).await.map(|secret| json!({ "value": secret }))).await;
            drop(permit);
        });
    }

    async fn prompt(&mut self, prompt: Prompt, back: Back) {
        self.prompts += 1;
        let name = prompt.prompt.clone().unwrap_or_else(|| self.prompts.to_string());
        let (take_back, taken_back) = watch::channel(self.left);
        let known = {
            let mut open = lock(&self.open);
            let full = open.len() >= PROMPT_LIMIT;
            if open.contains_key(&name) {
                Err(format!("sent a wrong `prompt`: `prompt`: `{name}` is open already"))
            } else if full {
                Err(format!("sent a `prompt` while {PROMPT_LIMIT} are open"))
            } else {
                open.insert(name.clone(), take_back);
                Ok(())
            }
        };
        if let Err(what) = known {
            return self.refuse(back, Refusal::unfit(what)).await;
        }
        let position = self.gathered().place();
        let asking = Asking {
            placed: Placed { prompt, name: name.clone(), path: self.path.clone(), locale: self.locale.clone() },
            position,
            desk: self.desk.clone(),
            gathered: Arc::clone(&self.gathered),
        };
        let open = Arc::clone(&self.open);
        self.tasks.spawn(async move {
            let answer = asking.answered(taken_back).await;
            lock(&open).remove(&name);
            back.give(answer).await;
        });
    }

    fn take_prompts_back(&self) {
        for open in lock(&self.open).values() {
            open.send_replace(true);
        }
    }

    /// Now, if nothing was shown for a while, else a little later.
    fn show_soon(&mut self) {
        match self.shown_at.map(|at| at + SHOWN_EVERY) {
            Some(due) if due > Instant::now() => self.due = Some(due),
            Some(_) | None => self.show(),
        }
    }

    fn show(&mut self) {
        self.due = None;
        self.shown_at = Some(Instant::now());
        self.desk.show(self.shown.clone());
    }

    /// The same message without secrets.
    fn masked<T: serde::Serialize + serde::de::DeserializeOwned + Clone>(&self, message: &T) -> T {
        let secrets = &self.desk.facilities.secrets;
        let value = serde_json::to_value(message).unwrap_or_default();
        // A number stays one where only a number fits.
        serde_json::from_value(secrets.masked_value(value.clone()))
            .or_else(|_| serde_json::from_value(secrets.masked_texts(value)))
            .unwrap_or_else(|_| message.clone())
    }

    fn masked_data(&self, request: super::message::DataRequest) -> super::message::DataRequest {
        use super::message::{DataRequest, Set, Update};
        let secrets = &self.desk.facilities.secrets;
        match request {
            DataRequest::Set(Set { space, key, value }) => {
                DataRequest::Set(Set { space, key: secrets.masked(key), value: secrets.masked_value(value) })
            }
            DataRequest::Update(Update { space, value }) => {
                let masked = |(key, value)| (secrets.masked(key), secrets.masked_value(value));
                DataRequest::Update(Update { space, value: value.into_iter().map(masked).collect() })
            }
            DataRequest::Increment(mut increment) => {
                increment.key = secrets.masked(increment.key);
                DataRequest::Increment(increment)
            }
            other @ (DataRequest::Get(_) | DataRequest::Delete(_) | DataRequest::Keys(_)) => other,
        }
    }

    fn masked_measurement(&self, judged: Judged) -> Judged {
        use super::message::Reading;
        let secrets = &self.desk.facilities.secrets;
        let text = |text: String| secrets.masked(text);
        let reading = |reading: Reading| match reading {
            Reading::Text(found) => Reading::Text(text(found)),
            Reading::Number(number) => match secrets.mask(number.as_str()) {
                std::borrow::Cow::Borrowed(_) => Reading::Number(number),
                std::borrow::Cow::Owned(masked) => Reading::Text(masked),
            },
            other @ (Reading::Nonfinite(_) | Reading::Bool(_)) => other,
        };
        let Judged { measurement, limits, unit, label, verdict, message } = judged;
        Judged {
            measurement: Measurement {
                name: text(measurement.name),
                value: measurement.value.map(reading),
                series: measurement.series.map(|series| {
                    let axis = |axis: super::message::Axis| super::message::Axis {
                        name: text(axis.name),
                        unit: axis.unit.map(text),
                        values: axis.values.into_iter().map(reading).collect(),
                    };
                    series.into_iter().map(axis).collect()
                }),
                unit: measurement.unit.map(text),
                equals: measurement.equals.map(reading),
                matches: measurement.matches.map(text),
                label: measurement.label.map(|label| label.map(text)),
                group: measurement.group.map(text),
                ..measurement
            },
            limits: super::message::Limits {
                equals: limits.equals.map(reading),
                matches: limits.matches.map(text),
                ..limits
            },
            unit: unit.map(text),
            label: label.map(|label| super::message::Text::Plain(text(label.in_locale(&self.locale).to_owned()))),
            verdict,
            message: message.map(text),
        }
    }
}

/// A prompt on its way to its answer.
struct Asking {
    placed: Placed,
    position: u32,
    desk: Desk,
    gathered: Arc<Mutex<Gathered>>,
}

impl Asking {
    /// The answer, when it is durable. `taken_back` ends it early.
    async fn answered(self, mut taken_back: watch::Receiver<bool>) -> Answer {
        let asked_at = Timestamp::now();
        let facilities = Arc::clone(&self.desk.facilities);
        let prompter = &facilities.prompter;
        let timeout = self.placed.prompt.timeout_secs;
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let taken = || Refusal::new(Refusal::CANCELLED, "the prompt was taken back");
        if let Some(answer) = prompter.on_file(&self.placed) {
            return self.close(asked_at, answer, Some("answers"), Question::Nothing).await;
        }
        let terminal = tokio::select! {
            terminal = prompter.terminal() => Ok(terminal),
            _ = taken_back.wait_for(|&taken| taken) => Err(taken()),
        };
        let terminal = match terminal {
            Ok(terminal) => terminal,
            Err(refusal) => return self.close(asked_at, Err(refusal), None, Question::Nothing).await,
        };
        // The time of a prompt begins when it is its turn.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let early = async {
            tokio::select! {
                _ = taken_back.wait_for(|&taken| taken) => taken(),
                () = until(deadline) => Refusal::new(Refusal::TIMEOUT, "the prompt's time has passed"),
            }
        };
        tokio::pin!(early);
        let Some(mut terminal) = terminal else {
            let (answer, by) = tokio::select! {
                alone = prompter.alone(&self.placed.prompt) => alone,
                refusal = &mut early => (Err(refusal), None),
            };
            return self.close(asked_at, answer, by, Question::Nothing).await;
        };
        let mut items = std::mem::take(&mut lock(&self.gathered).items);
        items.push(self.item(asked_at, PromptState::Open, None, None));
        // It is asked when it is on record.
        self.desk.hand_in(items, Question::TakeTerminal, true).answer().await?;
        let answer = tokio::select! {
            answer = terminal.ask(&self.placed) => answer,
            refusal = &mut early => {
                crate::report::write_error(&format!("\n  {}\n", refusal.message));
                Err(refusal)
            }
        };
        let by = answer.is_ok().then_some("terminal");
        self.close(asked_at, answer, by, Question::GiveTerminalBack).await
    }

    async fn close(self, asked_at: Timestamp, answer: Answer, by: Option<&'static str>, question: Question) -> Answer {
        let secret = self.placed.prompt.is_secret();
        if let (Ok(Value::String(text)), true) = (&answer, secret) {
            // A short one cannot be masked elsewhere.
            let _ = self.desk.facilities.secrets.hide(text);
        }
        if let Err(refusal) = &answer
            && refusal.is_unfit()
        {
            lock(&self.gathered).refuse(&self.desk.facilities.secrets.mask(&refusal.message));
        }
        let mut items = std::mem::take(&mut lock(&self.gathered).items);
        items.push(self.item(asked_at, PromptState::of(&answer), answer.as_ref().ok(), by));
        self.desk.hand_in(items, question, true).answer().await?;
        answer.map(|answer| json!({ "answer": answer, "by": by }))
    }

    fn item(&self, at: Timestamp, state: PromptState, answer: Option<&Value>, by: Option<&'static str>) -> Item {
        let secrets = &self.desk.facilities.secrets;
        let kept = |answer: &Value| {
            let hidden = self.placed.prompt.is_secret();
            if hidden { Value::from(super::secrets::MASK) } else { secrets.masked_value(answer.clone()) }
        };
        let record = PromptRecord {
            name: secrets.mask(&self.placed.name).into_owned(),
            kind: self.placed.prompt.kind.name(),
            text: secrets.mask(self.placed.prompt.text.in_locale(&self.placed.locale)).into_owned(),
            state,
            answer: answer.map(kept),
            by,
            over_at: (state != PromptState::Open).then(Timestamp::now),
        };
        Item { position: self.position, at, what: Reported::Prompt(record) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn leave(gone: &mut watch::Receiver<bool>) {
    let _ = gone.wait_for(|&gone| gone).await;
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
