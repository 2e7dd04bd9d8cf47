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

/// Pages of log that are gathered before they are written back. Keys are hashes, so new rows fall anywhere
/// in their indexes: writing back less often writes each page less often.
const LOG_PAGES: i64 = 8_000;

/// Memory for pages, for each connection.
const CACHE_KILOBYTES: i64 = 32_000;

/// Databases up to this size are read through at the daemon's start; `doctor` reads larger ones.
const CHECKED_BYTES_MAX: u64 = 32 << 20;

/// File systems on which a lock taken by one machine may not be seen by another.
const NETWORK_DISKS: &[&str] = &["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "fuse.sshfs", "glusterfs"];

impl Queue {
    /// Opens or makes the file for the daemon, and takes the instance lock. Replies that were being
    /// sent when the last daemon ended become `unknown`, to be settled by reading back.
    ///
    /// # Errors
    /// The file is not ours, newer, damaged, in use by another daemon, or cannot be written.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, QueueError> {
        schema::look(path)?;
        make_folder(path)?;
        refuse_network_disk(path)?;
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

    /// A queue around a connection that is set up.
    pub(super) fn around(connection: Connection, path: &Path, lock: Option<InstanceLock>) -> Result<Self, QueueError> {
        let keys = Keys::load(&connection).map_err(|e| broken(path, e))?;
        Ok(Self { connection, keys, path: None, durability: Durability::Process, _lock: lock })
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

/// Makes the folder a database stands in.
pub(super) fn make_folder(path: &Path) -> Result<(), QueueError> {
    let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|cause| QueueError::Io { path: folder.to_owned(), cause })
}

/// Locks and the shared log do not work over a network: refuses a database there before it is damaged.
fn refuse_network_disk(path: &Path) -> Result<(), QueueError> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Ok(mounts)) = (folder.canonicalize(), fs::read_to_string("/proc/self/mounts")) else {
        return Ok(());
    };
    match disk_kind(&folder, &mounts) {
        Some(kind) if NETWORK_DISKS.contains(&kind) => Err(QueueError::Unusable(format!(
            "{} lies on a network disk ({kind}), where SQLite's locks do not hold. Choose a --database on a local one.",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// The kind of file system a folder lies on, by the table of mounts.
fn disk_kind<'m>(folder: &Path, mounts: &'m str) -> Option<&'m str> {
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = fields.filter(|(place, _)| folder.starts_with(place));
    above.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind)
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
    Queue::around(connection, path, lock)
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
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KILOBYTES)
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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    /// Opens a file with these bytes; gives the error's kind, and whether file and bytes are as before.
    fn refused(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.db");
        fs::write(&path, bytes).unwrap();
        let error = Queue::open(&path, start()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), bytes, "the file is untouched");
        let said = error.to_string();
        assert!(said.starts_with(path.to_str().unwrap()), "{said}");
        format!("{error:?}").split([' ', '(', '{']).next().unwrap().to_owned()
    }

    fn sqlite_file(setup: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.db");
        Connection::open(&path).unwrap().execute_batch(setup).unwrap();
        fs::read(&path).unwrap()
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_alone() {
        let ours = schema::APPLICATION_ID;
        let newer = format!("PRAGMA application_id = {ours}; PRAGMA user_version = 999; CREATE TABLE t (x)");
        for (bytes, kind) in [
            (b"just a note".to_vec(), "Foreign"),
            (vec![b'x'; 5_000], "Foreign"),
            (sqlite_file("CREATE TABLE songs (name)"), "Foreign"),
            (sqlite_file(&newer), "Newer"),
        ] {
            assert_eq!(refused(&bytes), kind);
        }
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.db");
        let mut queue = Queue::open(&path, start()).unwrap();
        add_lead(&mut queue, "1", start());
        queue.clean_file().unwrap();
        drop(queue);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[8_192..middle].fill(0xA5);
        fs::write(&path, &bytes).unwrap();
        let error = Queue::open(&path, start()).unwrap_err().to_string();
        assert!(error.contains("is damaged") && error.contains("Restore a backup"), "{error}");
    }

    #[test]
    fn an_empty_or_missing_file_becomes_ours_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.db");
        fs::write(&empty, b"").unwrap();
        for path in [empty, folder.path().join("deep/er/missing.db")] {
            let lead = add_lead(&mut Queue::open(&path, start()).unwrap(), "1", start());
            assert!(Queue::open_shared(&path).unwrap().lead(lead).unwrap().is_some());
        }
        let missing = Queue::open_shared(&folder.path().join("nowhere.db"));
        assert!(matches!(missing, Err(QueueError::Missing { .. })));
    }

    #[test]
    fn a_second_daemon_is_turned_away_and_a_command_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.db");
        let first = Queue::open(&path, start()).unwrap();
        let second = Queue::open(&path, start()).unwrap_err();
        assert!(matches!(&second, QueueError::Busy { process: Some(p), .. } if *p == std::process::id().to_string()));
        assert!(Queue::open_shared(&path).is_ok());
        drop(first);
        assert!(Queue::open(&path, start()).is_ok());
    }

    #[test]
    fn a_locked_database_is_a_clear_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.db");
        let mut queue = Queue::open(&path, start()).unwrap();
        queue.connection.busy_timeout(Duration::from_millis(20)).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = queue.set_paused(true, "ana", start()).unwrap_err().to_string();
        assert!(error.contains("locked by another program"), "{error}");
        other.execute_batch("COMMIT").unwrap();
        queue.set_paused(true, "ana", start()).unwrap();
    }

    #[test]
    fn a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
        let mut queue = Queue::in_memory().unwrap();
        let pages: i64 = queue.connection.query_row("PRAGMA page_count", [], |r| r.get(0)).unwrap();
        let limit = |queue: &Queue, pages: i64| {
            queue.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        };
        limit(&queue, pages + 8);
        let mut stored = 0;
        let error = loop {
            let id = stored.to_string();
            match try_commit(&mut queue, &id, stored) {
                Ok(()) => stored += 1,
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("disk is full"), "{error}");
        assert_eq!(queue.cursor("stream").unwrap().map(|c| c.position), stored.checked_sub(1));
        queue.check(false).unwrap();
        limit(&queue, pages + 1_000);
        try_commit(&mut queue, &stored.to_string(), stored).unwrap();
        assert_eq!(queue.state_counts().unwrap(), vec![(super::super::State::New, stored.unsigned_abs() + 1)]);
    }

    #[test]
    fn a_network_disk_is_recognised() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nnas:/x /srv/share nfs4 rw 0 0\ntmpfs /srv/share/tmp tmpfs rw 0 0\n";
        for (folder, kind) in [("/home/ana", "ext4"), ("/srv/share/db", "nfs4"), ("/srv/share/tmp/x", "tmpfs")] {
            assert_eq!(disk_kind(Path::new(folder), mounts), Some(kind));
        }
    }
}
