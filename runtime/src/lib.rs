//! Plans become results.

pub mod store;
pub mod worker;
