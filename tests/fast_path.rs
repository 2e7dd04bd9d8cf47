//! Holds the fast path to the plain one: on frames mutated in every way, both must find the same.
//!
//! `cargo test` tries a few hundred thousand; `MUTATIONS=10000000 cargo test --release --test fast_path` tries more.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use jumpship::decide::History;
use jumpship::engine::Engine;
use jumpship::frames::{Shape, Skimmer};
use jumpship::post::Post;
use jumpship::rules::{Rules, RulesSource};
use jumpship::scan::Scratch;
use jumpship::source::Event;
use jumpship::source::jetstream::wire::{self, Content, Wire};

/// How many mutated frames an ordinary run tries.
const MUTATIONS: u64 = 200_000;

const SEEDS: [&str; 9] = [
    r#"{"did":"did:plc:northwindexample","time_us":1800000000000001,"kind":"commit","commit":{"rev":"3l","operation":"create","collection":"app.bsky.feed.post","rkey":"3labc","record":{"text":"no bars on the moor, what a day","createdAt":"2027-01-15T08:00:00Z"},"cid":"bafy1"}}"#,
    r#"{"id":"7","text":"tea, toast and a long walk; nothing else matters"}"#,
    r#"{"id":"8","text":"c’est déjà l’été 😀 電波 и всё"}"#,
    r#"{"did":"did:plc:northwindexample","time_us":1800000000000001,"kind":"commit","commit":{"rev":"3l","operation":"create","collection":"app.bsky.feed.post","rkey":"3labc","record":{"$type":"app.bsky.feed.post","createdAt":"2027-01-15T08:00:00Z","embed":{"images":[{"alt":"a mast"}]},"langs":["en"],"text":"switching from Three to EE soon"},"cid":"bafy1"}}"#,
    r#"{"did":"did:plc:northwindexample","time_us":1800000000000001,"kind":"commit","commit":{"rev":"3l","operation":"update","collection":"app.bsky.feed.post","rkey":"3labc","record":{"text":"no bars\nEE is \"down\" again \ud83d\ude00 V\u043edafone\u2019s too","createdAt":"2027-01-15T08:00:00Z"},"cid":"bafy1"}}"#,
    r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":42,"did":"did:plc:northwindexample","time":"2027-01-15T08:00:00.000001Z","rev":"3l","operation":"create","collection":"app.bsky.feed.post","rkey":"3labc","cid":"bafy1","record":{"text":"o2 signal is rubbish, off to giffgaff","createdAt":"2027-01-15T08:00:00Z"}}}"#,
    r#"{"id":"1","text":"Vodafone’s price rise, again. Sooooo done with tesco mobile"}"#,
    r#"{"id": "2", "author": {"handle": "ann.example", "bio": "likes tea"}, "text": "nothing to see here, just the sky"}"#,
    r#"{"text":"you lot are useless, leaving","id":"3","addressed_to":"EE"}"#,
];

/// What a mutation puts in: pieces that mean something to JSON, to folding or to the rules.
const PIECES: [&str; 50] = [
    "V0dafone",
    "E/E",
    "\"",
    "\\",
    "{",
    "}",
    ",",
    ":",
    "[",
    "]",
    " ",
    "\\n",
    "\\u0045",
    "\\u0065",
    "\\ud83d",
    "\\ude00",
    "\\\"",
    "\\u0000",
    "\u{7}",
    "\"text\":\"EE\",",
    "\"text\"",
    "\"te\\u0078t\":\"EE\",",
    "\"id\":\"9\",",
    "\"addressed_to\":\"Three\",",
    "null",
    "5",
    "EE",
    "ee",
    "E",
    "O2",
    "o2",
    "Vodafone",
    "vodafone’s",
    "Vodafoneeee",
    "V\u{43e}dafone",
    "voda\u{200b}fone",
    "giff gaff",
    "giffgaff",
    "'",
    "’",
    "\u{301}",
    "\u{fe0f}",
    "#",
    "@",
    "_",
    "é",
    "電",
    "😀",
    "\"operation\":\"delete\",",
    "\"collection\":\"app.bsky.feed.like\",",
];

/// Numbers that look random and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// A seed with up to four places changed.
    fn frame(&mut self) -> Vec<u8> {
        let mut frame = SEEDS[self.below(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..self.below(5) {
            self.mutate(&mut frame);
        }
        frame
    }

    fn mutate(&mut self, frame: &mut Vec<u8>) {
        // Half of the changes hit the text, where names are.
        let text = frame.windows(8).position(|w| w == b"\"text\":\"").filter(|_| self.below(2) == 0);
        let at = match text {
            Some(text) => (text + 8 + self.below(60)).min(frame.len()),
            None => self.below(frame.len() + 1),
        };
        let end = (at + self.below(4)).min(frame.len());
        match self.below(8) {
            0 => drop(frame.splice(at..end, [])),
            1 => drop(frame.splice(at..end, [self.below(256) as u8])),
            2 => frame.truncate(at),
            3 => drop(frame.splice(at..at, frame[at..end].to_vec())),
            _ => drop(frame.splice(at..at, PIECES[self.below(PIECES.len())].bytes())),
        }
        frame.extend(frame.is_empty().then_some(b'{'));
    }
}

/// The post as the plain path reads it.
fn post(line: &[u8], shape: Shape) -> Option<Post> {
    let wire = match shape {
        Shape::Post => return serde_json::from_slice(line).ok(),
        Shape::JetstreamV1 => Wire::V1,
        Shape::JetstreamV2 => Wire::V2,
    };
    match wire::read(wire, std::str::from_utf8(line).ok()?).content {
        Content::Event(Event::Created(post) | Event::Edited(post)) => Some(*post),
        _ => None,
    }
}

/// What a scan would write for the line.
fn plainly(engine: &Engine, line: &[u8], shape: Shape) -> String {
    let findings = post(line, shape).map(|post| engine.judge(&post, &History::default(), jiff::Timestamp::UNIX_EPOCH));
    findings.filter(|f| !f.is_empty()).map(|f| format!("{f:?}")).unwrap_or_default()
}

#[test]
fn both_paths_find_the_same() {
    let engine = Engine::new(Arc::new(Rules::load(&RulesSource::default()).expect("the shipped rules are good")));
    let tries = std::env::var("MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(MUTATIONS);
    let (mut dice, mut skimmer, mut scratch) = (Dice(1), Skimmer::default(), Scratch::default());
    let (mut stopped, mut named) = (0u64, 0u64);
    for _ in 0..tries {
        let line = dice.frame();
        let shape = Shape::of(&line);
        let through = skimmer.text(&line, shape).is_none_or(|text| engine.could_name(text, &mut scratch));
        if through {
            // From here on the fast path is the plain one.
            named += 1;
            continue;
        }
        stopped += 1;
        assert_eq!(plainly(&engine, &line, shape), "", "{}", String::from_utf8_lossy(&line));
    }
    assert!(stopped > tries / 50 && named > tries / 50, "both ways are tried: {stopped} stopped, {named} through");
}
