//! Walks one TOML file, takes typed values out by key, and collects every error with its place.

use std::cell::RefCell;
use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::RuleError;
use super::folder::SourceFile;

/// One entry of a list, with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The words, trimmed, without the `//` note.
    pub text: String,
    /// The line in the file, counted from 1.
    pub number: usize,
}

/// A TOML file being read: remembers what was wrong.
pub struct Reader<'a> {
    file: &'a SourceFile,
    errors: RefCell<Vec<RuleError>>,
    line_starts: Vec<usize>,
}

impl<'a> Reader<'a> {
    /// A reader for one file.
    pub fn new(file: &'a SourceFile) -> Self {
        let line_starts = std::iter::once(0).chain(file.text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { file, errors: RefCell::new(Vec::new()), line_starts }
    }

    /// Parses the file; one that is not TOML gives its mistakes line by line, and nothing else.
    pub fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let text = &self.file.text;
        match DeTable::parse(text) {
            Ok(table) => Some(table),
            Err(error) => {
                let bytes = error.span().unwrap_or(0..0);
                for mistake in super::syntax::mistakes(text, &bytes, error.message()) {
                    self.error("R010", mistake.bytes, mistake.message, mistake.help);
                }
                None
            }
        }
    }

    /// Notes an error about these bytes.
    pub fn error(&self, code: &'static str, bytes: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.error_with_fix(code, bytes, message, help, None);
    }

    /// Notes an error about these bytes, and what could stand there instead.
    pub fn error_with_fix(
        &self,
        code: &'static str,
        bytes: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
        fix: Option<String>,
    ) {
        let line = self.line_of(bytes.start);
        let error = RuleError::new(code, self.label(), message, help).line(line).bytes(bytes).fix(fix);
        self.errors.borrow_mut().push(error);
    }

    /// Notes an error about a whole line.
    pub fn error_on_line(&self, code: &'static str, line: usize, message: impl Into<String>, help: impl Into<String>) {
        let error = RuleError::new(code, self.label(), message, help).line(line);
        self.errors.borrow_mut().push(error);
    }

    /// Notes an error about the file as a whole.
    pub fn error_in_file(&self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.errors.borrow_mut().push(RuleError::new(code, self.label(), message, help));
    }

    /// The line a byte stands on, counted from 1.
    pub fn line_of(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= byte)
    }

    /// The file's own words in these bytes.
    pub fn raw(&self, bytes: Range<usize>) -> &str {
        self.file.text.get(bytes).unwrap_or("")
    }

    /// The file's name in messages.
    pub fn label(&self) -> &str {
        &self.file.label
    }

    /// Everything that was wrong.
    pub fn into_errors(self) -> Vec<RuleError> {
        self.errors.into_inner()
    }

    /// A table inside the file, to take values from.
    pub fn fields<'t>(&'t self, table: &'t DeTable<'a>, bytes: Range<usize>, what: &'static str) -> Fields<'t, 'a> {
        Fields { reader: self, table, bytes, what, known: RefCell::new(Vec::new()) }
    }
}

/// One table: each key is taken once, and what is never asked for is an unknown key.
pub struct Fields<'t, 'a> {
    reader: &'t Reader<'a>,
    table: &'t DeTable<'a>,
    bytes: Range<usize>,
    what: &'static str,
    known: RefCell<Vec<&'static str>>,
}

impl<'t, 'a> Fields<'t, 'a> {
    /// The line the table starts on.
    pub fn line(&self) -> usize {
        self.reader.line_of(self.bytes.start)
    }

    /// The bytes of the value of a key, else of the table.
    pub fn span(&self, key: &str) -> Range<usize> {
        let value = self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v.span());
        value.unwrap_or_else(|| self.bytes.clone())
    }

    /// The reader it belongs to.
    pub fn reader(&self) -> &'t Reader<'a> {
        self.reader
    }

    fn get(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'a>>> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, example: &str) {
        self.reader.error(
            "R012",
            value.span(),
            format!("`{key}` must be {wanted}, but this is {}.", kind(value.get_ref())),
            format!("Write {key} = {example}."),
        );
    }

    /// A text in quotes.
    pub fn text(&self, key: &'static str) -> Option<String> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.trim().to_owned()),
            _ => {
                self.wrong_type(key, value, "a text in quotes", "\"...\"");
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub fn required(&self, key: &'static str) -> String {
        let had_key = self.table.iter().any(|(k, _)| k.get_ref() == key);
        match self.text(key) {
            Some(text) if !text.is_empty() => text,
            _ => {
                if !had_key || self.get(key).is_some_and(|v| v.get_ref().is_str()) {
                    self.reader.error(
                        "R013",
                        self.bytes.clone(),
                        format!("this {} has no `{key}`.", self.what),
                        format!("Add a line {key} = \"...\"."),
                    );
                }
                String::new()
            }
        }
    }

    /// One of a few words.
    pub fn choice(&self, key: &'static str, allowed: &[&str]) -> Option<String> {
        let value = self.get(key)?;
        let text = self.text(key)?;
        if allowed.contains(&text.as_str()) {
            return Some(text);
        }
        let best = super::hint::closest(&text, allowed);
        self.reader.error_with_fix(
            "R014",
            value.span(),
            format!("`{key}` cannot be \"{text}\"."),
            best.map_or_else(|| format!("Use one of: {}.", allowed.join(", ")), |b| format!("Did you mean \"{b}\"?")),
            best.map(|b| format!("\"{b}\"")),
        );
        None
    }

    /// A number, whole or with a point.
    pub fn number(&self, key: &'static str) -> Option<f64> {
        let value = self.get(key)?;
        let parsed = match value.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok().map(|i| i as f64),
            DeValue::Float(f) => f.as_str().replace('_', "").parse().ok().filter(|f: &f64| f.is_finite()),
            _ => None,
        };
        if parsed.is_none() {
            self.wrong_type(key, value, "a number", "3");
        }
        parsed
    }

    /// A whole number from `min` to `max`.
    pub fn whole(&self, key: &'static str, min: u32, max: u32) -> Option<u32> {
        let value = self.get(key)?;
        let number = self.number(key)?;
        if number.fract() == 0.0 && number >= f64::from(min) && number <= f64::from(max) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
            return Some(number as u32);
        }
        self.reader.error(
            "R015",
            value.span(),
            format!("`{key}` is {number}."),
            format!("Use a whole number from {min} to {max}."),
        );
        None
    }

    /// true or false.
    pub fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.get(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, "true or false", "true");
            false
        })
    }

    /// A day, written 2026-05-31 with or without quotes.
    pub fn date(&self, key: &'static str) -> Option<Date> {
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::Datetime(at) => at.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => {
                self.wrong_type(key, value, "a day", "2026-05-31");
                return None;
            }
        };
        match text.parse::<Date>() {
            Ok(date) => Some(date),
            Err(_) => {
                self.reader.error(
                    "R016",
                    value.span(),
                    format!("`{key}` is not a day that exists: {text}."),
                    "Write year-month-day, such as 2026-05-31.",
                );
                None
            }
        }
    }

    /// A list: a `'''` block with one entry a line, or texts in square brackets.
    pub fn list(&self, key: &'static str) -> Vec<Line> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::String(block) => self.block(block, value.span()),
            DeValue::Array(items) => items.iter().filter_map(|item| self.item(key, item)).collect(),
            _ => {
                self.wrong_type(
                    key,
                    value,
                    "a ''' block with one entry a line",
                    "''', one entry a line below it, and ''' to end it",
                );
                Vec::new()
            }
        }
    }

    fn block(&self, block: &str, span: Range<usize>) -> Vec<Line> {
        let raw = &self.reader.file.text[span.clone()];
        let quotes = raw.chars().take_while(|c| matches!(c, '\'' | '"')).count();
        let newline_first = raw[quotes.min(raw.len())..].starts_with(['\n', '\r']);
        let first = self.reader.line_of(span.start) + usize::from(newline_first);
        for (i, line) in block.lines().enumerate().filter(|(_, line)| is_hash_note(line.trim())) {
            let message = format!("\"{}\" would be looked for, # starts no note here.", line.trim());
            self.reader.error_on_line("R043", first + i, message, "Inside a ''' block a note starts with //.");
        }
        block
            .lines()
            .enumerate()
            .filter_map(|(i, line)| {
                let text = without_note(line).trim();
                (!text.is_empty()).then(|| Line { text: text.to_owned(), number: first + i })
            })
            .collect()
    }

    fn item(&self, key: &str, item: &Spanned<DeValue<'_>>) -> Option<Line> {
        let Some(text) = item.get_ref().as_str() else {
            self.wrong_type(key, item, "a list of texts in quotes", "[\"one\", \"two\"]");
            return None;
        };
        let text = text.trim();
        (!text.is_empty()).then(|| Line { text: text.to_owned(), number: self.reader.line_of(item.span().start) })
    }

    /// The tables of `[[key]]`.
    pub fn tables(&self, key: &'static str, what: &'static str) -> Vec<Fields<'t, 'a>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.single_brackets(key, value);
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| match item.get_ref() {
                DeValue::Table(table) => Some(self.reader.fields(table, item.span(), what)),
                _ => {
                    self.single_brackets(key, item);
                    None
                }
            })
            .collect()
    }

    fn single_brackets(&self, key: &str, value: &Spanned<DeValue<'_>>) {
        let message = if value.get_ref().is_table() {
            format!("[{key}] stands for a single table, but there can be several of it.")
        } else {
            format!("`{key}` must be a list of tables.")
        };
        let help = format!("Write [[{key}]] with two brackets on each side.");
        self.reader.error("R017", value.span(), message, help);
    }

    /// The table of `[key]`.
    pub fn table(&self, key: &'static str, what: &'static str) -> Option<Fields<'t, 'a>> {
        let value = self.get(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(self.reader.fields(table, value.span(), what));
        }
        self.reader.error(
            "R017",
            value.span(),
            format!("`{key}` is a heading of its own."),
            format!("Write [{key}] on a line of its own, with one bracket on each side."),
        );
        None
    }

    /// Call when all keys were asked for: what is left is unknown.
    pub fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            self.unknown(key, &known);
        }
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&'static str]) {
        let name = key.get_ref().as_ref();
        let (message, help, fix) = match (super::hint::belongs(name), super::hint::closest(name, known)) {
            (Some(place), _) => (
                format!("`{name}` does not belong into this {}.", self.what),
                format!("It stands {place}. Move this line there."),
                None,
            ),
            (None, Some(best)) => (
                format!("`{name}` is not a setting of a {}.", self.what),
                format!("Did you mean `{best}`?"),
                Some(best.to_owned()),
            ),
            (None, None) => (
                format!("`{name}` is not a setting of a {}.", self.what),
                format!("A {} can have: {}.", self.what, known.join(", ")),
                None,
            ),
        };
        self.reader.error_with_fix("R011", key.span(), message, help, fix);
    }
}

/// A line such as `# note`: no hashtag, since a blank follows the sign.
fn is_hash_note(line: &str) -> bool {
    line == "#" || line.starts_with("# ") || line.starts_with("##")
}

/// The line up to a `//` at its start or after a blank; an address such as `https://` is no note.
fn without_note(line: &str) -> &str {
    let note = line.match_indices("//").find(|&(i, _)| i == 0 || line[..i].ends_with([' ', '\t']));
    note.map_or(line, |(i, _)| &line[..i])
}

/// What a value is, in the words of the manual.
const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text in quotes",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a day",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a heading",
    }
}
