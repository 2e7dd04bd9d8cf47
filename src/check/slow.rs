//! Whether a regular expression is too slow on the worst texts a stranger could post.

use std::time::Duration;

use super::at;
use crate::clock;
use crate::rules::{Pattern, RuleError, Rules};
use crate::text::TEXT_BYTES_MAX;

/// The longest one expression may take over the longest text we read. A million posts a minute on two cores
/// leave 120 microseconds a post; ordinary posts are fifty times shorter than this one.
const TIME_MAX: Duration = Duration::from_millis(5);
/// How often a slow expression is timed before it is believed: the machine may have been busy.
const TRIES: u32 = 5;

/// Times every expression on every bad text.
pub fn check(rules: &Rules, found: &mut Vec<RuleError>) {
    let texts = worst_texts();
    for pattern in rules.patterns() {
        let slowest = texts.iter().map(|text| time(pattern, text)).max().unwrap_or_default();
        if slowest > TIME_MAX {
            let message = format!(
                "this regex needs {:.1} ms for a long post; {} ms is the most.",
                slowest.as_secs_f64() * 1000.0,
                TIME_MAX.as_millis()
            );
            let help = "Avoid .* and large {n,m} counts, or say it as phrases.";
            found.push(at(&pattern.place, "R090", message, help));
        }
    }
}

/// The best of a few tries.
fn time(pattern: &Pattern, text: &str) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        let (_, took) = clock::timed(|| pattern.regex.find_iter(text).take(16).count());
        best = best.min(took);
        if best <= TIME_MAX {
            break;
        }
    }
    best
}

/// Long texts on which careless expressions take long: one letter, nearly a match again and again, many words.
fn worst_texts() -> Vec<String> {
    ["a", "aB1 ", "ab ab ", "£1 9:00 ", "no signal at all ", "ü", "\u{1F621}", " "]
        .iter()
        .map(|part| part.repeat(TEXT_BYTES_MAX / part.len()) + "!")
        .collect()
}
