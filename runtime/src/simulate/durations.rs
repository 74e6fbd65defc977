//! How long tests take: what a station's store knows of them.

use indexmap::IndexMap;
use tlc_plan::plan::Plan;

use crate::store::{Reader, StoreError};

/// How many attempts are looked at; the median of them counts.
const LATEST: u32 = 9;

/// Durations in seconds, by path.
pub type Durations = IndexMap<String, f64>;

/// The usual durations of a plan's tests in seconds, by path, as far as the store knows them.
pub fn durations(plan: &Plan, store: &Reader) -> Result<Durations, StoreError> {
    let mut durations = IndexMap::new();
    for leaf in plan.preorder().filter(|&node| plan.is_leaf(node)) {
        let path = &plan.node(leaf).path;
        let attempts = store.history(path, LATEST)?;
        let mut known: Vec<_> = attempts.iter().filter_map(|attempt| attempt.duration_ms).collect();
        known.sort_unstable();
        if let Some(&median) = known.get(known.len() / 2) {
            durations.insert(path.clone(), median as f64 / 1000.0);
        }
    }
    Ok(durations)
}
