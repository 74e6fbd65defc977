//! From what was seen of an attempt to its outcome.
//!
//! A cause from outside wins over what the test says; what the test says wins over how its process ended, except that a test that
//! reports a pass and then dies has not passed.

use std::fmt::Write as _;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::Exit;
use super::message::{Finished, Reported};
use crate::schedule::Outcome;

/// How much of a message is kept, in bytes.
pub(super) const MESSAGE_KEPT: usize = 8 << 10;

/// How much of a traceback is kept, in bytes.
const TRACEBACK_KEPT: usize = 64 << 10;

/// Why the runtime ended an attempt.
#[derive(Debug)]
pub(super) enum Cause {
    /// It took too long.
    TimeLimit(Duration),
    /// Somebody wanted it.
    Aborted(String),
    /// It broke the protocol.
    Violation(String),
}

/// What was seen.
#[derive(Debug)]
pub(super) struct Evidence {
    pub cause: Option<Cause>,
    pub finished: Option<Finished>,
    pub exit: Exit,
    /// Silence is a crash: its worker always reports.
    pub must_report: bool,
    /// Its last message has no end.
    pub half: bool,
    /// What its reports say.
    pub findings: Findings,
}

/// What speaks against a pass in what a test reported.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What did not fit the protocol.
    pub refused: Option<String>,
    /// Measurements and parts that failed, each in a line.
    pub failures: Vec<String>,
    /// Declared measurements that were not reported.
    pub missing: Option<String>,
}

impl Findings {
    /// All of it in a line; `None` if there is nothing.
    fn message(self) -> Option<String> {
        let more = self.failures.len().saturating_sub(FAILURES_NAMED);
        let named = self.failures.into_iter().take(FAILURES_NAMED);
        let parts: Vec<String> =
            named.chain((more > 0).then(|| format!("and {more} more"))).chain(self.missing).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// How many failures a message names.
const FAILURES_NAMED: usize = 3;

/// What follows from it.
#[derive(Debug)]
pub(super) struct Judgement {
    pub outcome: Outcome,
    pub message: Option<String>,
    pub traceback: Option<String>,
}

pub(super) fn exit(status: &io::Result<ExitStatus>) -> Exit {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::None,
        },
        Err(_) => Exit::None,
    }
}

pub(super) fn judge(evidence: Evidence) -> Judgement {
    let Evidence { cause, finished, exit, must_report, half, mut findings } = evidence;
    let refused = findings.refused.take();
    let silent = cause.is_none() && finished.is_none();
    let lost = silent && half;
    let judgement = without_findings(cause, finished, exit, must_report, refused);
    if judgement.outcome != Outcome::Passed {
        // What a test did not come to is no news.
        findings.missing = None;
    }
    match findings.message() {
        Some(message) if judgement.outcome == Outcome::Passed => self::judgement(Outcome::Failed, message),
        // A program that says itself what went wrong says more than its exit code.
        Some(message) if silent && judgement.outcome == Outcome::Failed => {
            let exit = judgement.message.unwrap_or_default();
            self::judgement(Outcome::Failed, format!("{message}; {exit}"))
        }
        None if lost && judgement.outcome == Outcome::Passed => {
            self::judgement(Outcome::Error, "ended in the middle of a message".to_owned())
        }
        Some(_) | None => judgement,
    }
}

fn without_findings(
    cause: Option<Cause>,
    finished: Option<Finished>,
    exit: Exit,
    must_report: bool,
    refused: Option<String>,
) -> Judgement {
    if let (None, Some(refused)) = (&cause, refused) {
        return judgement(Outcome::Error, refused);
    }
    match (cause, finished) {
        (Some(Cause::TimeLimit(limit)), _) => {
            judgement(Outcome::Timeout, format!("ended after its time limit of {} s", limit.as_secs_f64()))
        }
        (Some(Cause::Aborted(reason)), _) => judgement(Outcome::Aborted, format!("Aborted: {reason}")),
        (Some(Cause::Violation(what)), _) => judgement(Outcome::Error, what),
        (None, Some(finished)) => from_report(finished, exit),
        (None, None) if must_report => {
            judgement(Outcome::Crashed, format!("its process {} before it reported an outcome", ending(exit)))
        }
        (None, None) => from_exit(exit),
    }
}

fn judgement(outcome: Outcome, message: String) -> Judgement {
    Judgement { outcome, message: Some(cut(message, MESSAGE_KEPT)), traceback: None }
}

fn from_report(finished: Finished, exit: Exit) -> Judgement {
    let died = match exit {
        Exit::Code(0) | Exit::None => None,
        // The worker did not go by itself after its report and was ended.
        Exit::Signal(signal) if signal == Signal::SIGKILL as i32 => None,
        Exit::Code(_) | Exit::Signal(_) => Some(ending(exit)),
    };
    match (finished.outcome, died) {
        (Reported::Passed, Some(died)) => {
            judgement(Outcome::Crashed, format!("reported that it passed, and then its process {died}"))
        }
        (outcome, _) => Judgement {
            outcome: outcome.into(),
            message: finished.message.map(|text| cut(text, MESSAGE_KEPT)),
            traceback: finished.traceback.map(|text| cut(text, TRACEBACK_KEPT)),
        },
    }
}

/// For a program that reports nothing, its exit code is the outcome.
fn from_exit(exit: Exit) -> Judgement {
    match exit {
        Exit::Code(0) => Judgement { outcome: Outcome::Passed, message: None, traceback: None },
        Exit::Code(code) => judgement(Outcome::Failed, format!("exited with code {code}")),
        Exit::Signal(_) => judgement(Outcome::Crashed, ending(exit)),
        Exit::None => judgement(Outcome::Crashed, "its process was lost".into()),
    }
}

fn ending(exit: Exit) -> String {
    match exit {
        Exit::None => "was lost".into(),
        Exit::Code(code) => format!("exited with code {code}"),
        Exit::Signal(number) => match Signal::try_from(number) {
            Ok(signal) => format!("was ended by signal {signal}"),
            Err(_) => format!("was ended by signal {number}"),
        },
    }
}

/// A text that is not longer than it may be.
pub(super) fn cut(mut text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let left_out = text.len() - text.floor_char_boundary(limit);
    text.truncate(text.floor_char_boundary(limit));
    let _ = write!(text, " … ({left_out} bytes left out)");
    text
}

impl From<Reported> for Outcome {
    fn from(reported: Reported) -> Self {
        match reported {
            Reported::Passed => Self::Passed,
            Reported::Failed => Self::Failed,
            Reported::Error => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(outcome: Reported) -> Finished {
        Finished { outcome, message: None, traceback: None, error_code: None }
    }

    fn seen(cause: Option<Cause>, outcome: Option<Reported>, exit: Exit) -> Outcome {
        let finished = outcome.map(finished);
        judge(Evidence { cause, finished, exit, must_report: false, half: false, findings: Findings::default() })
            .outcome
    }

    #[test]
    fn what_failed_fails_a_test_that_passed_and_no_other() {
        let with = |outcome: Option<Reported>, exit: Exit, refused: Option<&str>| {
            let failures = (1..=5).map(|number| format!("m{number}: too low")).collect();
            let missing = Some("the declared measurement `x` was not reported".to_owned());
            let findings = Findings { refused: refused.map(str::to_owned), failures, missing };
            let finished = outcome.map(finished);
            let Judgement { outcome, message, .. } =
                judge(Evidence { cause: None, finished, exit, must_report: false, half: true, findings });
            (outcome, message.unwrap_or_default())
        };
        let message =
            "m1: too low; m2: too low; m3: too low; and 2 more; the declared measurement `x` was not reported";
        assert_eq!(with(Some(Reported::Passed), Exit::Code(0), None), (Outcome::Failed, message.into()));
        assert_eq!(with(None, Exit::Code(0), None), (Outcome::Failed, message.into()));
        let message = "m1: too low; m2: too low; m3: too low; and 2 more; exited with code 7";
        assert_eq!(with(None, Exit::Code(7), None), (Outcome::Failed, message.into()));
        assert_eq!(with(Some(Reported::Error), Exit::Code(0), None).0, Outcome::Error);
        assert_eq!(with(Some(Reported::Passed), Exit::Code(3), None).0, Outcome::Crashed);
        assert_eq!(with(Some(Reported::Passed), Exit::Code(0), Some("wrong")), (Outcome::Error, "wrong".into()));
    }

    #[test]
    fn what_the_test_says_counts_unless_it_dies_or_is_ended() {
        assert_eq!(seen(None, Some(Reported::Passed), Exit::Code(0)), Outcome::Passed);
        assert_eq!(seen(None, Some(Reported::Passed), Exit::Code(3)), Outcome::Crashed);
        assert_eq!(seen(None, Some(Reported::Passed), Exit::Signal(11)), Outcome::Crashed);
        assert_eq!(seen(None, Some(Reported::Failed), Exit::Signal(11)), Outcome::Failed);
        assert_eq!(seen(Some(Cause::Aborted("x".into())), Some(Reported::Passed), Exit::Code(0)), Outcome::Aborted);
        assert_eq!(seen(Some(Cause::TimeLimit(Duration::from_secs(1))), None, Exit::Signal(15)), Outcome::Timeout);
    }

    #[test]
    fn a_program_that_says_nothing_is_judged_by_its_exit() {
        assert_eq!(seen(None, None, Exit::Code(0)), Outcome::Passed);
        assert_eq!(seen(None, None, Exit::Code(1)), Outcome::Failed);
        assert_eq!(seen(None, None, Exit::Signal(6)), Outcome::Crashed);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = cut("é".repeat(10), 5);
        assert_eq!(text, "éé … (16 bytes left out)");
    }
}
