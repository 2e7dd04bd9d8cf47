//! What the desk asks beside a lead: the decision that can still be taken back, its conversation, the caps.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::leads::json;
use super::{Lead, LeadId, Queue, QueueError, State, ms};
use crate::post::{Network, Post};

/// The most posts of one conversation.
const CONVERSATION_MAX: i64 = 50;
/// How far back in the sequence of changes a decision that can be undone may lie.
const CHANGES_MAX: i64 = 2_000;

impl Queue {
    /// An operator's last decision, while it can be undone.
    ///
    /// # Errors
    /// The database fails.
    pub fn last_undoable(&self, operator: &str, now: Timestamp) -> Result<Option<Lead>, QueueError> {
        let sql = "SELECT id FROM (SELECT id, state, changed_by, changed_at, undo_until FROM leads ORDER BY change DESC LIMIT ?3)
                   WHERE changed_by = ?1 AND undo_until > ?2 AND state IN ('approved', 'dismissed', 'snoozed')
                   ORDER BY changed_at DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let id = statement.query_row(params![operator, ms(now), CHANGES_MAX], |row| row.get(0)).optional()?;
        id.map_or(Ok(None), |id| self.lead(LeadId(id)))
    }

    /// The stored posts of a lead's conversation, oldest first, its own among them.
    ///
    /// # Errors
    /// The database fails.
    pub fn conversation(&self, id: LeadId) -> Result<Vec<Post>, QueueError> {
        let sql = "SELECT body FROM posts WHERE conversation = (SELECT conversation FROM leads WHERE id = ?1)
                   ORDER BY seen_at, id LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![id.0, CONVERSATION_MAX], |row| json(row, "body"))?;
        Ok(rows.collect::<rusqlite::Result<Vec<Option<Post>>>>()?.into_iter().flatten().collect())
    }

    /// How many replies went out, or may have, on a network since a time.
    ///
    /// # Errors
    /// The database fails.
    pub fn replies_since(&self, network: Network, since: Timestamp) -> Result<u32, QueueError> {
        let sql = "SELECT count(*) FROM attempts WHERE network = ?1 AND started_at > ?2
                     AND (outcome IS NULL OR outcome IN ('sent', 'unknown'))";
        Ok(self.connection.prepare_cached(sql)?.query_row(params![network.as_str(), ms(since)], |row| row.get(0))?)
    }

    /// How many leads in these states came at or after a time, up to `most`.
    ///
    /// # Errors
    /// The database fails.
    pub fn came_since(&self, states: &[State], since: Timestamp, most: usize) -> Result<usize, QueueError> {
        let mut came = 0;
        for state in states {
            let sql = "SELECT count(*) FROM (SELECT 1 FROM leads WHERE state = ?1 AND created_at >= ?2 ORDER BY id DESC LIMIT ?3)";
            let count: i64 = self
                .connection
                .prepare_cached(sql)?
                .query_row(params![state, ms(since), most.cast_signed()], |row| row.get(0))?;
            came += usize::try_from(count).unwrap_or(0);
        }
        Ok(came.min(most))
    }
}
