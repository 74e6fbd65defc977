//! The whole compiler next to `serde_json`, which reads the same bytes into values, on generated lists of several sizes.
//!
//! `cargo bench -p tlc-compiler --bench compile` measures the time of all of them, in one process; `compiler/benches/processes.py` measures
//! whole processes, with their peak memory.

#[path = "generated/mod.rs"]
mod generated;

use std::path::Path;

use divan::{Bencher, black_box};
use generated::Shape;
use tlc_compiler::{Request, compile};

fn main() {
    divan::main();
}

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// Files to plan.
#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn line(bencher: Bencher, leaves: usize) {
    whole(bencher, Shape::Line(leaves));
}

/// Files to findings, without a plan, as `tlc check` does.
#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn line_check(bencher: Bencher, leaves: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    generated::write(folder.path(), Shape::Line(leaves));
    bencher.bench_local(|| black_box(compile(&Request { only_findings: true, ..request(folder.path()) })));
}

/// Files to plan, where few definitions become many tests.
#[divan::bench(args = [1_000, 10_000, 160_000], sample_count = 3, sample_size = 1)]
fn fan(bencher: Bencher, leaves: usize) {
    whole(bencher, Shape::Fan(leaves));
}

/// The bytes of a line into values.
#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn serde_json(bencher: Bencher, leaves: usize) {
    let texts: Vec<String> = generated::files(Shape::Line(leaves)).into_iter().map(|(_, text)| text).collect();
    bencher.bench_local(|| {
        for text in &texts {
            black_box(serde_json::from_str::<serde_json::Value>(text).expect("JSON"));
        }
    });
}

fn whole(bencher: Bencher, shape: Shape) {
    let folder = tempfile::tempdir().expect("a folder");
    generated::write(folder.path(), shape);
    bencher.bench_local(|| black_box(compiled(folder.path())));
}

fn request(folder: &Path) -> Request {
    Request { id: "main".into(), layers: vec![folder.to_owned()], ..Request::default() }
}

fn compiled(folder: &Path) -> usize {
    let compilation = compile(&request(folder));
    assert!(!compilation.is_refused(), "{:?}", compilation.diagnostics.first());
    compilation.plan.map_or(0, |plan| plan.graph().node_count())
}
