//! One step of a lead from state to state: compare and set, one winner, one audit row.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use super::{Conflict, DecisionError, LeadId, Refusal, State, Writing, at, ms};

/// A step to take.
pub(super) struct Step<'a> {
    /// Of which lead.
    pub lead: LeadId,
    /// The version it was decided on; none where no person looked at it before.
    pub version: Option<i64>,
    /// States it may be taken from.
    pub from: &'a [State],
    /// The state it leads to.
    pub to: State,
    /// Which operator, or `system`.
    pub who: &'a str,
    /// What the audit calls it.
    pub what: &'static str,
    /// Why, kept on the lead and in the audit.
    pub reason: Option<&'a str>,
}

impl Writing<'_> {
    /// Takes a step. Whoever comes second learns who was first.
    pub(super) fn step(&self, step: &Step<'_>, now: Timestamp) -> Result<(), DecisionError> {
        let current = self.standing(step.lead)?.ok_or(DecisionError::NotFound)?;
        if step.version.is_some_and(|v| v != current.version) {
            return Err(DecisionError::Conflict(current));
        }
        if !step.from.contains(&current.state) {
            return Err(Refusal::State(current.state).into());
        }
        self.set(step, &current, now)?;
        let detail = json!({ "from": current.state, "to": step.to, "reason": step.reason, "version": current.version });
        self.audit(now, step.who, step.what, Some(step.lead), &detail)?;
        Ok(())
    }

    fn set(&self, step: &Step<'_>, current: &Conflict, now: Timestamp) -> Result<(), DecisionError> {
        let sql = "UPDATE leads SET state = ?1, version = version + 1, change = ?2, changed_at = ?3, changed_by = ?4,
                          reason = ?5, claimed_by = NULL, claimed_until = NULL, snoozed_until = NULL, undo_until = NULL
                   WHERE id = ?6 AND version = ?7 AND state = ?8";
        let change = self.next_change()?;
        let set = params![step.to, change, ms(now), step.who, step.reason, step.lead.0, current.version, current.state];
        match self.tx.prepare_cached(sql)?.execute(set)? {
            1 => Ok(()),
            _ => Err(DecisionError::Conflict(current.clone())),
        }
    }

    /// Where a lead stands now.
    pub(super) fn standing(&self, lead: LeadId) -> rusqlite::Result<Option<Conflict>> {
        let sql = "SELECT state, changed_by, changed_at, version FROM leads WHERE id = ?1";
        let mut statement = self.tx.prepare_cached(sql)?;
        statement
            .query_row([lead.0], |row| {
                Ok(Conflict { state: row.get(0)?, who: row.get(1)?, when: at(row.get(2)?), version: row.get(3)? })
            })
            .optional()
    }

    /// Marks a lead as changed for those who watch, without a new version.
    pub(super) fn touch(&self, lead: LeadId) -> rusqlite::Result<()> {
        let change = self.next_change()?;
        self.tx.prepare_cached("UPDATE leads SET change = ?1 WHERE id = ?2")?.execute([change, lead.0])?;
        Ok(())
    }

    /// The next number of the sequence in which leads change.
    pub(super) fn next_change(&self) -> rusqlite::Result<i64> {
        let sql = "UPDATE meta SET value = value + 1 WHERE name = 'change' RETURNING value";
        self.tx.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }

    /// Withdraws every open lead that `sql` (with one parameter) selects; says how many.
    pub(super) fn withdraw(
        &self,
        sql: &str,
        parameter: &dyn rusqlite::ToSql,
        reason: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<u64, DecisionError> {
        let ids: Vec<i64> =
            self.tx.prepare_cached(sql)?.query_map([parameter], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut withdrawn = 0;
        for id in ids {
            let lead = LeadId(id);
            let open = self.standing(lead)?.is_some_and(|s| State::OPEN.contains(&s.state));
            if open {
                let to = State::Withdrawn;
                let reason = Some(reason);
                let step = Step { lead, version: None, from: &State::OPEN, to, who, what: "withdraw", reason };
                self.step(&step, now)?;
                withdrawn += 1;
            }
        }
        Ok(withdrawn)
    }

    /// One value of the `meta` table.
    pub(super) fn set_meta(&self, name: &str, value: &Value) -> rusqlite::Result<()> {
        let sql = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.tx.execute(sql, params![name, value.to_string()])?;
        Ok(())
    }
}
