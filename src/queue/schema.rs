//! The shape of the database: what marks a file as ours, and the migrations that bring it up to date.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::QueueError;

/// Marks a SQLite file as ours ("JMPS").
pub(super) const APPLICATION_ID: i32 = 0x4A4D_5053;

/// Only ever added to; an old file is brought up step by step.
const STEPS: &[M<'static>] = &[M::up(include_str!("migrations/0001_queue.sql"))];

static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| Migrations::from_slice(STEPS));

/// The schema version this program writes.
pub(super) fn version_known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings the schema up to date, in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), QueueError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > version_known() {
        return Err(QueueError::Newer { path: path.to_owned(), found, known: version_known() });
    }
    MIGRATIONS.to_latest(connection).map_err(|e| match e {
        rusqlite_migration::Error::RusqliteError { err, .. } => QueueError::Sql(err),
        other => QueueError::Broken { path: path.to_owned(), cause: other.to_string() },
    })
}

/// What the first bytes of a file say about it, read without SQLite so that a file that is not ours
/// is not touched. `None` is a file that is missing or empty, and so may become ours.
pub(super) fn look(path: &Path) -> Result<Option<()>, QueueError> {
    let Some(header) = header(path)? else { return Ok(None) };
    let foreign = |what| QueueError::Foreign { path: path.to_owned(), what };
    let Ok(header) = <[u8; 100]>::try_from(header) else { return Err(foreign("a file of another kind")) };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign("a file of another kind"));
    }
    if be(&header, 68) != APPLICATION_ID.cast_unsigned() {
        return Err(foreign("another program's database"));
    }
    let found = i64::from(be(&header, 60));
    if found > version_known() {
        return Err(QueueError::Newer { path: path.to_owned(), found, known: version_known() });
    }
    Ok(Some(()))
}

fn header(path: &Path) -> Result<Option<Vec<u8>>, QueueError> {
    let io = |cause| QueueError::Io { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io(e)),
    };
    let mut bytes = Vec::with_capacity(100);
    file.take(100).read_to_end(&mut bytes).map_err(io)?;
    Ok(Some(bytes).filter(|b| !b.is_empty()))
}

fn be(header: &[u8; 100], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}
