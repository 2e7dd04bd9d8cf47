//! Slows down who guesses passwords: a few tries, then a wait that grows with each failure.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::Timestamp;

/// Tries that cost nothing.
const FREE_TRIES: u32 = 5;
/// The longest wait.
const WAIT_SECONDS_MAX: i64 = 900;
/// The most names remembered; beyond it the oldest are forgotten.
const NAMES_MAX: usize = 10_000;

/// Failed tries by name.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<String, Tries>>);

#[derive(Debug, Clone, Copy)]
struct Tries {
    failed: u32,
    last: Timestamp,
}

impl Throttle {
    /// How many seconds this name must still wait; none when it may try.
    pub fn wait_seconds(&self, name: &str, now: Timestamp) -> Option<i64> {
        let tries = *self.lock().get(&name.to_lowercase())?;
        let left = tries.last.as_second() + wait_after(tries.failed) - now.as_second();
        (left > 0).then_some(left)
    }

    /// Notes how a try went.
    pub fn tried(&self, name: &str, well: bool, now: Timestamp) {
        let mut tries = self.lock();
        if well {
            tries.remove(&name.to_lowercase());
            return;
        }
        if tries.len() >= NAMES_MAX {
            tries.retain(|_, t| now.as_second() - t.last.as_second() < WAIT_SECONDS_MAX);
        }
        let entry = tries.entry(name.to_lowercase()).or_insert(Tries { failed: 0, last: now });
        entry.failed = entry.failed.saturating_add(1);
        entry.last = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Tries>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Nothing at first, then 2 s, doubled with every further failure.
fn wait_after(failed: u32) -> i64 {
    if failed < FREE_TRIES { 0 } else { 2i64.saturating_pow(failed - FREE_TRIES + 1).min(WAIT_SECONDS_MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slow_and_success_forgives() {
        let now = Timestamp::UNIX_EPOCH;
        let throttle = Throttle::default();
        for _ in 0..FREE_TRIES - 1 {
            throttle.tried("Ana", false, now);
        }
        assert_eq!(throttle.wait_seconds("ana", now), None);
        throttle.tried("ANA", false, now);
        assert_eq!(throttle.wait_seconds("ana", now), Some(2));
        throttle.tried("ana", false, now);
        assert_eq!(throttle.wait_seconds("ana", now), Some(4));
        assert_eq!(throttle.wait_seconds("ben", now), None);
        throttle.tried("ana", true, now);
        assert_eq!(throttle.wait_seconds("ana", now), None);
        (0..40).for_each(|_| throttle.tried("ana", false, now));
        assert_eq!(throttle.wait_seconds("ana", now), Some(WAIT_SECONDS_MAX));
    }
}
