//! What can be wrong with staff rules, said with a place, a cause and a next step.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::folder::Folder;

/// The most bytes of a line that a message quotes.
const EXCERPT_BYTES_MAX: usize = 160;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rules must not be used like this.
    Error,
    /// The rules can be used; somebody should look.
    Warning,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Error { "error" } else { "warning" })
    }
}

/// One thing wrong in one rules file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleError {
    /// A stable code such as `R012`, explained by `jumpship check --explain R012`.
    pub code: &'static str,
    /// Whether the rules can be used all the same.
    pub level: Level,
    /// The file, as the user named its folder.
    pub file: String,
    /// Line, counted from 1; 0 when the whole file or folder is meant.
    pub line: usize,
    /// The character in the line, counted from 1; 0 when the whole file or folder is meant.
    pub column: usize,
    /// One past the last character in the line.
    pub column_end: usize,
    /// The line itself, cut when it is very long.
    pub excerpt: String,
    /// The bytes of the excerpt it is about.
    #[serde(skip)]
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// What could stand there instead, word for word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The bytes of the file, until the excerpt is taken.
    #[serde(skip)]
    bytes: Range<usize>,
}

impl RuleError {
    /// An error about a whole file; narrow it with [`Self::line`] and [`Self::bytes`].
    #[must_use]
    pub fn new(
        code: &'static str,
        file: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            level: Level::Error,
            file: file.into(),
            line: 0,
            column: 0,
            column_end: 0,
            excerpt: String::new(),
            span: 0..0,
            message: message.into(),
            help: help.into(),
            fix: None,
            bytes: 0..0,
        }
    }

    /// A warning instead of an error.
    #[must_use]
    pub const fn warning(mut self) -> Self {
        self.level = Level::Warning;
        self
    }

    /// About this line.
    #[must_use]
    pub const fn line(mut self, line: usize) -> Self {
        self.line = line;
        self
    }

    /// About these bytes of the file.
    #[must_use]
    pub const fn bytes(mut self, bytes: Range<usize>) -> Self {
        self.bytes = bytes;
        self
    }

    /// With words that would be right in that place.
    #[must_use]
    pub fn fix(mut self, fix: Option<String>) -> Self {
        self.fix = fix;
        self
    }

    /// With the line itself, for files whose text cannot be kept.
    #[must_use]
    pub fn quoting(mut self, line: &str) -> Self {
        let text = format!("{}{line}", "\n".repeat(self.line.saturating_sub(1)));
        self.take_excerpt(&text);
        self
    }

    /// Takes the line itself out of the file's text, and works out the column.
    fn take_excerpt(&mut self, text: &str) {
        let Some((start, line)) = line_of(text, self.line) else { return };
        let blank = line.len() - line.trim_start().len();
        let whole = blank..line.trim_end().len().max(blank);
        let from = self.bytes.start.saturating_sub(start);
        let in_line = self.bytes.start >= start && from <= line.len() && !self.bytes.is_empty();
        let span = if in_line { from..(self.bytes.end - start).min(line.len()).max(from) } else { whole };
        let span = floor(line, span.start)..floor(line, span.end);
        self.column = 1 + line[..span.start].chars().count();
        self.column_end = self.column + line[span.clone()].chars().count().max(1);
        (self.excerpt, self.span) = clip(line, span);
    }
}

/// Gives every error the line it is about, from the files that were read.
pub fn take_excerpts(errors: &mut [RuleError], folders: &[Folder]) {
    let texts: HashMap<&str, &str> =
        folders.iter().flat_map(|f| &f.files).map(|file| (file.label.as_str(), file.text.as_str())).collect();
    for error in errors.iter_mut().filter(|e| e.line > 0 && e.excerpt.is_empty()) {
        if let Some(text) = texts.get(error.file.as_str()) {
            error.take_excerpt(text);
        }
    }
}

/// Where the line starts, and the line without its end.
fn line_of(text: &str, number: usize) -> Option<(usize, &str)> {
    let mut start = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if i + 1 == number {
            return Some((start, line.trim_end_matches(['\n', '\r'])));
        }
        start += line.len();
    }
    None
}

/// A line of at most [`EXCERPT_BYTES_MAX`] bytes with the span in it.
fn clip(line: &str, span: Range<usize>) -> (String, Range<usize>) {
    if line.len() <= EXCERPT_BYTES_MAX {
        return (line.to_owned(), span);
    }
    let from = floor(line, span.start.saturating_sub(EXCERPT_BYTES_MAX / 4));
    let to = floor(line, from + EXCERPT_BYTES_MAX);
    (line[from..to].to_owned(), span.start - from..span.end.min(to) - from)
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, " line {}", self.line)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.help.is_empty() {
            write!(f, " {}", self.help)?;
        }
        Ok(())
    }
}

/// Everything found wrong in one load, in order of file and line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The errors; never empty when a load fails.
    pub errors: Vec<RuleError>,
}

impl Report {
    /// The errors in order of file and place, each once, with the lines they are about.
    #[must_use]
    pub fn new(mut errors: Vec<RuleError>, folders: &[Folder]) -> Self {
        take_excerpts(&mut errors, folders);
        errors.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        errors.dedup();
        Self { errors }
    }

    /// As a terminal shows it: every error under the line it is about.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        super::render::render(&self.errors, colour)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
