//! What can go wrong with the queue, told with place, cause and next step.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::ErrorCode;

use super::State;

/// The database cannot be used, or stopped working.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueueError {
    /// Not a database of ours.
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// Written by a newer Jumpship.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest schema version this program knows.
        known: i64,
    },
    /// Damaged.
    Broken {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// Another Jumpship works on it.
    Busy {
        /// The lock file.
        path: PathBuf,
        /// Which process holds it, where it says so.
        process: Option<String>,
    },
    /// The file or its folder cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Not there, where the command needs an existing one.
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// SQLite failed in the middle of the work.
    Sql(rusqlite::Error),
    /// What was asked for cannot be done, whatever the database.
    Unusable(String),
}

impl QueueError {
    /// Whether the same call may succeed a little later: the file is in use, or its disk is full.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let passing =
            [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked, ErrorCode::DiskFull, ErrorCode::SystemIoFailure];
        matches!(self, Self::Sql(cause) if cause.sqlite_error_code().is_some_and(|code| passing.contains(&code)))
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { path, what } => {
                write!(
                    f,
                    "{} is {what}, not a database of Jumpship. It was not touched. Choose another --database.",
                    path.display()
                )
            }
            Self::Newer { path, found, known } => write!(
                f,
                "{} was written by a newer Jumpship (schema {found}, this one knows {known}). It was not touched. Use the newer program.",
                path.display()
            ),
            Self::Broken { path, cause } => write!(
                f,
                "{} is damaged ({cause}). Restore a backup with `jumpship restore`, or choose another --database.",
                path.display()
            ),
            Self::Busy { path, process } => {
                let who = process.as_ref().map_or_else(String::new, |p| format!(" (process {p})"));
                write!(
                    f,
                    "another Jumpship{who} works on this database. Stop it, or choose another --database. Lock: {}.",
                    path.display()
                )
            }
            Self::Io { path, cause } => {
                write!(
                    f,
                    "{} cannot be opened: {cause}. Check that the folder exists and may be written.",
                    path.display()
                )
            }
            Self::Missing { path } => {
                write!(
                    f,
                    "{} does not exist. Run `jumpship run` or `jumpship demo` first, or name another --database.",
                    path.display()
                )
            }
            Self::Sql(cause) => f.write_str(&explain(cause)),
            Self::Unusable(what) => f.write_str(what),
        }
    }
}

/// An error of SQLite in words a person can act on.
fn explain(cause: &rusqlite::Error) -> String {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the database's disk is full. Nothing was lost; free some space and go on.".to_owned()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "the database is locked by another program for more than 5 seconds. Try again, or close that program."
                .to_owned()
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            format!("the database is damaged ({cause}). Restore a backup with `jumpship restore`.")
        }
        Some(ErrorCode::ReadOnly) => {
            "the database may not be written. Check who owns the file and its folder.".to_owned()
        }
        _ => format!("the database failed: {cause}."),
    }
}

impl std::error::Error for QueueError {}

impl From<rusqlite::Error> for QueueError {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sql(cause)
    }
}

impl From<serde_json::Error> for QueueError {
    fn from(cause: serde_json::Error) -> Self {
        Self::Sql(rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))
    }
}

/// Somebody else was faster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where the lead stands now.
    pub state: State,
    /// Who changed it last.
    pub who: String,
    /// When.
    pub when: Timestamp,
    /// Its version now.
    pub version: i64,
}

/// Why a decision is not allowed now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The lead's state does not allow it.
    State(State),
    /// Another operator is working on it.
    Claimed {
        /// Who.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// The author asked to be left alone.
    OptedOut,
    /// We spoke to this person at this time.
    AlreadyContacted(Timestamp),
    /// The post is no longer stored.
    PostGone,
    /// The reply has no words.
    EmptyText,
    /// The reply does not fit the network.
    TooLong,
    /// The reply still holds a placeholder.
    Placeholder(String),
    /// The undo window is over, or it was somebody else's decision.
    TooLateToUndo,
    /// This operator has approved these words already; another one must.
    NeedsAnother,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "a lead that is {state} cannot take this step"),
            Self::Claimed { by, until } => write!(f, "{by} is working on it until {}", until.strftime("%H:%M:%S UTC")),
            Self::OptedOut => f.write_str("the author asked to be left alone"),
            Self::AlreadyContacted(at) => write!(f, "we spoke to this person on {}", at.strftime("%-d %B %Y")),
            Self::PostGone => f.write_str("the post is gone"),
            Self::EmptyText => f.write_str("the reply has no words"),
            Self::TooLong => f.write_str("the reply is too long for the network"),
            Self::Placeholder(name) => write!(f, "the reply still holds the placeholder {name}"),
            Self::TooLateToUndo => f.write_str("it is too late to undo, or the decision was somebody else's"),
            Self::NeedsAnother => f.write_str("you have approved these words; a second operator must approve them too"),
        }
    }
}

/// A decision was not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecisionError {
    /// No such lead.
    NotFound,
    /// Somebody else was faster.
    Conflict(Conflict),
    /// Not allowed now.
    Refused(Refusal),
    /// The database failed.
    Queue(QueueError),
}

impl fmt::Display for DecisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such lead"),
            Self::Conflict(c) => {
                write!(f, "{} made it {} at {}", c.who, c.state, c.when.strftime("%H:%M:%S UTC on %-d %B"))
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Queue(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DecisionError {}

impl From<rusqlite::Error> for DecisionError {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Queue(cause.into())
    }
}

impl From<QueueError> for DecisionError {
    fn from(cause: QueueError) -> Self {
        Self::Queue(cause)
    }
}

impl From<serde_json::Error> for DecisionError {
    fn from(cause: serde_json::Error) -> Self {
        Self::Queue(cause.into())
    }
}

impl From<Refusal> for DecisionError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
