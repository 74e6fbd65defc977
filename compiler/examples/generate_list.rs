//! Writes a generated list of a shape and size into a folder, for measurements of whole commands: `generate_list line 100000 FOLDER`.

#[path = "../benches/generated/mod.rs"]
mod generated;

use std::path::Path;
use std::process::ExitCode;

use generated::{Shape, write};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [shape, leaves, folder] = &arguments[..] else { return usage() };
    let Ok(leaves) = leaves.parse() else { return usage() };
    let shape = match &**shape {
        "line" => Shape::Line(leaves),
        "fan" => Shape::Fan(leaves),
        _ => return usage(),
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).expect("the folder can be made");
    write(folder, shape);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: generate_list line|fan LEAVES FOLDER");
    ExitCode::from(2)
}
