//! The instance lock: one daemon per database, given back by the kernel however the process ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::QueueError;

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock that stands beside the database, `NAME.lock`.
    pub fn take(database: &Path) -> Result<Self, QueueError> {
        let path = beside(database);
        let io = |cause| QueueError::Io { path: path.clone(), cause };
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(io)?;
                writeln!(file, "{}", std::process::id()).map_err(io)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(QueueError::Busy { process: holder(&mut file), path }),
            Err(TryLockError::Error(cause)) => Err(QueueError::Io { path, cause }),
        }
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn holder(file: &mut File) -> Option<String> {
    let mut process = String::new();
    file.take(32).read_to_string(&mut process).ok()?;
    Some(process.trim().to_owned()).filter(|p| !p.is_empty())
}
