//! `[publish.bluesky]` and `[publish.mastodon]`: which account answers, and whether by API or by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::raw::Wrong;

/// Where Bluesky accounts are unless told otherwise.
const BLUESKY_SERVICE: &str = "https://bsky.social";

/// The networks answered by API. All others, and all of them by default, are answered by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishConfig {
    /// The Bluesky account that answers.
    pub bluesky: Option<BlueskyAccount>,
    /// The Mastodon account that answers.
    pub mastodon: Option<MastodonAccount>,
}

/// A Bluesky account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueskyAccount {
    /// Its server.
    pub service: String,
    /// Its handle or DID.
    pub account: String,
    /// Its app password.
    pub password: SecretPlace,
    /// Whether its server can ask the network's view of a post.
    pub has_view: bool,
}

/// A Mastodon account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MastodonAccount {
    /// Its server.
    pub server: String,
    /// Its token.
    pub token: SecretPlace,
}

/// Where a secret is. It never stands in the config itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Env(String),
}

/// What was typed: a table for each network.
pub type RawPublish = BTreeMap<String, RawAccount>;

/// What was typed about one network.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawAccount {
    send: Option<String>,
    server: Option<String>,
    account: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    token_file: Option<PathBuf>,
    token_env: Option<String>,
    view: Option<bool>,
}

/// Checks what was typed.
pub fn resolve(raw: RawPublish, folder: &Path) -> Result<PublishConfig, Wrong> {
    let mut config = PublishConfig::default();
    for (network, account) in raw {
        if !account.sends(&network)? {
            continue;
        }
        match network.as_str() {
            "bluesky" => config.bluesky = Some(account.bluesky(folder)?),
            "mastodon" => config.mastodon = Some(account.mastodon(folder)?),
            _ => return Err(by_hand_only(&network)),
        }
    }
    Ok(config)
}

fn by_hand_only(network: &str) -> Wrong {
    (
        format!("replies on `{network}` cannot be sent by API."),
        "Only bluesky and mastodon can; leave send = \"by_hand\". `jumpship networks` says why.".to_owned(),
    )
}

impl RawAccount {
    fn sends(&self, network: &str) -> Result<bool, Wrong> {
        match self.send.as_deref() {
            None | Some("by_hand") => Ok(false),
            Some("api") => Ok(true),
            Some(other) => Err((
                format!("`send = \"{other}\"` under [publish.{network}] means nothing."),
                "Write \"by_hand\" or \"api\".".to_owned(),
            )),
        }
    }

    fn bluesky(self, folder: &Path) -> Result<BlueskyAccount, Wrong> {
        refuse("bluesky", "token_file", self.token_file.is_some())?;
        refuse("bluesky", "token_env", self.token_env.is_some())?;
        Ok(BlueskyAccount {
            service: address("bluesky", self.server.unwrap_or_else(|| BLUESKY_SERVICE.to_owned()))?,
            account: given("bluesky", "account", self.account)?,
            password: secret("bluesky", "password", self.password_file, self.password_env, folder)?,
            has_view: self.view.unwrap_or(true),
        })
    }

    fn mastodon(self, folder: &Path) -> Result<MastodonAccount, Wrong> {
        for (key, is_given) in [
            ("password_file", self.password_file.is_some()),
            ("password_env", self.password_env.is_some()),
            ("account", self.account.is_some()),
            ("view", self.view.is_some()),
        ] {
            refuse("mastodon", key, is_given)?;
        }
        Ok(MastodonAccount {
            server: address("mastodon", given("mastodon", "server", self.server)?)?,
            token: secret("mastodon", "token", self.token_file, self.token_env, folder)?,
        })
    }
}

fn refuse(network: &str, key: &str, is_given: bool) -> Result<(), Wrong> {
    let wrong = || (format!("`{key}` means nothing under [publish.{network}]."), "Take it out.".to_owned());
    if is_given { Err(wrong()) } else { Ok(()) }
}

fn given(network: &str, key: &str, value: Option<String>) -> Result<String, Wrong> {
    let missing = || (format!("[publish.{network}] has no `{key}`."), format!("Add {key} = \"...\"."));
    value.filter(|value| !value.trim().is_empty()).ok_or_else(missing)
}

/// A server's address; a secret goes there, so it must be encrypted unless it is this machine.
fn address(network: &str, server: String) -> Result<String, Wrong> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    if server.starts_with("https://") || local.iter().any(|start| server.starts_with(start)) {
        return Ok(server);
    }
    Err((format!("`{server}` under [publish.{network}] is not a safe address."), "Write https://...".to_owned()))
}

fn secret(
    network: &str,
    key: &str,
    file: Option<PathBuf>,
    env: Option<String>,
    folder: &Path,
) -> Result<SecretPlace, Wrong> {
    match (file, env) {
        (Some(file), None) => Ok(SecretPlace::File(folder.join(file))),
        (None, Some(env)) => Ok(SecretPlace::Env(env)),
        (None, None) => Err((
            format!("[publish.{network}] does not say where its {key} is."),
            format!("Add {key}_file = \"path\" or {key}_env = \"NAME\"."),
        )),
        (Some(_), Some(_)) => {
            Err((format!("[publish.{network}] names two places for its {key}."), "Keep one of them.".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<PublishConfig, String> {
        let raw: RawPublish = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        resolve(raw, Path::new("etc")).map_err(|(cause, advice)| format!("{cause} {advice}"))
    }

    #[test]
    fn nothing_is_sent_unless_it_is_switched_on() {
        for text in ["", "[bluesky]\naccount = \"a\"", "[x]\nsend = \"by_hand\"", "[mastodon]"] {
            assert_eq!(check(text).unwrap(), PublishConfig::default(), "{text}");
        }
    }

    #[test]
    fn an_account_that_sends() {
        let config = check("[bluesky]\nsend = \"api\"\naccount = \"a.example\"\npassword_file = \"pw\"").unwrap();
        let account = config.bluesky.unwrap();
        assert_eq!((account.service.as_str(), account.has_view), (BLUESKY_SERVICE, true));
        assert_eq!(account.password, SecretPlace::File("etc/pw".into()));
        let config = check("[mastodon]\nsend = \"api\"\nserver = \"https://m.example\"\ntoken_env = \"T\"").unwrap();
        assert_eq!(config.mastodon.unwrap().token, SecretPlace::Env("T".into()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("[x]\nsend = \"api\"", "cannot be sent by API"),
            ("[reddit]\nsend = \"api\"", "by_hand"),
            ("[bluesky]\nsend = \"yes\"", "Write \"by_hand\" or \"api\""),
            ("[bluesky]\nsend = \"api\"", "has no `account`"),
            ("[bluesky]\nsend = \"api\"\naccount = \"a\"", "password_file"),
            ("[bluesky]\nsend = \"api\"\naccount = \"a\"\npassword_env = \"P\"\nserver = \"http://b.example\"", "safe"),
            ("[bluesky]\nsend = \"api\"\naccount = \"a\"\npassword_env = \"P\"\npassword_file = \"f\"", "two places"),
            ("[mastodon]\nsend = \"api\"\nserver = \"https://m\"\ntoken_env = \"T\"\nview = true", "Take it out"),
            ("[bluesky]\npassword = \"open\"", "unknown field"),
        ] {
            let said = check(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
