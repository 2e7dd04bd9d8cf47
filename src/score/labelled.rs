//! A labelled row: a post, the provider it is judged for, and what a careful reader said of the two.

use std::sync::Arc;

use serde::Deserialize;

use super::Stance;
use crate::post::Post;
use crate::rules::Rules;
use crate::scan::{MentionKind, Scan, Scanner};

/// One row of a file of labels.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Labelled {
    /// The post's identifier; rows of one post share it.
    pub id: String,
    /// The provider judged, by its id in the rules; `None` is the one spoken to.
    #[serde(default)]
    pub provider: Option<String>,
    /// What was read.
    pub label: Label,
    /// The words.
    pub text: String,
    /// The declared language.
    #[serde(default)]
    pub lang: Option<String>,
    /// Why a rival should stay silent, where that was read too; `?` where readers differ.
    #[serde(default)]
    pub hold: Option<String>,
}

/// What a reader said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A stance.
    Leaving,
    /// A stance.
    Left,
    /// A stance.
    Joining,
    /// A stance; in a file that also says `not_complaint`, only that it is one.
    Complaint,
    /// A stance.
    Other,
    /// Not leaving, whatever else.
    NotLeaving,
    /// Not a complaint, whatever else.
    NotComplaint,
}

impl Label {
    /// The stance, where the label tells it.
    #[must_use]
    pub const fn stance(self) -> Option<Stance> {
        match self {
            Self::Leaving => Some(Stance::Leaving),
            Self::Left => Some(Stance::Left),
            Self::Joining => Some(Stance::Joining),
            Self::Complaint => Some(Stance::Complaint),
            Self::Other => Some(Stance::Other),
            Self::NotLeaving | Self::NotComplaint => None,
        }
    }
}

impl Labelled {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|e| format!("it is not a labelled row ({e})"))
    }

    /// The post, its scan, and the provider judged; `None` for a provider that the scan did not find.
    #[must_use]
    pub fn scan(&self, scanner: &Scanner) -> (Post, Scan, Option<usize>) {
        let mut post = Post::new(self.id.clone(), self.text.clone());
        post.lang.clone_from(&self.lang);
        let scan = scanner.scan(&post);
        let Some(id) = &self.provider else { return spoken_to(post, &scan, scanner) };
        let named = scan.mentions.iter().map(|m| m.provider);
        let found = named.into_iter().find(|&p| scanner.rules().providers()[p].id.eq_ignore_ascii_case(id));
        (post, scan, found)
    }
}

/// Addresses the post to a provider that it does not name: which one makes no difference to the reading.
fn spoken_to(mut post: Post, scan: &Scan, scanner: &Scanner) -> (Post, Scan, Option<usize>) {
    let named = |p: usize| scan.mentions.iter().any(|m| m.provider == p);
    let free = (0..scanner.rules().providers().len()).find(|&p| !named(p));
    post.addressed_to = free.map(|p| scanner.rules().providers()[p].id.clone());
    let scan = scanner.scan(&post);
    let found = scan.mentions.iter().find(|m| m.kind == MentionKind::Addressed).map(|m| m.provider);
    (post, scan, found)
}

/// The rows of a file, and what is wrong with the lines left out.
#[must_use]
pub fn rows(text: &str) -> (Vec<Labelled>, Vec<String>) {
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match Labelled::parse(line) {
            Ok(row) => rows.push(row),
            Err(cause) => wrong.push(format!("line {}: {cause}", at + 1)),
        }
    }
    (rows, wrong)
}

/// A scanner for labelled rows.
#[must_use]
pub fn scanner(rules: &Arc<Rules>) -> Scanner {
    Scanner::new(rules.clone())
}
