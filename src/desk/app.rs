//! What every request of the desk can reach: queue, rules, presence, live changes.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::Metrics;
use super::presence::Presence;
use super::store::Store;
use super::throttle::Throttle;
use crate::engine::{Engine, LiveEngine};

/// The desk's shared state; a handle that is cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What [`App`] leads to.
pub struct Shared {
    /// The queue.
    pub store: Store,
    /// The rules in force, and why the last ones were refused if they were.
    pub live: Arc<LiveEngine>,
    /// The counters, if they are served.
    pub metrics: Option<Metrics>,
    /// Whether browsers come through TLS.
    pub behind_tls: bool,
    /// Who looks at what.
    pub presence: Presence,
    /// Failed sign-ins.
    pub throttle: Throttle,
    /// The number of the latest change; closed when the desk ends.
    pub changes: watch::Receiver<i64>,
}

impl App {
    /// The state of a desk that ends when `stopped` is closed.
    pub fn new(
        database: PathBuf,
        live: Arc<LiveEngine>,
        metrics: Option<Metrics>,
        behind_tls: bool,
        stopped: watch::Receiver<()>,
    ) -> Self {
        let store = Store::new(database);
        let changes = super::live::watch_changes(store.clone(), stopped);
        Self(Arc::new(Shared {
            store,
            live,
            metrics,
            behind_tls,
            presence: Presence::default(),
            throttle: Throttle::default(),
            changes,
        }))
    }

    /// The rules in force.
    pub fn engine(&self) -> Arc<Engine> {
        self.live.current()
    }
}

impl Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}
