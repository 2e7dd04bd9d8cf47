//! Makes the sources that the config names: one line registers a kind.

use std::ffi::OsStr;

use url::Url;

use crate::config::{SourceConfig, SourceKind};
use crate::source::Source;
use crate::source::jetstream::wire::Wire;
use crate::source::jetstream::{self, Endpoint, Jetstream};
use crate::source::jsonl::{Input, Jsonl, Settings};

/// The source that a config names.
#[must_use]
pub fn build(config: &SourceConfig) -> Box<dyn Source> {
    match &config.kind {
        SourceKind::Bluesky { .. } => Box::new(Jetstream::new(bluesky(config).expect("it is a Bluesky source"))),
        SourceKind::Jsonl { path, follow } => {
            let input = if path == OsStr::new("-") { Input::Stdin } else { Input::File(path.clone()) };
            Box::new(Jsonl::new(Settings { name: config.name.clone(), input, follow: *follow, speed: None }))
        }
    }
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
