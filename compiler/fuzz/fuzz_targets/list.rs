//! Any text as a test list: compiling it never panics, and a plan that comes of it can be read again. A line `---` separates the list
//! from a second one, which it may inherit from as `base`.
//!
//! The files lie in the directory for temporary files. How to run it, and what it found: `docs/src/fuzzing.md`.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tlc_compiler::{Request, compile};
use tlc_plan::{Data, Plan};

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("tlc-fuzz-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for temporary files");
    directory
});

fuzz_target!(|text: &str| {
    let (list, base) = text.split_once("\n---\n").unwrap_or((text, "{}"));
    write(&DIRECTORY, "fuzz", list);
    write(&DIRECTORY, "base", base);
    for device in [None, Some(Data::from(&serde_json::json!({ "component": { "has_touch": true } })))] {
        let request = Request { id: "fuzz".into(), layers: vec![DIRECTORY.clone()], device, ..Request::default() };
        let compilation = compile(&request);
        assert!(compilation.tree.is_some() || compilation.config.is_some() || compilation.is_refused());
        if let Some(plan) = &compilation.plan {
            let written = plan.to_json();
            let read = Plan::from_json(&written).expect("what was written can be read");
            assert!(written == read.to_json(), "another plan");
        }
    }
});

fn write(directory: &Path, id: &str, text: &str) {
    fs::write(directory.join(format!("{id}.test_list.json")), text).expect("a temporary file can be written");
}
