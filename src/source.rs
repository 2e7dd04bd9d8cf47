//! Public streams as one thing: events in order with a cursor, and a health state a person can read.
//!
//! A source only listens. It knows no rule and no database: it pushes [`Event`]s into an [`Outlet`], which
//! hands them on in batches with the [`Cursor`] to resume from once the batch is stored.

mod backoff;
mod clean;
pub mod feed;
pub mod hackernews;
mod health;
pub mod jetstream;
pub mod jsonl;
mod outlet;
mod poll;
mod tls;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use backoff::Backoff;
pub use clean::{FIELD_BYTES_MAX, ID_BYTES_MAX, TEXT_BYTES_MAX, clean};
pub use health::{GAPS_MAX, Gap, Health, HealthView, State};
pub use outlet::{BATCH_POSTS_MAX, BATCH_WAIT, Delivery, OUTLET_BATCHES_MAX, Outlet};
pub use tls::install_tls;

use crate::post::{Network, Post, PostId};

/// One thing that happened on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wrote a post.
    Created(Box<Post>),
    /// Somebody changed a post; this is how it stands now.
    Edited(Box<Post>),
    /// A post is gone: whatever we hold of it must go.
    Deleted {
        /// Where it was.
        network: Network,
        /// Which one.
        id: PostId,
    },
    /// An account is gone or closed: whatever we hold of its author must go.
    AccountGone {
        /// Where it was.
        network: Network,
        /// The network's stable identifier of the author.
        author: String,
    },
}

impl Event {
    /// The post, if one came with it.
    #[must_use]
    pub const fn post(&self) -> Option<&Post> {
        match self {
            Self::Created(post) | Self::Edited(post) => Some(post),
            Self::Deleted { .. } | Self::AccountGone { .. } => None,
        }
    }
}

/// Where to go on after a stop; stored beside what was read up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The source's own words for the place.
    pub text: String,
    /// A number that grows with it: a place is never stored over a later one.
    pub position: i64,
    /// The source began anew, so this place counts whatever was stored before.
    pub anew: bool,
}

/// Something that hears posts.
pub trait Source: Send {
    /// Its name in the config, the database and the desk; unique among the sources of one daemon.
    fn name(&self) -> &str;

    /// Its health, shared with whoever shows it.
    fn health(&self) -> Health;

    /// Listens from `cursor` (the text of a [`Cursor`]) until told to stop or, for a source that has an end, until the end.
    /// Whatever goes wrong on the way is told through [`Health`] and tried again.
    fn run(self: Box<Self>, cursor: Option<String>, outlet: Outlet, stop: CancellationToken) -> BoxFuture<'static, ()>;
}
