//! The audit: every decision and every transition, in a chain of hashes that shows a changed row.

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::{LeadId, Queue, QueueError, Writing, at, ms, rows_of};

/// What stands in `who` for things nobody decided: clocks, deletes, the network's answers.
pub(super) const SYSTEM: &str = "system";

/// The most rows one call returns.
const ROWS_MAX: usize = 10_000;

/// One row of the audit. It holds no post text and no author.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    /// Its place in the chain, counted from 1.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Which operator, or `system`.
    pub who: String,
    /// What was done, such as `approve`.
    pub what: String,
    /// To which lead, if to one.
    pub lead: Option<LeadId>,
    /// The particulars: old and new state, the reason.
    pub detail: Value,
    /// The chain's hash up to this row, in hexadecimal.
    pub hash: String,
}

/// Which rows to read, oldest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only of this lead.
    pub lead: Option<LeadId>,
    /// Only after this row.
    pub after: i64,
    /// At most this many; 0 is the most there are in one call.
    pub limit: usize,
}

/// The outcome of reading the whole chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// How many rows were read.
    pub rows: u64,
    /// The hash of the last good row, in hexadecimal; note it elsewhere to prove the chain later.
    pub head: String,
    /// The first row that does not fit, and why.
    pub broken: Option<(i64, String)>,
}

impl Writing<'_> {
    /// Adds one row to the chain.
    pub(super) fn audit(
        &self,
        now: Timestamp,
        who: &str,
        what: &str,
        lead: Option<LeadId>,
        detail: &Value,
    ) -> rusqlite::Result<()> {
        let last = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1";
        let last = self.tx.prepare_cached(last)?.query_row([], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        let (last_id, last_hash): (i64, Vec<u8>) = last.unwrap_or_default();
        let detail = detail.to_string();
        let link = Link { id: last_id + 1, at: ms(now), who, what, lead: lead.map(|l| l.0), detail: &detail };
        let sql = "INSERT INTO audit (id, at, who, what, lead, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let hash = link.hash(&last_hash);
        self.tx.prepare_cached(sql)?.execute(params![link.id, link.at, who, what, link.lead, detail, hash])?;
        Ok(())
    }
}

/// What the hash of one row covers besides the row before.
struct Link<'a> {
    id: i64,
    at: i64,
    who: &'a str,
    what: &'a str,
    lead: Option<i64>,
    detail: &'a str,
}

impl Link<'_> {
    fn hash(&self, before: &[u8]) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        let lead = self.lead.map(|l| l.to_string()).unwrap_or_default();
        let (id, at) = (self.id.to_string(), self.at.to_string());
        for part in [before, id.as_bytes(), at.as_bytes(), self.who.as_bytes(), self.what.as_bytes(), lead.as_bytes()]
            .into_iter()
            .chain([self.detail.as_bytes()])
        {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.finish().as_ref().to_vec()
    }
}

impl Queue {
    /// Rows of the audit, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, QueueError> {
        let limit = if filter.limit == 0 { ROWS_MAX } else { filter.limit.min(ROWS_MAX) };
        let sql = match filter.lead {
            Some(_) => "SELECT * FROM audit WHERE id > ?1 AND lead = ?2 ORDER BY id LIMIT ?3",
            None => "SELECT * FROM audit WHERE id > ?1 AND ?2 IS NULL ORDER BY id LIMIT ?3",
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![filter.after, filter.lead.map(|l| l.0), rows_of(limit)], row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Reads the whole chain and says where it first does not fit.
    ///
    /// # Errors
    /// The database fails.
    pub fn audit_verify(&self) -> Result<AuditReport, QueueError> {
        let mut report = AuditReport { rows: 0, head: String::new(), broken: None };
        let mut before = Vec::new();
        let mut statement =
            self.connection.prepare("SELECT id, at, who, what, lead, detail, hash FROM audit ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut expected = 1;
        while let Some(row) = rows.next()? {
            match next_hash(row, expected, &before)? {
                Ok(hash) => before = hash,
                Err((id, why)) => {
                    report.broken = Some((id, why.to_owned()));
                    return Ok(report);
                }
            }
            report.rows += 1;
            report.head = hex(&before);
            expected += 1;
        }
        let last: Option<i64> = self
            .connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'audit'", [], |r| r.get(0))
            .optional()?;
        if last.unwrap_or(0) >= expected {
            report.broken = Some((expected, "rows at the end are missing".to_owned()));
        }
        Ok(report)
    }
}

/// The hash of a row that fits, or its number and what is wrong with it.
fn next_hash(row: &Row<'_>, expected: i64, before: &[u8]) -> rusqlite::Result<Result<Vec<u8>, (i64, &'static str)>> {
    let id: i64 = row.get(0)?;
    if id != expected {
        return Ok(Err((expected, "the row is missing")));
    }
    let (who, what, detail): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(5)?);
    let link = Link { id, at: row.get(1)?, who: &who, what: &what, lead: row.get(4)?, detail: &detail };
    let hash = link.hash(before);
    let stored: Vec<u8> = row.get(6)?;
    Ok(if hash == stored { Ok(hash) } else { Err((id, "the row, or the one before it, was changed")) })
}

fn row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let detail: String = row.get("detail")?;
    Ok(AuditRow {
        id: row.get("id")?,
        at: at(row.get("at")?),
        who: row.get("who")?,
        what: row.get("what")?,
        lead: row.get::<_, Option<i64>>("lead")?.map(LeadId),
        detail: serde_json::from_str(&detail).unwrap_or(Value::String(detail)),
        hash: hex(&row.get::<_, Vec<u8>>("hash")?),
    })
}

/// Bytes as lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    /// Five audit rows, then some damage done to the file by hand; what the check says.
    fn after_damage(sql: &str) -> Option<(i64, String)> {
        let (mut queue, _) = with_lead();
        for second in 0..5 {
            queue.set_paused(second % 2 == 0, "bo", after(second)).unwrap();
        }
        queue
            .connection
            .execute_batch("DROP TRIGGER audit_keeps_its_words; DROP TRIGGER audit_keeps_its_rows")
            .unwrap();
        queue.connection.execute_batch(sql).unwrap();
        queue.audit_verify().unwrap().broken
    }

    #[test]
    fn a_changed_row_is_named() {
        for (damage, row) in [
            ("", None),
            ("UPDATE audit SET who = 'cy' WHERE id = 3", Some(3)),
            ("UPDATE audit SET at = at + 1 WHERE id = 1", Some(1)),
            ("UPDATE audit SET detail = '{}' WHERE id = 5", Some(5)),
            ("DELETE FROM audit WHERE id = 2", Some(2)),
            ("DELETE FROM audit WHERE id = 5", Some(5)),
            ("DELETE FROM audit", Some(1)),
        ] {
            assert_eq!(after_damage(damage).map(|(id, _)| id), row, "{damage}");
        }
    }

    #[test]
    fn sql_itself_refuses_to_change_a_row() {
        let (mut queue, _) = with_lead();
        queue.set_paused(true, "bo", start()).unwrap();
        for sql in ["UPDATE audit SET who = 'cy'", "DELETE FROM audit"] {
            assert!(queue.connection.execute(sql, []).unwrap_err().to_string().contains("append-only"));
        }
    }

    #[test]
    fn it_pages_and_tells_one_lead_from_another() {
        let (mut queue, lead) = with_lead();
        queue.set_paused(true, "bo", start()).unwrap();
        queue.note(lead.id, "call them", "bo", after(1)).unwrap();
        let of_lead = queue.audit(&AuditFilter { lead: Some(lead.id), ..AuditFilter::default() }).unwrap();
        assert_eq!(of_lead.iter().map(|r| r.what.as_str()).collect::<Vec<_>>(), ["note"]);
        let rest = queue.audit(&AuditFilter { after: 1, ..AuditFilter::default() }).unwrap();
        assert_eq!(rest, of_lead);
        assert_eq!(queue.audit_verify().unwrap().head, rest[0].hash);
    }
}
