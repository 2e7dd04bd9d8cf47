//! How a source is doing, in words and numbers: a tool that dies silently is worse than none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::clock;

/// The most gaps that are remembered; all are counted.
pub const GAPS_MAX: usize = 20;
/// The most reasons for drops that are told apart; the rest are counted as `other`.
const REASONS_MAX: usize = 50;
/// Behind by more than this, a source is catching up.
const LAG_LIVE_SECONDS: i64 = 10;

/// What a source is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// Looking for its server.
    Connecting,
    /// Hearing what is said now.
    Live,
    /// Hearing what was said while it was away.
    CatchingUp,
    /// The server asked us to wait.
    RateLimited {
        /// Until when.
        until: Timestamp,
    },
    /// It cannot go on at the moment, and tries again.
    Failed {
        /// What is wrong and what to do.
        why: String,
    },
    /// Read to its end.
    Finished,
    /// The network does not allow this; nothing is tried.
    ClosedByPolicy,
}

impl State {
    /// Its name in metrics and JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::CatchingUp => "catching_up",
            Self::RateLimited { .. } => "rate_limited",
            Self::Failed { .. } => "failed",
            Self::Finished => "finished",
            Self::ClosedByPolicy => "closed_by_policy",
        }
    }
}

/// A stretch of time in which posts may have been missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// What happened.
    pub why: String,
}

/// Everything known about a source at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthView {
    /// The source's name.
    pub name: String,
    /// What it is doing.
    #[serde(flatten)]
    pub state: State,
    /// The server or file it listens to at the moment.
    pub place: String,
    /// When the last event came in, by our clock.
    pub last_event_at: Option<Timestamp>,
    /// When that event happened, by the server's clock.
    pub last_event_time: Option<Timestamp>,
    /// How far behind the last event was when it came in, in milliseconds.
    pub lag_ms: Option<i64>,
    /// How many posts it handed on.
    pub posts: u64,
    /// How often it connected again.
    pub reconnects: u64,
    /// How many stretches may have been missed.
    pub gaps: u64,
    /// The last of them.
    pub last_gaps: VecDeque<Gap>,
    /// What was left out, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// A shared, living [`HealthView`]. Clones share it.
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<HealthView>>);

impl Health {
    /// A source that has not begun.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::new(Mutex::new(HealthView {
            name: name.to_owned(),
            state: State::Connecting,
            place: String::new(),
            last_event_at: None,
            last_event_time: None,
            lag_ms: None,
            posts: 0,
            reconnects: 0,
            gaps: 0,
            last_gaps: VecDeque::new(),
            dropped: BTreeMap::new(),
        })))
    }

    /// How it stands now.
    #[must_use]
    pub fn view(&self) -> HealthView {
        self.lock().clone()
    }

    /// It does something else now.
    pub fn set(&self, state: State) {
        self.lock().state = state;
    }

    /// It listens to another server or file now.
    pub fn set_place(&self, place: &str) {
        place.clone_into(&mut self.lock().place);
    }

    /// An event that happened at `time` came in, with `posts` posts in it.
    pub fn heard(&self, time: Option<Timestamp>, posts: u64) {
        let now = clock::now();
        let mut view = self.lock();
        view.posts += posts;
        view.last_event_at = Some(now);
        let Some(time) = time else { return };
        let lag_ms = now.as_millisecond() - time.as_millisecond();
        view.last_event_time = view.last_event_time.max(Some(time));
        view.lag_ms = Some(lag_ms);
        view.state = if lag_ms > LAG_LIVE_SECONDS * 1_000 { State::CatchingUp } else { State::Live };
    }

    /// It had to connect again.
    pub fn reconnected(&self) {
        self.lock().reconnects += 1;
    }

    /// Posts may have been missed.
    pub fn gap(&self, why: impl Into<String>) {
        let mut view = self.lock();
        view.gaps += 1;
        if view.last_gaps.len() == GAPS_MAX {
            view.last_gaps.pop_front();
        }
        view.last_gaps.push_back(Gap { noticed_at: clock::now(), why: why.into() });
    }

    /// Something was left out.
    pub fn dropped(&self, reason: &str) {
        let mut view = self.lock();
        let known = view.dropped.contains_key(reason) || view.dropped.len() < REASONS_MAX;
        *view.dropped.entry(if known { reason } else { "other" }.to_owned()).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, HealthView> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn an_old_event_means_catching_up_and_a_fresh_one_live() {
        let health = Health::new("test");
        health.heard(Some(clock::now() - 1.hour()), 1);
        assert_eq!(health.view().state, State::CatchingUp);
        health.heard(Some(clock::now()), 1);
        assert_eq!((health.view().state, health.view().posts), (State::Live, 2));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let health = Health::new("test");
        for i in 0..200 {
            health.gap("cut");
            health.dropped(&format!("reason {i}"));
        }
        let view = health.view();
        assert_eq!((view.gaps, view.last_gaps.len()), (200, GAPS_MAX));
        assert_eq!(view.dropped.len(), REASONS_MAX + 1);
        assert_eq!(view.dropped.values().sum::<u64>(), 200);
    }
}
