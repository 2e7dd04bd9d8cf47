//! Opens a file where it was left off, and knows when another file stands under the same name.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// How much of the beginning tells files apart when the system gives an old number to a new file.
const HEAD_BYTES: u64 = 256;

/// What makes a file this file, whatever it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The system's number for it; 0 where the system has none.
    number: u64,
    /// How much of the beginning `head` was made from.
    head_bytes: u64,
    /// A hash of the beginning.
    head: u64,
}

/// An open file, standing where reading goes on.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: File,
    /// Which one it is.
    pub identity: Identity,
    /// Where it stands.
    pub offset: u64,
    /// Whether it is another file than the one we knew, or was cut short: it is read from the start.
    pub is_another: bool,
}

impl Opened {
    /// Opens the file of that name at `offset`, if it is still the one we `knew`; else at its start.
    pub async fn at(path: &Path, knew: Option<&Identity>, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path).await?;
        let metadata = file.metadata().await?;
        let number = number(&metadata);
        let same = match knew {
            Some(known) => known.number == number && head(&mut file, known.head_bytes).await? == known.head,
            None => false,
        };
        let is_another = !same || metadata.len() < offset;
        let offset = if is_another { 0 } else { offset };
        let head_bytes = metadata.len().min(HEAD_BYTES);
        let identity = Identity { number, head_bytes, head: head(&mut file, head_bytes).await? };
        file.seek(SeekFrom::Start(offset)).await?;
        Ok(Self { file, identity, offset, is_another })
    }
}

/// A hash of the first bytes. Another compiler may hash differently: then the file is read again from its start.
async fn head(file: &mut File, bytes: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0)).await?;
    let mut start = Vec::new();
    file.take(bytes).read_to_end(&mut start).await?;
    let mut hasher = DefaultHasher::new();
    start.hash(&mut hasher);
    Ok(hasher.finish())
}

#[cfg(unix)]
fn number(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
const fn number(_metadata: &std::fs::Metadata) -> u64 {
    0
}
