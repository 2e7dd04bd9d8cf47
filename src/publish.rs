//! Sends approved replies where the network allows it, each at most once; the rest is handed to a person.
//!
//! A reply is [`Approved`] by an operator, and only the queue can make one. It marks the lead as `sending`
//! on disk before it hands the reply out, so a killed daemon knows afterwards which fate it does not know.
//! Such a fate is settled by reading back ([`Publisher::find`]), never by sending again.

pub mod bluesky;
mod call;
mod dispatch;
pub mod mastodon;

use std::fmt;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use dispatch::{Dispatcher, Pace, Terms};

use crate::post::Network;
use crate::queue::{Approved, Receipt};

/// How a network is answered. One file for each.
pub trait Publisher: Send + Sync {
    /// The network.
    fn network(&self) -> Network;

    /// Looks at the post once more and, if nothing speaks against it, sends the reply.
    fn deliver<'a>(&'a self, reply: &'a Approved) -> BoxFuture<'a, Result<Receipt, Trouble>>;

    /// Looks whether the reply is out. `None` when it is certainly not.
    fn find<'a>(&'a self, reply: &'a Approved) -> BoxFuture<'a, Result<Option<Receipt>, Trouble>>;

    /// Until when a repeat of the same reply is harmless, should it be out after all.
    fn repeat_is_safe_until(&self, first_tried_at: Timestamp) -> Timestamp;
}

/// Why a reply is not out, or may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is certainly not out, and may be tried again.
    NotSent {
        /// Not before this, when the network says so.
        until: Option<Timestamp>,
        /// What happened.
        why: String,
    },
    /// The network refused it for good.
    Refused(String),
    /// Something speaks against answering now.
    Withdrawn(Objection),
    /// No answer came: it may be out.
    Unclear(String),
}

impl Trouble {
    fn not_sent(why: impl Into<String>) -> Self {
        Self::NotSent { until: None, why: why.into() }
    }

    /// The same trouble met while only reading: nothing was sent yet.
    fn before_sending(self) -> Self {
        match self {
            Self::Unclear(why) | Self::Refused(why) => Self::not_sent(why),
            other => other,
        }
    }
}

/// What speaks against answering, found in the last look before sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// The post is gone, or its author blocked us: some networks answer both alike.
    PostGone,
    /// The author changed the post after it was judged.
    PostEdited,
    /// The author lets nobody, or not us, reply.
    Gated,
    /// The author blocked us, or we them.
    Blocked,
    /// The author's profile asks programs to stay away.
    NoBot,
    /// We, or a colleague, answered already.
    AlreadyAnswered,
    /// The offer it speaks of has ended.
    OfferEnded,
    /// The post is too old by now.
    TooLate,
}

impl Objection {
    /// The reason as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PostGone => "post_gone",
            Self::PostEdited => "post_edited",
            Self::Gated => "gated",
            Self::Blocked => "blocked",
            Self::NoBot => "nobot",
            Self::AlreadyAnswered => "already_answered",
            Self::OfferEnded => "offer_ended",
            Self::TooLate => "too_late",
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
