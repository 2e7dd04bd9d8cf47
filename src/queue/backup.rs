//! Copies the database while it is in use, and checks a copy before it takes the place of the old one.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{Queue, QueueError};

/// Pages copied between two pauses in which others may write.
const PAGES_PER_STEP: i32 = 256;

/// The pause.
const PAUSE_MILLISECONDS: u64 = 5;

impl Queue {
    /// Copies the whole database into a new file and reads the copy through.
    ///
    /// # Errors
    /// The file exists, cannot be written, or the copy is not sound.
    pub fn backup(&self, to: &Path) -> Result<(), QueueError> {
        if to.exists() {
            return Err(QueueError::Unusable(format!("{} exists already. Name a new file.", to.display())));
        }
        copy(&self.connection, to)?;
        Self::verify_backup(to)
    }

    /// Reads a backup through: ours, not newer, every page and index sound, the audit's chain whole.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify_backup(file: &Path) -> Result<(), QueueError> {
        let copy = Self::open_shared(file)?;
        copy.check(false)?;
        match copy.audit_verify()?.broken {
            None => Ok(()),
            Some((row, why)) => {
                Err(QueueError::Broken { path: file.to_owned(), cause: format!("audit row {row}: {why}") })
            }
        }
    }

    /// Puts a backup in the place of the database at `to`, after checking it. No daemon may run.
    ///
    /// # Errors
    /// The backup is not sound, a daemon runs, or the file cannot be written.
    pub fn restore(file: &Path, to: &Path, now: Timestamp) -> Result<(), QueueError> {
        Self::verify_backup(file)?;
        let old = Self::open(to, now)?;
        let source = Self::open_shared(file)?;
        let mut target = Connection::open(to)?;
        run(&source.connection, &mut target)?;
        drop(old);
        Ok(())
    }
}

fn copy(source: &Connection, to: &Path) -> Result<(), QueueError> {
    let mut target = Connection::open(to)?;
    run(source, &mut target)?;
    // A single file is easier to carry away than one with a log beside it.
    Ok(target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?)
}

fn run(source: &Connection, target: &mut Connection) -> rusqlite::Result<()> {
    Backup::new(source, target)?.run_to_completion(PAGES_PER_STEP, Duration::from_millis(PAUSE_MILLISECONDS), None)
}
