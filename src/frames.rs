//! Finds the words of the post in a raw JSON line without building anything else of it.
//!
//! Reading a line in full costs a microsecond; nine in ten posts name nobody, and finding that out takes
//! the text alone. [`Skimmer::text`] gives it for a line whose make-up leaves no doubt. Whatever is
//! unusual (escaped keys, a second `text`, a wrong type, a cut line) gives `None`: read it in full. So a
//! line that names nobody is checked only as far as its text, not to its last bracket.

mod unescape;

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

/// The longest text that is skimmed, in bytes as it stands in the line.
const TEXT_BYTES_MAX: usize = 10_000;

static TEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"text\""));
static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"id\""));
static COLLECTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"collection\""));
static OPERATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"operation\""));
static ADDRESSED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"addressed_to\""));
static LETTER_ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\u00"));

/// How a line is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A post as [`Post`](crate::post::Post) describes it.
    Post,
    /// A Jetstream frame of wire v1.
    JetstreamV1,
    /// A Jetstream frame of wire v2.
    JetstreamV2,
}

impl Shape {
    /// The shape of a line, by its first key.
    #[must_use]
    pub fn of(line: &[u8]) -> Self {
        match first_key(line) {
            Some(b"$type" | b"payload") => Self::JetstreamV2,
            Some(b"did" | b"time_us" | b"kind" | b"commit" | b"account" | b"identity" | b"cursor") => Self::JetstreamV1,
            _ => Self::Post,
        }
    }
}

/// Skims lines; keeps a buffer for texts that hold escapes.
#[derive(Debug, Default)]
pub struct Skimmer {
    unescaped: Vec<u8>,
}

impl Skimmer {
    /// The text of the one post in the line. `None` when the line must be read in full to know.
    pub fn text<'a>(&'a mut self, line: &'a [u8], shape: Shape) -> Option<&'a str> {
        let line = line.trim_ascii();
        let whole = line.starts_with(b"{") && line.ends_with(b"}");
        if !whole || !looks_like_a_post(line, shape) {
            return None;
        }
        let raw = only_text(line)?;
        if !raw.escaped {
            return plain(raw.bytes);
        }
        self.unescaped.clear();
        unescape::unescape(raw.bytes, &mut self.unescaped)?;
        std::str::from_utf8(&self.unescaped).ok()
    }
}

/// A string as it stands between its quotes.
struct Raw<'a> {
    bytes: &'a [u8],
    escaped: bool,
}

fn looks_like_a_post(line: &[u8], shape: Shape) -> bool {
    match shape {
        Shape::Post => {
            ID.find(line).is_some_and(|at| value(&line[at + 4..]).starts_with(b"\"")) && ADDRESSED.find(line).is_none()
        }
        Shape::JetstreamV1 | Shape::JetstreamV2 => {
            let says = |key: &Finder<'_>, len: usize, wanted: &[&[u8]]| {
                let found = key.find(line).map(|at| value(&line[at + len..]));
                found.is_some_and(|value| wanted.iter().any(|w| value.starts_with(w)))
            };
            says(&COLLECTION, 12, &[b"\"app.bsky.feed.post\""]) && says(&OPERATION, 11, &[b"\"create\"", b"\"update\""])
        }
    }
}

/// The value of the only key `text` in the line, if it is a string and no escaped key could be another.
fn only_text(line: &[u8]) -> Option<Raw<'_>> {
    let key = TEXT.find(line)?;
    let value = value(&line[key + 6..]).strip_prefix(b"\"")?;
    let raw = string(value)?;
    let rest = &value[raw.bytes.len() + 1..];
    let ends = rest.trim_ascii_start().starts_with(b",") || rest.trim_ascii_start().starts_with(b"}");
    let alone = TEXT.find(rest).is_none() && !may_hide_a_key(&line[..key]) && !may_hide_a_key(rest);
    (ends && alone && raw.bytes.len() <= TEXT_BYTES_MAX).then_some(raw)
}

/// What follows a key's closing quote, from its value on; nothing when no colon is there.
fn value(after_key: &[u8]) -> &[u8] {
    after_key.trim_ascii_start().strip_prefix(b":").unwrap_or_default().trim_ascii_start()
}

/// The string up to its closing quote.
fn string(bytes: &[u8]) -> Option<Raw<'_>> {
    let mut at = memchr2(b'"', b'\\', bytes)?;
    let escaped = bytes[at] == b'\\';
    while bytes[at] == b'\\' {
        at += 2;
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
    }
    Some(Raw { bytes: &bytes[..at], escaped })
}

/// Whether some ASCII letter is written as an escape (`\u0074` for t): a key might be spelled so.
fn may_hide_a_key(bytes: &[u8]) -> bool {
    memchr(b'\\', bytes).is_some_and(|at| {
        LETTER_ESCAPE.find_iter(&bytes[at..]).any(|hit| matches!(bytes.get(at + hit + 4), Some(b'4'..=b'7')))
    })
}

/// A string without escapes, if it is one: UTF-8 without control characters.
fn plain(bytes: &[u8]) -> Option<&str> {
    let controls = bytes.iter().map(|&b| u8::from(b < b' ')).fold(0, |any, this| any | this);
    if controls == 0 { std::str::from_utf8(bytes).ok() } else { None }
}

fn first_key(line: &[u8]) -> Option<&[u8]> {
    let inside = line.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    inside.get(..memchr(b'"', inside)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skim(line: &str) -> Option<String> {
        Skimmer::default().text(line.as_bytes(), Shape::of(line.as_bytes())).map(str::to_owned)
    }

    fn v1(record: &str) -> String {
        format!(
            r#"{{"did":"did:plc:a","time_us":1,"kind":"commit","commit":{{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k","record":{record},"cid":"c"}}}}"#
        )
    }

    #[test]
    fn the_text_is_found_where_there_is_no_doubt() {
        for (line, text) in [
            (r#"{"id":"1","text":"hello"}"#.to_owned(), "hello"),
            (r#" { "text" : "a\nEE \"b\" \u0026 \ud83d\ude00" , "id" : "1" } "#.to_owned(), "a\nEE \"b\" & 😀"),
            (v1(r#"{"$type":"app.bsky.feed.post","text":"AT\u0026T","langs":["en"]}"#), "AT&T"),
            (v1(r#"{"text":"say \"text\":\"no\" now","createdAt":"x"}"#), "say \"text\":\"no\" now"),
            (v1(r#"{"embed":{"alt":"it\u0027s"},"text":""}"#), ""),
            (v1(r#"{"text":"nom d’un 犬"}"#).replace("create", "update"), "nom d’un 犬"),
        ] {
            assert_eq!(skim(&line).as_deref(), Some(text), "{line}");
        }
    }

    #[test]
    fn whatever_is_unusual_is_read_in_full() {
        for line in [
            "",
            "{}",
            "null",
            "[]",
            r#"{"id":"1","text":"cut"#,
            r#"{"id":"1","text":5}"#,
            r#"{"text":"no id"}"#,
            r#"{"id":1,"text":"a"}"#,
            r#"{"id":"1","text":"a","text":"b"}"#,
            r#"{"id":"1","text":"bad \x"}"#,
            r#"{"id":"1","text":"half \ud83d"}"#,
            "{\"id\":\"1\",\"text\":\"bell \u{7}\"}",
            r#"{"id":"1","text":"a"]}"#,
            r#"{"id":"1","text":"a","addressed_to":"EE"}"#,
            r#"{"id":"1","te\u0078t":"EE","author":{"text":"a"}}"#,
        ] {
            assert_eq!(skim(line), None, "{line}");
        }
        assert_eq!(skim(&v1(r#"{"text":"a","embed":{"text":"b"}}"#)), None);
        assert_eq!(skim(&v1(r#"{"text":"a"}"#).replace("create", "delete")), None);
        assert_eq!(skim(&v1(r#"{"text":"a"}"#).replace("feed.post", "feed.like")), None);
    }

    #[test]
    fn shapes_are_told_by_the_first_key() {
        for (line, shape) in [
            (r#"{"id":"1"}"#, Shape::Post),
            (r#" {"did"#, Shape::Post),
            (r#"{"did":"d"}"#, Shape::JetstreamV1),
            (r#"{ "kind":"commit"}"#, Shape::JetstreamV1),
            (r#"{"$type":"message"}"#, Shape::JetstreamV2),
            ("rubbish", Shape::Post),
        ] {
            assert_eq!(Shape::of(line.as_bytes()), shape, "{line}");
        }
    }
}
