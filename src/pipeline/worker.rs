//! The one place that stores what sources bring; also does what time alone asks for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use super::judge::{Verdicts, judge};
use crate::clock;
use crate::engine::{Engine, LiveEngine};
use crate::queue::{Batch, Committed, Cursor, Queue, QueueError};
use crate::source::{Backoff, Delivery, Health};
use crate::telemetry::{Metrics, SourceLabels};

/// How often snoozed leads wake, undecided ones expire, and the health of the sources is kept.
const TICK: Duration = Duration::from_secs(2);
/// How often old posts are forgotten.
const RETAIN: Duration = Duration::from_secs(3_600);
/// The waits between tries to store a batch, and how many there are: about two minutes in all.
const RETRY: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
const RETRIES_MAX: u32 = 12;

/// What a run brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Posts looked at.
    pub posts: u64,
    /// Leads made.
    pub leads: u64,
    /// Posts that could not be judged.
    pub panics: u64,
}

/// Judges and stores.
#[derive(Debug)]
pub struct Worker {
    queue: Queue,
    engine: Arc<LiveEngine>,
    metrics: Metrics,
    healths: Vec<Health>,
    stop: CancellationToken,
    totals: Totals,
    retained: Option<Instant>,
    /// Words were erased and may still stand in the database's log file.
    unclean: bool,
}

impl Worker {
    /// A worker on this queue.
    pub fn new(
        queue: Queue,
        engine: Arc<LiveEngine>,
        metrics: Metrics,
        healths: Vec<Health>,
        stop: CancellationToken,
    ) -> Self {
        Self { queue, engine, metrics, healths, stop, totals: Totals::default(), retained: None, unclean: true }
    }

    /// Works until told to stop and every source has handed on what it held.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<Delivery>) -> Result<Totals, QueueError> {
        let mut tick = interval(TICK);
        let mut open = true;
        loop {
            tokio::select! {
                delivery = inbox.recv(), if open => match delivery {
                    Some(delivery) => self.store(delivery).await?,
                    None => open = false,
                },
                () = self.stop.cancelled(), if !open => break,
                _ = tick.tick() => block_in_place(|| self.tick())?,
            }
        }
        block_in_place(|| self.keep_health().and_then(|()| self.clean()))?;
        Ok(self.totals)
    }

    /// Stores a delivery; a database that is busy or full is tried again while the sources wait.
    async fn store(&mut self, delivery: Delivery) -> Result<(), QueueError> {
        let begun = Instant::now();
        let mut backoff = RETRY;
        let mut tries = 0;
        loop {
            match block_in_place(|| self.try_store(&delivery)) {
                Ok(()) => break,
                Err(error) if tries < RETRIES_MAX && error.may_pass() => {
                    tracing::error!(%error, "a batch is not stored yet; trying again");
                    tries += 1;
                    self.metrics.commit_retries.inc();
                    tokio::select! {
                        () = sleep(backoff.next(None)) => {}
                        () = self.stop.cancelled() => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.count(&delivery, begun.elapsed());
        Ok(())
    }

    fn try_store(&mut self, delivery: &Delivery) -> Result<(), QueueError> {
        let engine = self.engine.current();
        let mut events = delivery.events.clone().into_iter().peekable();
        while events.peek().is_some() {
            let now = clock::now();
            let verdicts = judge(&engine, &self.queue, &mut events, now)?;
            let is_last = events.peek().is_none();
            self.commit(&engine, delivery, verdicts, is_last)?;
        }
        if delivery.events.is_empty() {
            self.commit(&engine, delivery, Verdicts::default(), true)?;
        }
        Ok(())
    }

    /// One transaction. The cursor goes with the last part of a delivery.
    fn commit(
        &mut self,
        engine: &Engine,
        delivery: &Delivery,
        verdicts: Verdicts,
        is_last: bool,
    ) -> Result<(), QueueError> {
        let mut batch = Batch::of(&delivery.source);
        if let Some(cursor) = delivery.cursor.as_ref().filter(|_| is_last) {
            batch.cursor = Some(Cursor { text: cursor.text.clone(), position: cursor.position });
            batch.reset_cursor = cursor.anew;
        }
        if is_last {
            batch.dropped = delivery.dropped.iter().map(|(&reason, &times)| (reason, times)).collect();
        }
        (batch.posts, batch.deletes, batch.gone_accounts) = (verdicts.posts, verdicts.deletes, verdicts.gone_accounts);
        batch.seen = verdicts.seen;
        let done = self.queue.commit(&batch, engine.rules().policy(), clock::now())?;
        self.count_stored(&batch, &done, verdicts.panics);
        Ok(())
    }

    fn count_stored(&mut self, batch: &Batch<'_>, done: &Committed, panics: u64) {
        let leads = done.leads.len() as u64;
        self.unclean |= done.posts_erased + done.posts_edited > 0;
        self.totals.posts += batch.seen;
        self.totals.leads += leads;
        self.totals.panics += panics;
        self.metrics.leads.inc_by(leads);
        self.metrics.withdrawn.inc_by(done.withdrawn);
        self.metrics.erased.inc_by(done.posts_erased);
        self.metrics.panics.inc_by(panics);
        self.metrics.posts.get_or_create(&SourceLabels { source: batch.source.to_owned() }).inc_by(batch.seen);
        for finding in batch.posts.iter().flat_map(|judged| &judged.findings) {
            self.metrics.verdict(finding.verdict.as_str());
        }
        if leads > 0 {
            tracing::info!(source = batch.source, leads, "new leads");
        }
    }

    fn count(&self, delivery: &Delivery, took: Duration) {
        self.metrics.batch(took.as_secs_f64());
        for (reason, times) in &delivery.dropped {
            self.metrics.dropped(&delivery.source, reason, *times);
        }
    }

    /// What time alone asks for. A busy database is asked again at the next tick.
    fn tick(&mut self) -> Result<(), QueueError> {
        let now = clock::now();
        let done = self
            .keep_health()
            .and_then(|()| self.queue.tick(now))
            .and_then(|_| self.retain())
            .and_then(|()| self.clean());
        match done {
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "a job waits for the next turn");
                Ok(())
            }
            other => other,
        }
    }

    fn retain(&mut self) -> Result<(), QueueError> {
        if self.retained.is_some_and(|at| at.elapsed() < RETAIN) {
            return Ok(());
        }
        let days = self.engine.current().rules().policy().posts_days;
        let done = self.queue.retain(days, clock::now())?;
        if done.forgotten > 0 {
            tracing::info!(posts = done.forgotten, days, "old posts are forgotten");
        }
        self.retained = Some(Instant::now());
        Ok(())
    }

    /// Takes erased words out of the files, too; while somebody reads, it is tried again at the next tick.
    fn clean(&mut self) -> Result<(), QueueError> {
        if self.unclean {
            self.unclean = !self.queue.clean_file()?;
        }
        Ok(())
    }

    fn keep_health(&mut self) -> Result<(), QueueError> {
        for health in &self.healths {
            let view = health.view();
            let body = serde_json::to_value(&view).unwrap_or_default();
            self.queue.set_health(&view.name, &body, clock::now())?;
        }
        Ok(())
    }
}
