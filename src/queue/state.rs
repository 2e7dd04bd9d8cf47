//! The states of a lead, its number and its kind.

use std::fmt;
use std::str::FromStr;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// The number of a lead, as people type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeadId(pub i64);

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LeadId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let id = text.trim_start_matches('#').parse().ok().filter(|id| *id > 0);
        id.map(Self).ok_or_else(|| format!("\"{text}\" is not the number of a lead. `jumpship leads` shows them"))
    }
}

/// Where a lead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for an operator.
    New,
    /// Put off by an operator; comes back by itself.
    Snoozed,
    /// An operator said yes; held back for the undo window, the caps and the quiet hours.
    Approved,
    /// Marked before the call to the network; at most one try is ever under way.
    Sending,
    /// The reply is out.
    Sent,
    /// An operator opened the post to answer by hand and has not yet told how it went.
    HandedOff,
    /// The network definitely refused.
    Failed,
    /// The network's answer never came: it may be out or not.
    Unknown,
    /// An operator said no, with a reason.
    Dismissed,
    /// Nobody decided in time.
    Expired,
    /// The post is gone or changed, or its author asked to be left alone.
    Withdrawn,
    /// Our reply was taken down after it was sent.
    Removed,
}

impl State {
    /// Every state, in the order of a lead's life.
    pub const ALL: [Self; 12] = [
        Self::New,
        Self::Snoozed,
        Self::Approved,
        Self::Sending,
        Self::Sent,
        Self::HandedOff,
        Self::Failed,
        Self::Unknown,
        Self::Dismissed,
        Self::Expired,
        Self::Withdrawn,
        Self::Removed,
    ];

    /// States in which nothing has left the house and nobody has said no: a deleted post withdraws them.
    pub const OPEN: [Self; 4] = [Self::New, Self::Snoozed, Self::Approved, Self::Failed];

    /// The lower-case word used in JSON, the database and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Snoozed => "snoozed",
            Self::Approved => "approved",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::HandedOff => "handed_off",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Dismissed => "dismissed",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Removed => "removed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_name(value.as_str()?).ok_or(rusqlite::types::FromSqlError::InvalidType)
    }
}

/// Whom a lead is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody leaves a rival: ours to win.
    Rival,
    /// Somebody leaves us: the care team's to keep.
    Care,
}

impl Kind {
    /// The lower-case word used in JSON and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rival => "rival",
            Self::Care => "care",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Rival, Self::Care].into_iter().find(|k| k.as_str() == name)
    }
}
