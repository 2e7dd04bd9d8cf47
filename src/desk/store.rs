//! The desk's own connections to the queue: a few, shared by all requests, used off the async threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::queue::{Queue, QueueError};

/// Questions asked of the queue at one time; writers take turns in SQLite anyway.
const CONNECTIONS_MAX: usize = 4;

/// Connections to one queue.
#[derive(Debug, Clone)]
pub struct Store {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Queue>>>,
    turns: Arc<Semaphore>,
}

impl Store {
    /// A store for the queue in this file, which the daemon has open.
    pub fn new(path: PathBuf) -> Self {
        let turns = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { path: path.into(), idle: Arc::default(), turns }
    }

    /// Asks the queue on a thread that may wait.
    pub async fn ask<T, E>(&self, question: impl FnOnce(&mut Queue) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<QueueError> + Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let store = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut queue = store.take()?;
            let answer = question(&mut queue);
            store.give_back(queue);
            answer
        });
        asked
            .await
            .unwrap_or_else(|_| Err(QueueError::Unusable("the question to the database broke off".into()).into()))
    }

    fn take(&self) -> Result<Queue, QueueError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Queue::open_shared(&self.path), Ok)
    }

    fn give_back(&self, queue: Queue) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(queue);
    }
}
