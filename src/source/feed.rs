//! RSS, Atom and JSON feeds: asks politely, takes each entry once, and never wanders into our own network.

mod entry;
mod fetch;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::entry::{Seen, posts_of};
use self::fetch::{Fetched, fetch};
use super::poll::{Hitch, Turns, take_turns};
use super::{Cursor, Event, Health, Outlet, Source, clean};
use crate::web::guard::SystemResolver;
use crate::web::{self, Reach, Resolver};

/// The largest feed that is taken, in bytes after unpacking.
pub const FEED_BYTES_MAX: usize = 5 << 20;
/// How long a whole answer may take: one byte a second is not a feed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most entries of one feed that are remembered.
const SEEN_MAX: usize = 1_000;

/// What a feed source needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Where the feed is.
    pub url: Url,
    /// How often to ask.
    pub every: Duration,
    /// Where the feed and its redirects may lead.
    pub reach: Reach,
    /// The provider the feed belongs to, when it is the forum or help page of one.
    pub about: Option<String>,
}

/// A feed.
pub struct Feed {
    settings: Settings,
    health: Health,
    client: Client,
    place: Place,
}

/// How far a feed was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// Grows with every change.
    step: i64,
    /// Where the feed has moved for good.
    moved_to: Option<Url>,
    /// What the server called this state of the feed, word for word.
    etag: Option<String>,
    /// And when it says it changed, word for word.
    last_modified: Option<String>,
    /// The entries we know.
    seen: Seen,
}

impl Source for Feed {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn health(&self) -> Health {
        self.health.clone()
    }

    fn run(
        mut self: Box<Self>,
        cursor: Option<String>,
        mut outlet: Outlet,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        self.place = cursor.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Box::pin(async move {
            let health = self.health.clone();
            take_turns(&mut *self, &health, &mut outlet, &stop).await;
        })
    }
}

impl Turns for Feed {
    fn every(&self) -> Duration {
        self.settings.every
    }

    fn turn<'a>(&'a mut self, outlet: &'a mut Outlet) -> BoxFuture<'a, Result<Duration, Hitch>> {
        Box::pin(async move {
            let url = self.place.moved_to.clone().unwrap_or_else(|| self.settings.url.clone());
            self.health.set_place(url.host_str().unwrap_or_default());
            let fetched = fetch(&self.client, &url, self.settings.reach, &self.place).await?;
            if let Fetched::Feed { body, place } = fetched {
                self.take(body, place, outlet).await?;
            }
            Ok(self.settings.every)
        })
    }
}

impl Feed {
    /// A source that has not begun.
    ///
    /// # Errors
    /// The system has no usable TLS settings.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// The same with a resolver of one's own.
    ///
    /// # Errors
    /// The system has no usable TLS settings.
    pub fn with_resolver(settings: Settings, resolver: Arc<dyn Resolver>) -> reqwest::Result<Self> {
        let client = web::guarded_client(PATIENCE, settings.reach, resolver)?;
        let health = Health::new(&settings.name);
        Ok(Self { settings, health, client, place: Place::default() })
    }

    /// Hands on what is new in the feed, together with the place that remembers it.
    async fn take(&mut self, body: Vec<u8>, mut place: Place, outlet: &mut Outlet) -> Result<(), Hitch> {
        let (feed_url, about) = (self.settings.url.clone(), self.settings.about.clone());
        let parsed = tokio::task::spawn_blocking(move || posts_of(&body, &feed_url, about.as_deref())).await;
        let posts = parsed
            .map_err(|_| Hitch::later("the feed broke its reader"))?
            .map_err(|why| Hitch::later(format!("the feed cannot be read: {why}")))?;
        let mut taken = 0;
        // Feeds tell the newest first; posts are handed on in the order they were written.
        for post in posts.into_iter().rev() {
            let Some(is_new) = place.seen.note(&post, SEEN_MAX) else { continue };
            match clean(post) {
                Ok(post) => {
                    let post = Box::new(post);
                    outlet.push(if is_new { Event::Created(post) } else { Event::Edited(post) });
                    taken += 1;
                }
                Err(reason) => {
                    self.health.dropped(reason);
                    outlet.drop_one(reason);
                }
            }
        }
        self.hand_on(place, outlet, taken).await
    }

    async fn hand_on(&mut self, mut place: Place, outlet: &mut Outlet, taken: u64) -> Result<(), Hitch> {
        if place == self.place {
            return Ok(());
        }
        place.step += 1;
        outlet.touch();
        let text = serde_json::to_string(&place).expect("a place is plain data");
        let cursor = Cursor { text, position: place.step, anew: false };
        if !outlet.flush(Some(cursor)).await {
            return Err(Hitch::later("nobody listens any more"));
        }
        self.place = place;
        self.health.heard(None, taken);
        Ok(())
    }
}
