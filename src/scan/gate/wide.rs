//! Writes a text that is not all ASCII as ASCII: each character as what it folds to, as far as names go.

use std::sync::LazyLock;

use crate::text::{CharKind, folded_char};

/// How many code points the table holds: all of the basic plane.
const TABLE_LEN: usize = 0x1_0000;

/// What a character becomes. The first few are no characters but orders.
type Class = u8;
/// It may make a name out of what stands around it: let the text through.
const THROUGH: Class = 1;
/// Nothing, when it stands outside a word; between letters it joins them.
const INVISIBLE: Class = 2;
/// Nothing, but it belongs to the word.
const MARK: Class = 3;
/// A letter that no ASCII name has.
const OTHER: Class = 4;
/// Marks the ASCII letter that a look-alike becomes, but only in a word with Latin letters.
const LOOK_ALIKE: Class = 0x80;

static CLASSES: LazyLock<Box<[Class]>> = LazyLock::new(|| basic_plane().map(class_of).collect());

/// The classes of all characters, with those that only certain rules look for.
#[derive(Debug)]
pub struct Wide {
    /// The shared table with some characters marked [`THROUGH`], if the rules have names beyond ASCII.
    own: Option<Box<[Class]>>,
    /// Whether characters beyond the basic plane are looked for.
    astral: bool,
}

impl Wide {
    /// A table in which the `wanted` characters, and all that fold to them, let a text through.
    pub fn new(wanted: &[char]) -> Self {
        if wanted.is_empty() {
            return Self { own: None, astral: false };
        }
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        let holds_wanted = |c: char| folds(c).any(|folded| wanted.binary_search(&folded).is_ok());
        let own = basic_plane().zip(CLASSES.iter()).map(|(c, &class)| if holds_wanted(c) { THROUGH } else { class });
        Self { own: Some(own.collect()), astral: wanted.iter().any(|&c| c as usize >= TABLE_LEN) }
    }

    /// Writes the text to `out` in ASCII; no when it must go through.
    pub fn narrow(&self, text: &str, out: &mut Vec<u8>) -> bool {
        let table: &[Class] = self.own.as_deref().unwrap_or(&CLASSES);
        let mut chars = text.chars();
        let mut look_alikes = 0;
        while let Some(c) = chars.next() {
            if c.is_ascii() {
                out.push(c as u8);
                continue;
            }
            let class = match table.get(c as usize) {
                Some(&class) => class,
                None => self.astral_class(c),
            };
            match class {
                THROUGH => return false,
                MARK if in_word(out) => return false,
                INVISIBLE if in_word(out) && goes_on(chars.as_str()) => return false,
                MARK => {}
                INVISIBLE => out.push(b' '),
                letter => {
                    look_alikes |= letter & LOOK_ALIKE;
                    out.push(letter);
                }
            }
        }
        if look_alikes != 0 {
            settle_look_alikes(out);
        }
        true
    }

    fn astral_class(&self, c: char) -> Class {
        match c {
            _ if self.astral => THROUGH,
            // Emoji: no letters in this block.
            '\u{1F300}'..='\u{1FAFF}' => b' ',
            _ => class_of(c),
        }
    }
}

/// Makes look-alikes Latin between blanks where a Latin letter stands too, and foreign elsewhere: the
/// Russian word "ее" is not EE.
fn settle_look_alikes(text: &mut [u8]) {
    for word in text.split_mut(u8::is_ascii_whitespace) {
        let latin = word.iter().any(u8::is_ascii_alphabetic);
        for byte in word.iter_mut().filter(|b| **b & LOOK_ALIKE != 0) {
            *byte = if latin { *byte & !LOOK_ALIKE } else { OTHER };
        }
    }
}

/// Whether the last character written could belong to a word.
fn in_word(text: &[u8]) -> bool {
    text.last().is_some_and(|&b| b.is_ascii_alphanumeric() || b & LOOK_ALIKE != 0 || matches!(b, b'\'' | b'`'))
}

/// Whether a letter could follow.
fn goes_on(rest: &str) -> bool {
    rest.bytes().next().is_some_and(|b| !b.is_ascii() || b.is_ascii_alphanumeric())
}

/// Every code point of the basic plane; surrogates, which no text holds, as blanks.
fn basic_plane() -> impl Iterator<Item = char> {
    (0..TABLE_LEN).map(|code| u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(' '))
}

fn class_of(c: char) -> Class {
    match c {
        // Han and Hangul are half of the plane, and no Latin letter is among them.
        '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => OTHER,
        _ => looked_up_class(c),
    }
}

fn looked_up_class(c: char) -> Class {
    match CharKind::of(c) {
        CharKind::Gap => b' ',
        CharKind::Apostrophe => b'\'',
        CharKind::Invisible => INVISIBLE,
        CharKind::Mark => MARK,
        CharKind::Pictograph if folds(c).any(|c| c.is_ascii_alphanumeric()) => THROUGH,
        CharKind::Pictograph => b' ',
        CharKind::Word => letter_class(c),
    }
}

fn letter_class(c: char) -> Class {
    let mut in_latin = folded_char(c, true);
    match (in_latin.next(), in_latin.next()) {
        (Some(only), None) if only.is_ascii_alphanumeric() => {
            let always = folded_char(c, false).all(|c| c.is_ascii());
            only as Class | if always { 0 } else { LOOK_ALIKE }
        }
        (None, _) => THROUGH,
        _ if folds(c).any(|c| c.is_ascii_alphanumeric()) => THROUGH,
        _ => OTHER,
    }
}

/// What the character folds to in any word.
fn folds(c: char) -> impl Iterator<Item = char> {
    folded_char(c, false).chain(folded_char(c, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_what_they_fold_to() {
        for (text, ascii) in [
            ("é", "e"),
            ("Ｅ", "e"),
            ("е", "\u{4}"),
            ("vе", "ve"),
            ("²", "2"),
            ("’", "'"),
            ("…", " "),
            ("電", "\u{4}"),
            ("😀", " "),
            ("𝐕", "v"),
            ("ß", "\u{4}"),
            ("\u{ad} x", "  x"),
            ("エe", "\u{4}e"),
        ] {
            let mut out = Vec::new();
            assert!(Wide::new(&[]).narrow(text, &mut out), "{text}");
            assert_eq!(out, ascii.as_bytes(), "{text}");
        }
        for text in ["ﬁ", "e\u{301}", "e\u{200b}e", "🄰x\u{301}"] {
            assert!(!Wide::new(&[]).narrow(text, &mut Vec::new()), "{text}");
        }
        assert!(!Wide::new(&['電']).narrow("悪い電波", &mut Vec::new()));
        assert!(!Wide::new(&['ø']).narrow("FØN", &mut Vec::new()));
    }

    #[test]
    fn han_and_hangul_hold_no_latin_letter() {
        for c in ('\u{3400}'..='\u{9FFF}').chain('\u{AC00}'..='\u{D7A3}').step_by(7) {
            assert!(matches!(looked_up_class(c), OTHER | b' '), "{c}");
        }
    }

    #[test]
    fn no_emoji_folds_to_a_letter() {
        for c in '\u{1F300}'..='\u{1FAFF}' {
            assert!(matches!(class_of(c), b' ' | OTHER), "{c}");
        }
    }
}
