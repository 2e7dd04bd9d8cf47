//! Finds names that were broken on purpose, such as `V0dafone`, `E/E` or `V*dafone`: the author hides from brands.
//!
//! The shapes that count, for whoever filters posts beforehand: a run of letters, digits and the signs in
//! [`BREAKERS`] without a blank in it, in which a digit or sign stands between two letters ([`is_broken`]), and
//! that reads as a sure or everyday name of at least [`LETTERS_MIN`] letters once
//! 1. digits and signs that pass for letters are read as them ([`passes_for`]; `*` and `.` for any one letter), or
//! 2. the signs between its letters are left out.
//!
//! Names broken only by invisible characters or look-alike letters are already mended by the reading;
//! they count as evasive by [`Word::disguised`](crate::text::Word::disguised). A name that the rules
//! themselves write with digits or signs (`O2`, `3 Mobile`) is never evasive as it stands.

use std::collections::HashMap;
use std::ops::Range;

use super::{Mention, MentionKind};
use crate::post::Span;
use crate::rules::{Name, Rules};
use crate::text::{Reading, TEXT_BYTES_MAX, fold};

/// Signs people put into or between the letters of a name.
pub const BREAKERS: [char; 9] = ['*', '/', '.', '@', '$', '!', '_', '|', '-'];
/// The fewest letters of a name broken by stand-ins; shorter ones are too often something else.
const LETTERS_MIN: usize = 4;
/// The fewest letters of a name whose letters stand apart (`E/E`).
const APART_MIN: usize = 2;
/// The longest run of characters that is looked at, in bytes.
const RUN_BYTES_MAX: usize = 40;

/// Names by how they read without blanks.
#[derive(Debug, Default)]
pub struct Evasive {
    by_letters: HashMap<String, usize>,
    /// Names that read alike once every stand-in is undone, for runs without a `*`.
    by_reading: HashMap<String, Vec<(Vec<char>, usize)>>,
    /// Names by how many letters they have, for runs with one.
    by_length: HashMap<usize, Vec<(Vec<char>, usize)>>,
}

impl Evasive {
    /// The names of a set of rules that can be broken.
    pub fn new(rules: &Rules) -> Self {
        let mut evasive = Self::default();
        for name in rules.names().iter().filter(|name| can_be_broken(name)) {
            let letters = name.folded.replace(' ', "");
            if !evasive.by_letters.contains_key(&letters) {
                let entry: (Vec<char>, usize) = (letters.chars().collect(), name.provider);
                evasive.by_length.entry(entry.0.len()).or_default().push(entry.clone());
                evasive.by_reading.entry(reading(&entry.0)).or_default().push(entry);
                evasive.by_letters.insert(letters, name.provider);
            }
        }
        evasive
    }

    /// Whether a broken name could stand in the text; a no is certain and cheap.
    pub fn admits(&self, text: &str) -> bool {
        is_broken(text.as_bytes()) && runs(text).any(|bytes| self.reads_as(&text[bytes]).is_some())
    }

    /// The broken names in a text, where no name was found already.
    pub fn find(&self, text: &str, reading: &Reading, known: &[Mention]) -> Vec<Mention> {
        let end = (0..=text.len().min(TEXT_BYTES_MAX)).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        let mut found = Vec::new();
        if !is_broken(&text.as_bytes()[..end]) {
            return found;
        }
        for bytes in runs(&text[..end]) {
            let span = Span::new(bytes.start, bytes.end);
            if let Some(provider) = self.reads_as(&text[bytes.clone()])
                && !known.iter().any(|m| m.span.overlaps(span) && !is_cut(&text[bytes.clone()], m))
            {
                let words = super::words_of(reading, &bytes);
                found.push(Mention { provider, words, span, kind: MentionKind::Evasive });
            }
        }
        found
    }

    /// The provider a run reads as.
    fn reads_as(&self, run: &str) -> Option<usize> {
        let apart: String = run.chars().filter(|c| !BREAKERS.contains(c)).flat_map(char::to_lowercase).collect();
        let signs = run.chars().filter(|c| BREAKERS.contains(c)).count();
        let letters = apart.chars().count();
        let every_letter_apart = letters >= APART_MIN && signs + 1 >= letters && signs > 0;
        if (every_letter_apart || (signs > 0 && letters >= LETTERS_MIN))
            && let Some(&provider) = self.by_letters.get(&apart)
            && !self.is_plain(run)
        {
            return Some(provider);
        }
        let letters: Vec<char> = run.chars().flat_map(char::to_lowercase).collect();
        let fits = |name: &[char]| {
            name.len() >= LETTERS_MIN
                && name.len() == letters.len()
                && name.iter().zip(&letters).all(|(n, c)| stands_for(*c, *n))
        };
        let alike = match letters.contains(&'*') {
            true => self.by_length.get(&letters.len()),
            false => self.by_reading.get(&reading(&letters)),
        };
        alike?.iter().find(|(name, _)| fits(name)).map(|&(_, provider)| provider)
    }

    /// Whether the run is only a name between marks, as in `/vodafone/`, or joined by dots as the rules write it.
    fn is_plain(&self, run: &str) -> bool {
        let trimmed = run.trim_matches(BREAKERS);
        !trimmed.contains(BREAKERS) || self.by_letters.contains_key(&fold(trimmed))
    }
}

/// Whether a short everyday name was cut by more than the dots it may have: `E/E` hides, `E.E.` does not.
fn is_cut(run: &str, known: &Mention) -> bool {
    known.kind == MentionKind::Everyday && run.contains(['/', '*', '|'])
}

/// Names of letters only: what has digits or signs of its own cannot be told from its broken form.
fn can_be_broken(name: &Name) -> bool {
    name.folded.chars().all(|c| c.is_ascii_lowercase() || c == ' ') && name.folded.chars().count() >= APART_MIN
}

/// Whether a character may stand where the name has this letter.
fn stands_for(c: char, letter: char) -> bool {
    c == letter || c == '*' || passes_for(c) == Some(letter) || (c == '1' && letter == 'l')
}

/// Letters with every stand-in undone; `l` reads as `i`, because `1` passes for both.
fn reading(letters: &[char]) -> String {
    let plain = |&c: &char| passes_for(c).unwrap_or(if c == 'l' { 'i' } else { c });
    letters.iter().map(plain).collect()
}

/// The letter that a digit or sign passes for.
const fn passes_for(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        _ => return None,
    })
}

/// Whether a letter, then digits or signs, then a letter follow each other. Bytes above ASCII count as letters.
pub fn is_broken(text: &[u8]) -> bool {
    let mut state = 0;
    for &byte in text {
        state = match (CLASSES[byte as usize], state) {
            (LETTER, 2) => return true,
            (LETTER, _) => 1,
            (SIGN, 1 | 2) => 2,
            _ => 0,
        };
    }
    false
}

const LETTER: u8 = 1;
const SIGN: u8 = 2;

/// What each byte is.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c >= 0x80 {
            classes[byte] = LETTER;
        } else if c.is_ascii_digit() {
            classes[byte] = SIGN;
        }
        byte += 1;
    }
    let mut sign = 0;
    while sign < BREAKERS.len() {
        classes[BREAKERS[sign] as usize] = SIGN;
        sign += 1;
    }
    classes
};

/// Runs of letters, digits and signs in which a digit or sign stands between letters; handles, hashtags and links are left out.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    broken_stretches(text).flat_map(move |stretch| runs_in(text, stretch))
}

/// Stretches of bytes that may stand in a run, as far as bytes tell, if one of their runs could be broken.
fn broken_stretches(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let may_stand = |byte: &u8| CLASSES[*byte as usize] != 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    let stretches = std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(may_stand)?;
        at = bytes[start..].iter().position(|byte| !may_stand(byte)).map_or(bytes.len(), |len| start + len);
        Some(start..at)
    });
    stretches.filter(|stretch| is_broken(&bytes[stretch.clone()]))
}

fn runs_in(text: &str, stretch: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
    let may_stand = |c: char| c.is_alphanumeric() || BREAKERS.contains(&c);
    let (mut at, end) = (stretch.start, stretch.end);
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..end].find(may_stand)?;
            let len = text[start..end].find(|c| !may_stand(c)).unwrap_or(end - start);
            at = start + len;
            let run = text[start..at].trim_end_matches(['.', '!', '-', '/', '|', '_']);
            let broken = is_broken(run.as_bytes());
            let named = run.starts_with('@') || text[..start].ends_with('#') || text[..start].ends_with(':');
            if broken && !named && run.len() <= RUN_BYTES_MAX {
                return Some(start..start + run.len());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Scanner;
    use super::*;
    use crate::post::Post;
    use crate::rules::RulesSource;

    fn check(scanner: &Scanner, text: &str, evasive: &[&str]) {
        let scan = scanner.scan(&Post::new("1", text));
        let found: Vec<_> =
            scan.mentions.iter().filter(|m| m.kind == MentionKind::Evasive).map(|m| m.span.of(text)).collect();
        assert_eq!(found, evasive, "{text}");
    }

    #[test]
    fn broken_names_are_found_and_plain_ones_are_not_broken() {
        let scanner = Scanner::new(Arc::new(Rules::load(&RulesSource::default()).unwrap()));
        for (text, evasive) in [
            ("V0dafone took my money again", &["V0dafone"][..]),
            ("never again V*dafone!", &["V*dafone"]),
            ("Vod@fone and G!ffgaff", &["Vod@fone", "G!ffgaff"]),
            ("vo-da-fone is down", &["vo-da-fone"]),
            ("my E/E contract is up", &["E/E"]),
            ("Vodafone is down", &[]),
            ("and/or Vodafone-based phones", &[]),
            ("see https://vodafone.example/a or @vodafone", &[]),
            ("either b/t the two", &[]),
            ("O2, 3 Mobile and £20", &[]),
        ] {
            check(&scanner, text, evasive);
        }
    }
}
