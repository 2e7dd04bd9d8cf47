//! Turns the matches of one post into one assessment per provider: stance, intent, toward, reasons.

use serde::{Deserialize, Serialize};

mod points;

use crate::post::{Post, Span};
use crate::rules::Rules;
use crate::scan::Scan;
pub use crate::units::{Points, Stance};

/// One thing that moved the score: what it was, where in the text, and by how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The staff signal's id, or `model.*` for something the model learned, or `base` for where every score starts.
    pub signal: String,
    /// The words it names; empty for `base`.
    #[serde(flatten)]
    pub span: Span,
    /// The words themselves, copied from the post.
    pub text: String,
    /// What it adds or takes.
    pub points: Points,
    /// Rule file and line for a staff signal, such as `signals/leaving.toml:14`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// What one post says about one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The provider's id in the rules.
    pub provider: String,
    /// The likeliest stance.
    pub stance: Stance,
    /// Probability of each stance, in the order of [`Stance::ALL`]; they sum to one and the first is `intent`.
    pub stances: [f64; 5],
    /// Calibrated probability that the author is about to leave the provider, 0 to 1.
    pub intent: f64,
    /// The provider they are going to, when they say so; `None` is open.
    pub toward: Option<String>,
    /// The sum of all reasons; `intent` is its probability.
    pub score: Points,
    /// Everything that moved the score, in order of their place in the text, `base` first.
    pub reasons: Vec<Reason>,
}

/// One assessment per provider named in the post, in order of first mention.
#[must_use]
pub fn assess(post: &Post, scan: &Scan, rules: &Rules) -> Vec<Assessment> {
    let mut providers: Vec<usize> = scan.mentions.iter().map(|m| m.provider).collect();
    let mut seen = Vec::new();
    providers.retain(|p| {
        !seen.contains(p) && {
            seen.push(*p);
            true
        }
    });
    providers.iter().map(|&provider| points::assess(post, scan, rules, provider)).collect()
}
