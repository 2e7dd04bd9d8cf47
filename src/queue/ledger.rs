//! The rules ledger and the hourly counters: what each rule hit, and what people made of it.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::{LeadId, Queue, QueueError, Writing, ms};
use crate::engine::Finding;
use crate::score::Assessment;

const HOUR_MILLISECONDS: i64 = 3_600_000;

/// What one rule did, summed over days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// `signal`, `hold` or `offer`.
    pub kind: String,
    /// The rule's id.
    pub rule: String,
    /// `hit`, `lead`, `approved`, or `dismissed:REASON`.
    pub event: String,
    /// How often.
    pub count: u64,
    /// The last UTC day it happened on, such as `2026-06-01`.
    pub last_day: String,
}

/// Counts gathered during one transaction, written once at its end.
#[derive(Debug, Default)]
pub(super) struct Tally {
    ledger: HashMap<(&'static str, String, String), u64>,
    counters: HashMap<(&'static str, String), u64>,
}

impl Tally {
    /// Counts something under a name and a subject.
    pub fn count(&mut self, name: &'static str, subject: &str, times: u64) {
        if times > 0 {
            *self.counters.entry((name, subject.to_owned())).or_default() += times;
        }
    }

    /// Counts what one finding shows: rules that hit, verdicts and stances per provider.
    pub fn finding(&mut self, finding: &Finding) {
        let assessment = &finding.assessment;
        self.rules(assessment, "hit");
        if let Some(hold) = finding.verdict.hold() {
            self.rule("hold", hold, "hit");
        }
        self.count("verdict", &format!("{}:{}", assessment.provider, finding.verdict.as_str()), 1);
        self.count("stance", &format!("{}:{}", assessment.provider, assessment.stance), 1);
    }

    /// Counts an event for every staff signal of an assessment.
    pub fn rules(&mut self, assessment: &Assessment, event: &str) {
        let staff = assessment.reasons.iter().filter(|r| r.rule.is_some());
        let mut signals: Vec<&str> = staff.map(|r| r.signal.as_str()).collect();
        signals.sort_unstable();
        signals.dedup();
        signals.into_iter().for_each(|signal| self.rule("signal", signal, event));
    }

    /// Counts an event for one rule.
    pub fn rule(&mut self, kind: &'static str, rule: &str, event: &str) {
        *self.ledger.entry((kind, rule.to_owned(), event.to_owned())).or_default() += 1;
    }
}

impl Writing<'_> {
    /// Writes a tally down.
    pub(super) fn keep(&self, tally: Tally, now: Timestamp) -> rusqlite::Result<()> {
        let day = now.to_zoned(TimeZone::UTC).date().to_string();
        let sql = "INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT DO UPDATE SET count = count + excluded.count";
        for ((kind, rule, event), count) in tally.ledger {
            self.tx.prepare_cached(sql)?.execute(params![kind, rule, event, day, count.cast_signed()])?;
        }
        let hour = ms(now).div_euclid(HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
        let sql = "INSERT INTO counters VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET count = count + excluded.count";
        for ((name, subject), count) in tally.counters {
            self.tx.prepare_cached(sql)?.execute(params![hour, name, subject, count.cast_signed()])?;
        }
        Ok(())
    }

    /// Counts what an operator made of a lead, for every rule that brought it up.
    pub(super) fn judge_rules(&self, lead: LeadId, event: &str, now: Timestamp) -> rusqlite::Result<()> {
        let sql = "SELECT f.assessment, l.offer FROM leads l
                   JOIN findings f ON f.post = l.post AND f.provider = l.provider WHERE l.id = ?1";
        let mut statement = self.tx.prepare_cached(sql)?;
        let row = |r: &rusqlite::Row<'_>| Ok((r.get::<_, String>(0)?, r.get::<_, Option<String>>(1)?));
        let Some((assessment, offer)) = statement.query_row([lead.0], row).optional()? else { return Ok(()) };
        let mut tally = Tally::default();
        if let Ok(assessment) = serde_json::from_str::<Assessment>(&assessment) {
            tally.rules(&assessment, event);
        }
        if let Some(offer) = offer {
            tally.rule("offer", &offer, event);
        }
        self.keep(tally, now)
    }
}

impl Queue {
    /// What each rule did since a time (by whole UTC days).
    ///
    /// # Errors
    /// The database fails.
    pub fn ledger(&self, since: Timestamp) -> Result<Vec<LedgerRow>, QueueError> {
        let sql = "SELECT kind, rule, event, sum(count), max(day) FROM ledger WHERE day >= ?1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
        let day = since.to_zoned(TimeZone::UTC).date().to_string();
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([day], |r| {
            let count: i64 = r.get(3)?;
            let (kind, rule, event, last_day) = (r.get(0)?, r.get(1)?, r.get(2)?, r.get(4)?);
            Ok(LedgerRow { kind, rule, event, count: count.unsigned_abs(), last_day })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
