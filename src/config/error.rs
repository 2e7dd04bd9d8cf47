//! What is wrong with `jumpship.toml`, in the words of a person: file, line, cause, next step.

use std::fmt;
use std::path::{Path, PathBuf};

/// How alike two keys must be before one is suggested for the other (Jaro-Winkler; below it, guesses mislead).
const ALIKE_MIN: f64 = 0.8;

/// Something wrong with the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    /// Counted from 1; none when the whole file is meant.
    line: Option<usize>,
    cause: String,
    advice: String,
}

impl ConfigError {
    pub(super) fn of_file(file: &Path, cause: &str, advice: &str) -> Self {
        Self { file: file.to_owned(), line: None, cause: cause.to_owned(), advice: advice.to_owned() }
    }

    pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        let (cause, advice) =
            unknown_key(error.message()).unwrap_or_else(|| (sentence(error.message()), String::new()));
        Self { file: file.to_owned(), line, cause, advice }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.line {
            Some(line) => write!(f, " line {line}: {}", self.cause)?,
            None if self.cause.starts_with(':') => write!(f, "{}", self.cause)?,
            None => write!(f, " {}", self.cause)?,
        }
        if self.advice.is_empty() { Ok(()) } else { write!(f, " {}", self.advice) }
    }
}

impl std::error::Error for ConfigError {}

/// The reader's "unknown field" in the words of a person.
fn unknown_key(message: &str) -> Option<(String, String)> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let key = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    let best = known.iter().map(|k| (strsim::jaro_winkler(key, k), k)).max_by(|a, b| a.0.total_cmp(&b.0));
    let advice = match best {
        Some((alike, word)) if alike >= ALIKE_MIN => format!("Did you mean `{word}`?"),
        _ => format!("Known keys: {}.", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")),
    };
    Some((format!("there is no key `{key}`."), advice))
}

fn sentence(message: &str) -> String {
    let first = message.lines().next().unwrap_or("it cannot be read").trim_end_matches('.');
    format!("{first}.")
}
