//! Makes the sources that the config names: one line registers a kind.

use std::ffi::OsStr;

use url::Url;

use super::publishers::no_client;
use crate::config::{SourceConfig, SourceKind};
use crate::source::Source;
use crate::source::feed::{self, Feed};
use crate::source::hackernews::{self, HackerNews};
use crate::source::jetstream::wire::Wire;
use crate::source::jetstream::{self, Endpoint, Jetstream};
use crate::source::jsonl::{Input, Jsonl, Settings};
use crate::web::Reach;

/// The source that a config names.
///
/// # Errors
/// Why it cannot be made, and what to do.
pub fn build(config: &SourceConfig) -> Result<Box<dyn Source>, String> {
    let name = config.name.clone();
    Ok(match &config.kind {
        SourceKind::Bluesky { .. } => Box::new(Jetstream::new(bluesky(config).expect("it is a Bluesky source"))),
        SourceKind::Jsonl { path, follow } => {
            let input = if path == OsStr::new("-") { Input::Stdin } else { Input::File(path.clone()) };
            Box::new(Jsonl::new(Settings { name, input, follow: *follow, speed: None }))
        }
        SourceKind::Feed { url, every, anywhere, about } => {
            let url = Url::parse(url).map_err(|e| format!("{url} is not a feed's address: {e}. Write https://..."))?;
            let reach = if *anywhere { Reach::Anywhere } else { Reach::Public };
            let settings = feed::Settings { name, url, every: *every, reach, about: about.clone() };
            Box::new(Feed::new(settings).map_err(no_client)?)
        }
        SourceKind::HackerNews => Box::new(HackerNews::new(hackernews::Settings::named(&name)).map_err(no_client)?),
    })
}

/// The settings of a Bluesky source; none for another kind.
#[must_use]
pub fn bluesky(config: &SourceConfig) -> Option<jetstream::Settings> {
    let SourceKind::Bluesky { hosts, silence, lookback } = &config.kind else { return None };
    let endpoint = |(host, wire): &(String, u8)| {
        let wire = if *wire == 1 { Wire::V1 } else { Wire::V2 };
        Some(Endpoint { host: Url::parse(host).ok()?, wire })
    };
    let endpoints = hosts.iter().filter_map(endpoint).collect();
    Some(jetstream::Settings { name: config.name.clone(), endpoints, silence: *silence, lookback: *lookback })
}
