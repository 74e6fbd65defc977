//! The time of a call: the least of several batches, as in `compiler/benches/expressions.rs`.

use std::time::Instant;

/// The time of one call in nanoseconds.
pub fn time(mut call: impl FnMut()) -> f64 {
    let mut batch = |count: u32| {
        let start = Instant::now();
        (0..count).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(count)
    };
    let warm = batch(20);
    let count = (2e6 / warm.max(1.0)) as u32 + 1;
    (0..7).map(|_| batch(count)).fold(f64::INFINITY, f64::min)
}

/// The geometric mean; none of nothing.
pub fn geometric_mean(times: &[f64]) -> Option<f64> {
    (!times.is_empty()).then(|| (times.iter().map(|time| time.ln()).sum::<f64>() / times.len() as f64).exp())
}
