//! Makes the publishers that the config switches on, and tells them what policy is in force.

use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{PublishConfig, SecretPlace};
use crate::engine::LiveEngine;
use crate::networks::Capability;
use crate::publish::bluesky::{self, Bluesky};
use crate::publish::mastodon::{self, Mastodon};
use crate::publish::{Dispatcher, Publisher, Terms};
use crate::queue::{Queue, QueueError};
use crate::rules::Policy;
use crate::web::Secret;

/// The session of the Bluesky account, beside the database.
const SESSION_FILE: &str = "bluesky-session.json";

/// The rules as they stand at each moment.
struct Live(Arc<LiveEngine>);

impl Terms for Live {
    fn policy(&self) -> Policy {
        self.0.current().rules().policy().clone()
    }

    fn offer_is_over(&self, offer: &str, now: Timestamp) -> bool {
        self.0.current().rules().offer_is_over(offer, now)
    }
}

/// The publishers a config switches on. `state` is the folder of the database.
///
/// # Errors
/// What is missing and what to do.
pub fn publishers(config: &PublishConfig, state: &Path) -> Result<Vec<Box<dyn Publisher>>, String> {
    let mut publishers: Vec<Box<dyn Publisher>> = Vec::new();
    if let Some(account) = &config.bluesky {
        let settings = bluesky::Settings {
            service: address(&account.service)?,
            identifier: account.account.clone(),
            password: secret(&account.password)?,
            session_file: state.join(SESSION_FILE),
            has_view: account.has_view,
        };
        publishers.push(Box::new(Bluesky::new(settings).map_err(no_client)?));
    }
    if let Some(account) = &config.mastodon {
        let settings = mastodon::Settings { server: address(&account.server)?, token: secret(&account.token)? };
        publishers.push(Box::new(Mastodon::new(settings).map_err(no_client)?));
    }
    for publisher in &publishers {
        Capability::of(publisher.network()).allows_api(&[])?;
    }
    Ok(publishers)
}

/// Sends what is approved until told to stop, with a connection of its own to the database.
///
/// # Errors
/// The database fails; nothing more is sent then.
pub async fn send(
    database: &Path,
    engine: Arc<LiveEngine>,
    publishers: Vec<Box<dyn Publisher>>,
    stop: CancellationToken,
) -> Result<(), QueueError> {
    if publishers.is_empty() {
        return Ok(());
    }
    let queue = Queue::open_shared(database)?;
    Dispatcher::new(publishers, Arc::new(Mutex::new(queue)), Arc::new(Live(engine))).run(stop).await
}

fn address(text: &str) -> Result<Url, String> {
    text.parse().map_err(|e| format!("{text} is not an address: {e}. Write https://..."))
}

fn secret(place: &SecretPlace) -> Result<Secret, String> {
    match place {
        SecretPlace::File(path) => Secret::from_file(path),
        SecretPlace::Env(name) => Secret::from_env(name),
    }
}

/// Says why no call can be made at all.
pub(super) fn no_client(error: reqwest::Error) -> String {
    format!("no secure connection can be made: {}. Install the system's root certificates.", crate::web::words(&error))
}
