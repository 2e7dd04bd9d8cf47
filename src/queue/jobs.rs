//! What time alone brings: snoozed leads wake, undecided ones expire, old posts are forgotten.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;
use serde::Serialize;

use super::audit::SYSTEM;
use super::outbox::into_queue_error;
use super::step::Step;
use super::{DecisionError, Durability, LeadId, Queue, QueueError, State, Writing, ms, rows_of};

/// The most rows one transaction of a job works on, so that nobody waits long for the database.
const ROWS_MAX: usize = 500;

/// Hourly counts are kept this long.
const COUNTERS_DAYS: i64 = 400;

/// What time brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ticked {
    /// Snoozed leads that are new again.
    pub woken: u64,
    /// Leads nobody decided on in time.
    pub expired: u64,
    /// Posts older than the retention time.
    pub forgotten: u64,
}

impl Queue {
    /// Wakes snoozed leads and expires undecided ones; call it every few seconds.
    ///
    /// # Errors
    /// The database fails.
    pub fn tick(&mut self, now: Timestamp) -> Result<Ticked, QueueError> {
        let wake =
            "SELECT id FROM leads WHERE state = 'snoozed' AND snoozed_until <= ?1 ORDER BY snoozed_until LIMIT ?2";
        let expire = "SELECT id FROM leads WHERE state = 'new' AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
        let woken = self.in_slices(wake, now, |w, id| w.by_clock(id, State::Snoozed, State::New, "wake", now))?;
        let expired = self.in_slices(expire, now, |w, id| w.by_clock(id, State::New, State::Expired, "expire", now))?;
        Ok(Ticked { woken, expired, forgotten: 0 })
    }

    /// Forgets posts older than the retention time, ended sessions and old counts, and clears the log of
    /// what was erased; call it hourly.
    ///
    /// # Errors
    /// The database fails.
    pub fn retain(&mut self, posts_days: u32, now: Timestamp) -> Result<Ticked, QueueError> {
        let days = |days: i64| now - SignedDuration::from_hours(24 * days);
        let oldest = days(i64::from(posts_days));
        let old = "SELECT id FROM posts WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2";
        let forgotten = self.in_slices(old, oldest, |w, id| w.forget(id, "retention", SYSTEM, now).map(|_| ()))?;
        self.write(Durability::Process, |w| {
            w.tx.execute("DELETE FROM gone WHERE at < ?1", [ms(oldest)])?;
            w.tx.execute("DELETE FROM sessions WHERE expires_at < ?1", [ms(now)])?;
            w.tx.execute("DELETE FROM links WHERE expires_at < ?1", [ms(oldest)])?;
            w.tx.execute("DELETE FROM counters WHERE hour_at < ?1", [ms(days(COUNTERS_DAYS))])?;
            Ok::<_, QueueError>(())
        })?;
        self.clean_file()?;
        Ok(Ticked { forgotten, ..Ticked::default() })
    }

    /// Does `one` for all rows that `sql` selects (by a time and a number of rows), a slice a transaction.
    fn in_slices(
        &mut self,
        sql: &str,
        at: Timestamp,
        one: impl Fn(&Writing<'_>, i64) -> Result<(), DecisionError>,
    ) -> Result<u64, QueueError> {
        let mut all = 0;
        loop {
            if !self.connection.prepare_cached(sql)?.exists(params![ms(at), 1])? {
                return Ok(all);
            }
            let done = self.write(Durability::Process, |w| {
                let mut statement = w.tx.prepare_cached(sql)?;
                let ids = statement.query_map(params![ms(at), rows_of(ROWS_MAX)], |r| r.get(0))?;
                let ids: Vec<i64> = ids.collect::<rusqlite::Result<_>>()?;
                ids.iter().try_for_each(|&id| one(w, id))?;
                Ok(ids.len() as u64)
            });
            all += done.map_err(into_queue_error)?;
        }
    }
}

impl Writing<'_> {
    fn by_clock(
        &self,
        id: i64,
        from: State,
        to: State,
        what: &'static str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        let step = Step { lead: LeadId(id), version: None, from: &[from], to, who: SYSTEM, what, reason: None };
        self.step(&step, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::super::testing::*;
    use super::*;

    #[test]
    fn more_leads_than_one_slice_expire_at_once() {
        let mut queue = Queue::in_memory().unwrap();
        let count = ROWS_MAX as u64 + 20;
        for id in 0..count {
            add_lead(&mut queue, &id.to_string(), start());
        }
        assert_eq!(queue.tick(after(6 * 3_600 - 1)).unwrap(), Ticked::default());
        assert_eq!(queue.tick(after(6 * 3_600)).unwrap(), Ticked { expired: count, ..Ticked::default() });
        assert_eq!(queue.state_counts().unwrap(), vec![(State::Expired, count)]);
    }

    #[test]
    fn a_snoozed_lead_comes_back_and_stays_for_an_hour() {
        let (mut queue, lead) = with_lead();
        let wakes = 10 * 3_600;
        queue.snooze(lead.id, 1, after(wakes), 20, "bo", start()).unwrap();
        assert_eq!(queue.tick(after(wakes - 1)).unwrap(), Ticked::default());
        assert_eq!(queue.tick(after(wakes)).unwrap(), Ticked { woken: 1, ..Ticked::default() });
        assert_eq!(queue.leads(&Filter::default()).unwrap().0.len(), 1);
        assert_eq!(queue.tick(after(wakes + 3_600)).unwrap(), Ticked { expired: 1, ..Ticked::default() });
    }

    #[test]
    fn posts_are_forgotten_after_the_retention_time_and_what_became_of_them_is_kept() {
        let (mut queue, lead) = with_lead();
        let days = |days: i64| after(86_400 * days);
        assert_eq!(queue.retain(30, days(30)).unwrap().forgotten, 0);
        assert_eq!(queue.retain(30, days(31)).unwrap().forgotten, 1);
        let lead = queue.lead(lead.id).unwrap().unwrap();
        assert_eq!((lead.state, lead.post), (State::Withdrawn, None));
        assert!(queue.stored_posts(start(), 0, 10).unwrap().is_empty());
    }
}
