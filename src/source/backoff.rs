//! How long to wait before the next try: doubling, jittered, and never sooner than the server asked.

use std::time::Duration;

/// The longest wait a server may ask for; beyond it the request is taken for a mistake.
const ASKED_MAX: Duration = Duration::from_secs(3600);

/// Waits that double from `first` to `max`, each shortened by up to half so that many clients spread out.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    tries: u32,
}

impl Backoff {
    /// Waits from `first`, at most `max`.
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, tries: 0 }
    }

    /// The next wait; `asked` is the server's `Retry-After`.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        self.next_with(asked, chance())
    }

    /// The same with the dice (0..1) in the caller's hand.
    pub fn next_with(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.tries).unwrap_or(u32::MAX));
        let wait = doubled.min(self.max).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        self.tries = self.tries.saturating_add(1);
        wait.max(asked.unwrap_or_default().min(ASKED_MAX))
    }

    /// Starts again from the first wait: something worked.
    pub const fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A number in 0..1. If the system has no randomness to give, one half serves: it is only jitter.
fn chance() -> f64 {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut byte = [0x80];
    let _ = SystemRandom::new().fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(asked: Option<u64>, chance: f64) -> Vec<u128> {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(4));
        (0..7).map(|_| backoff.next_with(asked.map(Duration::from_secs), chance).as_millis()).collect()
    }

    #[test]
    fn waits_double_and_stop_at_the_most() {
        assert_eq!(waits(None, 0.0), [250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(waits(None, 1.0), [125, 250, 500, 1000, 2000, 2000, 2000]);
    }

    #[test]
    fn the_server_is_obeyed_within_reason() {
        assert_eq!(waits(Some(3), 0.0), [3000, 3000, 3000, 3000, 4000, 4000, 4000]);
        assert_eq!(waits(Some(1_000_000), 0.0)[0], 3_600_000);
    }

    #[test]
    fn many_tries_and_a_reset() {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));
        for _ in 0..100 {
            assert!(backoff.next(None) <= Duration::from_secs(60));
        }
        backoff.reset();
        assert!(backoff.next(None) <= Duration::from_millis(250));
    }
}
