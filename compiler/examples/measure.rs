//! temporary
use std::path::Path;
use std::time::Instant;
use tlc_compiler::{Request, compile};
fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let n: usize = a.get(2).map_or(1, |n| n.parse().unwrap());
    let folder = Path::new(&a[0]);
    let request = Request { id: a[1].clone(), layers: vec![folder.to_owned()], ..Request::default() };
    let mut best = f64::MAX;
    for _ in 0..n {
        let t = Instant::now();
        let c = compile(&request);
        if std::env::var_os("PLAN").is_some() {
            assert!(c.plan.is_some());
        }
        drop(c);
        best = best.min(t.elapsed().as_secs_f64());
    }
    println!("compile {:.3} ms", best * 1e3);
    let files: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().ends_with(".json"))
        .map(|e| std::fs::read(e.path()).unwrap())
        .collect();
    let mut best = f64::MAX;
    for _ in 0..n {
        let t = Instant::now();
        for f in &files {
            std::hint::black_box(serde_json::from_slice::<serde_json::Value>(f).unwrap());
        }
        best = best.min(t.elapsed().as_secs_f64());
    }
    println!("serde_json of the folder {:.3} ms", best * 1e3);
}
