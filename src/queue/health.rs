//! What sources need kept for them: cursors, health rows, hourly counts, and the stored posts to look back on.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Durability, Queue, QueueError, State, Writing, at, ms, rows_of};
use crate::post::Post;

/// The most stored posts one call returns.
const POSTS_PAGE_MAX: usize = 1_000;

/// Where a source goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The source's own words for the place; opaque to us.
    pub text: String,
    /// A number that grows with it: a smaller one is never stored over a larger one.
    pub position: i64,
}

/// One hourly count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The hour's beginning.
    pub hour: Timestamp,
    /// What was counted: `seen`, `dropped`, `verdict`, `stance`, `leads`.
    pub name: String,
    /// Of what: a source, `source:reason`, `provider:stance`, a provider.
    pub subject: String,
    /// How often.
    pub count: u64,
}

/// A post kept for looking back, with what people decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPost {
    /// Its row; the next page starts after it.
    pub row: i64,
    /// The post.
    pub post: Post,
    /// When we saw it.
    pub seen_at: Timestamp,
    /// The leads it made: provider and where each stands.
    pub leads: Vec<(String, State)>,
}

impl Writing<'_> {
    /// Moves a source's cursor forward, or anywhere when it is reset.
    pub(super) fn move_cursor(
        &self,
        source: &str,
        cursor: &Cursor,
        reset: bool,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO cursors VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET text = excluded.text, position = excluded.position, moved_at = excluded.moved_at
                   WHERE excluded.position >= position OR ?5";
        let set = params![source, cursor.text, cursor.position, ms(now), reset];
        self.tx.prepare_cached(sql)?.execute(set)?;
        Ok(())
    }
}

impl Queue {
    /// Where a source goes on, if it ever began.
    ///
    /// # Errors
    /// The database fails.
    pub fn cursor(&self, source: &str) -> Result<Option<Cursor>, QueueError> {
        let sql = "SELECT text, position FROM cursors WHERE source = ?1";
        let read = |r: &rusqlite::Row<'_>| Ok(Cursor { text: r.get(0)?, position: r.get(1)? });
        Ok(self.connection.prepare_cached(sql)?.query_row([source], read).optional()?)
    }

    /// Keeps a source's health; any JSON its room likes.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_health(&mut self, source: &str, body: &Value, now: Timestamp) -> Result<(), QueueError> {
        let sql = "INSERT INTO health VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET body = excluded.body, at = excluded.at";
        self.write(Durability::Process, |w| {
            w.tx.prepare_cached(sql)?.execute(params![source, body.to_string(), ms(now)])?;
            Ok(())
        })
    }

    /// The health of every source, and when it was told.
    ///
    /// # Errors
    /// The database fails.
    pub fn health(&self) -> Result<Vec<(String, Value, Timestamp)>, QueueError> {
        let mut statement = self.connection.prepare_cached("SELECT source, body, at FROM health ORDER BY source")?;
        let rows = statement.query_map([], |r| {
            let body: String = r.get(1)?;
            Ok((r.get(0)?, serde_json::from_str(&body).unwrap_or_default(), at(r.get(2)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Hourly counts since a time, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn counts(&self, since: Timestamp) -> Result<Vec<Count>, QueueError> {
        let sql = "SELECT hour_at, name, subject, count FROM counters WHERE hour_at >= ?1 ORDER BY 1, 2, 3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([ms(since)], |r| {
            let count: i64 = r.get(3)?;
            Ok(Count { hour: at(r.get(0)?), name: r.get(1)?, subject: r.get(2)?, count: count.unsigned_abs() })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The next page of stored posts seen since a time, in the order they came; start with row 0.
    ///
    /// # Errors
    /// The database fails.
    pub fn stored_posts(&self, since: Timestamp, after_row: i64, limit: usize) -> Result<Vec<StoredPost>, QueueError> {
        let sql = "SELECT id, body, seen_at FROM posts WHERE id > ?1 AND +seen_at >= ?2 ORDER BY id LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![after_row, ms(since), rows_of(limit.min(POSTS_PAGE_MAX))])?;
        let mut posts = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, body): (i64, String) = (row.get(0)?, row.get(1)?);
            let leads = self.leads_of(id)?;
            posts.push(StoredPost { row: id, post: serde_json::from_str(&body)?, seen_at: at(row.get(2)?), leads });
        }
        Ok(posts)
    }

    fn leads_of(&self, post: i64) -> rusqlite::Result<Vec<(String, State)>> {
        let mut statement = self.connection.prepare_cached("SELECT provider, state FROM leads WHERE post = ?1")?;
        statement.query_map([post], |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
    }
}
