//! Finds in one post the providers it names and the signals and holds it says, each at its words.

mod evasive;
mod gate;
mod names;
mod phrases;
mod pronouns;

use std::ops::Range;
use std::sync::Arc;

use crate::post::{Post, Span};
use crate::rules::{Role, Rules};
use crate::text::{Reading, WordKind};

pub use gate::Scratch;
pub use pronouns::Pronouns;

/// Looks for everything the rules name. Built once per set of rules; cheap to share between threads.
#[derive(Debug)]
pub struct Scanner {
    rules: Arc<Rules>,
    gate: gate::Gate,
    names: names::Names,
    evasive: evasive::Evasive,
    phrases: phrases::Phrases,
}

/// What was found in one post.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The post's words.
    pub reading: Reading,
    /// The providers named, in order of place.
    pub mentions: Vec<Mention>,
    /// Signals and holds, in order of place.
    pub matches: Vec<Match>,
    /// Whom "you" and "them" mean.
    pub pronouns: Pronouns,
}

/// A provider named in a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Index into [`Rules::providers`].
    pub provider: usize,
    /// The words of the reading that name it; empty when the post is addressed to it without a name.
    pub words: Range<usize>,
    /// The bytes of the text.
    pub span: Span,
    /// How it was named.
    pub kind: MentionKind,
}

/// How a provider was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MentionKind {
    /// By its handle.
    Handle,
    /// By a hashtag.
    Hashtag,
    /// By a name that means nothing else.
    Name,
    /// By an everyday word, with evidence near.
    Everyday,
    /// By a name broken on purpose, such as `V0dafone`.
    Evasive,
    /// Not at all: the place it was posted in tells.
    Addressed,
    /// By "you" or "them"; only in [`Scan::pronouns`].
    Pronoun,
}

/// A signal or hold said in a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which signal or hold.
    pub role: Role,
    /// The words of the reading.
    pub words: Range<usize>,
    /// The bytes of the text.
    pub span: Span,
    /// The provider it is said of, when the phrase binds one.
    pub provider: Option<usize>,
    /// The rule line it came from, such as `signals/leaving.toml:14`.
    pub place: crate::rules::Place,
}

impl Scanner {
    /// Builds the automata for a set of rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        let gate = gate::Gate::new(&rules);
        let names = names::Names::new(&rules);
        let phrases = phrases::Phrases::new(&rules);
        let evasive = evasive::Evasive::new(&rules);
        Self { rules, gate, names, evasive, phrases }
    }

    /// The rules it was built for.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether the text could name a provider. A no is certain and cheap: [`Scanner::scan`] would find none.
    #[must_use]
    pub fn could_name(&self, text: &str, scratch: &mut Scratch) -> bool {
        self.gate.admits(text, scratch) || self.evasive.admits(text)
    }

    /// Everything the post says. A post that names no provider gives an empty scan.
    #[must_use]
    pub fn scan(&self, post: &Post) -> Scan {
        let reading = Reading::of(&post.text);
        let mut mentions = self.names.find(&reading);
        mentions.extend(self.evasive.find(&post.text, &reading, &mentions));
        mentions.sort_by_key(|m| m.span);
        mentions.extend(self.addressed(post));
        if mentions.is_empty() {
            return Scan { reading, ..Scan::default() };
        }
        let pronouns = pronouns::read(&reading, &mentions);
        let mut found = self.phrases.find(&reading, &mentions, &pronouns.mentions, &self.rules);
        found.extend(self.pattern_matches(post, &reading));
        let mentions = self.names.keep_meant(mentions, &found);
        let matches = keep_said(&reading, found, &mentions);
        Scan { reading, mentions, matches, pronouns }
    }

    /// The provider whose place the post was written in.
    fn addressed(&self, post: &Post) -> Option<Mention> {
        let id = post.addressed_to.as_deref()?;
        let provider = self
            .rules
            .providers()
            .iter()
            .position(|p| p.id.eq_ignore_ascii_case(id) || p.name.eq_ignore_ascii_case(id))?;
        Some(Mention { provider, words: 0..0, span: Span::default(), kind: MentionKind::Addressed })
    }

    fn pattern_matches(&self, post: &Post, reading: &Reading) -> Vec<Match> {
        let end = post.text.len().min(crate::text::TEXT_BYTES_MAX);
        let Some(text) = post.text.get(..end) else { return Vec::new() };
        let hits = self.rules.patterns().iter().flat_map(|pattern| {
            pattern.regex.find_iter(text).take(PATTERN_HITS_MAX).map(move |hit| (pattern, hit.range()))
        });
        hits.filter(|(_, bytes)| !bytes.is_empty())
            .map(|(pattern, bytes)| Match {
                role: pattern.role,
                words: words_of(reading, &bytes),
                span: Span::new(bytes.start, bytes.end),
                provider: None,
                place: pattern.place.clone(),
            })
            .collect()
    }

    /// The holds that the author's profile and handle speak for, as indexes into [`Rules::holds`].
    #[must_use]
    pub fn author_holds(&self, author: &crate::post::Author) -> Vec<usize> {
        let mut holds = self.phrases.find_in_profile(&author.bio, &author.name, &self.rules);
        let handle = author.handle.to_lowercase();
        holds.extend(
            self.rules
                .holds()
                .iter()
                .enumerate()
                .filter(|(_, hold)| hold.handles.iter().any(|w| wildcard(w, &handle)))
                .map(|(i, _)| i),
        );
        holds.sort_unstable();
        holds.dedup();
        holds
    }
}

/// The most hits of one regular expression in one post.
const PATTERN_HITS_MAX: usize = 16;

/// The words that bytes of the text touch.
fn words_of(reading: &Reading, bytes: &Range<usize>) -> Range<usize> {
    let start = reading.words().partition_point(|w| w.bytes.end <= bytes.start);
    let end = reading.words().partition_point(|w| w.bytes.start < bytes.end);
    start..end.max(start)
}

/// `*` at either end of the pattern stands for anything.
fn wildcard(pattern: &str, handle: &str) -> bool {
    let body = pattern.trim_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        _ if body.is_empty() => false,
        (true, true) => handle.contains(body),
        (true, false) => handle.ends_with(body),
        (false, true) => handle.starts_with(body),
        (false, false) => handle == body,
    }
}

/// Signals and holds that count: not undone by an `unless` in their sentence, and said of a provider that was meant.
fn keep_said(reading: &Reading, found: Vec<Match>, mentions: &[Mention]) -> Vec<Match> {
    let undone = |m: &Match| {
        found.iter().any(|u| {
            let undoes = match (u.role, m.role) {
                (Role::SignalUnless(a), Role::Signal(b)) | (Role::HoldUnless(a), Role::Hold(b)) => a == b,
                _ => false,
            };
            undoes && (u.span.overlaps(m.span) || same_sentence(reading, u, m))
        })
    };
    let said = |m: &Match| matches!(m.role, Role::Signal(_) | Role::Hold(_));
    let meant = |m: &Match| m.provider.is_none_or(|p| mentions.iter().any(|mention| mention.provider == p));
    let mut kept: Vec<Match> = found.iter().filter(|m| said(m) && meant(m) && !undone(m)).cloned().collect();
    kept.sort_by_key(|m| (m.span, m.provider));
    kept.dedup_by(|a, b| a.role == b.role && a.span == b.span && a.provider == b.provider);
    kept
}

fn same_sentence(reading: &Reading, a: &Match, b: &Match) -> bool {
    !a.words.is_empty() && !b.words.is_empty() && reading.sentence(a.words.start).contains(&b.words.start)
}

/// Which words of the folded text may carry a hashtag's name.
fn is_hashtag(reading: &Reading, word: usize) -> bool {
    reading.words()[word].kind == WordKind::Hashtag
}
