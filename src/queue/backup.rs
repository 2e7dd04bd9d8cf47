//! Copies the database while it is in use, and puts a checked copy back in its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::lock::InstanceLock;
use super::{Queue, QueueError, open, schema};

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

    /// Reads a backup through without changing it: ours, not newer, every page and index sound, the
    /// audit's chain whole.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify_backup(file: &Path) -> Result<(), QueueError> {
        let copy = open_to_read(file)?;
        copy.check(false)?;
        match copy.audit_verify()?.broken {
            None => Ok(()),
            Some((row, why)) => {
                Err(QueueError::Broken { path: file.to_owned(), cause: format!("audit row {row}: {why}") })
            }
        }
    }

    /// Puts a backup in the place of the database at `to`, after checking it. The old files are kept
    /// beside it, with `.replaced` at the end of their names. No daemon may run.
    ///
    /// # Errors
    /// The backup is not sound, a daemon runs, or the files cannot be written.
    pub fn restore(file: &Path, to: &Path) -> Result<(), QueueError> {
        Self::verify_backup(file)?;
        open::make_folder(to)?;
        let _lock = InstanceLock::take(to)?;
        let fresh = with_suffix(to, ".restoring");
        remove(&fresh)?;
        copy(&open_to_read(file)?.connection, &fresh)?;
        for part in ["", "-wal", "-shm"] {
            let old = with_suffix(to, part);
            if old.exists() {
                rename(&old, &with_suffix(to, &format!(".replaced{part}")))?;
            }
        }
        rename(&fresh, to)
    }
}

fn open_to_read(file: &Path) -> Result<Queue, QueueError> {
    if schema::look(file)?.is_none() {
        return Err(QueueError::Missing { path: file.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Queue::around(Connection::open_with_flags(file, flags)?, file, None)
}

fn copy(source: &Connection, to: &Path) -> Result<(), QueueError> {
    let mut target = Connection::open(to)?;
    let pause = Duration::from_millis(PAUSE_MILLISECONDS);
    Backup::new(source, &mut target)?.run_to_completion(PAGES_PER_STEP, pause, None)?;
    // A single file is easier to carry away than one with a log beside it.
    Ok(target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), QueueError> {
    fs::rename(from, to).map_err(|cause| QueueError::Io { path: to.to_owned(), cause })
}

fn remove(path: &Path) -> Result<(), QueueError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(QueueError::Io { path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_backup_holds_what_the_database_held_and_goes_back_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let [database, backup] = ["jumpship.db", "copy.db"].map(|name| folder.path().join(name));
        let mut queue = Queue::open(&database, start()).unwrap();
        let lead = add_lead(&mut queue, "1", start());
        queue.backup(&backup).unwrap();
        let before = fs::read(&backup).unwrap();
        add_lead(&mut queue, "2", start());
        assert!(matches!(Queue::restore(&backup, &database), Err(QueueError::Busy { .. })));
        drop(queue);
        Queue::restore(&backup, &database).unwrap();
        let queue = Queue::open(&database, start()).unwrap();
        assert_eq!(queue.leads(&super::super::Filter::default()).unwrap().0, vec![queue.lead(lead).unwrap().unwrap()]);
        assert_eq!(fs::read(&backup).unwrap(), before, "the backup itself is not touched");
    }

    #[test]
    fn a_damaged_backup_is_not_restored() {
        let folder = tempfile::tempdir().unwrap();
        let [database, backup] = ["jumpship.db", "copy.db"].map(|name| folder.path().join(name));
        let mut queue = Queue::open(&database, start()).unwrap();
        for id in 0..50 {
            add_lead(&mut queue, &id.to_string(), start());
        }
        queue.backup(&backup).unwrap();
        drop(queue);
        let mut bytes = fs::read(&backup).unwrap();
        bytes[20_000..60_000].fill(0x5A);
        fs::write(&backup, bytes).unwrap();
        assert!(matches!(Queue::restore(&backup, &database), Err(QueueError::Broken { .. })));
        assert!(Queue::open(&database, start()).is_ok());
    }
}
