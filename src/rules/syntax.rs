//! Says why a file is not TOML at all, in words for a person who does not program, one mistake at a time.

use std::ops::Range;

use toml::de::DeTable;

/// The most mistakes named in one file.
const MISTAKES_MAX: usize = 20;
/// How everything is written, when nothing better can be said.
const SHAPE: &str = "A setting is written key = \"value\", a list key = ''' with one phrase a line and ''' to end it.";

/// One reason why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes it is about.
    pub bytes: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Mistake {
    fn new(bytes: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { bytes, message: message.into(), help: help.into() }
    }
}

/// The mistakes of a file that a parser refused at `bytes`. Looks at each line by itself, so that one
/// mistake does not hide the next; only if no line is wrong by itself the parser's own words are used.
pub fn mistakes(text: &str, bytes: &Range<usize>, parser_says: &str) -> Vec<Mistake> {
    if text.trim_start().starts_with('{') {
        let message = "this looks like JSON, not like a rules file.";
        return vec![Mistake::new(0..1, message, "Write one setting a line: key = \"value\".")];
    }
    if text.contains('\r') && !text.contains('\n') {
        let help = "Save it again with the line endings LF (Unix) or CRLF (Windows).";
        return vec![Mistake::new(0..0, "the line ends of this file are those of very old Macs.", help)];
    }
    let mut walk = Walk { text, found: Vec::new(), open: None, array: None };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        walk.line(start, line.trim_end_matches(['\n', '\r']));
        start += line.len();
    }
    if let Some(open) = walk.open.take() {
        walk.unclosed(&open, None);
    }
    walk.found.truncate(MISTAKES_MAX);
    if walk.found.is_empty() { vec![from_parser(text, bytes, parser_says)] } else { walk.found }
}

/// Goes through a file line by line and knows whether it is inside a `'''` block or a list.
struct Walk<'t> {
    text: &'t str,
    found: Vec<Mistake>,
    /// The bytes of the line that opened the block we are in.
    open: Option<Range<usize>>,
    /// Where the list over several lines started that we are in.
    array: Option<usize>,
}

impl Walk<'_> {
    fn line(&mut self, start: usize, line: &str) {
        if let Some(open) = self.open.clone() {
            if is_setting(line) {
                self.unclosed(&open, Some(start));
                self.open = None;
            } else {
                if quotes_in(line) % 2 == 1 || is_curly(line.trim()) {
                    self.open = None;
                }
                return;
            }
        }
        if let Some(array) = self.array {
            if line.trim_end().ends_with(']') {
                self.array = None;
                self.judge(array, &self.text[array..start + line.len()]);
            }
            return;
        }
        let trimmed = line.trim();
        if line.split_once('=').is_some_and(|(_, value)| is_curly(value.trim())) {
            self.judge(start, line);
            self.open = Some(start..start + line.len());
        } else if quotes_in(line) % 2 == 1 {
            if trimmed == "'''" || trimmed == "\"\"\"" {
                let help = "Take this line away, or write says = ''' where the block should begin.";
                self.add(start, line, "this ''' ends a block that was never opened.", help);
            } else {
                self.open = Some(start..start + line.len());
            }
        } else if trimmed.ends_with('[') && trimmed.contains('=') {
            self.array = Some(start);
        } else {
            self.judge(start, line);
        }
    }

    /// Notes a mistake when these words are not TOML by themselves.
    fn judge(&mut self, start: usize, line: &str) {
        if let Err(error) = DeTable::parse(line) {
            let (message, help) = advice(line.trim(), error.message());
            let mark = error.span().filter(|s| s.end > s.start && s.end <= line.len());
            match mark {
                Some(mark) => {
                    self.found.push(Mistake::new(start + mark.start..start + mark.end, message, help));
                }
                None => self.add(start, line, message, help),
            }
        }
    }

    fn unclosed(&mut self, open: &Range<usize>, at: Option<usize>) {
        let before = at.map_or_else(
            || "at the end of the file".to_owned(),
            |at| format!("above line {}", 1 + self.text[..at].matches('\n').count()),
        );
        let help = format!("Put ''' on a line of its own after the last phrase, {before}.");
        self.found.push(Mistake::new(open.clone(), "a ''' block is opened here and never closed.", help));
    }

    fn add(&mut self, start: usize, line: &str, message: impl Into<String>, help: impl Into<String>) {
        let blank = line.len() - line.trim_start().len();
        self.found.push(Mistake::new(start + blank..start + line.trim_end().len(), message, help));
    }
}

/// Whether all of it is quotes that an editor has curled.
fn is_curly(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| matches!(c, '‘' | '’' | '“' | '”' | '\''))
        && text.chars().any(|c| c != '\'')
}

fn quotes_in(line: &str) -> usize {
    line.matches("'''").count() + line.matches("\"\"\"").count()
}

/// Whether a line inside a block can only be the next setting, so that the block was meant to end above.
fn is_setting(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with("[[") && line.ends_with("]]") && !line.contains(' ') {
        return true;
    }
    let Some((key, value)) = line.split_once('=') else { return false };
    let value = value.trim_start();
    let plain_key = !key.trim().is_empty() && key.trim().chars().all(|c| c.is_ascii_lowercase() || c == '_');
    plain_key && (value.starts_with(['"', '\'', '[']) || value.starts_with(|c: char| c.is_ascii_digit()))
}

/// Message and advice for one line that is not TOML.
fn advice(line: &str, parser_says: &str) -> (String, String) {
    let key = line.split(['=', ':', ' ', '\t']).next().unwrap_or("");
    let value = line.split_once('=').map_or("", |(_, v)| v.trim());
    let told = |message: &str, help: String| (message.to_owned(), help);
    match () {
        () if line.contains(['“', '”', '„']) => {
            told("there are curly quotes where plain ones belong.", "Write \" instead.".to_owned())
        }
        () if value.starts_with(['‘', '’']) => {
            told("there are curly quotes where plain ones belong.", "Write \" or ''' instead.".to_owned())
        }
        () if line.contains(['\u{A0}', '\u{200B}', '\u{FEFF}']) => {
            told("there is an invisible character in this line.", "Type the line again by hand.".to_owned())
        }
        () if line.starts_with("//") => {
            told("outside ''' blocks a note starts with #.", "Write # instead of //.".to_owned())
        }
        () if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|m| line.starts_with(m)) => {
            told("this is left over from a merge.", "Keep one of the two versions and delete the marks.".to_owned())
        }
        () if line.starts_with("- ") => told(
            "a list is not written with dashes here.",
            "Write says = ''' and then one phrase a line, and ''' to end it.".to_owned(),
        ),
        () if line.starts_with('[') => told(
            "the brackets of this heading do not close.",
            format!("Write [[{0}]] or [{0}].", line.trim_matches(['[', ']', ' '])),
        ),
        () if !line.contains('=') && line.contains(':') => told(
            "a setting is written with =, not with a colon.",
            format!("Write {key} = {}.", quoted(line.split_once(':').map_or("", |(_, v)| v.trim()))),
        ),
        () if !line.contains('=') && is_setting_name(key) && line.contains(' ') => told(
            "there is no = in this setting.",
            format!("Write {key} = {}.", quoted(line.split_once(' ').map_or("", |(_, v)| v.trim()))),
        ),
        () if !line.contains('=') => told(
            "this line stands outside of any ''' block.",
            "Move it into the block above, before the closing '''.".to_owned(),
        ),
        () if !is_key(line.split('=').next().unwrap_or("").trim()) => told(
            "this is not how a setting is named.",
            "A setting is one word with _ between its parts, such as should_match.".to_owned(),
        ),
        () if value.is_empty() => {
            told("there is nothing after the =.", format!("Write {key} = \"...\", or take the line away."))
        }
        () if ["true", "false"].contains(&value.to_lowercase().as_str()) => {
            told("true and false are written small.", format!("Write {key} = {}.", value.to_lowercase()))
        }
        () if parser_says.starts_with("invalid date") => {
            told("this is not a day that exists.", "Write year-month-day, such as 2026-05-31.".to_owned())
        }
        () if is_decimal_comma(value) => {
            told("a number is written with a point.", format!("Write {key} = {}.", value.replace(',', ".")))
        }
        () if parser_says.contains("leading zero") => {
            told("a number cannot start with 0.", format!("Write {key} = {}.", value.trim_start_matches('0')))
        }
        () if parser_says.contains("escaped") => told(
            "a \\ has a meaning of its own between \" quotes.",
            format!("Write {key} = ''' on one line, the text below it, and ''' to end it."),
        ),
        () if value.starts_with('"') || value.starts_with('\'') => {
            told("the quotes of this text do not match.", format!("Write {key} = \"...\" on one line."))
        }
        () if value.starts_with('[') => told("this list cannot be read.", format!("Write {key} = [\"one\", \"two\"].")),
        () if parser_says.contains("must be quoted") => {
            told("a text stands in quotes.", format!("Write {key} = {}.", quoted(value)))
        }
        () => (format!("this cannot be read: {parser_says}."), SHAPE.to_owned()),
    }
}

fn is_setting_name(word: &str) -> bool {
    super::hint::belongs(word).is_some() || ["id", "name", "speaks_for", "evidence"].contains(&word)
}

fn is_key(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn is_decimal_comma(value: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    value.split_once(',').is_some_and(|(whole, rest)| digits(whole) && digits(rest))
}

/// The value as it should stand: numbers bare, texts in quotes.
fn quoted(value: &str) -> String {
    let bare = value.parse::<f64>().is_ok() || matches!(value, "true" | "false");
    if bare || value.starts_with(['"', '\'']) { value.to_owned() } else { format!("\"{value}\"") }
}

/// For files in which every line is right by itself: a setting that stands twice, or the parser's own words.
fn from_parser(text: &str, bytes: &Range<usize>, parser_says: &str) -> Mistake {
    let word = text.get(bytes.clone()).unwrap_or("");
    if parser_says.contains("duplicate key") {
        let message = format!("`{word}` stands twice.");
        let help = if matches!(word, "signal" | "hold" | "offer" | "provider") {
            format!("Write [[{word}]] with two brackets on each side, every time.")
        } else {
            "Keep one of them. If a new entry starts here, its [[...]] line is missing.".to_owned()
        };
        return Mistake::new(bytes.clone(), message, help);
    }
    Mistake::new(bytes.clone(), format!("this cannot be read: {parser_says}."), SHAPE)
}
