//! What we know from before about an author and a conversation: the pipeline's single look back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::keys::{Hash, Keys};
use super::{Queue, QueueError, at};
use crate::decide::History;
use crate::post::Post;

impl Queue {
    /// The history a post is judged by. A post's own lead does not count as an earlier one.
    ///
    /// # Errors
    /// The database fails.
    pub fn history(&self, post: &Post) -> Result<History, QueueError> {
        Ok(history(&self.connection, &self.keys, post)?)
    }
}

/// See [`Queue::history`].
pub(super) fn history(connection: &Connection, keys: &Keys, post: &Post) -> rusqlite::Result<History> {
    let mut history = History { conversation_taken: conversation_taken(connection, keys, post)?, ..History::default() };
    for person in keys.author(post.network, &post.author) {
        history.opted_out |= opted_out(connection, &person)?;
        history.contacted_at = history.contacted_at.max(contacted_at(connection, &person, None)?);
    }
    Ok(history)
}

/// Whether this person asked to be left alone.
pub(super) fn opted_out(connection: &Connection, person: &Hash) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM opt_outs WHERE person = ?1")?.exists([person])
}

/// When we last contacted this person, leaving one lead out of account.
pub(super) fn contacted_at(
    connection: &Connection,
    person: &Hash,
    but_for: Option<i64>,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT max(at) FROM contacts WHERE person = ?1 AND lead <> ?2";
    let last: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![person, but_for.unwrap_or(0)], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(last.map(at))
}

fn conversation_taken(connection: &Connection, keys: &Keys, post: &Post) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM leads WHERE conversation = ?1 AND kind = 'rival' AND state NOT IN ('expired', 'withdrawn')
                 AND coalesce(post, -1) <> coalesce((SELECT id FROM posts WHERE key = ?2), -2)";
    let own = keys.post(post.network, &post.id);
    connection.prepare_cached(sql)?.exists(params![keys.conversation(post), own])
}
