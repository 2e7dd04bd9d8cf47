//! Wires the sources to the queue: batches come in, are judged, and are stored together with their cursors.
//!
//! ```text
//! source -> Outlet -> (bounded channel) -> Worker: judge -> Queue::commit, one transaction a batch
//! ```
//! A slow database slows the sources, never the memory. Told to stop, the sources hand on what they hold,
//! the worker stores it, and everything ends.

mod judge;
mod level;
mod publishers;
mod reload;
mod sources;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use level::{Level, wait_until_level};
pub use publishers::{publishers, send};
pub use reload::keep_reloaded;
pub use sources::{bluesky, build};
pub use worker::Totals;

use self::worker::Worker;
use crate::engine::LiveEngine;
use crate::queue::{Queue, QueueError};
use crate::source::{Health, OUTLET_BATCHES_MAX, Outlet, Source};
use crate::telemetry::Metrics;

/// How long the end may take; what is not stored by then is read again at the next start.
pub const STOP_WAIT_MAX: Duration = Duration::from_secs(8);

/// What a pipeline is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept; the pipeline is its only bulk writer.
    pub queue: Queue,
    /// What posts are judged by.
    pub engine: Arc<LiveEngine>,
    /// The daemon's counters.
    pub metrics: Metrics,
    /// Ends everything when cancelled; cancelled by the pipeline if the database fails for good.
    pub stop: CancellationToken,
}

/// Runs until told to stop. Sources that come to their end do not end it.
///
/// # Errors
/// The database failed for good; nothing is lost that its cursors do not bring again.
pub async fn run(parts: Parts, sources: Vec<Box<dyn Source>>) -> Result<Totals, QueueError> {
    let Parts { queue, engine, metrics, stop } = parts;
    let (to, inbox) = mpsc::channel(OUTLET_BATCHES_MAX);
    let healths: Vec<Health> = sources.iter().map(|source| source.health()).collect();
    let mut running = JoinSet::new();
    for source in sources {
        let cursor = queue.cursor(source.name())?.map(|cursor| cursor.text);
        let outlet = Outlet::new(source.name(), to.clone());
        running.spawn(source.run(cursor, outlet, stop.clone()));
    }
    drop(to);
    let worker = Worker::new(queue, engine, metrics, healths, stop.clone());
    let done = worker.run(inbox).await;
    stop.cancel();
    if tokio::time::timeout(STOP_WAIT_MAX, running.join_all()).await.is_err() {
        tracing::warn!("a source did not end in time and was left behind");
    }
    done
}
