//! Says whom "you" and "them" mean in a post, so that "I'm leaving you" is said of a provider.

use std::ops::Range;

use super::{Mention, MentionKind};
use crate::post::Span;
use crate::text::{Reading, WordKind};

/// Words that stand for the provider a post is addressed to.
const YOU: [&str; 12] =
    ["you", "u", "ya", "yourselves", "youse", "yous", "ihnen", "euch", "dir", "dich", "jullie", "jou"];
/// Words that stand for the only provider a post names.
const THEM: [&str; 3] = ["them", "they", "hun"];
/// What may stand before or between the handles a post begins with.
const GREETINGS: [&str; 6] = ["hi", "hey", "hello", "rt", "hallo", "dear"];

/// Who is spoken to, and which words stand for a provider.
#[derive(Debug, Clone, Default)]
pub struct Pronouns {
    /// The provider that "you" means.
    pub addressee: Option<usize>,
    /// How many words at the start only say to whom the post goes: handles, with a greeting perhaps.
    pub lead_words: usize,
    /// Every pronoun that stands for a provider, in order of place.
    pub mentions: Vec<Mention>,
}

/// Reads the pronouns of a post against the names found in it.
pub fn read(reading: &Reading, mentions: &[Mention]) -> Pronouns {
    let lead_words = lead_words(reading);
    let addressee = addressee(reading, mentions, lead_words);
    let sole = sole(mentions);
    let stands_for = |word: &str| {
        if YOU.contains(&word) {
            addressee
        } else if THEM.contains(&word) {
            sole
        } else {
            None
        }
    };
    let pronouns = (0..reading.words().len()).filter_map(|i| Some(pronoun(reading, i, stands_for(reading.fold(i))?)));
    Pronouns { addressee, lead_words, mentions: pronouns.collect() }
}

fn pronoun(reading: &Reading, word: usize, provider: usize) -> Mention {
    let bytes = reading.bytes(word..word + 1);
    let (words, span): (Range<usize>, _) = (word..word + 1, Span::new(bytes.start, bytes.end));
    Mention { provider, words, span, kind: MentionKind::Pronoun }
}

fn lead_words(reading: &Reading) -> usize {
    let in_lead = |i: &usize| reading.words()[*i].kind == WordKind::Handle || GREETINGS.contains(&reading.fold(*i));
    let lead = (0..reading.words().len()).take_while(in_lead).count();
    (0..lead).rev().find(|&i| reading.words()[i].kind == WordKind::Handle).map_or(0, |last| last + 1)
}

/// The place it was posted in tells; else the first handle it begins with; else the only provider, if tagged.
fn addressee(reading: &Reading, mentions: &[Mention], lead_words: usize) -> Option<usize> {
    if let Some(place) = mentions.iter().find(|m| m.kind == MentionKind::Addressed) {
        return Some(place.provider);
    }
    if let Some(first) = (0..lead_words).find(|&i| reading.words()[i].kind == WordKind::Handle) {
        return mentions.iter().find(|m| m.words.start == first).map(|m| m.provider);
    }
    let tagged = mentions.iter().any(|m| m.kind == MentionKind::Handle);
    sole(mentions).filter(|_| tagged)
}

/// The only provider named by a sure name; when none is, by an everyday word.
fn sole(mentions: &[Mention]) -> Option<usize> {
    let only = |sure: bool| {
        let mut named = mentions.iter().filter(|m| (m.kind != MentionKind::Everyday) == sure).map(|m| m.provider);
        let first = named.next()?;
        Some(named.all(|p| p == first).then_some(first))
    };
    only(true).or_else(|| only(false)).flatten()
}
