//! Any bytes from a test: as messages of the protocol, as TAP, and as event lines of Lager's steps. Reading them never panics, keeps no line
//! that is longer than a message, loses no byte of a log, and hears the same however the bytes arrive.
//!
//! How to run it, and what it found: `docs/src/fuzzing.md`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tlc_runtime::worker::fuzz::read;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

fuzz_target!(|bytes: &[u8]| RUNTIME.block_on(read(bytes)));
