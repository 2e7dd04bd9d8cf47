//! What can be wrong with staff rules, said with a place, a cause and a next step.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// One thing wrong in one rules file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleError {
    /// A stable code such as `R004`, explained by `jumpship check --explain R004`.
    pub code: &'static str,
    /// The file, as the user named its folder.
    pub file: String,
    /// Line, counted from 1; 0 when the whole file or folder is meant.
    pub line: usize,
    /// The bytes of the file it is about.
    #[serde(skip)]
    pub bytes: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            writeln!(f, "error[{}]: {error}", error.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
