//! Opens the queue's file: refuses what is not ours, sets SQLite up, brings the schema up to date.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::keys::Keys;
use super::lock::InstanceLock;
use super::{Durability, Queue, QueueError, schema};

/// How long a writer waits for another one before it gives up.
const BUSY_MILLISECONDS_MAX: u64 = 5_000;

/// Statements kept ready per connection.
const STATEMENTS_MAX: usize = 96;

/// Databases up to this size are read through at the daemon's start; `doctor` reads larger ones.
const CHECKED_BYTES_MAX: u64 = 32 << 20;

impl Queue {
    /// Opens or makes the file for the daemon, and takes the instance lock. Replies that were being
    /// sent when the last daemon ended become `unknown`, to be settled by reading back.
    ///
    /// # Errors
    /// The file is not ours, newer, damaged, in use by another daemon, or cannot be written.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, QueueError> {
        schema::look(path)?;
        make_folder(path)?;
        let lock = InstanceLock::take(path)?;
        let mut queue = connect(path, Some(lock))?;
        if fs::metadata(path).is_ok_and(|m| m.len() <= CHECKED_BYTES_MAX) {
            queue.check(true)?;
        }
        queue.recover(now)?;
        Ok(queue)
    }

    /// Opens an existing file beside a running daemon, for short reads and decisions.
    ///
    /// # Errors
    /// The file is missing, not ours, newer, damaged, or cannot be written.
    pub fn open_shared(path: &Path) -> Result<Self, QueueError> {
        if schema::look(path)?.is_none() {
            return Err(QueueError::Missing { path: path.to_owned() });
        }
        connect(path, None)
    }

    /// A queue that lives as long as this value, for tests and trials.
    ///
    /// # Errors
    /// SQLite cannot be set up.
    pub fn in_memory() -> Result<Self, QueueError> {
        set_up(Connection::open_in_memory()?, Path::new(":memory:"), None)
    }

    /// Reads the whole file through SQLite's own check; `quick` leaves out the indexes.
    ///
    /// # Errors
    /// What is damaged.
    pub fn check(&self, quick: bool) -> Result<(), QueueError> {
        let pragma = if quick { "PRAGMA quick_check(1)" } else { "PRAGMA integrity_check(1)" };
        let broken = |cause: String| QueueError::Broken { path: self.path.clone().unwrap_or_default(), cause };
        let answer: String =
            self.connection.query_row(pragma, [], |row| row.get(0)).map_err(|e| broken(e.to_string()))?;
        if answer == "ok" { Ok(()) } else { Err(broken(answer)) }
    }
}

fn make_folder(path: &Path) -> Result<(), QueueError> {
    let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|cause| QueueError::Io { path: folder.to_owned(), cause })
}

fn connect(path: &Path, lock: Option<InstanceLock>) -> Result<Queue, QueueError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| broken(path, e))?;
    let mut queue = set_up(connection, path, lock)?;
    queue.path = Some(path.to_owned());
    Ok(queue)
}

fn set_up(mut connection: Connection, path: &Path, lock: Option<InstanceLock>) -> Result<Queue, QueueError> {
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS_MAX))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    configure(&connection).map_err(|e| broken(path, e))?;
    schema::migrate(&mut connection, path)?;
    let keys = Keys::load(&connection).map_err(|e| broken(path, e))?;
    Ok(Queue { connection, keys, path: None, durability: Durability::Process, _lock: lock })
}

/// The settings of PROMISES; the application id comes first, so that it stands in the file's own header
/// and not only in the write-ahead log.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id != schema::APPLICATION_ID {
        connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    for (name, value) in
        [("synchronous", "NORMAL"), ("foreign_keys", "ON"), ("trusted_schema", "OFF"), ("cell_size_check", "ON")]
    {
        connection.pragma_update(None, name, value)?;
    }
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -16_000)
}

/// A first look that fails says the file is damaged; a lock or a full disk says so itself.
fn broken(path: &Path, cause: rusqlite::Error) -> QueueError {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase};
    match cause.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase | CannotOpen) => {
            QueueError::Broken { path: path.to_owned(), cause: cause.to_string() }
        }
        _ => QueueError::Sql(cause),
    }
}
