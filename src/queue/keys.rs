//! Keyed hashes that stand for posts and people, so that we can recognise them after their data is erased.
//!
//! The key is made once per database and never leaves it: a hash tells nothing outside of this file.

use ring::digest;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension};

use crate::post::{Author, Network, Post, PostId};

/// Bytes kept of each hash: 2^64 posts would be needed for an even chance of one collision.
const HASH_BYTES: usize = 16;

/// A keyed hash.
pub(super) type Hash = [u8; HASH_BYTES];

/// Makes the hashes of one database.
#[derive(Debug)]
pub(super) struct Keys(hmac::Key);

impl Keys {
    /// The database's key, made at first use.
    pub fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut fresh = [0u8; 32];
        SystemRandom::new().fill(&mut fresh).map_err(|_| rusqlite::Error::InvalidQuery)?;
        let stored = |c: &Connection| {
            c.query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get::<_, Vec<u8>>(0)).optional()
        };
        let key = if let Some(key) = stored(connection)? {
            key
        } else {
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?1)", [&fresh[..]])?;
            stored(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// One post.
    pub fn post(&self, network: Network, id: &PostId) -> Hash {
        self.hash(&["post", network.as_str(), id.as_str()])
    }

    /// One (post, provider).
    pub fn lead(&self, network: Network, id: &PostId, provider: &str) -> Hash {
        self.hash(&["lead", network.as_str(), id.as_str(), provider])
    }

    /// One conversation.
    pub fn conversation(&self, post: &Post) -> Hash {
        self.hash(&["conversation", post.network.as_str(), post.conversation().as_str()])
    }

    /// One account, by its id on the network or else its handle; none when the network tells neither.
    pub fn account(&self, network: Network, key: &str) -> Option<Hash> {
        (!key.is_empty()).then(|| self.hash(&["author", network.as_str(), key]))
    }

    /// One person across networks, as far as their handle tells.
    pub fn person(&self, handle: &str) -> Option<Hash> {
        let name = own_name(handle);
        (!name.is_empty()).then(|| self.hash(&["person", &name]))
    }

    /// Every hash an author is known by.
    pub fn author(&self, network: Network, author: &Author) -> Vec<Hash> {
        [self.account(network, author.key()), self.person(&author.handle)].into_iter().flatten().collect()
    }

    /// One lead answered with these words: the same for every try.
    pub fn attempt(&self, lead: i64, text: &str) -> Hash {
        self.hash(&["attempt", &lead.to_string(), text])
    }

    fn hash(&self, parts: &[&str]) -> Hash {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        clip(context.sign().as_ref())
    }
}

/// The unkeyed hash of some words, to know them again.
pub(super) fn words(text: &str) -> Hash {
    clip(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn clip(hash: &[u8]) -> Hash {
    let mut out = [0; HASH_BYTES];
    out.copy_from_slice(&hash[..HASH_BYTES]);
    out
}

/// The part of a handle that its owner chose and tends to keep from network to network: `ana` in
/// `@Ana@mastodon.example`, `ana.bsky.social` and the bridged `ana.mastodon.example.ap.brid.gy`.
/// Two people may share one; then we stay silent once too often, which is the better mistake.
fn own_name(handle: &str) -> String {
    let handle = handle.trim().trim_start_matches('@').to_lowercase();
    let local = handle.split('@').next().unwrap_or("");
    if let Some(bridged) = local.strip_suffix(".ap.brid.gy") {
        return bridged.split('.').next().unwrap_or("").to_owned();
    }
    local.strip_suffix(".bsky.social").unwrap_or(local).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_names_the_same_person_on_each_network() {
        for (handle, name) in [
            ("ana.bsky.social", "ana"),
            ("@Ana@mastodon.example", "ana"),
            ("ana.mastodon.example.ap.brid.gy", "ana"),
            ("ana.example.com", "ana.example.com"),
            ("ana", "ana"),
            ("", ""),
        ] {
            assert_eq!(own_name(handle), name, "{handle}");
        }
    }
}
