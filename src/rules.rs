//! Staff rules as a running thing: providers, signals, holds, offers and policy, read from files and compiled once.

mod codes;
mod compile;
mod error;
mod file;
mod folder;
mod hint;
mod offer;
mod phrase;
mod render;
mod sources;
mod syntax;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

pub use codes::{CODES, explain};
pub use error::{Level, Report, RuleError};
pub use file::Status;
pub use folder::Folder;
pub use hint::did_you_mean;
pub use offer::Blocked;
pub use phrase::{GAP_WORDS_MAX, Part, Parts, PhraseError, Slot, words_min};
pub use sources::{Definition, Sources};
pub use table::Line;

use crate::units::{Points, Stance};

/// The pack used when nothing else is asked for.
pub const DEFAULT_PACK: &str = "uk-mobile";

/// Where rules come from: a shipped pack, folders laid over it in order, and who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesSource {
    /// The shipped pack at the bottom; `None` for the folders alone.
    pub pack: Option<String>,
    /// Folders on disk, the last one wins.
    pub folders: Vec<PathBuf>,
    /// Who is home.
    pub home: HomeChoice,
}

impl Default for RulesSource {
    fn default() -> Self {
        Self { pack: Some(DEFAULT_PACK.to_owned()), folders: Vec::new(), home: HomeChoice::AsRules }
    }
}

/// Which provider is us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HomeChoice {
    /// The one the rules mark with `home = true`.
    #[default]
    AsRules,
    /// Nobody: every provider is a rival.
    Nobody,
    /// The provider of this id or name.
    Named(String),
}

/// Where a rule stands, for the desk, the explanation and the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as messages call it.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A brand that posts are judged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// What the output says.
    pub id: String,
    /// As drafts write it.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// One spelling of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Index into [`Rules::providers`].
    pub provider: usize,
    /// The folded words; a handle starts with `@`.
    pub folded: String,
    /// An everyday word, which counts only with evidence near.
    pub everyday: bool,
}

/// A named thing in a post that is worth points.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its id, `topic.what`.
    pub id: String,
    /// The file's topic.
    pub topic: String,
    /// At most this much from all signals of the topic.
    pub cap: Option<Points>,
    /// Trial, live or retired.
    pub status: Status,
    /// What it adds to the odds of leaving.
    pub points: Points,
    /// The stance it speaks for.
    pub speaks_for: Stance,
    /// The sentence the desk shows.
    pub why: String,
    /// Where it stands.
    pub place: Place,
    /// Whole posts that must and must not match.
    pub examples: Examples,
}

/// A named reason to stay out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRule {
    /// The code that is stored and shown.
    pub id: String,
    /// Trial, live or retired.
    pub status: Status,
    /// The sentence the desk shows.
    pub why: String,
    /// Signposting for staff, such as a helpline.
    pub show: Option<String>,
    /// Handles that mean this hold: words with `*` at either end, folded.
    pub handles: Vec<String>,
    /// Where it stands.
    pub place: Place,
    /// Whole posts that must and must not match.
    pub examples: Examples,
}

/// Example posts of a signal or hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Examples {
    /// Must match.
    pub should_match: Vec<Line>,
    /// Must not match.
    pub should_not_match: Vec<Line>,
}

/// What staff allow us to say, with its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: String,
    /// Trial, live or retired.
    pub status: Status,
    /// The first day it may be used.
    pub starts: Option<Date>,
    /// The last day.
    pub ends: Option<Date>,
    /// The signal topics it answers; empty for any.
    pub topics: Vec<String>,
    /// The rivals it is meant for; empty for any.
    pub against: Vec<String>,
    /// Whether it may be used when the author already named where they are going.
    pub toward_ok: bool,
    /// Where it is valid.
    pub regions: Vec<String>,
    /// Its conditions, for the operator.
    pub conditions: Option<String>,
    /// The link that proves it, for the operator.
    pub proof: Option<String>,
    /// How often it may be used in all.
    pub max_uses: Option<u32>,
    /// The words that must stand in the reply to say who we are.
    pub disclosure: Option<String>,
    /// The reply.
    pub text: String,
    /// A shorter one, for networks where the first does not fit.
    pub short: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// The thresholds and limits of `policy.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Intent at or above which we enter.
    pub enter_intent: f64,
    /// Intent at or above which we watch.
    pub watch_intent: f64,
    /// One contact per person in this many days.
    pub contact_window_days: u32,
    /// Replies per account and hour.
    pub replies_per_hour_max: u32,
    /// Replies per account and day.
    pub replies_per_day_max: u32,
    /// When nobody is to be contacted.
    pub quiet_hours: Option<QuietHours>,
    /// A lead nobody decides on expires after this many minutes.
    pub expires_after_minutes: u32,
    /// How long an approval can be undone.
    pub undo_seconds: u32,
    /// How long posts that name a provider are kept.
    pub posts_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enter_intent: 0.6,
            watch_intent: 0.25,
            contact_window_days: 90,
            replies_per_hour_max: 6,
            replies_per_day_max: 20,
            quiet_hours: None,
            expires_after_minutes: 360,
            undo_seconds: 20,
            posts_days: 30,
        }
    }
}

/// A time of day in which nothing is sent, possibly across midnight.
#[derive(Debug, Clone, PartialEq)]
pub struct QuietHours {
    /// From this time on.
    pub from: Time,
    /// Until this time.
    pub to: Time,
    /// Of this zone.
    pub zone: TimeZone,
}

impl QuietHours {
    /// Whether it is quiet at this time.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        let time = now.to_zoned(self.zone.clone()).time();
        if self.from <= self.to { self.from <= time && time < self.to } else { time >= self.from || time < self.to }
    }
}

/// What a phrase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Says signal `.0`.
    Signal(usize),
    /// Undoes signal `.0`.
    SignalUnless(usize),
    /// Says hold `.0` in the post.
    Hold(usize),
    /// Undoes hold `.0`.
    HoldUnless(usize),
    /// Says hold `.0` in the author's profile text.
    HoldBio(usize),
    /// Says hold `.0` in the author's display name.
    HoldName(usize),
    /// Shows that an everyday word means a provider: any, or this one.
    Evidence(Option<usize>),
    /// Shows that a name means something else than provider `.0`.
    ProviderUnless(usize),
}

/// A way to say something, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// What it is for.
    pub role: Role,
    /// The words.
    pub parts: Parts,
    /// Where it stands.
    pub place: Place,
}

/// A developer's regular expression over the original text.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// What it is for: a signal or a hold.
    pub role: Role,
    /// The compiled expression.
    pub regex: regex::Regex,
    /// Where it stands.
    pub place: Place,
}

/// A checked, compiled set of rules. Cannot be wrong; see [`Rules::load`].
#[derive(Debug, Clone)]
pub struct Rules {
    version: String,
    providers: Vec<Provider>,
    home: Option<usize>,
    names: Vec<Name>,
    signals: Vec<Signal>,
    holds: Vec<HoldRule>,
    offers: Vec<Offer>,
    policy: Policy,
    phrases: Vec<Phrase>,
    patterns: Vec<Pattern>,
    evidence_words: usize,
}

impl Rules {
    /// Reads and compiles the rules.
    ///
    /// # Errors
    /// A report of everything that is wrong, with file, line and advice.
    pub fn load(source: &RulesSource) -> Result<Self, Report> {
        Sources::read(source).compile()
    }

    /// A short hash of everything the rules say: two sets with the same version judge alike.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All providers.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The provider of this id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|p| p.id == id)
    }

    /// Us, if the rules say who we are.
    #[must_use]
    pub fn home(&self) -> Option<&Provider> {
        self.home.map(|i| &self.providers[i])
    }

    /// Whether the provider at this index is us.
    #[must_use]
    pub fn is_home(&self, provider: usize) -> bool {
        self.home == Some(provider)
    }

    /// Every spelling of every provider.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// All signals.
    #[must_use]
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// All holds, in the order of the file: the first is the strongest.
    #[must_use]
    pub fn holds(&self) -> &[HoldRule] {
        &self.holds
    }

    /// All offers.
    #[must_use]
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// Whether there is an offer of this id that may no longer be made.
    #[must_use]
    pub fn offer_is_over(&self, id: &str, now: Timestamp) -> bool {
        self.offers.iter().any(|offer| offer.id == id && offer.blocked(now, 0).is_some())
    }

    /// Thresholds and limits.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// All phrases.
    #[must_use]
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// All regular expressions.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// How many words either side of an everyday name are searched for evidence.
    #[must_use]
    pub const fn evidence_words(&self) -> usize {
        self.evidence_words
    }
}
