//! Tells open pages that something changed: numbers of leads only, never a word of a post.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::app::App;
use super::session::Who;
use super::store::Store;
use crate::queue::Change;

/// How often the queue is asked whether anything changed.
const LOOK_MILLISECONDS: u64 = 500;
/// A sign of life, so that proxies keep the stream open and the page can tell silence from death.
const BEAT_SECONDS: u64 = 15;
/// The most leads named in one event; the page then looks at the list anyway.
const LEADS_MAX: usize = 100;

/// The number of the latest change, kept up to date until the desk ends; then it closes.
pub fn watch_changes(store: Store, mut stopped: watch::Receiver<()>) -> watch::Receiver<i64> {
    let (latest, changes) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            if let Ok(now) = store.ask(|queue| queue.latest_change()).await {
                latest.send_if_modified(|known| std::mem::replace(known, now) != now);
            }
            tokio::select! {
                () = sleep(Duration::from_millis(LOOK_MILLISECONDS)) => {}
                _ = stopped.changed() => return,
            }
        }
    });
    changes
}

/// The stream of one browser. It resumes after the number in `Last-Event-ID`.
pub async fn stream(
    State(app): State<App>,
    _who: Who,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = app.changes.clone();
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let from = seen.unwrap_or(*changes.borrow());
    Sse::new(unfold((app, changes, from, true), |(app, changes, from, first)| next(app, changes, from, first)))
}

type Listening = (App, watch::Receiver<i64>, i64, bool);

/// The next event: a change, or a beat when nothing changed for a while; none when the desk ends.
async fn next(
    app: App,
    mut changes: watch::Receiver<i64>,
    from: i64,
    first: bool,
) -> Option<(Result<Event, Infallible>, Listening)> {
    let behind = *changes.borrow_and_update() > from;
    if !behind && !first {
        let wait = timeout(Duration::from_secs(BEAT_SECONDS), changes.changed()).await;
        if matches!(wait, Ok(Err(_))) {
            return None;
        }
    }
    let news = app.store.ask(move |queue| queue.changes(from, LEADS_MAX)).await.unwrap_or_default();
    let to = news.last().map_or(from, |change| change.change);
    Some((Ok(event(&news, to)), (app, changes, to, false)))
}

fn event(news: &[Change], to: i64) -> Event {
    let leads: Vec<i64> = news.iter().map(|change| change.lead.0).collect();
    let name = if leads.is_empty() { "beat" } else { "leads" };
    Event::default().id(to.to_string()).event(name).data(json!({ "leads": leads }).to_string())
}
