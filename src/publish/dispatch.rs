//! The loop that sends: takes one approved reply at a time, hands it to its network, records how it went.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Objection, Publisher, Trouble};
use crate::clock;
use crate::post::Network;
use crate::queue::{Approved, LeadId, Outcome, Queue, QueueError, Receipt, Unsettled};
use crate::rules::{Policy, Rules};

/// A reply whose fate could not be found out is looked for again after this.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// The most replies that are read back in one round.
const SETTLE_MAX: usize = 10;
/// Beyond so many failures in a row a rest grows no longer.
const FAILURES_COUNTED_MAX: u32 = 16;
/// A post older than this is no longer answered.
const POST_AGE_HOURS_MAX: i64 = 48;

/// What the rules say at this moment; they may be reloaded at any time.
pub trait Terms: Send + Sync {
    /// Caps, quiet hours and windows.
    fn policy(&self) -> Policy;

    /// Whether an offer may no longer be made.
    fn offer_is_over(&self, offer: &str, now: Timestamp) -> bool;
}

impl Terms for Rules {
    fn policy(&self) -> Policy {
        Self::policy(self).clone()
    }

    fn offer_is_over(&self, offer: &str, now: Timestamp) -> bool {
        Self::offer_is_over(self, offer, now)
    }
}

/// How patient the dispatcher is. The defaults are for the world; tests with a server whose lateness is
/// known are in more of a hurry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often the queue is asked for something to send.
    pub tick: Duration,
    /// So long after a try began, its unknown fate is read back: a call's longest time, and two minutes in
    /// which servers have been seen to accept a post late.
    pub settle_after: SignedDuration,
    /// After a failure without a date a network rests this long, then twice as long.
    pub rest: SignedDuration,
    /// The longest rest without a date.
    pub rest_max: SignedDuration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            settle_after: SignedDuration::from_secs(140),
            rest: SignedDuration::from_secs(2),
            rest_max: SignedDuration::from_mins(5),
        }
    }
}

/// Sends what operators approved, for as long as the daemon runs.
pub struct Dispatcher {
    publishers: Vec<Box<dyn Publisher>>,
    queue: Arc<Mutex<Queue>>,
    terms: Arc<dyn Terms>,
    pace: Pace,
    resting: HashMap<Network, Rest>,
    look_again_at: HashMap<LeadId, Timestamp>,
}

/// A network that is left alone for a while.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Timestamp,
    failures: u32,
}

impl Dispatcher {
    /// A dispatcher for these networks; replies on any other wait for a person.
    #[must_use]
    pub fn new(publishers: Vec<Box<dyn Publisher>>, queue: Arc<Mutex<Queue>>, terms: Arc<dyn Terms>) -> Self {
        let pace = Pace::default();
        Self { publishers, queue, terms, pace, resting: HashMap::new(), look_again_at: HashMap::new() }
    }

    /// The same at another pace.
    #[must_use]
    pub const fn at_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Sends until told to stop. A reply under way is finished first: its call is bounded.
    ///
    /// # Errors
    /// The database fails. Nothing more may be sent then, and the daemon must stop.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), QueueError> {
        if self.publishers.is_empty() {
            stop.cancelled().await;
            return Ok(());
        }
        while !stop.is_cancelled() {
            self.settle_some().await?;
            if !self.send_next().await? {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(self.pace.tick) => {}
                }
            }
        }
        Ok(())
    }

    /// Sends the next approved reply. Returns whether there was one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn send_next(&mut self) -> Result<bool, QueueError> {
        let now = clock::now();
        let networks = self.awake(now);
        let policy = self.terms.policy();
        let taken = self.with_queue(move |queue| queue.take_approved(&policy, &networks, now)).await?;
        let Some(reply) = taken else { return Ok(false) };
        let result = match objection(&reply, &*self.terms, now) {
            Some(objection) => Err(Trouble::Withdrawn(objection)),
            None => self.publisher(reply.post().network).deliver(&reply).await,
        };
        let outcome = self.outcome(reply.post().network, reply.lead(), result);
        self.with_queue(move |queue| queue.record_receipt(reply, &outcome, clock::now())).await?;
        Ok(true)
    }

    /// Finds out what became of some replies of unknown fate.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settle_some(&mut self) -> Result<(), QueueError> {
        let now = clock::now();
        let before = now - self.pace.settle_after;
        let unsettled = self.with_queue(move |queue| queue.unsettled(before)).await?;
        self.look_again_at.retain(|_, at| *at > now);
        let awake = self.awake(now);
        let due = |u: &Unsettled| {
            awake.contains(&u.reply().post().network) && !self.look_again_at.contains_key(&u.reply().lead())
        };
        let due: Vec<Unsettled> = unsettled.into_iter().filter(due).take(SETTLE_MAX).collect();
        for unsettled in due {
            self.settle(unsettled).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, unsettled: Unsettled) -> Result<(), QueueError> {
        let (network, lead) = (unsettled.reply().post().network, unsettled.reply().lead());
        let publisher = self.publisher(network);
        let outcome = match publisher.find(unsettled.reply()).await {
            Ok(Some(receipt)) => Outcome::Sent(receipt),
            Ok(None) if publisher.repeat_is_safe_until(unsettled.reply().started_at()) > clock::now() => {
                Outcome::NotSent { retry_at: clock::now(), why: "read back: it is not out".to_owned() }
            }
            Ok(None) => return self.leave_to_a_person(lead),
            Err(Trouble::NotSent { until, why }) => {
                self.rest(network, until);
                tracing::warn!(%network, lead = lead.0, why, "The network could not be asked whether a reply is out.");
                return Ok(());
            }
            Err(_) => return self.leave_to_a_person(lead),
        };
        self.with_queue(move |queue| queue.settle(unsettled, &outcome, clock::now())).await
    }

    /// The desk shows it as unknown; we look again later, in case it turns up.
    fn leave_to_a_person(&mut self, lead: LeadId) -> Result<(), QueueError> {
        self.look_again_at.insert(lead, clock::now() + LOOK_AGAIN);
        Ok(())
    }

    fn outcome(&mut self, network: Network, lead: LeadId, result: Result<Receipt, Trouble>) -> Outcome {
        match result {
            Ok(receipt) => {
                self.resting.remove(&network);
                Outcome::Sent(receipt)
            }
            Err(Trouble::Refused(why)) => {
                tracing::warn!(%network, lead = lead.0, why, "The network refused a reply.");
                Outcome::Failed(why)
            }
            Err(Trouble::Withdrawn(objection)) => {
                tracing::info!(%network, lead = lead.0, %objection, "A reply was withdrawn in the last look.");
                Outcome::Withdrawn(objection.to_string())
            }
            Err(Trouble::Unclear(why)) => {
                self.rest(network, None);
                tracing::warn!(%network, lead = lead.0, why, "No answer came: it is not known whether a reply is out.");
                Outcome::Unknown(why)
            }
            Err(Trouble::NotSent { until, why }) => {
                let retry_at = self.rest(network, until);
                tracing::warn!(%network, lead = lead.0, %retry_at, why, "A reply could not be sent yet.");
                Outcome::NotSent { retry_at, why }
            }
        }
    }

    /// Leaves a network alone, until it said or twice as long as before. Returns until when.
    fn rest(&mut self, network: Network, until: Option<Timestamp>) -> Timestamp {
        let now = clock::now();
        let failures = self.resting.get(&network).map_or(0, |rest| rest.failures);
        let doubled = self.pace.rest.saturating_mul(1 << failures.min(FAILURES_COUNTED_MAX));
        let until = until.unwrap_or(now + doubled.min(self.pace.rest_max));
        self.resting.insert(network, Rest { until, failures: failures.saturating_add(1) });
        until
    }

    /// The networks we send to that are not resting.
    fn awake(&self, now: Timestamp) -> Vec<Network> {
        let all = self.publishers.iter().map(|publisher| publisher.network());
        all.filter(|network| self.resting.get(network).is_none_or(|rest| rest.until <= now)).collect()
    }

    fn publisher(&self, network: Network) -> &dyn Publisher {
        let publisher = self.publishers.iter().find(|p| p.network() == network);
        publisher.expect("only replies for our own networks are asked for").as_ref()
    }

    /// Does something with the queue where waiting for the disk holds up nobody.
    async fn with_queue<T: Send + 'static>(&self, work: impl FnOnce(&mut Queue) -> T + Send + 'static) -> T {
        let queue = Arc::clone(&self.queue);
        let task = move || work(&mut queue.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(task).await.expect("the queue does not panic, and nobody aborts this")
    }
}

/// What speaks against a reply without asking anybody.
fn objection(reply: &Approved, terms: &dyn Terms, now: Timestamp) -> Option<Objection> {
    if reply.offer().is_some_and(|offer| terms.offer_is_over(offer, now)) {
        return Some(Objection::OfferEnded);
    }
    let age = reply.post().created_at.map(|at| now.duration_since(at));
    age.filter(|age| *age > SignedDuration::from_hours(POST_AGE_HOURS_MAX)).map(|_| Objection::TooLate)
}
