# The five things that people do. `just NAME` runs one; each is short enough to be typed by hand.

# Lists the recipes.
default:
    @just --list

# Builds `tlc` and `tlc-station`.
build:
    cargo build --release --workspace

# Runs every test.
test:
    cargo test --workspace

# Everything that must hold before a change is merged.
check:
    .ci/run

# Runs the demo station.
demo *ARGUMENTS:
    cargo run --release -- run lists/demo/main.test_list.json {{ARGUMENTS}}

# Builds the book and opens it; needs mdBook.
book:
    mdbook build --open docs
