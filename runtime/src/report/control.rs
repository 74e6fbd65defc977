//! Answers of a run that is on, as text and as JSON.

use super::Format;
use super::results::json;
use crate::control::{Answer, RunStatus};

/// An answer; a refusal is an error, and is shown as one.
pub(crate) fn show_answer(answer: &Answer, format: Format) -> String {
    match (format, answer) {
        (Format::Json, answer) => json(answer),
        (Format::Text, Answer::Done {}) => "done\n".to_owned(),
        (Format::Text, Answer::Refused { .. } | Answer::Over {}) => String::new(),
        (Format::Text, Answer::Ended { verdict, .. }) => format!("{verdict}\n"),
        (Format::Text, Answer::Status { status }) => text(status),
    }
}

fn text(status: &RunStatus) -> String {
    let root = if status.root.is_empty() { String::new() } else { format!(", {}", status.root) };
    let mut text = format!("run {} of {}{root}: {}\n", status.run, status.list, status.state.words());
    for count in &status.counts {
        text += &format!("{:>6}  {}\n", count.number, count.status);
    }
    for attempt in &status.active {
        let again = if attempt.number > 1 { format!(" (start {})", attempt.number) } else { String::new() };
        text += &format!("active  {}{again}, for {:.1} s\n", attempt.path, attempt.elapsed_ms as f64 / 1000.0);
    }
    text + &format!("on for {:.1} s, process {}\n", status.elapsed_ms as f64 / 1000.0, status.process)
}
