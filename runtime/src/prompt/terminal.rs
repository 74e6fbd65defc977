//! Prompts at the terminal: one at a time, asked again until the answer fits.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::termios::{FlushArg, LocalFlags, SetArg, Termios, tcflush, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Mutex, MutexGuard};

use super::{Placed, accept};
use crate::report::{said, write_error};
use crate::worker::desk::{Answer, Refusal};
use crate::worker::message::{Figure, Kind, Prompt};

/// The terminal of this program.
#[derive(Debug)]
pub(super) struct Terminal {
    /// What is typed, line by line; the reader starts with the first prompt.
    lines: OnceLock<Mutex<UnboundedReceiver<String>>>,
}

/// The terminal while a prompt has it.
#[derive(Debug)]
pub(crate) struct TerminalGuard<'a> {
    lines: MutexGuard<'a, UnboundedReceiver<String>>,
}

impl Terminal {
    /// The terminal, if stdin and stderr are one and this program is not in its background.
    pub fn of_this_program() -> Option<Self> {
        let stdin = io::stdin();
        let is_ours = tcgetpgrp(stdin.as_fd()).is_ok_and(|group| group == getpgrp());
        (stdin.is_terminal() && io::stderr().is_terminal() && is_ours).then(|| Self { lines: OnceLock::new() })
    }

    /// Waits until no other prompt has it; `None` if it was closed.
    pub async fn take(&self) -> Option<TerminalGuard<'_>> {
        let lines = self.lines.get_or_init(|| Mutex::new(read_lines())).lock().await;
        (!lines.is_closed() || !lines.is_empty()).then_some(TerminalGuard { lines })
    }
}

/// A line is read before anybody knows that nobody wants it any more; so one thread reads all of them.
fn read_lines() -> UnboundedReceiver<String> {
    let (lines, read) = unbounded_channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while io::stdin().lock().read_line(&mut line).is_ok_and(|count| count > 0) {
            if lines.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    read
}

impl TerminalGuard<'_> {
    /// Asks until the answer fits.
    pub async fn ask(&mut self, placed: &Placed) -> Answer {
        // What was typed before the question is no answer to it, nor the beginning of one.
        let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
        while self.lines.try_recv().is_ok() {}
        write_error(&question(placed));
        match placed.prompt.kind {
            Kind::Steps => self.steps(placed).await,
            Kind::Countdown => self.countdown(placed).await,
            Kind::Buttons
            | Kind::PassFail
            | Kind::Text
            | Kind::Number
            | Kind::Select
            | Kind::Radios
            | Kind::MultiSelect
            | Kind::Checkboxes
            | Kind::Scan
            | Kind::Image
            | Kind::Link
            | Kind::Html
            | Kind::Note => self.until_it_fits(placed).await,
        }
    }

    async fn until_it_fits(&mut self, placed: &Placed) -> Answer {
        let silence = placed.prompt.is_secret().then(Silence::new).flatten();
        loop {
            write_error(&hint(&placed.prompt));
            let line = self.line().await?;
            if silence.is_some() {
                write_error("\n");
            }
            let read = read(placed, line.trim_end_matches(['\r', '\n']));
            match read.and_then(|value| accept(&placed.prompt, &value)) {
                Ok(value) => return Ok(value),
                Err(what) => write_error(&format!("  {what}\n")),
            }
        }
    }

    async fn steps(&mut self, placed: &Placed) -> Answer {
        let steps = placed.prompt.steps.iter().flatten();
        let number = placed.prompt.steps.as_ref().map_or(0, Vec::len);
        for (place, step) in steps.enumerate() {
            let title = step.title.as_ref().map(|title| format!("{}: ", title.in_locale(&placed.locale)));
            let image = step.image.as_ref().map_or_else(String::new, figure);
            let text = step.text.in_locale(&placed.locale);
            let title = title.unwrap_or_default();
            write_error(&said(&format!("  {}/{number}  {title}{text}\n{image}", place + 1)));
            write_error("  Enter when it is done: ");
            self.line().await?;
        }
        Ok(Value::Bool(true))
    }

    async fn countdown(&mut self, placed: &Placed) -> Answer {
        let seconds = placed.prompt.seconds.unwrap_or_default();
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        write_error(&format!("  {seconds} s, or Enter: "));
        tokio::select! {
            line = self.line() => line.map(|_| Value::Bool(true)),
            () = tokio::time::sleep(time) => {
                write_error("\n");
                Ok(Value::Bool(true))
            }
        }
    }

    async fn line(&mut self) -> Result<String, Refusal> {
        let closed = || Refusal::new(Refusal::NOBODY, "there is no one to answer: the terminal was closed");
        self.lines.recv().await.ok_or_else(closed)
    }
}

/// The question, as it is shown.
fn question(placed: &Placed) -> String {
    let Placed { prompt, path, locale, .. } = placed;
    let title = prompt.title.as_ref().map(|title| format!("{}\n  ", title.in_locale(locale)));
    let mut text = format!("prompt   {path}: {}{}\n", title.unwrap_or_default(), prompt.text.in_locale(locale));
    if let Some(image) = &prompt.image {
        text += &figure(image);
    }
    if let Some(link) = &prompt.link {
        let called = link.text.as_ref().map(|text| format!("{}: ", text.in_locale(locale)));
        text += &format!("  {}{}\n", called.unwrap_or_default(), link.url);
    }
    if let Some(html) = &prompt.html {
        text.extend(without_tags(html).lines().map(|line| format!("  {line}\n")));
    }
    for (place, option) in prompt.options().iter().enumerate() {
        text += &format!("  {:>2}  {}\n", place + 1, option.label.in_locale(locale));
    }
    said(&text)
}

fn figure(figure: &Figure) -> String {
    match &figure.path {
        Some(path) => format!("  image: {path}\n"),
        None => "  (an image, which a terminal cannot show)\n".to_owned(),
    }
}

/// A terminal shows no document; its text is better than nothing: a line for each block.
fn without_tags(html: &str) -> String {
    let mut parts = html.split('<');
    let mut text = parts.next().unwrap_or_default().replace('\n', " ");
    for part in parts {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        let tag =
            tag.trim_start_matches('/').split(|end: char| !end.is_ascii_alphanumeric()).next().unwrap_or_default();
        if BLOCKS.iter().any(|block| block.eq_ignore_ascii_case(tag)) {
            text.push('\n');
        }
        text += &rest.replace('\n', " ");
    }
    let text = html_escape::decode_html_entities(&text);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What begins a line of its own.
const BLOCKS: [&str; 16] =
    ["br", "p", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr"];

/// What stands before the cursor.
fn hint(prompt: &Prompt) -> String {
    let text = match prompt.kind {
        Kind::Buttons | Kind::Select | Kind::Radios => "the number of one".to_owned(),
        Kind::MultiSelect | Kind::Checkboxes => "the numbers of those that apply".to_owned(),
        Kind::PassFail => "p (pass) or f (fail)".to_owned(),
        Kind::Number => match &prompt.unit {
            Some(unit) => format!("a number ({unit})"),
            None => "a number".to_owned(),
        },
        Kind::Text => "a text".to_owned(),
        Kind::Scan => "scan or type it".to_owned(),
        Kind::Image | Kind::Link | Kind::Html | Kind::Note | Kind::Steps | Kind::Countdown => {
            "Enter when it is done".to_owned()
        }
    };
    let initial = match &prompt.initial {
        Some(Value::String(text)) => format!(" [{text}]"),
        Some(Value::Null) | None => String::new(),
        Some(other) => format!(" [{other}]"),
    };
    said(&format!("  {text}{initial}: "))
}

/// What was typed, as a value; the error says what was expected.
fn read(placed: &Placed, line: &str) -> Result<Value, String> {
    let prompt = &placed.prompt;
    let word = line.trim();
    match prompt.kind {
        Kind::Text | Kind::Number
            if word.is_empty() && prompt.initial.as_ref().is_some_and(|value| !value.is_null()) =>
        {
            Ok(prompt.initial.clone().unwrap_or_default())
        }
        Kind::Text => Ok(Value::from(line)),
        Kind::Scan => Ok(Value::from(word)),
        Kind::Number => word.parse::<serde_json::Number>().map(Value::Number).map_err(|_| "expected a number".into()),
        Kind::PassFail => match word.to_ascii_lowercase().as_str() {
            "p" | "pass" | "y" | "yes" => Ok(Value::Bool(true)),
            "f" | "fail" | "n" | "no" => Ok(Value::Bool(false)),
            _ => Err("expected p or f".into()),
        },
        Kind::Buttons | Kind::Select | Kind::Radios => option(placed, word),
        Kind::MultiSelect | Kind::Checkboxes => {
            word.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| option(placed, word)).collect()
        }
        Kind::Image | Kind::Link | Kind::Html | Kind::Note | Kind::Steps | Kind::Countdown => Ok(Value::Bool(true)),
    }
}

/// By its number, or by what it is called.
fn option(placed: &Placed, word: &str) -> Result<Value, String> {
    let options = placed.prompt.options();
    let by_number = word.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
    let by_label = || options.iter().find(|option| option.label.in_locale(&placed.locale).eq_ignore_ascii_case(word));
    match by_number.or_else(by_label) {
        Some(option) => Ok(option.value.clone()),
        None => Err(format!("expected a number from 1 to {}", options.len())),
    }
}

/// While it lives, the terminal does not show what is typed.
struct Silence(Termios);

impl Silence {
    fn new() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &silent).ok()?;
        Some(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::accept::tests::prompt;
    use super::*;
    use serde_json::json;

    fn placed(params: Value) -> Placed {
        Placed { prompt: prompt(params), name: "1".into(), path: "SMT.Look".into(), locale: "de-DE".into() }
    }

    #[test]
    fn a_question_is_shown_in_the_locale_with_its_choices() {
        let placed = placed(
            json!({"kind": "select", "title": "Look", "text": {"en-US": "Colour?", "de-DE": "Farbe?\u{1b}[2J"},
            "choices": [{"label": "red", "value": "r"}, {"label": {"de-DE": "grün"}, "value": "g"}], "html": "<b>a</b> <i>b</i>"}),
        );
        assert_eq!(question(&placed), "prompt   SMT.Look: Look\n  Farbe?[2J\n  a b\n   1  red\n   2  grün\n");
        assert_eq!(read(&placed, "2"), Ok(json!("g")));
        assert_eq!(read(&placed, " RED "), Ok(json!("r")));
        assert!(read(&placed, "3").expect_err("beyond").contains("from 1 to 2") && read(&placed, "0").is_err());
    }

    #[test]
    fn of_a_document_its_lines_are_shown() {
        let shown = without_tags(
            "<p>U &lt; 5 &Omega;</p>\n<P class=\"x\">Then <b>st</b>op<br/>now</p> &amp;lt; <ul><li>a<li>b",
        );
        assert_eq!(shown, "U < 5 Ω\nThen stop\nnow\n&lt;\na\nb");
        assert_eq!(without_tags("a <unfinished"), "a");
    }

    #[test]
    fn what_is_typed_is_read_as_its_kind() {
        let kind = |params: Value, line: &str| read(&placed(params), line);
        assert_eq!(kind(json!({"kind": "pass_fail", "text": "a"}), "P"), Ok(json!(true)));
        assert!(kind(json!({"kind": "pass_fail", "text": "a"}), "maybe").is_err());
        assert_eq!(kind(json!({"kind": "number", "text": "a", "initial": 4}), ""), Ok(json!(4)));
        assert!(kind(json!({"kind": "number", "text": "a"}), "four").is_err());
        assert_eq!(kind(json!({"kind": "text", "text": "a"}), " b "), Ok(json!(" b ")));
        assert_eq!(kind(json!({"kind": "scan", "text": "a"}), " b "), Ok(json!("b")));
        let boxes = json!({"kind": "checkboxes", "text": "a", "choices": [{"label": "A", "value": 1}, {"label": "B", "value": 2}]});
        assert_eq!(kind(boxes.clone(), "2, 1"), Ok(json!([2, 1])));
        assert_eq!(kind(boxes, ""), Ok(json!([])));
    }
}
