//! Runs a source, takes what it hands on as the pipeline would, and cuts it off at any moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jumpship::source::{Event, HealthView, OUTLET_BATCHES_MAX, Outlet, Source};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What was stored so far: the cursor and how often each post was told as new.
#[derive(Debug, Default)]
pub struct Stored {
    pub cursor: Option<String>,
    pub position: i64,
    pub created: BTreeMap<String, u32>,
    pub edited: u32,
    pub deleted: Vec<String>,
}

impl Stored {
    /// Runs a source from where the last one ended and cuts it off after so many deliveries or this time.
    pub async fn listen(&mut self, source: Box<dyn Source>, deliveries: usize, most: Duration) -> HealthView {
        let (to, mut from) = mpsc::channel(OUTLET_BATCHES_MAX);
        let (health, outlet) = (source.health(), Outlet::new(source.name(), to));
        let task = tokio::spawn(source.run(self.cursor.clone(), outlet, CancellationToken::new()));
        let end = tokio::time::Instant::now() + most;
        for _ in 0..deliveries {
            let Ok(Some(delivery)) = tokio::time::timeout_at(end, from.recv()).await else { break };
            let cursor = delivery.cursor.expect("every delivery can be resumed");
            assert!(cursor.position > self.position, "the cursor moved backwards");
            (self.cursor, self.position) = (Some(cursor.text), cursor.position);
            delivery.events.into_iter().for_each(|event| self.take(event));
        }
        task.abort();
        let _ = task.await;
        health.view()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Created(post) => *self.created.entry(post.id.to_string()).or_default() += 1,
            Event::Edited(_) => self.edited += 1,
            Event::Deleted { id, .. } => self.deleted.push(id.to_string()),
            Event::AccountGone { .. } => {}
        }
    }

    /// How many posts were told more than once.
    pub fn twice(&self) -> usize {
        self.created.values().filter(|times| **times > 1).count()
    }
}

/// Numbers that look random and are the same each time.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % sides
    }
}

/// Serves routes until the test ends; returns where.
pub async fn serve(routes: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// Half an answer, then the end of the connection.
pub fn broken() -> axum::response::Response {
    let parts = [Ok("half"), Err(std::io::Error::other("cut"))];
    axum::response::IntoResponse::into_response(axum::body::Body::from_stream(futures_util::stream::iter(parts)))
}
