//! The shape of `jumpship.toml` on disk, and the one step from it to a [`Config`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::error::ConfigError;
use super::feeds::{RawFeed, RawHackerNews};
use super::place::state_folder;
use super::publish::{self, RawPublish};
use super::{
    Config, DESK_LISTEN, DeskConfig, HOSTS_MAX, HOSTS_V1, HOSTS_V2, PACK, RulesConfig, SOURCES_MAX, SourceConfig,
    SourceKind,
};

/// The kinds of source.
const KINDS: [&str; 2] = ["bluesky", "jsonl"];
/// The name of the database in the state folder.
const DATABASE: &str = "jumpship.db";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawConfig {
    database: Option<PathBuf>,
    rules: RawRules,
    desk: RawDesk,
    source: Vec<RawSource>,
    feed: Vec<RawFeed>,
    hackernews: RawHackerNews,
    publish: RawPublish,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawRules {
    pack: Option<String>,
    folders: Vec<PathBuf>,
    home: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawDesk {
    listen: Option<String>,
    url: Option<String>,
    behind_tls: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    name: Option<String>,
    kind: String,
    hosts: Option<Vec<String>>,
    wire: Option<String>,
    silence_seconds: Option<u64>,
    lookback_minutes: Option<u64>,
    path: Option<PathBuf>,
    follow: Option<bool>,
}

/// Checks what was typed and fills in what was not.
pub fn resolve(raw: RawConfig, file: Option<&Path>, folder: &Path) -> Result<Config, ConfigError> {
    let wrong = |(cause, advice): (String, String)| {
        ConfigError::of_file(file.unwrap_or(Path::new("the defaults")), &format!(": {cause}"), &advice)
    };
    let database = match raw.database {
        Some(path) => folder.join(path),
        None => state_folder().ok_or_else(no_state_folder).map_err(wrong)?.join(DATABASE),
    };
    let mut polled = raw.feed.into_iter().map(RawFeed::resolve).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    polled.extend(raw.hackernews.resolve());
    let is_silent = raw.source.is_empty() && polled.is_empty();
    let sources = if is_silent { vec![RawSource::bluesky()] } else { raw.source };
    Ok(Config {
        file: file.map(Path::to_owned),
        database,
        rules: raw.rules.resolve(folder),
        desk: raw.desk.resolve().map_err(wrong)?,
        sources: resolve_sources(sources, polled, folder).map_err(wrong)?,
        publish: publish::resolve(raw.publish, folder).map_err(wrong)?,
    })
}

/// What is wrong, and what to do about it.
pub type Wrong = (String, String);

fn no_state_folder() -> Wrong {
    ("no folder for the database is known.".into(), "Set HOME, or write `database = \"/path/jumpship.db\"`.".into())
}

impl RawRules {
    fn resolve(self, folder: &Path) -> RulesConfig {
        let pack = self.pack.unwrap_or_else(|| PACK.to_owned());
        RulesConfig {
            pack: (pack != "none").then_some(pack),
            folders: self.folders.iter().map(|path| folder.join(path)).collect(),
            home: self.home,
        }
    }
}

impl RawDesk {
    fn resolve(self) -> Result<DeskConfig, Wrong> {
        let listen = self.listen.unwrap_or_else(|| DESK_LISTEN.to_owned());
        let advice = || format!("Write one such as \"{DESK_LISTEN}\".");
        let listen = listen.parse().map_err(|_| (format!("`{listen}` is not an address."), advice()))?;
        let url = self.url.map(web_address).transpose()?;
        let mut desk = DeskConfig { listen, url, behind_tls: self.behind_tls };
        desk.move_to(listen).map_err(|error| (error, String::new()))?;
        Ok(desk)
    }
}

fn web_address(url: String) -> Result<String, Wrong> {
    let plain = url.trim_end_matches('/');
    if plain.starts_with("https://") || plain.starts_with("http://") {
        return Ok(plain.to_owned());
    }
    Err((format!("`{url}` is not a web address."), format!("Write https://{plain}.")))
}

fn resolve_sources(raw: Vec<RawSource>, polled: Vec<SourceConfig>, folder: &Path) -> Result<Vec<SourceConfig>, Wrong> {
    let count = raw.len() + polled.len();
    if count > SOURCES_MAX {
        return Err((format!("there are {count} sources."), format!("Name at most {SOURCES_MAX}.")));
    }
    let mut sources: Vec<SourceConfig> = Vec::new();
    let resolved = raw.into_iter().map(|source| source.resolve(folder)).chain(polled.into_iter().map(Ok));
    for source in resolved {
        let source = source?;
        if sources.iter().any(|other| other.name == source.name) {
            return Err((format!("two sources are called `{}`.", source.name), "Give one another `name`.".into()));
        }
        sources.push(source);
    }
    Ok(sources)
}

impl RawSource {
    fn bluesky() -> Self {
        Self { kind: "bluesky".to_owned(), ..Self::default() }
    }

    fn resolve(self, folder: &Path) -> Result<SourceConfig, Wrong> {
        let name = self.name.clone().unwrap_or_else(|| self.kind.clone());
        let kind = match self.kind.as_str() {
            "bluesky" => self.resolve_bluesky(&name)?,
            "jsonl" => self.resolve_jsonl(&name, folder)?,
            other => {
                let known = KINDS.map(|kind| format!("\"{kind}\"")).join(", ");
                return Err((format!("there is no source of the kind `{other}`."), format!("Write one of {known}.")));
            }
        };
        Ok(SourceConfig { name, kind })
    }

    fn resolve_bluesky(&self, name: &str) -> Result<SourceKind, Wrong> {
        self.refuse(&[("path", self.path.is_some()), ("follow", self.follow.is_some())])?;
        Ok(SourceKind::Bluesky {
            hosts: self.hosts(name)?,
            silence: Duration::from_secs(within("silence_seconds", self.silence_seconds, 60, 1..=3_600)?),
            lookback: Duration::from_secs(60 * within("lookback_minutes", self.lookback_minutes, 10, 0..=2_160)?),
        })
    }

    fn resolve_jsonl(&self, name: &str, folder: &Path) -> Result<SourceKind, Wrong> {
        self.refuse(&[
            ("hosts", self.hosts.is_some()),
            ("wire", self.wire.is_some()),
            ("silence_seconds", self.silence_seconds.is_some()),
            ("lookback_minutes", self.lookback_minutes.is_some()),
        ])?;
        let missing = || (format!("the source `{name}` needs a `path`."), "Name a file, or \"-\".".to_owned());
        let path = self.path.as_ref().ok_or_else(missing)?;
        let path = if path.as_os_str() == "-" { path.clone() } else { folder.join(path) };
        Ok(SourceKind::Jsonl { path, follow: self.follow.unwrap_or(false) })
    }

    /// Keys that belong to another kind.
    fn refuse(&self, keys: &[(&str, bool)]) -> Result<(), Wrong> {
        match keys.iter().find(|(_, given)| *given) {
            Some((key, _)) => Err((
                format!("`{key}` means nothing to a source of the kind `{}`.", self.kind),
                "Take it out.".to_owned(),
            )),
            None => Ok(()),
        }
    }

    /// The servers to try in order: all of the newer wire first, unless told which one they speak.
    fn hosts(&self, name: &str) -> Result<Vec<(String, u8)>, Wrong> {
        let wires: &[u8] = match self.wire.as_deref() {
            None | Some("auto") => &[2, 1],
            Some("v1") => &[1],
            Some("v2") => &[2],
            Some(other) => {
                return Err((format!("`{other}` is not a wire."), "Write \"v1\", \"v2\" or \"auto\".".into()));
            }
        };
        let of_wire = |wire: u8| match (&self.hosts, wire) {
            (Some(hosts), _) => hosts.clone(),
            (None, 2) => HOSTS_V2.map(str::to_owned).to_vec(),
            (None, _) => HOSTS_V1.map(str::to_owned).to_vec(),
        };
        let hosts: Vec<_> = wires.iter().flat_map(|&wire| of_wire(wire).into_iter().map(move |h| (h, wire))).collect();
        if hosts.is_empty() {
            return Err((format!("the source `{name}` names no host."), "Name one, or leave `hosts` out.".into()));
        }
        if hosts.len() > HOSTS_MAX {
            return Err((format!("the source `{name}` names too many hosts."), format!("Name at most {HOSTS_MAX}.")));
        }
        hosts.into_iter().map(|(host, wire)| Ok((server(&host)?, wire))).collect()
    }
}

fn server(host: &str) -> Result<String, Wrong> {
    let plain = host.trim_end_matches('/');
    if plain.starts_with("wss://") || plain.starts_with("ws://") {
        return Ok(plain.to_owned());
    }
    let name = plain.rsplit("://").next().unwrap_or(plain);
    Err((format!("`{host}` is not a server."), format!("Write wss://{name}.")))
}

pub fn within(key: &str, given: Option<u64>, usual: u64, bounds: std::ops::RangeInclusive<u64>) -> Result<u64, Wrong> {
    let value = given.unwrap_or(usual);
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (least, most) = bounds.into_inner();
    Err((format!("`{key}` is {value}; it must be {least} to {most}."), "Leave it out for the usual value.".into()))
}
