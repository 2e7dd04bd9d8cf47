//! Whether offers can be made as written: in date, proven, short enough, and worded so that we may say them.

use jiff::Timestamp;

use super::at;
use crate::draft::{TextLimit, Words};
use crate::post::Network;
use crate::rules::{Blocked, Offer, RuleError, Rules, Status};
use crate::text::fold;

/// Networks a reply is written for; each has its own limit.
const REPLY_NETWORKS: [Network; 3] = [Network::X, Network::Bluesky, Network::Mastodon];
/// Words that claim to be the best; only with conditions that say in what.
const CLAIMS: &[&str] = &[
    "best",
    "fastest",
    "cheapest",
    "lowest",
    "strongest",
    "most reliable",
    "number one",
    "no 1",
    "unbeatable",
    "guaranteed",
];
/// Words that run others down.
const DENIGRATING: &[&str] = &[
    "rubbish",
    "awful",
    "terrible",
    "useless",
    "shocking",
    "joke",
    "scam",
    "rip off",
    "ripoff",
    "worst",
    "hopeless",
    "incompetent",
    "crap",
    "pathetic",
    "disgrace",
    "dishonest",
    "cowboys",
    "schlecht",
    "abzocke",
    "waardeloos",
];
/// A word of capitals of at least this length is shouting; shorter ones are abbreviations such as PAC or SIM.
const SHOUT_LETTERS_MIN: usize = 5;

/// Checks every live and trial offer.
pub fn check(rules: &Rules, now: Timestamp, found: &mut Vec<RuleError>) {
    for offer in rules.offers() {
        found.extend(blocked(offer, now));
        found.extend(does_not_fit(offer, rules));
        found.extend(names_nobody(offer, rules));
        for text in [Some(&offer.text), offer.short.as_ref()].into_iter().flatten() {
            found.extend(lint(offer, text, rules));
        }
    }
}

fn blocked(offer: &Offer, now: Timestamp) -> Option<RuleError> {
    let why = offer.blocked(now, 0)?;
    let (code, message, help) = match &why {
        Blocked::NotLive => return None,
        Blocked::Over(day) => ("R061", format!("ended on {day}"), "Give it a later end, or set status = \"retired\"."),
        Blocked::NotYet(day) => ("R063", format!("starts on {day} only"), "Nothing to do; it is not used before."),
        Blocked::NoProof => ("R062", "has no proof, so it is never used".to_owned(), "Add proof = \"https://...\"."),
        Blocked::UsedUp(_) => ("R015", "may be used no time at all".to_owned(), "Set max_uses to 1 or more."),
    };
    let error = at(&offer.place, code, format!("the offer \"{}\" {message}.", offer.id), help);
    Some(if matches!(why, Blocked::NoProof) { error } else { error.warning() })
}

/// An offer without a form that fits, with the longest names in it.
fn does_not_fit(offer: &Offer, rules: &Rules) -> Vec<RuleError> {
    let rivals = rules.providers().iter().filter(|p| rules.home() != Some(p));
    let rival = rivals.map(|p| p.name.as_str()).max_by_key(|name| name.chars().count()).unwrap_or("");
    let topics = rules.signals().iter().map(|s| s.topic.as_str());
    let reason = topics.max_by_key(|topic| topic.len()).unwrap_or("");
    let words = Words { rival, home: rules.home().map_or("", |p| &p.name), reason };
    let filled: Vec<String> =
        [Some(&offer.text), offer.short.as_ref()].into_iter().flatten().map(|t| words.fill(t, offer)).collect();
    let shortest = filled.iter().map(|t| TextLimit::length(t)).min().unwrap_or(0);
    REPLY_NETWORKS
        .into_iter()
        .filter(|&network| !filled.iter().any(|text| TextLimit::of(network).fits(text)))
        .map(|network| {
            let most = TextLimit::of(network).graphemes_max;
            let message = format!(
                "the offer \"{}\" has {shortest} characters with the longest names in it; {network} takes {most}.",
                offer.id
            );
            let help =
                format!("Shorten it by {}, or add short = ''' with a shorter one.", shortest.saturating_sub(most));
            at(&offer.place, "R060", message, help)
        })
        .collect()
}

/// Topics and rivals that no other file knows.
fn names_nobody(offer: &Offer, rules: &Rules) -> Vec<RuleError> {
    let topics: Vec<&str> = rules.signals().iter().map(|s| s.topic.as_str()).collect();
    let rivals: Vec<&str> = rules.providers().iter().map(|p| p.id.as_str()).collect();
    let unknown = |said: &[String], known: &[&str], what: &str| -> Vec<RuleError> {
        said.iter()
            .filter(|word| !known.contains(&word.as_str()))
            .map(|word| {
                let message = format!("the offer \"{}\" names the {what} \"{word}\", which no file has.", offer.id);
                let help = crate::rules::did_you_mean(word, known)
                    .unwrap_or_else(|| format!("Write the {what} as its own file does."));
                at(&offer.place, "R064", message, help)
            })
            .collect()
    };
    let mut found = unknown(&offer.topics, &topics, "topic");
    found.extend(unknown(&offer.against, &rivals, "rival"));
    found
}

/// Wording that breaks the law of advertising, a network's rules, or good manners.
fn lint(offer: &Offer, text: &str, rules: &Rules) -> Vec<RuleError> {
    let folded = format!(" {} ", fold(text));
    let first_of = |words: &[&str]| words.iter().find(|w| folded.contains(&format!(" {w} "))).map(|w| (*w).to_owned());
    let proven = |word: &str| offer.conditions.as_ref().is_some_and(|c| fold(c).contains(word));
    let handle = rules.names().iter().find(|n| {
        n.folded.starts_with('@') && !rules.is_home(n.provider) && folded.contains(&format!(" {} ", n.folded))
    });
    let shout = text
        .split(|c: char| !c.is_alphabetic())
        .find(|w| w.chars().count() >= SHOUT_LETTERS_MIN && w.chars().all(char::is_uppercase));
    let link = ["http://", "https://", "www."].iter().any(|l| text.to_lowercase().contains(l));
    let mut found = Vec::new();
    let mut add = |code, message: String, help: &str| found.push(at(&offer.place, code, message, help).warning());
    let id = &offer.id;
    if let Some(word) = first_of(DENIGRATING) {
        add(
            "R070",
            format!("the offer \"{id}\" runs somebody down: \"{word}\"."),
            "Say what we do, not what others fail at.",
        );
    }
    if let Some(word) = first_of(CLAIMS).filter(|word| !proven(word)) {
        let help = "Leave it out, or say under conditions in what, where and since when, with the proof.";
        add("R071", format!("the offer \"{id}\" claims \"{word}\" and does not say in what."), help);
    }
    if let Some(name) = handle {
        add(
            "R072",
            format!("the offer \"{id}\" calls the rival by {}.", name.folded),
            "Write {rival}, the plain name.",
        );
    }
    if let Some(word) = shout {
        add("R073", format!("the offer \"{id}\" shouts: {word}."), "Write it in small letters.");
    }
    if link {
        let help = "A link in a first reply looks like spam. Offer to send it.";
        add("R074", format!("the offer \"{id}\" holds a link."), help);
    }
    match &offer.disclosure {
        Some(words) if !offer.discloses(text) => {
            add("R075", format!("the offer \"{id}\" does not say who we are."), &format!("Put \"{words}\" into it."));
        }
        None if offer.status == Status::Live => {
            let help = "Add disclosure = \"(our name) here\" at the top of offers.toml.";
            add("R075", format!("the offer \"{id}\" requires nobody to say who we are."), help);
        }
        _ => {}
    }
    found
}
