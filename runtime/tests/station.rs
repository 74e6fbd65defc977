//! `tlc-station` with real processes: plans in, results and exit codes out.

#[path = "station/bad_input.rs"]
mod bad_input;
#[path = "station/control.rs"]
mod control;
#[path = "station/crashes.rs"]
mod crashes;
#[path = "station/crowd.rs"]
mod crowd;
#[path = "station/kills.rs"]
mod kills;
#[path = "station/line.rs"]
mod line;
#[path = "station/outcomes.rs"]
mod outcomes;
#[path = "station/outputs.rs"]
mod outputs;
#[path = "station/reports.rs"]
mod reports;
#[path = "station/runs.rs"]
mod runs;
#[path = "station/sdk.rs"]
mod sdk;
#[path = "station/services.rs"]
mod services;
#[path = "station/spaces.rs"]
mod spaces;
#[path = "station/stores.rs"]
mod stores;
#[path = "station/surroundings.rs"]
mod surroundings;
#[path = "station/warm.rs"]
mod warm;
