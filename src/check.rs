//! Tells staff what is wrong with their rules before they go live: examples, contradictions, offers, quiet posts.

mod examples;
mod offers;
mod phrases;
mod quiet;
mod slow;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::rules::{Level, Report, RuleError, Rules, Sources};
use crate::scan::Scanner;

pub use examples::Outcomes;

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checked {
    /// Errors and warnings in order of file and line.
    #[serde(flatten)]
    pub report: Report,
    /// How the examples came out.
    pub examples: Outcomes,
    /// How many quiet posts were judged.
    pub quiet_posts: usize,
    /// The version of the rules, when they could be read.
    pub rules_version: Option<String>,
}

impl Checked {
    /// How many findings of a level there are.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.report.errors.iter().filter(|e| e.level == level).count()
    }
}

/// Checks rules in the order staff need the answers; rules that cannot be read are not looked at further.
#[must_use]
pub fn check(sources: &Sources, now: Timestamp) -> Checked {
    let rules = match sources.compile() {
        Ok(rules) => Arc::new(rules),
        Err(report) => return Checked { report, ..Checked::default() },
    };
    let scanner = Scanner::new(rules.clone());
    let mut found = Vec::new();
    let examples = examples::check(&scanner, &mut found);
    phrases::check(&rules, &mut found);
    offers::check(&rules, now, &mut found);
    let quiet_posts = quiet::check(&rules, sources, now, &mut found);
    slow::check(&rules, &mut found);
    found.retain(|error| error.level == Level::Error || is_theirs(error, sources));
    let rules_version = Some(rules.version().to_owned());
    Checked { report: Report::new(found, &sources.folders), examples, quiet_posts, rules_version }
}

/// Whether somebody who checks a folder of their own can do anything about it: shipped files are not theirs.
fn is_theirs(error: &RuleError, sources: &Sources) -> bool {
    let only_shipped = sources.folders.iter().all(|folder| folder.shipped);
    let mut own = sources.folders.iter().filter(|folder| !folder.shipped);
    only_shipped || own.any(|folder| folder.files.iter().any(|file| file.label == error.file))
}

/// A finding at a place in the rules.
fn at(
    place: &crate::rules::Place,
    code: &'static str,
    message: impl Into<String>,
    help: impl Into<String>,
) -> RuleError {
    RuleError::new(code, &*place.file, message, help).line(place.line as usize)
}

/// Our name, the rivals' names: how `{home}`, `{rival}` and the rest are filled in examples and samples.
struct Cast<'r> {
    home: &'r str,
    rival: &'r str,
    other: &'r str,
}

impl<'r> Cast<'r> {
    fn of(rules: &'r Rules) -> Self {
        let home = rules.home().or(rules.providers().first()).map_or("", |p| p.name.as_str());
        let rivals: Vec<&str> =
            rules.providers().iter().filter(|p| rules.home() != Some(p)).map(|p| p.name.as_str()).collect();
        let rival = rivals.first().copied().unwrap_or(home);
        Self { home, rival, other: rivals.get(1).copied().unwrap_or(home) }
    }

    /// The example with names in the place of `{provider}`, `{rival}`, `{home}` and `{other}`.
    fn fill(&self, example: &str) -> String {
        example
            .replace("{rival}", self.rival)
            .replace("{provider}", self.rival)
            .replace("{home}", self.home)
            .replace("{other}", self.other)
    }
}
