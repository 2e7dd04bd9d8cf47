//! Words for times, scores and states, said the same on every page.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::queue::State;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// How long ago, with the full time on hover.
pub fn ago(at: Timestamp, now: Timestamp) -> Markup {
    let seconds = now.as_second() - at.as_second();
    html! { time datetime=(at) title=(full(at)) { @if seconds < 5 { "just now" } @else { (span(seconds)) " ago" } } }
}

/// How far ahead, with the full time on hover.
pub fn left(until: Timestamp, now: Timestamp) -> Markup {
    let seconds = until.as_second() - now.as_second();
    html! { time datetime=(until) title=(full(until)) { @if seconds <= 0 { "now" } @else { "in " (span(seconds)) } } }
}

/// A stretch of time in its largest unit.
pub fn span(seconds: i64) -> String {
    match seconds.abs() {
        s if s < 2 * MINUTE => format!("{s} s"),
        s if s < 2 * HOUR => format!("{} min", s / MINUTE),
        s if s < 2 * DAY => format!("{} h", s / HOUR),
        s => format!("{} days", s / DAY),
    }
}

/// Date and time in full.
pub fn full(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M:%S UTC").to_string()
}

/// The clock time alone.
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// A probability as the score badge shows it, 0 to 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100")]
pub fn hundred(intent: f64) -> u8 {
    (intent.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// The word beside the number, so that it means something at a glance.
pub const fn strength(hundred: u8) -> &'static str {
    match hundred {
        85.. => "High",
        60..=84 => "Likely",
        25..=59 => "Maybe",
        _ => "Low",
    }
}

/// The score badge.
pub fn score(intent: f64) -> Markup {
    let number = hundred(intent);
    html! { div.score.high[number >= 85] { b { (number) } span { (strength(number)) } } }
}

/// A state as people say it.
pub const fn state(state: State) -> &'static str {
    match state {
        State::New => "waiting",
        State::Snoozed => "snoozed",
        State::Approved => "approved",
        State::Sending => "being sent",
        State::Sent => "sent",
        State::HandedOff => "opened to post by hand",
        State::Failed => "failed",
        State::Unknown => "not known whether it went out",
        State::Dismissed => "dismissed",
        State::Expired => "expired",
        State::Withdrawn => "withdrawn",
        State::Removed => "removed after sending",
    }
}

/// A number with its noun.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n as u64), if n == 1 { one } else { many })
}

/// A number with its thousands apart.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or("")).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_read_well() {
        for (seconds, words) in [(4, "4 s"), (119, "119 s"), (240, "4 min"), (7_300, "2 h"), (200_000, "2 days")] {
            assert_eq!(span(seconds), words);
        }
        for (n, words) in [(0, "0"), (999, "999"), (18_204, "18,204"), (1_000_000, "1,000,000")] {
            assert_eq!(thousands(n), words);
        }
        assert_eq!(count(1, "lead", "leads"), "1 lead");
    }

    #[test]
    fn the_badge_has_a_number_and_a_word() {
        for (intent, number, word) in [(0.994, 99, "High"), (0.6, 60, "Likely"), (0.3, 30, "Maybe"), (-1.0, 0, "Low")] {
            assert_eq!((hundred(intent), strength(hundred(intent))), (number, word));
        }
    }
}
