//! A post as the model reads it: words, punctuation and names in one row, each with its place.

use std::ops::Range;

use super::atom::Atom;
use crate::post::Post;
use crate::scan::Scan;
use crate::text::{Gap, WordKind};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word, a hashtag, a provider's name.
    Word,
    /// `@somebody`.
    Handle,
    /// A full stop, question or exclamation mark.
    Stop,
    /// A comma, dash, bracket, slash.
    Comma,
    /// A link, a pictograph, a signature such as `^AB`.
    Mark,
}

/// One word, name or mark.
#[derive(Debug, Clone)]
pub struct Token<'a> {
    pub atom: Atom<'a>,
    pub kind: Kind,
    /// The words of the reading; empty for punctuation.
    pub words: Range<usize>,
    /// The provider it names.
    pub names: Option<usize>,
    /// The provider that "you" or "your" stands for here.
    pub means: Option<usize>,
    /// Whether it only says to whom the post goes.
    pub in_lead: bool,
}

/// A whole post, read once for all providers it names.
#[derive(Debug)]
pub struct Page<'a> {
    pub scan: &'a Scan,
    pub tokens: Vec<Token<'a>>,
    /// Every provider named, in order of first mention.
    pub named: Vec<usize>,
}

impl<'a> Page<'a> {
    /// Reads the post.
    pub fn of(post: &'a Post, scan: &'a Scan) -> Self {
        let words = scan.reading.words();
        let mut tokens = Vec::with_capacity(words.len() * 3 / 2 + 1);
        let (mut at, mut end) = (0, 0);
        while at < words.len() {
            let between = post.text.get(end..words[at].bytes.start).unwrap_or("");
            tokens.extend(punctuation(between, words[at].gap, at, scan));
            let token = word(post, scan, at);
            at = token.words.end;
            end = words[at - 1].bytes.end;
            tokens.push(token);
        }
        tokens.extend(punctuation(post.text.get(end..).unwrap_or(""), Gap::Blank, at, scan));
        Self { scan, tokens, named: named(scan) }
    }
}

/// Every provider named, in order of first mention.
pub fn named(scan: &Scan) -> Vec<usize> {
    let mut named = Vec::new();
    for mention in &scan.mentions {
        if !named.contains(&mention.provider) {
            named.push(mention.provider);
        }
    }
    named
}

fn word<'a>(post: &'a Post, scan: &'a Scan, at: usize) -> Token<'a> {
    let in_lead = at < scan.pronouns.lead_words;
    if let Some(mention) = scan.mentions.iter().find(|m| m.words.start == at && !m.words.is_empty()) {
        let kind = if scan.reading.words()[at].kind == WordKind::Handle { Kind::Handle } else { Kind::Word };
        let names = Some(mention.provider);
        return Token { atom: Atom::OTHER, kind, words: mention.words.clone(), names, means: None, in_lead };
    }
    let here = &scan.reading.words()[at];
    let fold = scan.reading.fold(at);
    let (atom, kind) = match here.kind {
        WordKind::Handle => (Atom::SOMEBODY, Kind::Handle),
        WordKind::Link => (Atom::LINK, Kind::Mark),
        WordKind::Emoji => (Atom::new(fold), Kind::Mark),
        WordKind::Plain if post.text.as_bytes()[..here.bytes.start].ends_with(b"^") => (Atom::SIGNATURE, Kind::Mark),
        WordKind::Plain | WordKind::Hashtag => (plain(fold), Kind::Word),
    };
    let means = scan.pronouns.addressee.filter(|_| speaks_to(fold));
    Token { atom, kind, words: at..at + 1, names: None, means, in_lead }
}

fn plain(fold: &str) -> Atom<'_> {
    let body = fold.trim_start_matches(['£', '$', '€']);
    match (!body.is_empty() && body.bytes().all(|b| b.is_ascii_digit()), body.len() == fold.len()) {
        (true, true) => Atom::NUMBER,
        (true, false) => Atom::MONEY,
        _ => Atom::new(fold),
    }
}

fn punctuation<'a>(between: &str, gap: Gap, at: usize, scan: &Scan) -> Option<Token<'a>> {
    let last = at == scan.reading.words().len();
    let (atom, kind) = if between.contains('?') {
        (Atom::QUESTION, Kind::Stop)
    } else if between.contains('!') {
        (Atom::EXCLAIM, Kind::Stop)
    } else if (gap == Gap::Hard && at > 0) || (last && between.contains(['.', '…'])) {
        (Atom::STOP, Kind::Stop)
    } else if gap == Gap::Soft {
        (Atom::COMMA, Kind::Comma)
    } else {
        return None;
    };
    let in_lead = at < scan.pronouns.lead_words;
    Some(Token { atom, kind, words: at..at, names: None, means: None, in_lead })
}

/// Words by which the addressee is spoken to.
fn speaks_to(word: &str) -> bool {
    matches!(
        word,
        "you"
            | "u"
            | "ya"
            | "yourselves"
            | "youse"
            | "yous"
            | "your"
            | "ur"
            | "ihnen"
            | "euch"
            | "dir"
            | "dich"
            | "sie"
            | "du"
            | "ihr"
            | "jullie"
            | "jou"
            | "jouw"
    )
}
