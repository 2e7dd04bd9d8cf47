//! The phrase language: words, `[optional]`, `(a|b)`, `word*`, `{rival}`, `...`.

use crate::text;

/// The most parts one phrase may have.
const PARTS_MAX: usize = 1_000;
/// How deep brackets may stand within brackets.
const DEPTH_MAX: usize = 8;
/// How many words `...` may stand for.
pub const GAP_WORDS_MAX: usize = 3;

/// Which provider a slot stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Any provider that is not us.
    Rival,
    /// Us.
    Home,
    /// Any provider.
    Provider,
    /// A provider other than the one bound in the same phrase.
    Other,
}

/// One part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// This folded word.
    Word(Box<str>),
    /// A word that starts so.
    Prefix(Box<str>),
    /// A provider's name.
    Slot(Slot),
    /// Up to [`GAP_WORDS_MAX`] words of any kind.
    Gap,
    /// One of these.
    OneOf(Box<[Parts]>),
    /// One of these, or nothing.
    Maybe(Box<[Parts]>),
}

/// Parts that follow each other.
pub type Parts = Box<[Part]>;

/// What is wrong with a phrase: the message and the advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// A phrase as people type it.
///
/// # Errors
/// When brackets do not close, a name in braces is unknown, the phrase could match without a word, or it
/// has more than [`PARTS_MAX`] parts.
pub fn parse(phrase: &str) -> Result<Parts, PhraseError> {
    let mut parser = Parser { rest: phrase, whole: phrase, parts: 0, depth: 0 };
    let parts = parser.sequence(None)?;
    if words_min(&parts) == 0 {
        return Err(error(
            format!("\"{phrase}\" could match without a single word."),
            "Leave at least one word outside the [ ].",
        ));
    }
    Ok(parts)
}

/// The fewest words that parts can stand for, gaps not counted; a provider's name counts as one.
pub fn words_min(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Word(_) | Part::Prefix(_) | Part::Slot(_) => 1,
            Part::Gap | Part::Maybe(_) => 0,
            Part::OneOf(options) => options.iter().map(|o| words_min(o)).min().unwrap_or(0),
        })
        .sum()
}

struct Parser<'p> {
    rest: &'p str,
    whole: &'p str,
    parts: usize,
    depth: usize,
}

impl Parser<'_> {
    /// Parts up to `close`, a `|` inside brackets, or the end.
    fn sequence(&mut self, close: Option<char>) -> Result<Parts, PhraseError> {
        let mut parts = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let Some(c) = self.rest.chars().next() else {
                return if close.is_none() { Ok(parts.into()) } else { Err(self.unclosed(close)) };
            };
            match c {
                '[' => parts.push(Part::Maybe(self.options(']')?)),
                '(' => parts.push(Part::OneOf(self.options(')')?)),
                '|' if close.is_some() => return Ok(parts.into()),
                '|' => {
                    return Err(error(
                        format!("\"{}\" has a | outside brackets.", self.whole),
                        "Write (one|other), or put each on a line of its own.",
                    ));
                }
                ')' | ']' if Some(c) == close => return Ok(parts.into()),
                ')' | ']' => {
                    return Err(error(
                        format!("\"{}\" has a {c} that was never opened.", self.whole),
                        format!("Add the opening bracket, or take the {c} out."),
                    ));
                }
                '{' => parts.push(Part::Slot(self.slot()?)),
                _ => parts.extend(self.words()),
            }
            self.parts += 1;
            if self.parts > PARTS_MAX {
                return Err(error(
                    format!("\"{}\" has more than {PARTS_MAX} parts.", self.whole),
                    "Split it into several lines.",
                ));
            }
        }
    }

    fn options(&mut self, close: char) -> Result<Box<[Parts]>, PhraseError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(error(
                format!("\"{}\" has brackets within brackets more than {DEPTH_MAX} deep.", self.whole),
                "Split it into several lines.",
            ));
        }
        let mut all = Vec::new();
        loop {
            self.rest = &self.rest[1..];
            all.push(self.sequence(Some(close))?);
            if self.rest.starts_with(close) {
                self.rest = &self.rest[1..];
                self.depth -= 1;
                return Ok(all.into());
            }
        }
    }

    fn slot(&mut self) -> Result<Slot, PhraseError> {
        let Some(end) = self.rest.find('}') else {
            return Err(self.unclosed(Some('}')));
        };
        let name = self.rest[1..end].trim();
        self.rest = &self.rest[end + 1..];
        match name {
            "rival" => Ok(Slot::Rival),
            "home" => Ok(Slot::Home),
            "provider" => Ok(Slot::Provider),
            "other" => Ok(Slot::Other),
            _ => Err(error(
                format!("{{{name}}} in \"{}\" is not a name I know.", self.whole),
                super::hint::did_you_mean(name, &["rival", "home", "provider", "other"])
                    .unwrap_or_else(|| "Use {rival}, {home}, {provider} or {other}.".to_owned()),
            )),
        }
    }

    /// Plain words up to the next bracket; `...` alone is a gap, a trailing `*` a prefix.
    fn words(&mut self) -> Vec<Part> {
        let end = self.rest.find(['[', ']', '(', ')', '|', '{']).unwrap_or(self.rest.len());
        let (here, rest) = self.rest.split_at(end);
        self.rest = rest;
        here.split_whitespace().flat_map(parts_of).collect()
    }

    fn unclosed(&self, close: Option<char>) -> PhraseError {
        let close = close.unwrap_or(')');
        error(format!("\"{}\" has no closing {close}.", self.whole), format!("Add {close} where the group ends."))
    }
}

fn parts_of(word: &str) -> Vec<Part> {
    if matches!(word, "..." | "…") {
        return vec![Part::Gap];
    }
    let (word, prefix) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
    let folded = text::fold(word);
    let mut parts: Vec<Part> = folded.split(' ').filter(|w| !w.is_empty()).map(|w| Part::Word(w.into())).collect();
    if prefix && let Some(Part::Word(last)) = parts.pop() {
        parts.push(Part::Prefix(last));
    }
    parts
}

fn error(message: String, help: impl Into<String>) -> PhraseError {
    PhraseError { message, help: help.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(parts: &[Part]) -> String {
        let options = |o: &[Parts]| o.iter().map(|p| show(p)).collect::<Vec<_>>().join("|");
        let one = |part: &Part| match part {
            Part::Word(w) => w.to_string(),
            Part::Prefix(w) => format!("{w}*"),
            Part::Slot(s) => format!("{s:?}"),
            Part::Gap => "...".to_owned(),
            Part::OneOf(o) => format!("({})", options(o)),
            Part::Maybe(o) => format!("[{}]", options(o)),
        };
        parts.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn phrases_say_what_people_type() {
        for (phrase, shown) in [
            ("No Signal", "no signal"),
            ("can’t get [a] signal", "cant get [a] signal"),
            ("(leave|Quit it) {rival}", "(leave|quit it) Rival"),
            ("cancel* my ... plan", "cancel* my ... plan"),
            ("#EEfail", "#eefail"),
            ("3", "3"),
            ("9:00", "9 00"),
            ("[really [very]] bad", "[really [very]] bad"),
            ("£10 😡", "£10 😡"),
        ] {
            assert_eq!(show(&parse(phrase).unwrap()), shown, "{phrase}");
        }
    }

    #[test]
    fn broken_phrases_say_what_to_do() {
        for (phrase, message) in [
            ("signal is (rubbish|dead", "\"signal is (rubbish|dead\" has no closing )."),
            ("a ] b", "\"a ] b\" has a ] that was never opened."),
            ("{rivel} bad", "{rivel} in \"{rivel} bad\" is not a name I know."),
            ("[maybe]", "\"[maybe]\" could match without a single word."),
            ("!!!", "\"!!!\" could match without a single word."),
            ("a|b", "\"a|b\" has a | outside brackets."),
        ] {
            assert_eq!(parse(phrase).unwrap_err().message, message);
        }
    }
}
