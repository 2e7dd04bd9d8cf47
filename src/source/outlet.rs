//! The way out of a source: events gathered into batches, each with the cursor that follows it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Cursor, Event};

/// The most events in one batch: large enough that a commit costs little for each, small enough to undo.
pub const BATCH_POSTS_MAX: usize = 500;
/// The longest an event waits for others.
pub const BATCH_WAIT: Duration = Duration::from_millis(50);
/// The longest a moved cursor waits for an event to travel with.
const CURSOR_WAIT: Duration = Duration::from_secs(1);
/// The most batches on their way to the pipeline; then the source waits, and its server feels it.
pub const OUTLET_BATCHES_MAX: usize = 8;

/// A batch of events from one source, to be stored together with the cursor or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The source's name.
    pub source: String,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What was left out, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Where to go on once this is stored; `None` when the source cannot be resumed.
    pub cursor: Option<Cursor>,
}

/// Gathers events and sends them on. Bounded: a slow pipeline slows the source.
#[derive(Debug)]
pub struct Outlet {
    source: String,
    to: mpsc::Sender<Delivery>,
    events: Vec<Event>,
    dropped: BTreeMap<&'static str, u64>,
    due_at: Option<Instant>,
}

impl Outlet {
    /// An outlet for the source of this name.
    #[must_use]
    pub fn new(source: &str, to: mpsc::Sender<Delivery>) -> Self {
        Self { source: source.to_owned(), to, events: Vec::new(), dropped: BTreeMap::new(), due_at: None }
    }

    /// Takes in one event. Ask [`Outlet::is_full`] next.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
        self.due_within(BATCH_WAIT);
    }

    /// Notes that something was left out.
    pub fn drop_one(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
        self.touch();
    }

    /// Notes that the cursor moved, with or without an event.
    pub fn touch(&mut self) {
        self.due_within(CURSOR_WAIT);
    }

    fn due_within(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        self.due_at = Some(self.due_at.map_or(at, |due| due.min(at)));
    }

    /// Whether it is time to flush: enough events, or the first has waited long enough.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.events.len() >= BATCH_POSTS_MAX || self.due_at.is_some_and(|at| at <= Instant::now())
    }

    /// Resolves when the first event has waited long enough; never when there is none.
    pub async fn due(&self) {
        match self.due_at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Sends on what was gathered. Returns whether anybody still listens.
    pub async fn flush(&mut self, cursor: Option<Cursor>) -> bool {
        if self.due_at.take().is_none() {
            return !self.to.is_closed();
        }
        let (events, dropped) = (std::mem::take(&mut self.events), std::mem::take(&mut self.dropped));
        self.to.send(Delivery { source: self.source.clone(), events, dropped, cursor }).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::Post;

    fn at(position: i64) -> Cursor {
        Cursor { text: position.to_string(), position, anew: false }
    }

    #[tokio::test]
    async fn a_batch_goes_when_it_is_full_or_has_waited() {
        let (to, mut from) = mpsc::channel(OUTLET_BATCHES_MAX);
        let mut outlet = Outlet::new("test", to);
        assert!(outlet.flush(None).await && from.try_recv().is_err(), "nothing gathered, nothing sent");
        for i in 0..BATCH_POSTS_MAX {
            assert!(!outlet.is_full());
            outlet.push(Event::Created(Box::new(Post::new(i.to_string(), "x"))));
        }
        assert!(outlet.is_full() && outlet.flush(Some(at(9))).await);
        assert_eq!(from.recv().await.unwrap().events.len(), BATCH_POSTS_MAX);
        outlet.touch();
        assert!(!outlet.is_full());
        outlet.due().await;
        assert!(outlet.is_full() && outlet.flush(Some(at(10))).await);
        assert_eq!(from.recv().await.unwrap().cursor, Some(at(10)));
        drop(from);
        assert!(!outlet.flush(None).await);
    }
}
