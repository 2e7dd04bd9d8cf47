//! Decides, for one assessment, whether we should speak: enter, watch, hold, ignore, or care for our own.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::post::Span;
use crate::rules::Policy;
use crate::score::{Assessment, Stance};

/// What we know from before about this author and this conversation: the single look back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The author asked to be left alone; for ever.
    pub opted_out: bool,
    /// We contacted the author, on any network, at this time last.
    pub contacted_at: Option<Timestamp>,
    /// We already have a lead in this conversation, against whichever rival.
    pub conversation_taken: bool,
}

/// A reason to stay out, found in the text, the author or the history. Only the code is ever stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The hold's id in `holds.toml`, or one of the built-in codes below.
    pub code: String,
    /// The words it was found in, when it was found in the text.
    pub span: Option<Span>,
}

impl Hold {
    /// The author asked to be left alone.
    pub const OPTED_OUT: &str = "opted_out";
    /// We spoke to this person within the policy's window.
    pub const ALREADY_CONTACTED: &str = "already_contacted";
    /// We are already in this conversation.
    pub const CONVERSATION_TAKEN: &str = "conversation_taken";
    /// The author is a provider's own account.
    pub const BRAND_ACCOUNT: &str = "brand_account";
    /// The author named the provider in a way meant to hide from brands.
    pub const EVASIVE_SPELLING: &str = "evasive_spelling";

    /// A hold that has no place in the text.
    pub fn of(code: &str) -> Self {
        Self { code: code.to_owned(), span: None }
    }
}

/// Whether to speak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Suggest a reply.
    Enter,
    /// Keep an eye on it; not enough to speak.
    Watch,
    /// Stay out, whatever the score, and say why.
    Hold(Hold),
    /// Nothing for us.
    Ignore,
    /// One of our own is leaving: tell the care team.
    Care,
}

impl Verdict {
    /// The word used in JSON and the desk.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Watch => "watch",
            Self::Hold(_) => "hold",
            Self::Ignore => "ignore",
            Self::Care => "care",
        }
    }

    /// The code of the hold, if it is one.
    #[must_use]
    pub fn hold(&self) -> Option<&str> {
        if let Self::Hold(hold) = self { Some(&hold.code) } else { None }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold(hold) => write!(f, "hold({})", hold.code),
            other => f.write_str(other.as_str()),
        }
    }
}

/// Everything a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What the post says about the provider.
    pub assessment: &'a Assessment,
    /// Whether the provider is us.
    pub is_home: bool,
    /// Reasons to stay out found in the text and the author, strongest first.
    pub holds: &'a [Hold],
    /// What we know from before.
    pub history: &'a History,
    /// The thresholds.
    pub policy: &'a Policy,
    /// The time now.
    pub now: Timestamp,
}

/// The verdict on one case. A hold beats any score; who is not near leaving is not held but ignored.
#[must_use]
pub fn decide(case: &Case<'_>) -> Verdict {
    let intent = case.assessment.intent;
    let policy = case.policy;
    if intent < policy.watch_intent && !worth_watching(case.assessment) {
        return Verdict::Ignore;
    }
    if let Some(hold) = first_hold(case) {
        return Verdict::Hold(hold);
    }
    match (case.is_home, intent >= policy.enter_intent) {
        (true, true) => Verdict::Care,
        (false, true) => Verdict::Enter,
        (_, false) => Verdict::Watch,
    }
}

/// A plain complaint is worth a look even when nobody speaks of leaving.
fn worth_watching(assessment: &Assessment) -> bool {
    assessment.stance == Stance::Complaint
}

fn first_hold(case: &Case<'_>) -> Option<Hold> {
    if case.history.opted_out {
        return Some(Hold::of(Hold::OPTED_OUT));
    }
    if let Some(hold) = case.holds.first() {
        return Some(hold.clone());
    }
    if case.is_home {
        return None;
    }
    if recently_contacted(case) {
        return Some(Hold::of(Hold::ALREADY_CONTACTED));
    }
    case.history.conversation_taken.then(|| Hold::of(Hold::CONVERSATION_TAKEN))
}

fn recently_contacted(case: &Case<'_>) -> bool {
    let window_seconds = i64::from(case.policy.contact_window_days) * 86_400;
    case.history.contacted_at.is_some_and(|at| case.now.as_second() - at.as_second() < window_seconds)
}
