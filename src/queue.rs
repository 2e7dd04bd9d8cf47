//! The queue: leads, decisions, history and audit in one SQLite file; the only room that speaks SQL.
//!
//! A [`Queue`] is one connection. The daemon opens the file with [`Queue::open`], which also takes the
//! instance lock; everybody else (the desk's threads, the command line) uses [`Queue::open_shared`].
//! Writers of one file take turns: every change is one short transaction.

mod audit;
mod backup;
mod beside;
mod decisions;
mod erase;
mod error;
mod health;
mod history;
mod intake;
mod jobs;
mod keys;
mod leads;
mod ledger;
mod lock;
mod open;
mod outbox;
mod people;
#[cfg(test)]
mod promises;
mod schema;
mod state;
mod step;
#[cfg(test)]
mod testing;
mod watch;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use audit::{AuditFilter, AuditReport, AuditRow};
pub use decisions::{Approval, Approve, CLAIM_SECONDS, DismissReason, NOTE_BYTES_MAX, Note};
pub use erase::{Erased, Export, PersonRef};
pub use error::{Conflict, DecisionError, QueueError, Refusal};
pub use health::{Count, Cursor, StoredPost};
pub use intake::{Batch, Committed, Judged};
pub use jobs::Ticked;
pub use leads::{Change, Claim, Filter, LEADS_PAGE_MAX, Lead, Order, PageKey};
pub use ledger::LedgerRow;
pub use outbox::{Approved, Outcome, Receipt, Unsettled};
pub use people::{Link, LinkPurpose, Operator, OperatorId, Role, Session, Token, View};
pub use state::{Kind, LeadId, State};
pub use watch::{WatchFilter, WatchId, Watched};

use keys::Keys;
use lock::InstanceLock;

/// One connection to the queue's file.
#[derive(Debug)]
pub struct Queue {
    connection: Connection,
    keys: Keys,
    path: Option<PathBuf>,
    durability: Durability,
    _lock: Option<InstanceLock>,
}

/// What a transaction must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// A killed process. After a power cut the last moments may be missing, never broken: the source
    /// tells them again, because its cursor is missing with them.
    Process,
    /// A power cut. For people's decisions and for the mark before a reply is sent. About 5 ms each.
    Power,
}

impl Durability {
    const fn pragma(self) -> &'static str {
        match self {
            Self::Process => "NORMAL",
            Self::Power => "FULL",
        }
    }
}

impl Queue {
    /// The file it works on; none for a queue in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Runs one transaction; nothing of it stays when `change` fails.
    fn write<T, E: From<rusqlite::Error>>(
        &mut self,
        durability: Durability,
        change: impl FnOnce(&Writing<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.durability != durability {
            self.connection.pragma_update(None, "synchronous", durability.pragma())?;
            self.durability = durability;
        }
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = change(&Writing { tx: &tx, keys: &self.keys })?;
        tx.commit()?;
        Ok(done)
    }
}

/// A transaction under way and the keys its hashes are made with.
struct Writing<'a> {
    tx: &'a Transaction<'a>,
    keys: &'a Keys,
}

/// Whole milliseconds, as every time is stored.
fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The time stored as whole milliseconds; one outside the calendar becomes its end.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// A number of rows as SQL takes it.
fn rows_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
