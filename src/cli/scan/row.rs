//! One line of output: what one post means with one provider.

use serde::Serialize;

use crate::engine::Finding;
use crate::post::Post;
use crate::score::{Points, Reason, Stance};

/// One line of output.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    post_id: &'a str,
    provider: &'a str,
    stance: Stance,
    stances: [f64; 5],
    intent: f64,
    toward: Option<&'a str>,
    verdict: &'a str,
    hold: Option<&'a str>,
    score: Points,
    reasons: &'a [Reason],
    rules_version: &'a str,
}

impl<'a> Row<'a> {
    /// The row of one finding.
    pub fn new(post: &'a Post, finding: &'a Finding, rules_version: &'a str) -> Self {
        let assessment = &finding.assessment;
        Self {
            post_id: post.id.as_str(),
            provider: &assessment.provider,
            stance: assessment.stance,
            stances: assessment.stances,
            intent: assessment.intent,
            toward: assessment.toward.as_deref(),
            verdict: finding.verdict.as_str(),
            hold: finding.verdict.hold(),
            score: assessment.score,
            reasons: &assessment.reasons,
            rules_version,
        }
    }
}
