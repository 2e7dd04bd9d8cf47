//! Logs and the names of all counters: what the daemon says about itself, never a post's words or its author.

mod log;
mod metrics;

pub use log::{LogFormat, start_log};
pub use metrics::{Metrics, SourceLabels, SourceReading};
