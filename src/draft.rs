//! Picks the offer that answers a lead, fills its template, and keeps it within the network's limit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::post::Network;
use crate::rules::{Offer, Rules};
use crate::score::{Assessment, Reason};

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

    /// How long the words are, as people and networks count: in user-perceived characters.
    #[must_use]
    pub fn length(text: &str) -> usize {
        text.graphemes(true).count()
    }

    /// Whether the words fit.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        // No text has more characters than bytes: most are short enough without counting.
        let short = text.len() <= self.graphemes_max || Self::length(text) <= self.graphemes_max;
        text.len() <= self.bytes_max && short
    }
}

/// Up to `most` drafts for an assessment, the best fitting offer first; none when no offer may be used.
#[must_use]
pub fn drafts(assessment: &Assessment, network: Network, rules: &Rules, now: Timestamp, most: usize) -> Vec<Draft> {
    let mut offers: Vec<(usize, &Offer)> = rules
        .offers()
        .iter()
        .filter(|offer| offer.blocked(now, 0).is_none() && answers(offer, assessment))
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
    let words = Words {
        rival: rules.provider(&assessment.provider).map_or(assessment.provider.as_str(), |p| &p.name),
        home: rules.home().map_or("", |p| &p.name),
        reason: &reason(offer, assessment),
    };
    let limit = TextLimit::of(network);
    [Some(&offer.text), offer.short.as_ref()]
        .into_iter()
        .flatten()
        .map(|template| words.fill(template, offer))
        .find(|text| limit.fits(text))
        .map(|text| Draft { offer: offer.id.clone(), text })
}

/// What stands in the place of an offer's placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<'w> {
    /// For `{rival}`: its name as drafts write it.
    pub rival: &'w str,
    /// For `{home}`: our name.
    pub home: &'w str,
    /// For `{reason}`: what the author is unhappy with, such as `coverage`.
    pub reason: &'w str,
}

impl Words<'_> {
    /// The reply that a template of this offer gives.
    #[must_use]
    pub fn fill(&self, template: &str, offer: &Offer) -> String {
        let ends = offer.ends.map(|date| date.strftime("%-d %B").to_string()).unwrap_or_default();
        template
            .replace("{rival}", self.rival)
            .replace("{home}", self.home)
            .replace("{reason}", self.reason)
            .replace("{offer_ends}", &ends)
    }
}

/// The topic of the strongest reason, one that the offer speaks to if there is one.
fn reason(offer: &Offer, assessment: &Assessment) -> String {
    let topic = |reason: &Reason| reason.signal.split('.').next().unwrap_or("").to_owned();
    let reasons = assessment.reasons.iter().filter(|r| r.signal.contains('.'));
    let strongest = reasons.max_by_key(|r| (offer.topics.contains(&topic(r)), r.points));
    strongest.map(|r| topic(r).replace('_', " ")).unwrap_or_default()
}
