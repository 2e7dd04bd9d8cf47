//! The only reader of the system clock; everything else is handed a time, so tests bring their own.

use jiff::Timestamp;

/// The wall-clock time now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}
