//! Finds phrases: one automaton pass for words each phrase cannot do without, then a check around each hit.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::names::{automaton, whole_words};
use super::{Match, Mention};
use crate::post::Span;
use crate::rules::{GAP_WORDS_MAX, Part, Parts, Phrase, Role, Rules, Slot, words_min};
use crate::text::{Gap, Reading};

/// How many parts may be tried for one phrase at one place; beyond it the phrase counts as not said.
const TRIES_MAX: u32 = 5_000;
/// How many words a provider's name may have, for the reach of a phrase.
const NAME_WORDS_MAX: usize = 4;

/// All phrases of a set of rules.
#[derive(Debug)]
pub struct Phrases {
    automaton: AhoCorasick,
    /// For each pattern of the automaton, the phrases it may be part of.
    anchors: Vec<Vec<Anchor>>,
    /// Phrases without a single plain word, tried at every mention.
    slots_only: Vec<u32>,
}

/// A phrase that holds a pattern, and how many words stand before the pattern in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Anchor {
    phrase: u32,
    prefix: bool,
    before_min: u8,
    before_max: u8,
}

/// Words a phrase cannot do without: at least one of a list of these stands in every text that says it.
#[derive(Debug, Clone)]
struct Needed {
    words: String,
    prefix: bool,
    before_min: usize,
    before_max: usize,
}

impl Phrases {
    /// Builds the automaton.
    pub fn new(rules: &Rules) -> Self {
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut anchors: Vec<Vec<Anchor>> = Vec::new();
        let mut slots_only = Vec::new();
        for (i, phrase) in rules.phrases().iter().enumerate() {
            let phrase_id = u32::try_from(i).expect("fewer than four billion phrases");
            let needed = needed(&phrase.parts);
            if needed.is_empty() {
                slots_only.push(phrase_id);
            }
            for need in needed {
                let at = *index.entry(need.words).or_insert_with(|| {
                    anchors.push(Vec::new());
                    anchors.len() - 1
                });
                let anchor = Anchor {
                    phrase: phrase_id,
                    prefix: need.prefix,
                    before_min: narrow(need.before_min),
                    before_max: narrow(need.before_max),
                };
                if anchors[at].last() != Some(&anchor) {
                    anchors[at].push(anchor);
                }
            }
        }
        let mut patterns = vec![String::new(); anchors.len()];
        for (words, at) in index {
            patterns[at] = words;
        }
        Self { automaton: automaton(&patterns), anchors, slots_only }
    }

    /// Every phrase said in the text, slots filled from the mentions; phrases about profiles are left out.
    pub fn find(&self, reading: &Reading, mentions: &[Mention], pronouns: &[Mention], rules: &Rules) -> Vec<Match> {
        let text = Text { reading, mentions, pronouns, rules };
        let mut found = Vec::new();
        let about_post = |role| !matches!(role, Role::HoldBio(_) | Role::HoldName(_));
        self.each_candidate(reading, rules, about_post, |phrase, start| {
            found.extend(text.says(&phrase.parts, start).map(|said| said.into_match(reading, phrase)));
        });
        for &id in &self.slots_only {
            let phrase = &rules.phrases()[id as usize];
            let said = mentions.iter().filter_map(|m| text.says(&phrase.parts, m.words.start));
            found.extend(said.map(|said| said.into_match(reading, phrase)));
        }
        found
    }

    /// The holds that a profile text and a display name speak for.
    pub fn find_in_profile(&self, bio: &str, name: &str, rules: &Rules) -> Vec<usize> {
        let mut holds = Vec::new();
        for (words, is_bio) in [(bio, true), (name, false)].into_iter().filter(|(words, _)| !words.is_empty()) {
            let reading = Reading::of(words);
            let text = Text { reading: &reading, mentions: &[], pronouns: &[], rules };
            let hold_of = |role| match role {
                Role::HoldBio(hold) if is_bio => Some(hold),
                Role::HoldName(hold) if !is_bio => Some(hold),
                _ => None,
            };
            self.each_candidate(
                &reading,
                rules,
                |role| hold_of(role).is_some(),
                |phrase, start| {
                    if text.says(&phrase.parts, start).is_some() {
                        holds.extend(hold_of(phrase.role));
                    }
                },
            );
        }
        holds
    }

    /// Calls `try_at` with every phrase wanted and every word it could start at.
    fn each_candidate<'r>(
        &self,
        reading: &Reading,
        rules: &'r Rules,
        wanted: impl Fn(Role) -> bool,
        mut try_at: impl FnMut(&'r Phrase, usize),
    ) {
        for hit in self.automaton.find_overlapping_iter(reading.folded()) {
            let anchors = &self.anchors[hit.pattern().as_usize()];
            let Some(words) = whole_words(reading, hit.range(), true) else { continue };
            let whole = whole_words(reading, hit.range(), false).is_some();
            for anchor in anchors.iter().filter(|anchor| whole || anchor.prefix) {
                let phrase = &rules.phrases()[anchor.phrase as usize];
                if !wanted(phrase.role) || words.start < usize::from(anchor.before_min) {
                    continue;
                }
                let first = words.start.saturating_sub(usize::from(anchor.before_max));
                let last = words.start - usize::from(anchor.before_min);
                (first..=last).for_each(|start| try_at(phrase, start));
            }
        }
    }
}

fn narrow(words: usize) -> u8 {
    u8::try_from(words).unwrap_or(u8::MAX)
}

/// The rarest list of words of which every text that says the parts has at least one: of all parts that
/// must be there, the one whose shortest entry is longest.
fn needed(parts: &[Part]) -> Vec<Needed> {
    let mut best: Vec<Needed> = Vec::new();
    let (mut before_min, mut before_max) = (0, 0);
    let mut at = 0;
    while at < parts.len() {
        let run = run_of_words(&parts[at..]);
        let (here, step) = match &parts[at] {
            Part::Word(_) | Part::Prefix(_) => (vec![run_needed(&parts[at..at + run], before_min, before_max)], run),
            Part::OneOf(options) => (options_needed(options, before_min, before_max), 1),
            Part::Slot(_) | Part::Gap | Part::Maybe(_) => (Vec::new(), 1),
        };
        if rarity(&here) > rarity(&best) {
            best = here;
        }
        let passed = &parts[at..at + step];
        before_min += words_min(passed);
        before_max += words_max(passed);
        at += step;
    }
    best
}

fn rarity(list: &[Needed]) -> usize {
    list.iter().map(|need| need.words.len()).min().unwrap_or(0)
}

fn run_of_words(parts: &[Part]) -> usize {
    let words = parts.iter().take_while(|p| matches!(p, Part::Word(_))).count();
    words + usize::from(matches!(parts.get(words), Some(Part::Prefix(_))))
}

fn run_needed(run: &[Part], before_min: usize, before_max: usize) -> Needed {
    let words: Vec<&str> = run
        .iter()
        .filter_map(|p| match p {
            Part::Word(word) | Part::Prefix(word) => Some(&**word),
            _ => None,
        })
        .collect();
    let prefix = matches!(run.last(), Some(Part::Prefix(_)));
    Needed { words: words.join(" "), prefix, before_min, before_max }
}

/// What each option needs; nothing if one of them can do without plain words.
fn options_needed(options: &[Parts], before_min: usize, before_max: usize) -> Vec<Needed> {
    let mut all = Vec::new();
    for option in options {
        let inside = needed(option);
        if inside.is_empty() {
            return Vec::new();
        }
        all.extend(inside.into_iter().map(|need| Needed {
            before_min: need.before_min + before_min,
            before_max: need.before_max + before_max,
            ..need
        }));
    }
    all
}

fn words_max(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Word(_) | Part::Prefix(_) => 1,
            Part::Slot(_) => NAME_WORDS_MAX,
            Part::Gap => GAP_WORDS_MAX,
            Part::OneOf(options) | Part::Maybe(options) => options.iter().map(|o| words_max(o)).max().unwrap_or(0),
        })
        .sum()
}

/// A text in which phrases are followed word by word.
struct Text<'a> {
    reading: &'a Reading,
    mentions: &'a [Mention],
    /// Words such as "you" that stand for a provider and fill its slot.
    pronouns: &'a [Mention],
    rules: &'a Rules,
}

/// Words a phrase covers and the provider in its first slot.
struct Said {
    words: Range<usize>,
    provider: Option<usize>,
}

impl Said {
    fn into_match(self, reading: &Reading, phrase: &Phrase) -> Match {
        let bytes = reading.bytes(self.words.clone());
        let span = Span::new(bytes.start, bytes.end);
        Match { role: phrase.role, words: self.words, span, provider: self.provider, place: phrase.place.clone() }
    }
}

/// What is bound so far while a phrase is followed.
struct Trail {
    start: usize,
    tries_left: u32,
    slots: Vec<(Slot, usize)>,
}

/// What still has to follow: parts, then what stands after the bracket they are in.
struct Rest<'p> {
    parts: &'p [Part],
    then: Option<&'p Rest<'p>>,
}

impl Text<'_> {
    /// Whether the parts are said from the word at `start` on.
    fn says(&self, parts: &[Part], start: usize) -> Option<Said> {
        let mut trail = Trail { start, tries_left: TRIES_MAX, slots: Vec::new() };
        let end = self.follow(&Rest { parts, then: None }, start, &mut trail)?;
        let bound = trail.slots.iter().find(|(slot, _)| *slot != Slot::Other).map(|&(_, provider)| provider);
        Some(Said { words: start..end, provider: bound })
    }

    /// The word after the last part, if all of them fit from `at` on; optional parts are taken when they fit.
    fn follow(&self, rest: &Rest<'_>, at: usize, trail: &mut Trail) -> Option<usize> {
        let Some((part, parts)) = rest.parts.split_first() else {
            return match rest.then {
                Some(then) => self.follow(then, at, trail),
                None => self.bindings_differ(trail).then_some(at),
            };
        };
        trail.tries_left = trail.tries_left.checked_sub(1)?;
        let after = Rest { parts, then: rest.then };
        match part {
            Part::Word(_) | Part::Prefix(_) => {
                if self.goes_on(at, trail) && self.word_fits(at, part) {
                    self.follow(&after, at + 1, trail)
                } else {
                    None
                }
            }
            Part::Slot(slot) => self.follow_slot(*slot, &after, at, trail),
            Part::Gap => {
                let reach = (0..GAP_WORDS_MAX).take_while(|&n| self.goes_on(at + n, trail)).count();
                (0..=reach).find_map(|n| self.follow(&after, at + n, trail))
            }
            Part::OneOf(options) => self.follow_one_of(options, &after, at, trail),
            Part::Maybe(options) => {
                self.follow_one_of(options, &after, at, trail).or_else(|| self.follow(&after, at, trail))
            }
        }
    }

    fn follow_one_of(&self, options: &[Parts], after: &Rest<'_>, at: usize, trail: &mut Trail) -> Option<usize> {
        options.iter().find_map(|option| self.follow(&Rest { parts: option, then: Some(after) }, at, trail))
    }

    fn follow_slot(&self, slot: Slot, after: &Rest<'_>, at: usize, trail: &mut Trail) -> Option<usize> {
        if !self.goes_on(at, trail) {
            return None;
        }
        let mut named = self.mentions.iter().chain(self.pronouns);
        let here = named.find(|m| m.words.start == at && !m.words.is_empty() && self.fits(slot, m.provider))?;
        trail.slots.push((slot, here.provider));
        let end = self.follow(after, here.words.end, trail);
        if end.is_none() {
            trail.slots.pop();
        }
        end
    }

    /// Whether every `{other}` is another provider than the one bound.
    fn bindings_differ(&self, trail: &Trail) -> bool {
        let bound = trail.slots.iter().find(|(slot, _)| *slot != Slot::Other);
        trail.slots.iter().all(|(slot, provider)| *slot != Slot::Other || bound.is_none_or(|(_, b)| b != provider))
    }

    /// Whether there is a word at `at` in the same sentence as the one before it, or the phrase starts here.
    fn goes_on(&self, at: usize, trail: &Trail) -> bool {
        self.reading.words().get(at).is_some_and(|word| at == trail.start || word.gap != Gap::Hard)
    }

    fn word_fits(&self, at: usize, part: &Part) -> bool {
        let fold = self.reading.fold(at);
        let plain = if super::is_hashtag(self.reading, at) { &fold[1..] } else { fold };
        match part {
            Part::Word(word) => fold == &**word || plain == &**word,
            Part::Prefix(stem) => fold.starts_with(&**stem) || plain.starts_with(&**stem),
            _ => false,
        }
    }

    fn fits(&self, slot: Slot, provider: usize) -> bool {
        match slot {
            Slot::Rival => !self.rules.is_home(provider),
            Slot::Home => self.rules.is_home(provider),
            Slot::Provider | Slot::Other => true,
        }
    }
}
