//! Hacker News, item by item in their order: nothing is left out, and what is not there yet is asked for again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::poll::{Hitch, Turns, take_turns};
use super::{Cursor, Event, Health, Outlet, Source, clean};
use crate::clock;
use crate::post::{Author, Network, Post, PostId};
use crate::web::{self, plain};

/// The public API.
pub const SERVER: &str = "https://hacker-news.firebaseio.com";
/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look for new items.
const EVERY: Duration = Duration::from_secs(15);
/// The most items asked for in one turn.
const ITEMS_MAX: i64 = 200;
/// The most changed items looked at in one turn.
const UPDATES_MAX: usize = 200;
/// How many are asked for at once.
const AT_ONCE: usize = 8;
/// The most items that are waited for; beyond it the oldest are given up and told as a gap.
const HOLES_MAX: usize = 1_000;
/// An item that is not there after so many tries never comes.
const TRIES_MAX: u32 = 20;
/// The largest answer that is read, in bytes.
const ITEM_BYTES_MAX: usize = 1 << 20;

/// What a Hacker News source needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The API's server.
    pub server: Url,
    /// How often to look for new items.
    pub every: Duration,
}

impl Settings {
    /// The public API under this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), server: SERVER.parse().expect("a constant"), every: EVERY }
    }
}

/// Hacker News.
pub struct HackerNews {
    settings: Settings,
    health: Health,
    client: Client,
    place: Place,
}

/// How far it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The last item asked for; 0 before the first turn.
    last: i64,
    /// Items below it that were not there yet, and how often they were asked for.
    holes: BTreeMap<i64, u32>,
    /// Grows with every change.
    step: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Updates {
    items: Vec<i64>,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: i64,
    #[serde(default)]
    by: String,
    time: Option<i64>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    parent: Option<i64>,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    dead: bool,
}

impl Source for HackerNews {
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

impl Turns for HackerNews {
    fn every(&self) -> Duration {
        self.settings.every
    }

    fn turn<'a>(&'a mut self, outlet: &'a mut Outlet) -> BoxFuture<'a, Result<Duration, Hitch>> {
        Box::pin(async move {
            self.health.set_place(self.settings.server.host_str().unwrap_or_default());
            let newest: i64 = self.get("v0/maxitem.json").await?;
            if self.place.last == 0 {
                self.place.last = newest - 1;
            }
            let up_to = newest.min(self.place.last + ITEMS_MAX);
            let wanted: Vec<i64> = self.place.holes.keys().copied().chain(self.place.last + 1..=up_to).collect();
            let mut place = self.place.clone();
            place.last = place.last.max(up_to);
            for (id, item) in self.items(&wanted).await? {
                self.take(id, item, &mut place, outlet);
            }
            self.look_for_deletes(&place, outlet).await?;
            self.hand_on(place, outlet).await?;
            Ok(if up_to < newest { Duration::ZERO } else { self.settings.every })
        })
    }
}

impl HackerNews {
    /// A source that has not begun.
    ///
    /// # Errors
    /// The system has no usable TLS settings.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let client = web::client(PATIENCE)?;
        let health = Health::new(&settings.name);
        Ok(Self { settings, health, client, place: Place::default() })
    }

    /// The API lists what changed lately; of that, what is gone matters.
    async fn look_for_deletes(&self, place: &Place, outlet: &mut Outlet) -> Result<(), Hitch> {
        let updates: Updates = self.get("v0/updates.json").await?;
        let known: Vec<i64> = updates.items.into_iter().filter(|id| *id <= place.last).take(UPDATES_MAX).collect();
        for (id, item) in self.items(&known).await? {
            if item.is_some_and(|item| item.deleted || item.dead) {
                outlet.push(Event::Deleted { network: Network::HackerNews, id: PostId::new(id.to_string()) });
            }
        }
        Ok(())
    }

    /// The items of these numbers, in their order; all of them or none.
    async fn items(&self, wanted: &[i64]) -> Result<Vec<(i64, Option<Item>)>, Hitch> {
        let one = |id: i64| async move { Ok((id, self.get(&format!("v0/item/{id}.json")).await?)) };
        let mut answers = stream::iter(wanted.iter().copied().map(one)).buffered(AT_ONCE);
        let mut items = Vec::with_capacity(wanted.len());
        while let Some(answer) = answers.next().await {
            items.push(answer?);
        }
        Ok(items)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Hitch> {
        let url = self.settings.server.join(path).map_err(|e| Hitch::later(e.to_string()))?;
        let response = self.client.get(url).send().await.map_err(|e| Hitch::later(web::words(&e)))?;
        if !response.status().is_success() {
            let until = web::asked_until(response.headers(), clock::now());
            return Err(Hitch::Later { why: format!("the server answers {}", response.status()), until });
        }
        let body = web::body(response, ITEM_BYTES_MAX).await.map_err(|e| Hitch::later(e.to_string()))?;
        serde_json::from_slice(&body).map_err(|e| Hitch::later(format!("an answer is not understood: {e}")))
    }

    fn take(&self, id: i64, item: Option<Item>, place: &mut Place, outlet: &mut Outlet) {
        let Some(item) = item else { return self.wait_for(id, place) };
        place.holes.remove(&id);
        if item.deleted || item.dead {
            return outlet.push(Event::Deleted { network: Network::HackerNews, id: PostId::new(item.id.to_string()) });
        }
        match post_of(item).map(clean) {
            Some(Ok(post)) => outlet.push(Event::Created(Box::new(post))),
            Some(Err(reason)) => outlet.drop_one(reason),
            None => {}
        }
    }

    /// An item that is not visible yet is asked for again, but not for ever.
    fn wait_for(&self, id: i64, place: &mut Place) {
        let tries = place.holes.entry(id).or_default();
        *tries += 1;
        if *tries >= TRIES_MAX {
            place.holes.remove(&id);
        }
        if place.holes.len() > HOLES_MAX {
            place.holes.pop_first();
            self.health.gap("more items were missing than can be waited for");
        }
    }

    async fn hand_on(&mut self, mut place: Place, outlet: &mut Outlet) -> Result<(), Hitch> {
        if place == self.place {
            return Ok(());
        }
        place.step += 1;
        outlet.touch();
        let text = serde_json::to_string(&place).expect("a place is plain data");
        if !outlet.flush(Some(Cursor { text, position: place.step, anew: false })).await {
            return Err(Hitch::later("nobody listens any more"));
        }
        self.health.heard(Some(clock::now()), u64::try_from(place.last - self.place.last).unwrap_or_default());
        self.place = place;
        Ok(())
    }
}

/// The post, unless the item has no words (a job, a poll's option).
fn post_of(item: Item) -> Option<Post> {
    let text = plain(&[item.title, item.text].join("\n"));
    if text.is_empty() {
        return None;
    }
    let mut post = Post::new(item.id.to_string(), text);
    post.network = Network::HackerNews;
    post.url = Some(format!("https://news.ycombinator.com/item?id={}", item.id));
    post.author = Author { id: item.by.clone(), handle: item.by, ..Author::default() };
    post.created_at = item.time.and_then(|time| Timestamp::from_second(time).ok());
    post.reply_to = item.parent.map(|parent| PostId::new(parent.to_string()));
    Some(post)
}
