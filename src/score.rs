//! Turns the matches of one post into one assessment per provider: stance, intent, toward, reasons.

use serde::{Deserialize, Serialize};

mod atom;
mod family;
mod features;
mod fit;
pub mod labelled;
pub mod measure;
mod model;
mod page;
mod staff;
pub mod train;

use model::Weighing;
pub use model::{Model, Models, Question, Weights};
use page::Page;

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
pub fn assess(post: &Post, scan: &Scan, rules: &Rules, models: &Models) -> Vec<Assessment> {
    let page = Page::of(post, scan);
    let model = models.for_post(post.lang.as_deref(), &scan.reading);
    let mut all: Vec<Assessment> =
        page.named.iter().map(|&provider| assess_one(post, &page, rules, model, provider)).collect();
    let toward: Vec<_> = page.named.iter().map(|&provider| toward(&page, rules, &all, provider)).collect();
    for (assessment, toward) in all.iter_mut().zip(toward) {
        assessment.toward = toward;
    }
    all
}

fn assess_one(post: &Post, page: &Page<'_>, rules: &Rules, model: &Model, provider: usize) -> Assessment {
    let mut weighing = Weighing::new(model);
    features::show(page, rules, provider, &mut weighing);
    let staff = staff::points(page.scan, rules, provider);
    let mut reasons = vec![base(model)];
    reasons.extend(staff::reasons(post, &staff));
    reasons.extend(learned(post, page.scan, &weighing));
    reasons[1..].sort_by(|a, b| (a.span, &a.signal).cmp(&(b.span, &b.signal)));
    let score: Points = reasons.iter().map(|r| r.points).sum();
    let intent = score.probability();
    let (stance, stances) = stances(intent, &weighing);
    let provider = rules.providers()[provider].id.clone();
    Assessment { provider, stance, stances, intent, toward: None, score, reasons }
}

/// Where every score starts.
fn base(model: &Model) -> Reason {
    let points = Points::from_hundredths(model.base()[Question::Leaving as usize]);
    Reason { signal: "base".to_owned(), span: Span::default(), text: String::new(), points, rule: None }
}

/// What the model found, one reason per family: all of its points, shown at the words that weigh most.
fn learned(post: &Post, scan: &Scan, weighing: &Weighing<'_>) -> Vec<Reason> {
    let leaving = Question::Leaving as usize;
    let mut families: Vec<(&'static str, i32)> = Vec::new();
    for found in &weighing.findings {
        match families.iter_mut().find(|(family, _)| *family == found.reason) {
            Some((_, sum)) => *sum += found.weights[leaving],
            None => families.push((found.reason, found.weights[leaving])),
        }
    }
    let reason = |(family, sum): (&'static str, i32)| {
        let of_family = weighing.findings.iter().filter(|found| found.reason == family);
        let shown = of_family.max_by_key(|found| found.weights[leaving] * sum.signum()).map(|found| &found.words);
        let bytes = scan.reading.bytes(shown.cloned().unwrap_or(0..0));
        let span = Span::new(bytes.start, bytes.end);
        let text = span.of(&post.text).to_owned();
        Reason { signal: family.to_owned(), span, text, points: Points::from_hundredths(sum), rule: None }
    };
    families.into_iter().filter(|(_, sum)| *sum != 0).map(reason).collect()
}

/// Intent goes to leaving; complaint, joining and left share the rest as the model answers for those who stay.
fn stances(intent: f64, weighing: &Weighing<'_>) -> (Stance, [f64; 5]) {
    let answer = |question| Points::from_hundredths(weighing.sum(question)).probability();
    let (complaint, joining, left) = (answer(Question::Complaint), answer(Question::Joining), answer(Question::Left));
    let other = (1.0 - joining - left).max(OTHER_MIN);
    let rest = (1.0 - intent) * (1.0 - complaint) / (joining + left + other);
    let all = [intent, rest * left, rest * joining, (1.0 - intent) * complaint, rest * other];
    let stance = if intent >= 0.5 {
        Stance::Leaving
    } else if complaint >= 0.5 {
        Stance::Complaint
    } else if joining > left.max(other) {
        Stance::Joining
    } else if left > other {
        Stance::Left
    } else {
        Stance::Other
    };
    (stance, all)
}

/// The least share that "none of these" keeps.
const OTHER_MIN: f64 = 0.02;

/// The provider the author is going to instead of this one: the one they say they join, else the likeliest to be joined.
fn toward(page: &Page<'_>, rules: &Rules, all: &[Assessment], provider: usize) -> Option<String> {
    let others = || page.named.iter().zip(all).filter(|(other, _)| **other != provider);
    let said = |other: usize| {
        staff::live(page.scan, rules).any(|(m, s)| s.speaks_for == Stance::Joining && m.provider == Some(other))
    };
    let joined = others().filter(|(other, a)| said(**other) && a.stance != Stance::Leaving);
    let joined = joined.max_by(|(_, a), (_, b)| a.stances[2].total_cmp(&b.stances[2]));
    let likely = || others().find(|(_, a)| a.stance == Stance::Joining);
    joined.or_else(likely).map(|(_, a)| a.provider.clone())
}
