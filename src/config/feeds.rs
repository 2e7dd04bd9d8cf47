//! `[[feed]]` and `[hackernews]`: sources that are asked again and again.

use std::time::Duration;

use serde::Deserialize;

use super::raw::{Wrong, within};
use super::{SourceConfig, SourceKind};

/// How often a feed is asked unless told otherwise, in minutes.
const EVERY_MINUTES: u64 = 10;
/// How often a feed may be asked, in minutes.
const EVERY_MINUTES_BOUNDS: std::ops::RangeInclusive<u64> = 1..=1_440;

/// What was typed about one feed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFeed {
    name: Option<String>,
    url: String,
    every_minutes: Option<u64>,
    reach: Option<String>,
    about: Option<String>,
}

/// What was typed about Hacker News.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawHackerNews {
    listen: bool,
}

impl RawFeed {
    /// Checks what was typed.
    pub fn resolve(self) -> Result<SourceConfig, Wrong> {
        let anywhere = match self.reach.as_deref() {
            None | Some("public") => false,
            Some("anywhere") => true,
            Some(other) => {
                return Err((format!("`{other}` is not a reach."), "Write \"public\" or \"anywhere\".".into()));
            }
        };
        if !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            return Err((format!("`{}` is not a feed's address.", self.url), "Write https://...".into()));
        }
        let minutes = within("every_minutes", self.every_minutes, EVERY_MINUTES, EVERY_MINUTES_BOUNDS)?;
        let name = self.name.unwrap_or_else(|| self.url.clone());
        let every = Duration::from_secs(60 * minutes);
        Ok(SourceConfig { name, kind: SourceKind::Feed { url: self.url, every, anywhere, about: self.about } })
    }
}

impl RawHackerNews {
    /// The source, if it is wanted.
    pub fn resolve(self) -> Option<SourceConfig> {
        self.listen.then(|| SourceConfig { name: "hackernews".to_owned(), kind: SourceKind::HackerNews })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<SourceConfig, String> {
        let raw: RawFeed = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        raw.resolve().map_err(|(cause, advice)| format!("{cause} {advice}"))
    }

    #[test]
    fn a_feed_needs_only_an_address() {
        let feed = check("url = \"https://forum.example/rss\"").unwrap();
        assert_eq!(feed.name, "https://forum.example/rss");
        let SourceKind::Feed { every, anywhere, .. } = feed.kind else { panic!("a feed") };
        assert_eq!((every.as_secs(), anywhere), (600, false));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("url = \"forum.example\"", "Write https://"),
            ("url = \"https://a.example\"\nreach = \"lan\"", "anywhere"),
            ("url = \"https://a.example\"\nevery_minutes = 0", "1 to 1440"),
            ("every = 5", "unknown field"),
        ] {
            let said = check(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
