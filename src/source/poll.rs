//! Sources that ask again and again: the waiting, the obeying and the stopping they share.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Backoff, Health, Outlet, State};
use crate::clock;

/// The first wait after a failure, unless turns are taken more often than that.
const WAIT_FIRST: Duration = Duration::from_secs(2);
/// The longest wait after a failure.
const WAIT_MAX: Duration = Duration::from_secs(900);

/// Why a turn brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hitch {
    /// It may work later.
    Later {
        /// What happened.
        why: String,
        /// Not before this, when the server says so.
        until: Option<Timestamp>,
    },
    /// It will never work: the place is gone for good.
    Gone(String),
}

impl Hitch {
    /// Something that may pass, and nobody says when.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), until: None }
    }
}

/// Something that asks in turns.
pub trait Turns: Send {
    /// How often turns are taken while all is well.
    fn every(&self) -> Duration;

    /// Asks once and hands on what is new. Returns how long to wait before the next turn.
    fn turn<'a>(&'a mut self, outlet: &'a mut Outlet) -> BoxFuture<'a, Result<Duration, Hitch>>;
}

/// Takes turns until told to stop. What a turn did not hand on is asked for again by the next.
pub async fn take_turns(turns: &mut dyn Turns, health: &Health, outlet: &mut Outlet, stop: &CancellationToken) {
    let mut backoff = Backoff::new(turns.every().min(WAIT_FIRST), WAIT_MAX);
    loop {
        let wait = tokio::select! {
            () = stop.cancelled() => return,
            turn = turns.turn(outlet) => match turn {
                Ok(wait) => {
                    backoff.reset();
                    health.set(State::Live);
                    wait
                }
                Err(Hitch::Gone(why)) => {
                    health.set(State::Failed { why });
                    return stop.cancelled().await;
                }
                Err(Hitch::Later { why, until }) => rest(health, &mut backoff, why, until),
            },
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(wait) => {}
        }
    }
}

fn rest(health: &Health, backoff: &mut Backoff, why: String, until: Option<Timestamp>) -> Duration {
    health.reconnected();
    let asked = until.and_then(|until| Duration::try_from(clock::now().duration_until(until)).ok());
    match until {
        Some(until) => health.set(State::RateLimited { until }),
        None => health.set(State::Failed { why }),
    }
    backoff.next(asked)
}
