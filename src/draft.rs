//! Picks the offer that answers a lead, fills its template, and keeps it within the network's limit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::post::Network;
use crate::rules::{Offer, Rules};
use crate::score::Assessment;

/// The reply suggested for one lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The offer it was made from.
    pub offer: String,
    /// The words to approve, edit or drop.
    pub text: String,
}

/// How long a reply may be on a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// At most this many user-perceived characters (extended grapheme clusters).
    pub graphemes_max: usize,
    /// At most this many bytes of UTF-8.
    pub bytes_max: usize,
}

impl TextLimit {
    /// The limit of a network. Bluesky: 300 graphemes and 3,000 bytes (`app.bsky.feed.post` lexicon);
    /// Mastodon: 500 by default; X: 280; the rest have room for any reply we would want to send.
    #[must_use]
    pub const fn of(network: Network) -> Self {
        match network {
            Network::Bluesky => Self { graphemes_max: 300, bytes_max: 3_000 },
            Network::Mastodon => Self { graphemes_max: 500, bytes_max: 5_000 },
            Network::X => Self { graphemes_max: 280, bytes_max: 2_800 },
            _ => Self { graphemes_max: 2_000, bytes_max: 10_000 },
        }
    }

    /// Whether the words fit.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        text.len() <= self.bytes_max && text.graphemes(true).count() <= self.graphemes_max
    }
}

/// Up to `most` drafts for an assessment, the best fitting offer first; none when no offer may be used.
#[must_use]
pub fn drafts(assessment: &Assessment, network: Network, rules: &Rules, now: Timestamp, most: usize) -> Vec<Draft> {
    let mut offers: Vec<(usize, &Offer)> = rules
        .offers()
        .iter()
        .filter(|offer| offer.may_be_used(now) && answers(offer, assessment))
        .map(|offer| (fit(offer, assessment), offer))
        .collect();
    offers.sort_by_key(|&(fit, _)| std::cmp::Reverse(fit));
    offers.into_iter().filter_map(|(_, offer)| fill(offer, assessment, network, rules)).take(most).collect()
}

/// Whether the offer is meant for this rival and this reader.
fn answers(offer: &Offer, assessment: &Assessment) -> bool {
    (offer.against.is_empty() || offer.against.contains(&assessment.provider))
        && (assessment.toward.is_none() || offer.toward_ok)
}

/// How many of the post's topics the offer speaks to.
fn fit(offer: &Offer, assessment: &Assessment) -> usize {
    let topics = assessment.reasons.iter().map(|reason| reason.signal.split('.').next().unwrap_or(""));
    topics.filter(|topic| offer.topics.iter().any(|t| t == topic)).count()
}

fn fill(offer: &Offer, assessment: &Assessment, network: Network, rules: &Rules) -> Option<Draft> {
    let rival = rules.provider(&assessment.provider).map_or(assessment.provider.as_str(), |p| &p.name);
    let home = rules.home().map_or("", |p| &p.name);
    let ends = offer.ends.map(|date| date.strftime("%-d %B").to_string()).unwrap_or_default();
    let limit = TextLimit::of(network);
    [Some(&offer.text), offer.short.as_ref()]
        .into_iter()
        .flatten()
        .map(|template| template.replace("{rival}", rival).replace("{home}", home).replace("{offer_ends}", &ends))
        .find(|text| limit.fits(text))
        .map(|text| Draft { offer: offer.id.clone(), text })
}
