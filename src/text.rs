//! Reads a text as words that compare equal however people type them, with the way back to its bytes.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most bytes of a text that are read; what lies beyond is not looked at.
pub const TEXT_BYTES_MAX: usize = 10_000;

/// What kind of word stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WordKind {
    /// Letters, digits, currency signs.
    Plain,
    /// `@somebody`; folded with its `@`.
    Handle,
    /// `#something`; folded with its `#`.
    Hashtag,
    /// A web address; folded to `http`.
    Link,
    /// An emoji or other pictograph.
    Emoji,
}

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gap {
    /// Nothing but blanks.
    Blank,
    /// A comma, colon, dash, bracket, quote or slash: the sentence goes on.
    Soft,
    /// A full stop, question or exclamation mark, semicolon, line break, or the start of the text.
    Hard,
}

/// One word of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the original text.
    pub bytes: Range<usize>,
    /// Its bytes in [`Reading::folded`].
    pub fold: Range<usize>,
    /// What kind of word it is.
    pub kind: WordKind,
    /// What stands before it.
    pub gap: Gap,
    /// Whether a question mark stands in the punctuation before it.
    pub after_question: bool,
    /// Whether it ended in `'s`.
    pub possessive: bool,
    /// Whether all its letters are capitals.
    pub upper: bool,
    /// Whether look-alike letters or invisible characters had to be undone.
    pub disguised: bool,
}

/// A text as folded words. Folding undoes case, accents, full-width forms, look-alike letters,
/// invisible characters, apostrophes and stretched letters, so `CAN’T` and `cant` are one word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    folded: String,
    words: Vec<Word>,
    ends_in_question: bool,
}

impl Reading {
    /// Reads a text, or its first [`TEXT_BYTES_MAX`] bytes.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = clipped(text);
        let mut reading =
            Self { folded: String::with_capacity(text.len() + 16), words: Vec::new(), ends_in_question: false };
        reading.folded.push(' ');
        let mut gap = Gap::Hard;
        let mut question = false;
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let here = &text[at..];
            if let Some((kind, len)) = word_at(text, at) {
                reading.push(&text[at..at + len], at, kind, gap, question);
                (gap, question) = (Gap::Blank, false);
                at += len;
            } else {
                gap = gap.max(gap_of(c, here));
                question |= c == '?';
                at += c.len_utf8();
            }
        }
        reading.ends_in_question = question;
        reading
    }

    /// All folded words, with one blank before, between and after them.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The words in order.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// The folded form of the word at `index`.
    #[must_use]
    pub fn fold(&self, index: usize) -> &str {
        &self.folded[self.words[index].fold.clone()]
    }

    /// Whether the last sentence is a question.
    #[must_use]
    pub const fn ends_in_question(&self) -> bool {
        self.ends_in_question
    }

    /// The word that starts at this byte of the folded text, a leading `#` not counted.
    #[must_use]
    pub fn word_starting(&self, folded_byte: usize) -> Option<usize> {
        let index = self.words.partition_point(|word| word.fold.end <= folded_byte);
        let word = self.words.get(index)?;
        let skip = usize::from(word.kind == WordKind::Hashtag);
        (word.fold.start == folded_byte || word.fold.start + skip == folded_byte).then_some(index)
    }

    /// The word that holds this byte of the folded text.
    #[must_use]
    pub fn word_holding(&self, folded_byte: usize) -> Option<usize> {
        let index = self.words.partition_point(|word| word.fold.end <= folded_byte);
        self.words.get(index).filter(|word| word.fold.start <= folded_byte).map(|_| index)
    }

    /// The bytes of the original text that the words in `range` cover.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() { 0..0 } else { self.words[range.start].bytes.start..self.words[range.end - 1].bytes.end }
    }

    /// The words of the sentence around the word at `index`.
    #[must_use]
    pub fn sentence(&self, index: usize) -> Range<usize> {
        let start = (0..=index).rev().find(|&i| self.words[i].gap == Gap::Hard).unwrap_or(0);
        let end = (index + 1..self.words.len()).find(|&i| self.words[i].gap == Gap::Hard);
        start..end.unwrap_or(self.words.len())
    }

    fn push(&mut self, word: &str, at: usize, kind: WordKind, gap: Gap, after_question: bool) {
        let start = self.folded.len();
        let (possessive, disguised) = match kind {
            WordKind::Link => {
                self.folded.push_str("http");
                (false, false)
            }
            _ => fold_into(word, &mut self.folded),
        };
        if self.folded.len() == start {
            return;
        }
        let mut letters = word.chars().filter(|c| c.is_alphabetic()).peekable();
        let upper = letters.peek().is_some() && letters.all(char::is_uppercase);
        let bytes = at..at + word.len();
        let fold = start..self.folded.len();
        self.words.push(Word { bytes, fold, kind, gap, after_question, possessive, upper, disguised });
        self.folded.push(' ');
    }
}

/// One word or phrase folded the way texts are, its words joined by single blanks.
#[must_use]
pub fn fold(text: &str) -> String {
    Reading::of(text).folded.trim().to_owned()
}

fn clipped(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn gap_of(c: char, here: &str) -> Gap {
    match c {
        '.' if here[1..].starts_with(|n: char| n.is_alphanumeric()) => Gap::Soft,
        '.' | '!' | '?' | ';' | '\n' | '…' | '。' | '！' | '？' => Gap::Hard,
        c if c.is_whitespace() || is_invisible(c) => Gap::Blank,
        _ => Gap::Soft,
    }
}

/// The word that starts at this byte, if one does: its kind and its length in bytes.
fn word_at(text: &str, at: usize) -> Option<(WordKind, usize)> {
    let here = &text[at..];
    let c = here.chars().next()?;
    let after_letter = text[..at].ends_with(|c: char| c.is_alphanumeric());
    match c {
        '@' if !after_letter => {
            tail(here, |c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@')).map(|len| (WordKind::Handle, len))
        }
        '#' if !after_letter => tail(here, |c| c.is_alphanumeric() || c == '_').map(|len| (WordKind::Hashtag, len)),
        'h' | 'H' | 'w' | 'W' if !after_letter && is_link(here) => {
            Some((WordKind::Link, here.find(char::is_whitespace).unwrap_or(here.len())))
        }
        c if is_word_char(c) => Some((WordKind::Plain, plain_len(here))),
        c if is_pictograph(c) => Some((WordKind::Emoji, c.len_utf8())),
        _ => None,
    }
}

/// The length of a handle or hashtag: its sign, then what `may_stand` in it; a trailing dot or dash is punctuation.
fn tail(here: &str, may_stand: impl Fn(char) -> bool) -> Option<usize> {
    let end = here[1..].find(|c| !may_stand(c)).map_or(here.len(), |i| i + 1);
    let len = here[..end].trim_end_matches(['.', '-', '@']).len();
    (len > 1).then_some(len)
}

fn is_link(here: &str) -> bool {
    let starts = |prefix: &str| here.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    starts("http://") || starts("https://") || starts("www.")
}

fn plain_len(here: &str) -> usize {
    let mut chars = here.char_indices().peekable();
    let mut end = 0;
    while let Some((i, c)) = chars.next() {
        let next_is_letter = || chars.clone().find(|&(_, c)| !is_invisible(c)).is_some_and(|(_, c)| is_word_char(c));
        if is_word_char(c) || (end > 0 && (is_invisible(c) || is_apostrophe(c)) && next_is_letter()) {
            end = i + c.len_utf8();
        } else {
            break;
        }
    }
    end
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '£' | '$' | '€')
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '＇')
}

/// Zero-width characters, soft hyphens, direction controls and variation selectors.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

const fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// What one character does to the words around it; for filters that must not miss what a [`Reading`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharKind {
    /// It stands in words.
    Word,
    /// It is a word by itself.
    Pictograph,
    /// An accent or other mark on the character before it.
    Mark,
    /// It joins the letters around it and is left out.
    Apostrophe,
    /// It joins the letters around it and nobody sees it.
    Invisible,
    /// It stands between words.
    Gap,
}

impl CharKind {
    /// The kind of a character.
    #[must_use]
    pub fn of(c: char) -> Self {
        match c {
            // A letter to Unicode, and left out like the other apostrophes.
            'ʼ' => Self::Mark,
            c if is_apostrophe(c) => Self::Apostrophe,
            c if is_invisible(c) => Self::Invisible,
            c if is_combining_mark(c) => Self::Mark,
            c if is_word_char(c) => Self::Word,
            c if is_pictograph(c) => Self::Pictograph,
            _ => Self::Gap,
        }
    }
}

/// What a character becomes in a folded word, by itself (`latin`: in a word with Latin letters).
pub fn folded_char(c: char, latin: bool) -> impl Iterator<Item = char> {
    std::iter::once(c)
        .nfkd()
        .filter(|&c| !is_apostrophe(c) && !is_combining_mark(c) && !is_invisible(c))
        .flat_map(move |c| if latin { look_alike(c) } else { c }.to_lowercase())
}

/// Appends the folded word; tells whether it ended in `'s` and whether it was disguised.
fn fold_into(word: &str, out: &mut String) -> (bool, bool) {
    let start = out.len();
    let possessive = word
        .char_indices()
        .rev()
        .nth(1)
        .is_some_and(|(i, c)| is_apostrophe(c) && word[i + c.len_utf8()..].eq_ignore_ascii_case("s"));
    if word.is_ascii() {
        out.extend(word.chars().filter(|c| !is_apostrophe(*c)).map(|c| c.to_ascii_lowercase()));
        squeeze(out, start);
        return (possessive, false);
    }
    let latin = word.chars().any(|c| c.is_ascii_alphabetic());
    let mut disguised = false;
    for c in word.nfkd() {
        if is_apostrophe(c) || is_combining_mark(c) {
            continue;
        }
        if is_invisible(c) {
            disguised |= c != '\u{FE0F}' && c != '\u{200D}';
            continue;
        }
        let plain = if latin { look_alike(c) } else { c };
        disguised |= plain != c;
        out.extend(plain.to_lowercase());
    }
    squeeze(out, start);
    (possessive, disguised)
}

/// Cyrillic and Greek letters that pass for Latin ones (after Unicode TR 39's confusables, the common part).
const fn look_alike(c: char) -> char {
    match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'Β' => 'b',
        'с' | 'С' => 'c',
        'е' | 'Е' | 'Ε' => 'e',
        'Н' | 'Η' => 'h',
        'і' | 'І' | 'Ι' | 'ι' => 'i',
        'К' | 'Κ' | 'к' | 'κ' => 'k',
        'М' | 'Μ' => 'm',
        'Ν' => 'n',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'Ρ' | 'ρ' => 'p',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'Τ' => 't',
        'у' | 'У' | 'υ' => 'y',
        'ν' => 'v',
        'х' | 'Х' | 'Χ' | 'χ' => 'x',
        other => other,
    }
}

/// Undoes stretched letters from `start` on: three or more of a letter count as one, but `e` and `o`
/// inside a word as two ("goood", "neeed"). Digits stay: 5000 is not 50.
fn squeeze(out: &mut String, start: usize) {
    if !has_run_of_three(&out[start..]) {
        return;
    }
    let word: Vec<char> = out[start..].chars().collect();
    out.truncate(start);
    let mut i = 0;
    while i < word.len() {
        let run = word[i..].iter().take_while(|&&c| c == word[i]).count();
        let keep = match word[i] {
            c if run < 3 || !c.is_alphabetic() => run,
            'e' | 'o' if i > 0 && i + run < word.len() => 2,
            _ => 1,
        };
        out.extend(std::iter::repeat_n(word[i], keep));
        i += run;
    }
}

fn has_run_of_three(word: &str) -> bool {
    word.as_bytes().windows(3).any(|w| w[0] == w[1] && w[1] == w[2])
}

/// Foreign text made safe to show on one line: control and direction characters become visible marks.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Cow::Borrowed(text);
    }
    let visible = text.chars().map(|c| {
        if c.is_control() {
            ' '
        } else if is_invisible(c) && c != '\u{FE0F}' && c != '\u{200D}' {
            '·'
        } else {
            c
        }
    });
    Cow::Owned(visible.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, folded: &str) {
        assert_eq!(fold(text), folded, "{text:?}");
    }

    #[test]
    fn words_fold_to_how_people_mean_them() {
        for (text, folded) in [
            ("EE signal", "ee signal"),
            ("CAN’T can't cant", "cant cant cant"),
            ("soooo goood", "so good"),
            ("£10 or 5000?", "£10 or 5000"),
            ("@ThreeUK. #EEfail!", "@threeuk #eefail"),
            ("V\u{200B}oda\u{430}fone", "vodaafone"),
            ("see https://a.example/b?c ok", "see http ok"),
            ("für Café", "fur cafe"),
            ("ＦＵＬＬ", "full"),
            ("a@b.example", "a b example"),
            ("love 😀it", "love 😀 it"),
            ("", ""),
        ] {
            check(text, folded);
        }
    }

    #[test]
    fn words_know_their_bytes_and_gaps() {
        let text = "Vodafone’s gone. Bye, then";
        let reading = Reading::of(text);
        let words: Vec<_> = reading.words().iter().map(|w| (&text[w.bytes.clone()], w.gap, w.possessive)).collect();
        assert_eq!(
            words,
            [
                ("Vodafone’s", Gap::Hard, true),
                ("gone", Gap::Blank, false),
                ("Bye", Gap::Hard, false),
                ("then", Gap::Soft, false)
            ]
        );
        assert_eq!(reading.sentence(0), 0..2);
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_with_spans_on_character_boundaries(text in "\\PC{0,80}") {
            let reading = Reading::of(&text);
            for (i, word) in reading.words().iter().enumerate() {
                proptest::prop_assert!(text.get(word.bytes.clone()).is_some());
                proptest::prop_assert!(!reading.fold(i).is_empty());
            }
        }
    }
}
