//! How far a Jetstream was read, and where to ask the server to start again so that nothing is missed.

use serde::{Deserialize, Serialize};

use super::wire::{Place, Wire};
use crate::source::Cursor;

/// Asked again before the last time seen: servers swap neighbours when replay turns into live.
const REWIND_US: u64 = 5_000_000;
/// The same on another server, whose clock may differ.
const REWIND_HOST_US: u64 = 60_000_000;
/// The same in sequence numbers: a busy network gives some thousands in five seconds.
const REWIND_SEQS: u64 = 5_000;
/// Cursors below this are sequence numbers, the rest are microseconds: servers tell them apart so.
const FIRST_TIME_US: u64 = 1_000_000_000_000_000;
/// A frame dated this far ahead of our clock does not move the cursor: one lie would skip the truth.
const AHEAD_US_MAX: u64 = 600_000_000;

/// How far one server was read. Never moves backwards while the server stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    host: String,
    wire: Wire,
    /// The highest number seen; only means something on this host and wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// The latest time seen.
    time_us: u64,
}

/// Where to ask the server to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At what is said now.
    Live,
    /// At this sequence number.
    Seq(u64),
    /// At this time in microseconds.
    Time(u64),
}

impl Start {
    /// What goes into the request.
    #[must_use]
    pub const fn cursor(self) -> Option<u64> {
        match self {
            Self::Live => None,
            Self::Seq(n) | Self::Time(n) => Some(n),
        }
    }
}

impl Position {
    /// A position at a time, on no server yet.
    #[must_use]
    pub const fn at_time(time_us: u64) -> Self {
        Self { host: String::new(), wire: Wire::V1, seq: None, time_us }
    }

    /// Reads what was stored; `None` when it is not ours.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What to store. The time grows even when the server, and with it the numbers, changes.
    #[must_use]
    pub fn to_cursor(&self) -> Cursor {
        let text = serde_json::to_string(self).expect("four plain fields are always JSON");
        Cursor { text, position: self.time_us.cast_signed(), anew: false }
    }

    /// The latest time seen.
    #[must_use]
    pub const fn time_us(&self) -> u64 {
        self.time_us
    }

    /// We listen to this server now. Another server counts differently: only the time stays.
    pub fn move_to(&mut self, host: &str, wire: Wire) {
        if !self.is_on(host, wire) {
            *self = Self { host: host.to_owned(), wire, seq: None, time_us: self.time_us };
        }
    }

    /// The server turned out to be another one under the same name.
    pub const fn forget_numbers(&mut self) {
        self.seq = None;
    }

    /// A frame was read. Forwards only.
    pub fn advance(&mut self, place: Place, now_us: u64) {
        if place.time_us <= now_us.saturating_add(AHEAD_US_MAX) {
            self.time_us = self.time_us.max(place.time_us);
        }
        self.seq = self.seq.max(place.seq);
    }

    /// Whether this frame proves that the numbers are another server's: an old number with a new time.
    #[must_use]
    pub fn contradicts(&self, place: Place) -> bool {
        place.seq.zip(self.seq).is_some_and(|(theirs, ours)| theirs <= ours) && place.time_us > self.time_us
    }

    /// Where to start on this server, when it refused that many tries already.
    #[must_use]
    pub fn start(&self, host: &str, wire: Wire, refusals: u32) -> Start {
        let seq = self.seq.filter(|_| wire == Wire::V2 && self.is_on(host, wire));
        let rewind_us = if self.is_on(host, wire) { REWIND_US } else { REWIND_HOST_US };
        let time = Start::Time(self.time_us.saturating_sub(rewind_us).max(FIRST_TIME_US));
        match (refusals, seq) {
            (0, Some(seq)) => Start::Seq(seq.saturating_sub(REWIND_SEQS).max(1)),
            (1, Some(seq)) => Start::Seq(seq),
            (0, None) | (2, Some(_)) => time,
            _ => Start::Live,
        }
    }

    /// Where to start to get past something that breaks every connection; further with each try.
    #[must_use]
    pub fn start_beyond(&self, wire: Wire, tries: u32) -> Start {
        let step = 1_u64 << tries.min(30);
        match self.seq.filter(|_| wire == Wire::V2) {
            Some(seq) => Start::Seq(seq.saturating_add(step)),
            None => Start::Time(self.time_us.saturating_add(step.saturating_mul(1_000))),
        }
    }

    fn is_on(&self, host: &str, wire: Wire) -> bool {
        self.host == host && self.wire == wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000_000;

    fn read_to(host: &str, wire: Wire, seq: Option<u64>) -> Position {
        let mut position = Position::at_time(NOW - 10);
        position.move_to(host, wire);
        position.advance(Place { seq, time_us: NOW }, NOW);
        position
    }

    #[test]
    fn never_backwards_never_into_the_future() {
        let mut position = read_to("a", Wire::V2, Some(100));
        position.advance(Place { seq: Some(7), time_us: 7 }, NOW);
        assert_eq!(position, read_to("a", Wire::V2, Some(100)));
        position.advance(Place { seq: Some(101), time_us: u64::MAX }, NOW);
        assert_eq!(position.time_us(), NOW);
    }

    #[test]
    fn where_to_start() {
        let seq = read_to("a", Wire::V2, Some(90_000));
        let time = read_to("a", Wire::V1, None);
        let table = [
            (&seq, "a", Wire::V2, 0, Start::Seq(85_000)),
            (&seq, "a", Wire::V2, 1, Start::Seq(90_000)),
            (&seq, "a", Wire::V2, 2, Start::Time(NOW - REWIND_US)),
            (&seq, "a", Wire::V2, 3, Start::Live),
            (&seq, "b", Wire::V2, 0, Start::Time(NOW - REWIND_HOST_US)),
            (&seq, "b", Wire::V2, 1, Start::Live),
            (&seq, "a", Wire::V1, 0, Start::Time(NOW - REWIND_HOST_US)),
            (&time, "a", Wire::V1, 0, Start::Time(NOW - REWIND_US)),
            (&time, "a", Wire::V1, 1, Start::Live),
            (&time, "a", Wire::V2, 0, Start::Time(NOW - REWIND_HOST_US)),
        ];
        for (position, host, wire, refusals, wanted) in table {
            assert_eq!(position.start(host, wire, refusals), wanted, "{host} {wire:?} {refusals}");
        }
        assert_eq!(read_to("a", Wire::V2, Some(3)).start("a", Wire::V2, 0), Start::Seq(1));
    }

    #[test]
    fn another_server_under_the_same_name() {
        let position = read_to("a", Wire::V2, Some(100));
        assert!(position.contradicts(Place { seq: Some(5), time_us: NOW + 1 }));
        assert!(!position.contradicts(Place { seq: Some(100), time_us: NOW }));
        assert!(!position.contradicts(Place { seq: Some(101), time_us: NOW + 1 }));
        assert!(!position.contradicts(Place { seq: None, time_us: NOW + 1 }));
    }

    #[test]
    fn a_poisoned_frame_is_stepped_over() {
        assert_eq!(read_to("a", Wire::V2, Some(100)).start_beyond(Wire::V2, 3), Start::Seq(108));
        assert_eq!(read_to("a", Wire::V1, None).start_beyond(Wire::V1, 0), Start::Time(NOW + 1_000));
    }

    #[test]
    fn survives_being_stored() {
        let position = read_to("wss://a", Wire::V2, Some(100));
        let cursor = position.to_cursor();
        assert_eq!(cursor.text, r#"{"host":"wss://a","wire":"v2","seq":100,"time_us":1800000000000000}"#);
        assert_eq!(Position::from_text(&cursor.text), Some(position));
        assert_eq!(Position::from_text("12"), None);
    }
}
