//! Counts a reply the way its network does, so that the desk refuses what the network would cut.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::draft::TextLimit;
use crate::post::Network;

/// What a link counts on networks that shorten it, whatever its length.
const LINK_CHARS: usize = 23;

/// How much of a network's room a reply takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// What it takes.
    pub used: usize,
    /// What there is.
    pub room: usize,
}

impl Count {
    /// Counts a reply for a network.
    pub fn of(network: Network, text: &str) -> Self {
        let limit = TextLimit::of(network);
        let used = match network {
            Network::X => weighted(text),
            Network::Mastodon => links_apart(text, |words| words.graphemes(true).count()),
            _ => text.graphemes(true).count(),
        };
        let bytes_over = text.len() > limit.bytes_max;
        Self { used: if bytes_over { used.max(limit.graphemes_max + 1) } else { used }, room: limit.graphemes_max }
    }

    /// Whether it fits.
    pub const fn fits(self) -> bool {
        self.used <= self.room
    }
}

/// X's own weights: Latin and common punctuation one, all else two, an emoji two however it is made.
fn weighted(text: &str) -> usize {
    let text: String = text.nfc().collect();
    links_apart(&text, |words| words.graphemes(true).map(weight).sum())
}

fn weight(grapheme: &str) -> usize {
    let light = |c: char| matches!(c as u32, 0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247);
    let mut chars = grapheme.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => 2 - usize::from(light(c)),
        _ if grapheme.chars().all(light) => grapheme.chars().count(),
        _ => 2,
    }
}

/// Counts the words between links by `count`, and each link as the network's short link.
fn links_apart(text: &str, count: impl Fn(&str) -> usize) -> usize {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_end();
            let is_link = bare.starts_with("https://") || bare.starts_with("http://");
            if is_link { LINK_CHARS + count(&word[bare.len()..]) } else { count(word) }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_counts_its_own_way() {
        let family = "👨‍👩‍👧‍👦";
        let link = "see https://northwind.example/a/very/long/path/to/an/offer ok";
        for (network, text, used) in [
            (Network::Bluesky, "hello", 5),
            (Network::Bluesky, family, 1),
            (Network::X, family, 2),
            (Network::X, "日本", 4),
            (Network::X, "café", 4),
            (Network::X, "cafe\u{301}", 4),
            (Network::X, link, 4 + 23 + 3),
            (Network::Mastodon, link, 4 + 23 + 3),
            (Network::Bluesky, link, link.len()),
        ] {
            assert_eq!(Count::of(network, text).used, used, "{network} {text}");
        }
    }

    #[test]
    fn a_reply_that_is_too_heavy_in_bytes_does_not_fit() {
        let heavy = "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}".repeat(290);
        assert!(!Count::of(Network::Bluesky, &heavy).fits());
        assert!(Count::of(Network::Bluesky, &"a".repeat(300)).fits());
        assert!(!Count::of(Network::Bluesky, &"a".repeat(301)).fits());
    }
}
