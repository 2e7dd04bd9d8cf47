//! Finds provider names, and decides whether an everyday word such as "three" means one.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{Match, Mention, MentionKind};
use crate::post::Span;
use crate::rules::{Name, Role, Rules};
use crate::text::{Reading, WordKind};

/// Up to this many patterns a DFA is worth its memory (about 4 KB a pattern); above, a contiguous NFA.
const DFA_PATTERNS_MAX: usize = 5_000;

/// An everyday name counts this near a sure name ("from Three to @EE"), in words between them.
const BESIDE_WORDS: usize = 2;

/// A broken name of up to this many bytes needs evidence, as an everyday word does.
const SHORT_BYTES_MAX: usize = 5;

/// All names of all providers in one automaton.
#[derive(Debug)]
pub struct Names {
    automaton: AhoCorasick,
    names: Vec<Name>,
    evidence_words: usize,
}

/// Builds an automaton that reports every match, overlapping ones too.
pub fn automaton<P: AsRef<[u8]>>(patterns: &[P]) -> AhoCorasick {
    let kind = if patterns.len() <= DFA_PATTERNS_MAX { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
    AhoCorasick::builder()
        .kind(Some(kind))
        .match_kind(MatchKind::Standard)
        .build(patterns)
        .expect("the rules' size limits keep every automaton within aho-corasick's")
}

impl Names {
    /// The names of a set of rules.
    pub fn new(rules: &Rules) -> Self {
        let names = rules.names().to_vec();
        let patterns: Vec<&str> = names.iter().map(|name| name.folded.as_str()).collect();
        Self { automaton: automaton(&patterns), evidence_words: rules.evidence_words(), names }
    }

    /// Every name in the text, the longest where they overlap; everyday words are still unproven.
    pub fn find(&self, reading: &Reading) -> Vec<Mention> {
        let mut found: Vec<(Range<usize>, &Name)> = Vec::new();
        for hit in self.automaton.find_overlapping_iter(reading.folded()) {
            let name = &self.names[hit.pattern().as_usize()];
            if let Some(words) = whole_words(reading, hit.range(), false) {
                found.push((words, name));
            }
        }
        found.sort_by_key(|(words, name)| (words.start, std::cmp::Reverse(words.end), name.everyday));
        let mut mentions: Vec<Mention> = Vec::with_capacity(found.len());
        for (words, name) in found {
            if mentions.last().is_none_or(|last| last.words.end <= words.start) {
                mentions.push(mention(reading, words, name));
            }
        }
        mentions
    }

    /// The mentions that mean a provider: everyday words need evidence near, and `unless` phrases undo any name.
    pub fn keep_meant(&self, mentions: Vec<Mention>, found: &[Match]) -> Vec<Mention> {
        let unless =
            |m: &Mention| found.iter().any(|f| f.role == Role::ProviderUnless(m.provider) && f.span.overlaps(m.span));
        let sure: Vec<Range<usize>> =
            mentions.iter().filter(|m| !needs_proof(m) && !unless(m)).map(|m| m.words.clone()).collect();
        let proven = |m: &Mention| {
            sure.iter().any(|words| distance(words, &m.words) <= BESIDE_WORDS)
                || found.iter().any(|f| is_evidence(f, m) && distance(&f.words, &m.words) <= self.evidence_words)
        };
        let meant = |m: &Mention| !unless(m) && (!needs_proof(m) || proven(m));
        mentions.into_iter().filter(|m| meant(m)).collect()
    }
}

/// Everyday words, and short names broken into letters: `E/E` may be a brand, or two options.
fn needs_proof(mention: &Mention) -> bool {
    match mention.kind {
        MentionKind::Everyday => true,
        MentionKind::Evasive => mention.span.end - mention.span.start <= SHORT_BYTES_MAX,
        _ => false,
    }
}

fn is_evidence(found: &Match, mention: &Mention) -> bool {
    match found.role {
        Role::Evidence(None) => !found.span.overlaps(mention.span) || found.provider == Some(mention.provider),
        Role::Evidence(Some(provider)) => provider == mention.provider,
        _ => false,
    }
}

fn mention(reading: &Reading, words: Range<usize>, name: &Name) -> Mention {
    let bytes = reading.bytes(words.clone());
    let kind = match reading.words()[words.start].kind {
        _ if name.everyday => MentionKind::Everyday,
        WordKind::Handle => MentionKind::Handle,
        WordKind::Hashtag => MentionKind::Hashtag,
        _ => MentionKind::Name,
    };
    Mention { provider: name.provider, words, span: Span::new(bytes.start, bytes.end), kind }
}

/// The words a match in the folded text covers, if it covers whole words; a possessive `s` is let go,
/// and with `prefix` the last word may go on.
pub fn whole_words(reading: &Reading, hit: Range<usize>, prefix: bool) -> Option<Range<usize>> {
    let first = reading.word_starting(hit.start)?;
    let last = reading.word_holding(hit.end - 1)?;
    let word = &reading.words()[last];
    let whole = hit.end == word.fold.end || (word.possessive && hit.end + 1 == word.fold.end);
    (whole || prefix).then_some(first..last + 1)
}

/// How many words lie between two places.
fn distance(a: &Range<usize>, b: &Range<usize>) -> usize {
    if a.end <= b.start { b.start - a.end } else { a.start.saturating_sub(b.end) }
}
