//! One measurement in a process of its own: `measure compile|check|recheck|serde_json FOLDER LIST TIMES`.
//!
//! `compile` makes a plan of a list, `check` only looks for what is wrong, `recheck` does that after one file of a generated list was edited,
//! `serde_json` reads the lists of the folder into values. Each is
//! done so often, everything is taken apart again, and the median is written, in milliseconds of the clock.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use tlc_compiler::{Request, compile, compile_after};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, folder, list, times] = &arguments[..] else { return usage() };
    let (folder, Ok(times)) = (Path::new(folder), times.parse::<usize>()) else { return usage() };
    let request = Request {
        id: list.clone(),
        layers: vec![folder.to_owned()],
        only_findings: what == "check",
        ..Request::default()
    };
    let milliseconds = match &**what {
        "compile" | "check" => median(times, || drop(black_box(compile(&request)))),
        "recheck" => median(times, recheck(&request, &folder.join("smt.test_list.json"))),
        "serde_json" => {
            let files: Vec<Vec<u8>> = files(folder);
            median(times, || {
                for file in &files {
                    drop(black_box(serde_json::from_slice::<serde_json::Value>(file).expect("JSON")));
                }
            })
        }
        _ => return usage(),
    };
    println!("{milliseconds:.3}");
    ExitCode::SUCCESS
}

/// Checks a list again, in one file of which the first label is another one each time.
fn recheck(request: &Request, edited: &Path) -> impl FnMut() {
    let request = Request { only_findings: true, ..request.clone() };
    let written = std::fs::read_to_string(edited).expect("the list can be read");
    let (mut last, mut time, edited) = (compile(&request), 0, edited.to_owned());
    move || {
        time += 1;
        let label = format!(r#""label": "Test {time:05} "#);
        std::fs::write(&edited, written.replacen(r#""label": "Test case "#, &label, 1))
            .expect("the list can be written");
        last = compile_after(&request, Some(&last));
    }
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read").flatten();
    let lists = entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(".test_list.json"));
    lists.map(|path| std::fs::read(path).expect("the list can be read")).collect()
}

fn median(times: usize, mut work: impl FnMut()) -> f64 {
    let mut taken: Vec<f64> = (0..times.max(1))
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[taken.len() / 2]
}

fn usage() -> ExitCode {
    eprintln!("usage: measure compile|check|recheck|serde_json FOLDER LIST TIMES");
    ExitCode::from(2)
}
