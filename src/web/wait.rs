//! How long a server asks us to wait, whichever of the usual headers it says it in.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;

/// The longest wait that is obeyed; what asks for more is taken to mean this.
pub const ASKED_HOURS_MAX: i64 = 24;

/// Until when the server asks us to wait: `Retry-After` in seconds or as a date, `RateLimit-Reset` in
/// seconds since 1970, `X-RateLimit-Reset` as a time (Mastodon) or in seconds to go (Reddit).
#[must_use]
pub fn asked_until(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = header("retry-after")
        .and_then(|text| moment(text, now))
        .or_else(|| header("ratelimit-reset").and_then(|text| moment(text, now)))
        .or_else(|| header("x-ratelimit-reset").and_then(|text| moment(text, now)))?;
    Some(asked.clamp(now, now + SignedDuration::from_hours(ASKED_HOURS_MAX)))
}

/// Seconds to go, seconds since 1970, or a date in either of the two usual spellings.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    /// No wait is longer and no moment is earlier than this many seconds: it tells the two apart.
    const EPOCH_SECONDS_MIN: f64 = 1e9;
    if let Ok(seconds) = text.parse::<f64>() {
        let since = if seconds >= EPOCH_SECONDS_MIN { Timestamp::UNIX_EPOCH } else { now };
        let after = SignedDuration::try_from_secs_f64(seconds.ceil()).ok()?;
        return since.checked_add(after).ok();
    }
    let date = || jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp());
    text.parse().ok().or_else(date)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn check(headers: &[(&'static str, &str)], expected: Option<&str>) {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        assert_eq!(asked_until(&map, now).map(|t| t.to_string()).as_deref(), expected, "{headers:?}");
    }

    #[test]
    fn every_way_of_asking() {
        check(&[], None);
        check(&[("retry-after", "120")], Some("2026-11-22T10:02:00Z"));
        check(&[("retry-after", "Sun, 22 Nov 2026 10:05:00 GMT")], Some("2026-11-22T10:05:00Z"));
        check(&[("ratelimit-reset", "1795342200")], Some("2026-11-22T10:10:00Z"));
        check(&[("x-ratelimit-reset", "2026-11-22T10:03:00.000Z")], Some("2026-11-22T10:03:00Z"));
        check(&[("x-ratelimit-reset", "37.5")], Some("2026-11-22T10:00:38Z"));
        check(&[("retry-after", "soon"), ("ratelimit-reset", "1795342200")], Some("2026-11-22T10:10:00Z"));
    }

    #[test]
    fn nobody_makes_us_wait_for_ever_or_go_back() {
        check(&[("retry-after", "99999999")], Some("2026-11-23T10:00:00Z"));
        check(&[("ratelimit-reset", "1e300")], None);
        check(&[("retry-after", "-5")], Some("2026-11-22T10:00:00Z"));
        check(&[("ratelimit-reset", "1700000000")], Some("2026-11-22T10:00:00Z"));
    }
}
