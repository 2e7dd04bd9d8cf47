//! The only reader of the system clock; everything else is handed a time, so tests bring their own.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The wall-clock time now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// What the work gives, and how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let done = work();
    (done, started.elapsed())
}
