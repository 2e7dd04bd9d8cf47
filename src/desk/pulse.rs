//! How the machine is: which sources it hears, when the last post came, what today brought.

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use super::say;
use crate::queue::{Queue, QueueError};

/// A source that wrote nothing for this long is not known to be alive.
const SILENT_SECONDS_MAX: i64 = 120;

/// One public stream, as it told about itself last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// Its name.
    pub name: String,
    /// What it is doing, in a word.
    pub state: String,
    /// Why, when it is not well.
    pub why: String,
    /// When its last post came in.
    pub last_post_at: Option<Timestamp>,
    /// When it told this.
    pub told_at: Timestamp,
}

/// How the machine is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The sources.
    pub sources: Vec<SourceLine>,
    /// Posts read since midnight (UTC).
    pub posts_today: u64,
    /// Leads suggested since midnight (UTC).
    pub suggested_today: u64,
}

impl SourceLine {
    fn read(name: String, body: &Value, told_at: Timestamp) -> Self {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let last_post_at = text("last_event_at").parse().ok();
        Self { name, state: text("state").replace('_', " "), why: text("why"), last_post_at, told_at }
    }

    /// Whether it hears what is said now, or did its work.
    pub fn is_well(&self, now: Timestamp) -> bool {
        let fresh = now.as_second() - self.told_at.as_second() < SILENT_SECONDS_MAX;
        self.state == "finished" || (fresh && matches!(self.state.as_str(), "live" | "catching up"))
    }
}

impl Pulse {
    /// Reads it from what the daemon keeps in the queue.
    pub fn read(queue: &Queue, now: Timestamp) -> Result<Self, QueueError> {
        let midnight = Timestamp::from_second(now.as_second().div_euclid(86_400) * 86_400).unwrap_or(now);
        let counts = queue.counts(midnight)?;
        let sum = |name: &str| counts.iter().filter(|c| c.name == name).map(|c| c.count).sum();
        let sources = queue.health()?.into_iter().map(|(name, body, at)| SourceLine::read(name, &body, at)).collect();
        Ok(Self { sources, posts_today: sum("seen"), suggested_today: sum("leads") })
    }

    /// When the last post came in from anywhere.
    pub fn last_post_at(&self) -> Option<Timestamp> {
        self.sources.iter().filter_map(|source| source.last_post_at).max()
    }

    /// The line in the top bar.
    pub fn shown(&self, now: Timestamp) -> Markup {
        let well = self.sources.iter().filter(|source| source.is_well(now)).count();
        let all = self.sources.len();
        let dot = if well == all && all > 0 {
            "good"
        } else if well > 0 {
            "warn"
        } else {
            "bad"
        };
        html! {
            a.pulse href="/insights" title="how the sources are" {
                span class={ "dot " (dot) } {}
                span { @if all == 0 { "no source yet" } @else { "listening: " (well) " of " (all) } }
            }
        }
    }

    /// The sentence that shows an empty queue is not a dead one.
    pub fn sentence(&self, now: Timestamp) -> Markup {
        html! {
            @match self.last_post_at() {
                Some(at) => { "Last post checked " (say::ago(at, now)) ", " }
                None => { "No post checked yet, " }
            }
            (say::thousands(self.posts_today)) " today, " (say::thousands(self.suggested_today)) " suggested."
        }
    }
}
