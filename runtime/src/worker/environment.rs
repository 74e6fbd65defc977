//! What an attempt finds in its environment.
//!
//! A test does not inherit whatever the runtime was started with: it gets the variables that say who and where it is ([`INHERITED`]),
//! those that the station's settings let pass, and tlc's own. Secrets are never among them.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::process::Command;

use super::protocol::PROTOCOL_VERSION;
use super::{Attempt, Identity};
use crate::station::search_path;

/// The variable that marks every process of an attempt with its invocation.
pub(super) const INVOCATION: &str = "TLC_INVOCATION";

/// The variable that marks every process of a run.
pub(crate) const RUN: &str = "TLC_RUN";

/// The name of every process that an attempt of a warm interpreter forks and that does not become another program: such a process shows the
/// environment of the interpreter. At most 15 bytes long, and as good as unique.
pub(super) fn comm(invocation: &str) -> String {
    let digits: Vec<char> = invocation.chars().rev().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("tlc{}", digits.into_iter().rev().collect::<String>())
}

/// What the names of variables with secrets begin with.
pub(crate) const SECRET: &str = "LAGER_SECRET_";

/// The variables of the runtime that every test gets, as patterns: a `*` at the end stands for any rest.
const INHERITED: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
];

/// Variables by their names.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// What a test gets of the environment of the runtime. `more` are further patterns, `secrets` are variables that no pattern lets pass.
pub(crate) fn inherited(more: &[String], secrets: &[&str]) -> Variables {
    let patterns: Vec<&str> = INHERITED.into_iter().chain(more.iter().map(String::as_str)).collect();
    let passes = |name: &OsStr| !is_secret(name, secrets) && patterns.iter().any(|pattern| fits(name, pattern));
    let mut variables: Variables = env::vars_os().filter(|(name, _)| passes(name)).collect();
    variables.entry("PATH".into()).or_insert_with(|| search_path().into());
    variables
}

/// Whether a variable holds a secret: by its name, or because the settings say so.
fn is_secret(name: &OsStr, secrets: &[&str]) -> bool {
    name.as_encoded_bytes().starts_with(SECRET.as_bytes()) || secrets.iter().any(|secret| name == *secret)
}

fn fits(name: &OsStr, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.as_encoded_bytes().starts_with(prefix.as_bytes()),
        None => name == pattern,
    }
}

/// What is wrong with a pattern of names.
pub(crate) fn pattern_problem(pattern: &str) -> Option<String> {
    let name = pattern.strip_suffix('*').unwrap_or(pattern);
    let is_name = !pattern.is_empty() && !name.contains(['*', '=', '\0']);
    (!is_name).then(|| format!("{pattern:?} is no variable; expected a name, or the beginning of names and `*`"))
}

/// All variables of an attempt: what is inherited, what the station publishes, and tlc's own.
pub(super) fn of(attempt: &Attempt) -> Variables {
    let Identity { run, slot, unit, invocation, path, list, phase, locale, .. } = &attempt.identity;
    let mut variables = attempt.surroundings.inherited.clone();
    variables.extend(attempt.variables.iter().map(|(name, value)| (name.into(), value.into())));
    if let Some(tests) = &attempt.surroundings.tests {
        variables.insert("TLC_TESTS".into(), tests.into());
    }
    let own = [
        (RUN, run.clone()),
        ("TLC_SLOT", slot.to_string()),
        ("TLC_UNIT", unit.clone()),
        (INVOCATION, invocation.clone()),
        ("TLC_TEST_PATH", path.clone()),
        ("TLC_TEST_LIST", list.clone()),
        ("TLC_PHASE", phase.clone()),
        ("TLC_LOCALE", locale.clone()),
        ("TLC_PROTOCOL", PROTOCOL_VERSION.to_string()),
        ("PYTHONUNBUFFERED", "1".to_owned()),
    ];
    variables.extend(own.map(|(name, value)| (name.into(), value.into())));
    variables
}

/// Gives a command the variables of an attempt, and no others.
pub(super) fn set(command: &mut Command, attempt: &Attempt) {
    command.env_clear().envs(of(attempt));
}

/// Tells an attempt on which descriptors it reads and writes.
pub(super) fn set_descriptors(command: &mut Command, reads: RawFd, writes: RawFd) {
    command.env("TLC_PROTOCOL_READ_FD", reads.to_string()).env("TLC_PROTOCOL_WRITE_FD", writes.to_string());
}

/// Marks a process that belongs to a run but to no test, so that it and what it starts are found again.
pub(crate) fn mark(command: &mut Command, run: &str, invocation: &str) {
    command.env(RUN, run).env(INVOCATION, invocation);
}

/// Keeps secrets from a process that gets everything else.
pub(crate) fn hide_secrets(command: &mut Command, secrets: &[&str]) {
    for (name, _) in env::vars_os().filter(|(name, _)| is_secret(name, secrets)) {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_the_beginning_of_names() {
        assert!(fits(OsStr::new("LC_ALL"), "LC_*") && !fits(OsStr::new("LC"), "LC_*"));
        assert!(fits(OsStr::new("TZ"), "TZ") && !fits(OsStr::new("TZX"), "TZ"));
        let is_secret = |name: &str| is_secret(OsStr::new(name), &["MES_TOKEN"]);
        assert!(is_secret("LAGER_SECRET_mes") && is_secret("MES_TOKEN") && !is_secret("LAGER_SECRETS"));
        assert_eq!(pattern_problem("BENCH_*"), None);
        assert_eq!(pattern_problem("*"), None);
        for wrong in ["", "*X", "A=B", "A**", "A\0"] {
            assert!(pattern_problem(wrong).is_some(), "{wrong:?}");
        }
    }
}
