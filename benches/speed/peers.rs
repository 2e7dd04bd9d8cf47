//! What others would do with the same lines: parse them, or parse and match them.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::RegexSet;
use serde::Deserialize;
use sonic_rs::JsonValueTrait;

/// A frame as serde reads it best: typed and borrowed.
#[derive(Deserialize)]
pub struct Frame<'a> {
    #[serde(borrow)]
    pub did: Cow<'a, str>,
    pub time_us: u64,
    #[serde(borrow)]
    pub commit: Commit<'a>,
}

#[derive(Deserialize)]
pub struct Commit<'a> {
    #[serde(borrow)]
    pub operation: Cow<'a, str>,
    #[serde(borrow)]
    pub collection: Cow<'a, str>,
    #[serde(borrow)]
    pub rkey: Cow<'a, str>,
    #[serde(borrow)]
    pub record: Record<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    #[serde(borrow)]
    pub created_at: Cow<'a, str>,
    #[serde(borrow, default)]
    pub langs: Vec<Cow<'a, str>>,
}

/// Parses a line.
pub fn parse(line: &[u8]) -> bool {
    read(line).is_some_and(|frame| {
        let record = &frame.commit.record;
        let whole = !frame.did.is_empty() && !frame.commit.rkey.is_empty() && !record.created_at.is_empty();
        whole && frame.time_us > 0 && record.langs.len() < 100
    })
}

fn read(line: &[u8]) -> Option<Frame<'_>> {
    let frame: Frame<'_> = serde_json::from_slice(line).ok()?;
    (frame.commit.collection == "app.bsky.feed.post" && frame.commit.operation == "create").then_some(frame)
}

/// Fetches the text alone with sonic-rs.
pub fn sonic(line: &[u8]) -> bool {
    sonic_rs::get(line, ["commit", "record", "text"]).is_ok_and(|text| text.as_str().is_some())
}

/// All phrases in one automaton: a DFA up to 5,000 of them, an NFA above, as our own.
pub fn automaton(phrases: &[String]) -> AhoCorasick {
    let kind = if phrases.len() <= 5_000 { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
    AhoCorasick::builder().kind(Some(kind)).ascii_case_insensitive(true).build(phrases).expect("few enough")
}

/// Parses a line and looks for any phrase.
pub fn match_text(line: &[u8], automaton: &AhoCorasick) -> bool {
    read(line).is_some_and(|frame| automaton.is_match(&*frame.commit.record.text))
}

/// All phrases as one set of regular expressions.
pub fn regex_set(phrases: &[String]) -> RegexSet {
    let whole = phrases.iter().map(|phrase| format!(r"(?i)\b{}\b", regex::escape(phrase)));
    regex::RegexSetBuilder::new(whole)
        .size_limit(1 << 30)
        .dfa_size_limit(1 << 28)
        .build()
        .expect("they are plain words")
}

/// Parses a line and asks the set.
pub fn match_set(line: &[u8], set: &RegexSet) -> bool {
    read(line).is_some_and(|frame| set.is_match(&frame.commit.record.text))
}
