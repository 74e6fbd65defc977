//! The words that lists are written with: every arena has their symbols first, in this order, so that a field is found without a look
//! at its name. What they mean, the later stages know.

use crate::document::{BITS, Symbol};

/// What begins a text that is an expression.
pub const EVAL: &str = "eval! ";

/// What begins a text that is translated.
pub const I18N: &str = "i18n! ";

/// Whether a key looks like a locale: two small letters, a dash, two large ones.
pub fn is_locale(key: &str) -> bool {
    matches!(key.as_bytes(), [a, b, b'-', c, d]
        if a.is_ascii_lowercase() && b.is_ascii_lowercase() && c.is_ascii_uppercase() && d.is_ascii_uppercase())
}

/// The position of a word among [`WORDS`].
const fn position(word: &str) -> usize {
    let mut at = 0;
    while !is_same(WORDS[at].as_bytes(), word.as_bytes()) {
        at += 1;
    }
    at
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

macro_rules! words {
    ($($name:ident $text:literal)*) => {
        /// The words. An object keeps a bit for each of the first: the fields of tests, of which most tests have few.
        pub(crate) const WORDS: &[&str] = &[$($text),*];

        $(
            #[doc = concat!("`", $text, "`")]
            pub const $name: Symbol = Symbol::of_word(position($text));
        )*
    };
}

words! {
    DELETE "__delete__"
    REPLACE "__replace__"
    INHERIT "inherit"
    LABEL "label"
    ID "id"
    ARGS "args"
    PYTEST_NAME "pytest_name"
    SUBTESTS "subtests"
    LOCALS "locals"
    RUN_IF "run_if"
    EXEC "exec"
    ITERATIONS "iterations"
    RETRIES "retries"
    ACTION_ON_FAILURE "action_on_failure"
    CHILD_ACTION_ON_FAILURE "child_action_on_failure"
    TEARDOWN "teardown"
    PARALLEL "parallel"
    ALLOW_REBOOT "allow_reboot"
    DISABLE_ABORT "disable_abort"
    NO_HOST "no_host"
    REQUIRE_RUN "require_run"
    EXCLUSIVE_RESOURCES "exclusive_resources"
    ENABLE_SERVICES "enable_services"
    DISABLE_SERVICES "disable_services"
    LAYOUT "layout"
    DUT_OPTIONS "dut_options"
    TIMEOUT_SECS "timeout_secs"
    ISOLATION "isolation"
    MEASUREMENTS "measurements"
    TESTS "tests"
    OPTIONS "options"
    CONSTANTS "constants"
    DEFINITIONS "definitions"
    OVERRIDE_ARGS "override_args"
    OPERATION "operation"
    SHUTDOWN "shutdown"
    COMMENT "__comment"
    SIMULATE "simulate"
    FAIL "fail"
    EXPECT "expect"
    TYPE "type"
    UNIT "unit"
    MIN "min"
    MAX "max"
    EQUALS "equals"
    MATCHES "matches"
    NOTHING ""
}

const _: () = assert!(position("measurements") < BITS, "an object keeps a bit for each field of tests");
