//! Knows when every source has heard all that was said until now: the end of a run for cron.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::source::{Health, HealthView, State};

/// How often the sources are asked.
const POLL: Duration = Duration::from_millis(100);
/// A source that fails for so long is not waited for.
const FAILED_WAIT_MAX: Duration = Duration::from_secs(20);
/// A live source that heard nothing for so long is level.
const QUIET: SignedDuration = SignedDuration::from_secs(2);

/// How waiting ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// Every source is level.
    Reached,
    /// The time was up first.
    TimeUp,
    /// These cannot be reached: name and cause.
    Failed(Vec<(String, String)>),
}

/// Waits until every source is level, at most so long.
pub async fn wait_until_level(healths: &[Health], wait_max: Duration) -> Level {
    let (begun, begun_at) = (Instant::now(), clock::now());
    let mut well = Instant::now();
    loop {
        let waiting: Vec<_> = healths.iter().map(Health::view).filter(|view| !is_level(view, begun_at)).collect();
        let failed: Vec<_> = waiting.iter().filter_map(failure).collect();
        if waiting.is_empty() {
            return Level::Reached;
        }
        if failed.len() < waiting.len() {
            well = Instant::now();
        } else if well.elapsed() > FAILED_WAIT_MAX {
            return Level::Failed(failed);
        }
        if begun.elapsed() > wait_max {
            return if failed.is_empty() { Level::TimeUp } else { Level::Failed(failed) };
        }
        sleep(POLL).await;
    }
}

fn is_level(view: &HealthView, begun_at: Timestamp) -> bool {
    match view.state {
        State::Finished | State::ClosedByPolicy => true,
        State::Live => {
            let quiet = view.last_event_at.is_none_or(|at| clock::now().duration_since(at) > QUIET);
            quiet || view.last_event_time.is_some_and(|time| time >= begun_at)
        }
        _ => false,
    }
}

fn failure(view: &HealthView) -> Option<(String, String)> {
    match &view.state {
        State::Failed { why } => Some((view.name.clone(), why.clone())),
        State::RateLimited { until } => Some((view.name.clone(), format!("the server asks us to wait until {until}."))),
        _ => None,
    }
}
