//! What a scan counts, and the summary it makes of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::decide::Verdict;
use crate::engine::Finding;

/// The verdicts by name, in the order of the summary.
const VERDICTS: [&str; 5] = ["enter", "watch", "hold", "ignore", "care"];

/// Counts of lines and of what they gave.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Lines of any kind.
    pub lines: u64,
    /// Posts.
    pub posts: u64,
    /// Posts that name a provider.
    pub named: u64,
    /// Assessments.
    pub assessments: u64,
    /// Lines that cannot be read.
    pub skipped: u64,
    verdicts: [u64; VERDICTS.len()],
}

impl Tally {
    /// Counts a line with a post and what was found in it.
    pub fn post(&mut self, findings: &[Finding]) {
        self.lines += 1;
        self.posts += 1;
        self.named += u64::from(!findings.is_empty());
        self.assessments += findings.len() as u64;
        for finding in findings {
            self.verdicts[place(&finding.verdict)] += 1;
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.posts += other.posts;
        self.named += other.named;
        self.assessments += other.assessments;
        self.skipped += other.skipped;
        self.verdicts.iter_mut().zip(other.verdicts).for_each(|(all, here)| *all += here);
    }

    /// The one object that `--count` writes.
    pub fn summary(&self, took: Duration, threads: usize) -> Value {
        let verdicts: Value = VERDICTS.iter().zip(self.verdicts).map(|(name, count)| (*name, count)).collect();
        let seconds = took.as_secs_f64();
        json!({
            "posts": self.posts,
            "named": self.named,
            "assessments": self.assessments,
            "verdicts": verdicts,
            "skipped": self.skipped,
            "lines": self.lines,
            "threads": threads,
            "seconds": seconds,
            "posts_per_second": (self.posts as f64 / seconds.max(f64::EPSILON)).round(),
        })
    }
}

fn place(verdict: &Verdict) -> usize {
    VERDICTS.iter().position(|name| *name == verdict.as_str()).expect("every verdict has a place")
}
