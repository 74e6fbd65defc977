//! One measurement in a process of its own: `measure compile|check|serde_json FOLDER LIST TIMES`.
//!
//! `compile` makes a plan of a list, `check` only looks for what is wrong, `serde_json` reads the lists of the folder into values. Each is
//! done so often, everything is taken apart again, and the median is written, in milliseconds of the clock.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use tlc_compiler::{Request, compile};

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
    eprintln!("usage: measure compile|check|serde_json FOLDER LIST TIMES");
    ExitCode::from(2)
}
