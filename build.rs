//! How the command is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    // A program that lies at a fixed place in memory starts sooner: sixteen thousand addresses need not be filled in each time, and the
    // pages that hold them stay as they are in the file. What it loads and allocates lies anywhere all the same.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bin=tlc=-no-pie");
    }
}
