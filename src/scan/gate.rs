//! Asks of a text, in some tens of nanoseconds, whether any provider could be named in it at all.
//!
//! The gate may say yes to a text that names nobody; it never says no to one in which
//! [`Reading`](crate::text::Reading) and the names find somebody. It works on **runs**: the longest
//! stretches of ASCII letters and digits. Every name is one run, or starts with two that follow each
//! other, and a text can only hold the name if it holds those runs. What is left is the ways in which
//! folding makes a run out of something else, and each is either undone here or sent through:
//!
//! | in the text | what the gate does |
//! |---|---|
//! | case | folds it while hashing |
//! | `vodafone's`, `o'two` | tries both halves and the whole; two apostrophes in a word: through |
//! | `vodafoneeee` | tries every long run of a letter as one, and `e` and `o` as two |
//! | accents, look-alike letters, full-width forms | replaces them by what they fold to ([`wide`]) |
//! | invisible characters and loose accents in a word | through |
//! | names that are not all ASCII | one of their characters anywhere: through |

mod keys;
mod runs;
mod wide;

use keys::Keys;
use runs::{Found, PADDING};
use wide::Wide;

use crate::rules::Rules;

/// Buffers that one thread uses again for every text.
#[derive(Debug, Default)]
pub struct Scratch {
    text: Vec<u8>,
    stretched: Vec<u8>,
}

/// The names of a set of rules as a filter.
#[derive(Debug)]
pub struct Gate {
    keys: Keys,
    wide: Wide,
    /// Some name leaves nothing to look for: every text goes through.
    open: bool,
}

impl Gate {
    /// The filter for the names of a set of rules.
    pub fn new(rules: &Rules) -> Self {
        Self::for_names(rules.names().iter().map(|name| name.folded.as_str()))
    }

    fn for_names<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let (mut keys, mut foreign, mut open) = (keys::Builder::default(), Vec::new(), false);
        for name in names {
            if name.is_ascii() {
                open |= !keys.add(name);
            } else {
                foreign.extend(name.chars().max());
            }
        }
        Self { keys: keys.build(), wide: Wide::new(&foreign), open }
    }

    /// Whether a provider could be named in the text; a no is certain.
    pub fn admits(&self, text: &str, scratch: &mut Scratch) -> bool {
        self.open || self.looks_named(text, scratch)
    }

    fn looks_named(&self, text: &str, scratch: &mut Scratch) -> bool {
        let Scratch { text: buffer, stretched } = scratch;
        buffer.clear();
        if text.is_ascii() {
            buffer.extend_from_slice(text.as_bytes());
        } else if !self.wide.narrow(text, buffer) {
            return true;
        }
        if runs::has_stretch(buffer) {
            return self.holds_stretched(buffer, stretched);
        }
        self.holds(buffer)
    }

    /// Pads the text and looks for the keys in it.
    fn holds(&self, text: &mut Vec<u8>) -> bool {
        let len = text.len();
        text.resize(len + PADDING, 0);
        runs::find(text, len, &self.keys) == Found::Maybe
    }

    fn holds_stretched(&self, text: &[u8], buffer: &mut Vec<u8>) -> bool {
        [1, 2].into_iter().any(|keep| !runs::relax(text, keep, buffer) || self.holds(buffer))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use aho_corasick::AhoCorasick;
    use proptest::prelude::*;

    use super::*;
    use crate::text::{self, Reading};

    const NAMES: [&str; 12] = [
        "EE",
        "O2",
        "Vodafone",
        "@ThreeUK",
        "#EEfail",
        "AT&T",
        "Sainsbury's",
        "Sky Mobile",
        "giffgaff",
        "Føn Ære",
        "three.example",
        "1p mobile",
    ];

    fn gate(names: &[&str]) -> Gate {
        let folded: Vec<String> = names.iter().map(|name| text::fold(name)).collect();
        Gate::for_names(folded.iter().map(String::as_str))
    }

    fn admits(names: &[&str], text: &str) -> bool {
        gate(names).admits(text, &mut Scratch::default())
    }

    #[test]
    fn a_text_that_names_somebody_goes_through() {
        for text in [
            "EE is down",
            "ee",
            "eE!",
            "(EE)",
            "EE\nhi",
            "no more EE",
            "Vodafone’s gone",
            "vodafone's",
            "Vodafoneeee",
            "VODAFONEEE!!",
            "V\u{43e}dafone",
            "Ｖｏｄａｆｏｎｅ",
            "vod\u{200b}afone",
            "Vo\u{301}dafone",
            "@threeuk",
            "#eefail",
            "#EE",
            "at&t",
            "AT & T",
            "sainsburys",
            "Sainsbury’s",
            "sky, mobile",
            "@giffgaff's",
            "føn ære",
            "FØN ÆRE",
            "@three.example",
            "x'vodafone",
            "@vodafone'x",
            "#o2_uk o2",
            "É O2",
            "𝐕𝐨𝐝𝐚𝐟𝐨𝐧𝐞",
            "O²",
            "1p   mobile",
        ] {
            assert!(admits(&NAMES, text), "{text:?}");
        }
    }

    #[test]
    fn a_text_that_names_nobody_is_stopped() {
        for text in [
            "",
            "   ",
            "feet",
            "the sky is mobile",
            "at last",
            "T",
            "don't you see",
            "sooo goooood",
            "電波が悪い",
            "связь плохая",
            "ее тут нет",
            "James’s boss",
            "c'est la vie — déjà vu…",
            "two 2 o 22",
            "sky\u{fe0f}",
            "❤️‍🔥 love",
            "three",
            "#sky",
            "a long text about nothing in particular that goes on for well over sixty-four bytes, to the end of it",
        ] {
            assert!(!admits(&NAMES[..9], text), "{text:?}");
        }
    }

    #[test]
    fn names_that_leave_nothing_to_look_for_open_it() {
        assert!(admits(&["$"], "hello"));
        assert!(admits(&["http"], "see www.a.example"));
        assert!(!admits(&[], "hello"));
    }

    /// The gate and the plain path for one list of names.
    struct Both {
        gate: Gate,
        plain: AhoCorasick,
    }

    impl Both {
        fn new(names: &[&str]) -> Self {
            let folded: Vec<String> = names.iter().map(|name| text::fold(name)).collect();
            Self { gate: gate(names), plain: AhoCorasick::new(folded).unwrap() }
        }

        /// Whether the folded text holds a name at a word's start: a little more than the scanner takes.
        fn plainly_holds(&self, text: &str) -> bool {
            let reading = Reading::of(text);
            self.plain.find_overlapping_iter(reading.folded()).any(|hit| {
                let last = reading.word_holding(hit.end() - 1).map(|i| &reading.words()[i]);
                let ends = |w: &text::Word| hit.end() == w.fold.end || (w.possessive && hit.end() + 1 == w.fold.end);
                last.is_some_and(ends) && reading.word_starting(hit.start()).is_some()
            })
        }
    }

    static ALL_AND_EACH: LazyLock<Vec<Both>> = LazyLock::new(|| {
        let each = NAMES.iter().map(|&name| Both::new(&[name]));
        std::iter::once(Both::new(&NAMES)).chain(each).collect()
    });

    /// Texts made of pieces of names and of everything that folding undoes.
    fn tricky_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
            2 => prop::sample::select(vec![
                "e", "E", "ee", "eee", "o", "O", "oo", "2", "0", "s", "v", "dafone", "voda", "fone", "three", "uk", "at", "t",
                "sky", "mobile", "http://", "www.", "a", "x",
            ]).prop_map(str::to_owned),
            3 => prop::sample::select(vec![
                " ", "'", "’", "´", "`", "\u{200b}", "\u{fe0f}", "\u{301}", "@", "#", "_", ".", "-", "&", "$", "£", "\n", "😀",
                "\u{20e3}", "\u{ad}", "/", "*",
            ]).prop_map(str::to_owned),
            1 => prop::sample::select(vec![
                "е", "о", "О", "Е", "é", "è", "ö", "Ｅ", "𝐄", "²", "ﬁ", "ß", "ø", "が", "電", "엘", "ı", "İ", "\u{212a}", "½", "🅪", "Æ",
            ]).prop_map(str::to_owned),
            1 => "\\PC{0,3}",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_never_stops_what_the_plain_path_finds(text in tricky_text()) {
            for both in ALL_AND_EACH.iter() {
                prop_assert!(!both.plainly_holds(&text) || both.gate.admits(&text, &mut Scratch::default()));
            }
        }
    }
}
