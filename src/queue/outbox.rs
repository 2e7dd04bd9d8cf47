//! What goes out: approved replies, each marked durably before the call and settled after it, at most once.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audit::{SYSTEM, hex};
use super::keys::{self, Hash};
use super::leads::json;
use super::step::Step;
use super::{DecisionError, Durability, LeadId, Queue, QueueError, Refusal, State, Writing, at, ms, rows_of};
use crate::post::{Network, Post};
use crate::rules::Policy;

/// The most approved leads looked at in one search for the next to send.
const CANDIDATES_MAX: usize = 100;

/// An approved reply on its way out. Only the queue makes one, from an operator's decision, after it has
/// marked the lead as `sending`; it cannot be copied, and [`Queue::record_receipt`] takes it back.
#[derive(Debug)]
pub struct Approved {
    lead: LeadId,
    attempt: i64,
    key: String,
    post: Post,
    text: String,
    offer: Option<String>,
    approved_by: String,
    started_at: Timestamp,
}

impl Approved {
    /// The lead it answers.
    #[must_use]
    pub const fn lead(&self) -> LeadId {
        self.lead
    }

    /// The same for every try with the same words: the network's idempotency key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The post to answer.
    #[must_use]
    pub const fn post(&self) -> &Post {
        &self.post
    }

    /// The words, exactly as approved.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The offer they were made from.
    #[must_use]
    pub fn offer(&self) -> Option<&str> {
        self.offer.as_deref()
    }

    /// Who approved them.
    #[must_use]
    pub fn approved_by(&self) -> &str {
        &self.approved_by
    }

    /// When it was marked.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }
}

/// A reply whose fate is unknown: read back at the network, never send again.
#[derive(Debug)]
pub struct Unsettled(Approved);

impl Unsettled {
    /// What was, perhaps, sent.
    #[must_use]
    pub const fn reply(&self) -> &Approved {
        &self.0
    }
}

/// What the network answered when the reply went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The network's identifier of our reply.
    pub uri: String,
    /// A link a person can open.
    pub url: Option<String>,
    /// When it went out.
    pub at: Timestamp,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is out.
    Sent(Receipt),
    /// The network definitely refused; an operator may reopen the lead.
    Failed(String),
    /// No answer came: it may be out.
    Unknown(String),
    /// It is definitely not out; try again, not before this time.
    NotSent {
        /// Not before.
        retry_at: Timestamp,
        /// Why.
        why: String,
    },
    /// A last look before the call said no: the post is gone, gated, solved, answered.
    Withdrawn(String),
}

impl Queue {
    /// The next approved reply for one of these networks whose undo window is over, marked as `sending`
    /// on disk before it is returned. None while paused, in quiet hours, or when caps are reached.
    /// Leads that may no longer be answered are withdrawn on the way.
    ///
    /// # Errors
    /// The database fails; nothing may be sent then.
    pub fn take_approved(
        &mut self,
        policy: &Policy,
        networks: &[Network],
        now: Timestamp,
    ) -> Result<Option<Approved>, QueueError> {
        let quiet = policy.quiet_hours.as_ref().is_some_and(|quiet| quiet.holds_at(now));
        if quiet || self.is_paused()? {
            return Ok(None);
        }
        let taken = self.write(Durability::Power, |w| w.take(policy, networks, now));
        taken.map_err(into_queue_error)
    }

    /// Records how a try ended.
    ///
    /// # Errors
    /// The database fails; the lead then stays `sending`, and is `unknown` after the next start.
    pub fn record_receipt(&mut self, approved: Approved, outcome: &Outcome, now: Timestamp) -> Result<(), QueueError> {
        let recorded = self.write(Durability::Power, |w| w.record(&approved, State::Sending, outcome, now));
        recorded.map_err(into_queue_error)
    }

    /// Replies of unknown fate whose try began before a time, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn unsettled(&self, started_before: Timestamp) -> Result<Vec<Unsettled>, QueueError> {
        let sql = "SELECT l.id, a.id AS attempt, a.key, p.body, l.text, coalesce((SELECT operator FROM approvals
                          WHERE lead = l.id ORDER BY at DESC LIMIT 1), ''), a.started_at, l.offer
                   FROM leads l JOIN attempts a ON a.lead = l.id AND a.outcome = 'unknown' JOIN posts p ON p.id = l.post
                   WHERE l.state = 'unknown' AND a.started_at <= ?1 AND l.text IS NOT NULL ORDER BY a.id LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![ms(started_before), rows_of(CANDIDATES_MAX)], |r| {
            let Some(post) = json(r, "body")? else { return Ok(None) };
            Ok(Some(Unsettled(Approved {
                lead: LeadId(r.get(0)?),
                attempt: r.get(1)?,
                key: hex(&r.get::<_, Vec<u8>>(2)?),
                post,
                text: r.get(4)?,
                approved_by: r.get(5)?,
                started_at: at(r.get(6)?),
                offer: r.get(7)?,
            })))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Records what reading back found out; [`Outcome::Unknown`] leaves it to a person.
    ///
    /// # Errors
    /// The database fails, or a person settled it meanwhile.
    pub fn settle(&mut self, unsettled: Unsettled, outcome: &Outcome, now: Timestamp) -> Result<(), QueueError> {
        if matches!(outcome, Outcome::Unknown(_)) {
            return Ok(());
        }
        let settled = self.write(Durability::Power, |w| w.record(&unsettled.0, State::Unknown, outcome, now));
        settled.map_err(into_queue_error)
    }

    /// Stops all sending at once, or lets it go on.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_paused(&mut self, paused: bool, operator: &str, now: Timestamp) -> Result<(), QueueError> {
        self.write(Durability::Power, |w| {
            w.set_meta("paused", &json!({ "paused": paused, "by": operator, "at": now }))?;
            Ok(w.audit(now, operator, if paused { "pause" } else { "resume" }, None, &Value::Null)?)
        })
    }

    /// Whether all sending is stopped.
    ///
    /// # Errors
    /// The database fails.
    pub fn is_paused(&self) -> Result<bool, QueueError> {
        let sql = "SELECT value ->> '$.paused' FROM meta WHERE name = 'paused'";
        let paused: Option<bool> = self.connection.prepare_cached(sql)?.query_row([], |r| r.get(0)).optional()?;
        Ok(paused.unwrap_or(false))
    }

    /// Replies that were under way when the last daemon ended have an unknown fate.
    pub(super) fn recover(&mut self, now: Timestamp) -> Result<(), QueueError> {
        let recovered = self.write(Durability::Power, |w| {
            let mut statement = w.tx.prepare("SELECT id FROM leads WHERE state = 'sending'")?;
            let ids: Vec<i64> = statement.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
            for id in ids {
                let reason = Some("stopped_while_sending");
                w.system_step(LeadId(id), State::Sending, State::Unknown, "unknown", reason, now)?;
                w.close_attempt(LeadId(id), "unknown", reason, now)?;
            }
            Ok(())
        });
        recovered.map_err(into_queue_error)
    }
}

/// Outside of operators' decisions a refusal means that the database and the program disagree.
pub(super) fn into_queue_error(error: DecisionError) -> QueueError {
    match error {
        DecisionError::Queue(error) => error,
        other => QueueError::Unusable(format!("the lead could not be changed: {other}.")),
    }
}

impl Writing<'_> {
    fn take(&self, policy: &Policy, networks: &[Network], now: Timestamp) -> Result<Option<Approved>, DecisionError> {
        let open: Vec<Network> = self.below_caps(policy, networks, now)?;
        for id in self.candidates(now)? {
            let lead = LeadId(id);
            let network = self.facts(lead)?.network();
            if !open.contains(&network) {
                continue;
            }
            match self.may_contact(lead, policy.contact_window_days, now) {
                Ok(()) => {}
                Err(DecisionError::Refused(refusal)) => {
                    let reason = Some(withdrawal(&refusal));
                    self.system_step(lead, State::Approved, State::Withdrawn, "withdraw", reason, now)?;
                    continue;
                }
                Err(other) => return Err(other),
            }
            if let Some(approved) = self.mark(lead, now)? {
                return Ok(Some(approved));
            }
        }
        Ok(None)
    }

    fn candidates(&self, now: Timestamp) -> rusqlite::Result<Vec<i64>> {
        let sql = "SELECT id FROM leads WHERE state = 'approved' AND undo_until <= ?1 ORDER BY undo_until, id LIMIT ?2";
        let mut statement = self.tx.prepare_cached(sql)?;
        statement.query_map(params![ms(now), rows_of(CANDIDATES_MAX)], |r| r.get(0))?.collect()
    }

    /// The networks on which neither the hour's nor the day's cap is reached.
    fn below_caps(&self, policy: &Policy, networks: &[Network], now: Timestamp) -> rusqlite::Result<Vec<Network>> {
        let mut open = Vec::new();
        for &network in networks {
            let hour = self.tries_since(network, now - SignedDuration::from_hours(1))?;
            let day = self.tries_since(network, now - SignedDuration::from_hours(24))?;
            if hour < policy.replies_per_hour_max && day < policy.replies_per_day_max {
                open.push(network);
            }
        }
        Ok(open)
    }

    fn tries_since(&self, network: Network, since: Timestamp) -> rusqlite::Result<u32> {
        let sql = "SELECT count(*) FROM attempts WHERE network = ?1 AND started_at > ?2
                     AND (outcome IS NULL OR outcome IN ('sent', 'unknown'))";
        self.tx.prepare_cached(sql)?.query_row(params![network.as_str(), ms(since)], |r| r.get(0))
    }

    /// Marks a lead as being sent; one whose words are not the approved ones fails instead.
    fn mark(&self, lead: LeadId, now: Timestamp) -> Result<Option<Approved>, DecisionError> {
        let sql = "SELECT p.body, l.text, l.offer FROM leads l JOIN posts p ON p.id = l.post WHERE l.id = ?1";
        let (body, text, offer): (String, String, Option<String>) =
            self.tx.prepare_cached(sql)?.query_row([lead.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let sql = "SELECT operator FROM approvals WHERE lead = ?1 AND text_hash = ?2 ORDER BY at DESC LIMIT 1";
        let approver = self.tx.prepare_cached(sql)?.query_row(params![lead.0, keys::words(&text)], |r| r.get(0));
        let Some(approved_by) = approver.optional()? else {
            let reason = Some("words_not_approved");
            self.system_step(lead, State::Approved, State::Failed, "fail", reason, now)?;
            return Ok(None);
        };
        self.system_step(lead, State::Approved, State::Sending, "send", None, now)?;
        let (attempt, key) = self.open_attempt(lead, now)?;
        let post = serde_json::from_str(&body)?;
        Ok(Some(Approved { lead, attempt, key: hex(&key), post, text, offer, approved_by, started_at: now }))
    }

    /// Opens a try and counts the person as contacted from now on. A second open try of one lead is
    /// refused by the database itself.
    pub(super) fn open_attempt(&self, lead: LeadId, now: Timestamp) -> rusqlite::Result<(i64, Hash)> {
        let sql = "SELECT text, network, author, person FROM leads WHERE id = ?1";
        let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, [r.get(2)?, r.get(3)?]));
        let (text, network, people): (String, String, [Option<Hash>; 2]) =
            self.tx.prepare_cached(sql)?.query_row([lead.0], row)?;
        let key = self.keys.attempt(lead.0, &text);
        let sql = "INSERT INTO attempts (lead, key, network, started_at) VALUES (?1, ?2, ?3, ?4)";
        self.tx.prepare_cached(sql)?.execute(params![lead.0, key, network, ms(now)])?;
        let attempt = self.tx.last_insert_rowid();
        for person in people.into_iter().flatten() {
            let sql = "INSERT OR REPLACE INTO contacts VALUES (?1, ?2, ?3)";
            self.tx.prepare_cached(sql)?.execute(params![person, lead.0, ms(now)])?;
        }
        Ok((attempt, key))
    }

    /// Closes the lead's open or unknown try.
    pub(super) fn close_attempt(
        &self,
        lead: LeadId,
        outcome: &str,
        detail: Option<&str>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let sql = "UPDATE attempts SET outcome = ?1, detail = ?2, ended_at = ?3
                   WHERE lead = ?4 AND (outcome IS NULL OR outcome = 'unknown')";
        self.tx.prepare_cached(sql)?.execute(params![outcome, detail, ms(now), lead.0])?;
        Ok(())
    }

    /// The person was not contacted after all.
    pub(super) fn forget_contact(&self, lead: LeadId) -> rusqlite::Result<()> {
        self.tx.prepare_cached("DELETE FROM contacts WHERE lead = ?1")?.execute([lead.0])?;
        Ok(())
    }

    /// Keeps what the network answered.
    pub(super) fn keep_receipt(&self, lead: LeadId, receipt: &Receipt) -> Result<(), DecisionError> {
        let receipt = serde_json::to_string(receipt)?;
        self.tx.execute("UPDATE leads SET receipt = ?1 WHERE id = ?2", params![receipt, lead.0])?;
        Ok(())
    }

    fn record(&self, sent: &Approved, from: State, outcome: &Outcome, now: Timestamp) -> Result<(), DecisionError> {
        let lead = sent.lead;
        let (to, what, outcome_word, why) = match outcome {
            Outcome::Sent(_) => (State::Sent, "sent", "sent", None),
            Outcome::Failed(why) => (State::Failed, "fail", "failed", Some(why.as_str())),
            Outcome::Unknown(why) => (State::Unknown, "unknown", "unknown", Some(why.as_str())),
            Outcome::NotSent { why, .. } => (State::Approved, "not_sent", "not_sent", Some(why.as_str())),
            Outcome::Withdrawn(why) => (State::Withdrawn, "withdraw", "withdrawn", Some(why.as_str())),
        };
        self.system_step(lead, from, to, what, why, now)?;
        let sql = "UPDATE attempts SET outcome = ?1, detail = ?2, ended_at = ?3 WHERE id = ?4";
        self.tx.prepare_cached(sql)?.execute(params![outcome_word, why, ms(now), sent.attempt])?;
        match outcome {
            Outcome::Sent(receipt) => self.keep_receipt(lead, receipt),
            Outcome::Unknown(_) => Ok(()),
            Outcome::NotSent { retry_at, .. } => {
                let sql = "UPDATE leads SET undo_until = ?1, changed_by = ?2 WHERE id = ?3";
                self.tx.execute(sql, params![ms(*retry_at), sent.approved_by, lead.0])?;
                Ok(self.forget_contact(lead)?)
            }
            Outcome::Failed(_) | Outcome::Withdrawn(_) => Ok(self.forget_contact(lead)?),
        }
    }

    /// A step nobody decided.
    pub(super) fn system_step(
        &self,
        lead: LeadId,
        from: State,
        to: State,
        what: &'static str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.step(&Step { lead, version: None, from: &[from], to, who: SYSTEM, what, reason }, now)
    }
}

/// The reason under which an approved lead is withdrawn at the last moment.
const fn withdrawal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::OptedOut => "opted_out",
        Refusal::AlreadyContacted(_) => "already_contacted",
        _ => "post_gone",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Approval, Batch};
    use super::*;
    use crate::decide::Verdict;

    const HERE: &[Network] = &[Network::Bluesky];

    fn policy() -> Policy {
        Policy { replies_per_hour_max: 2, replies_per_day_max: 3, ..Policy::default() }
    }

    fn approve(queue: &mut Queue, lead: LeadId, now: Timestamp) {
        let version = queue.lead(lead).unwrap().unwrap().version;
        queue.approve(lead, version, &Approval::of("Hello", &policy()), "bo", now).unwrap();
    }

    fn approved() -> (Queue, LeadId) {
        let (mut queue, lead) = with_lead();
        approve(&mut queue, lead.id, start());
        (queue, lead.id)
    }

    fn take(queue: &mut Queue, now: Timestamp) -> Option<Approved> {
        queue.take_approved(&policy(), HERE, now).unwrap()
    }

    fn receipt() -> Receipt {
        Receipt { uri: "at://us/1".into(), url: None, at: after(30) }
    }

    fn state(queue: &Queue, lead: LeadId) -> State {
        queue.lead(lead).unwrap().unwrap().state
    }

    #[test]
    fn nothing_goes_out_before_the_undo_window_is_over() {
        let (mut queue, lead) = approved();
        assert!(take(&mut queue, after(19)).is_none());
        let reply = take(&mut queue, after(20)).unwrap();
        assert_eq!((reply.lead(), reply.text(), reply.approved_by()), (lead, "Hello", "bo"));
        assert_eq!(state(&queue, lead), State::Sending);
        assert!(take(&mut queue, after(21)).is_none(), "it is taken once");
    }

    #[test]
    fn every_outcome_has_its_state() {
        for (outcome, ends, again) in [
            (Outcome::Sent(receipt()), State::Sent, false),
            (Outcome::Failed("403".into()), State::Failed, false),
            (Outcome::Unknown("timeout".into()), State::Unknown, false),
            (Outcome::NotSent { retry_at: after(90), why: "429".into() }, State::Approved, true),
            (Outcome::Withdrawn("post_gone".into()), State::Withdrawn, false),
        ] {
            let (mut queue, lead) = approved();
            let reply = take(&mut queue, after(20)).unwrap();
            let key = reply.key().to_owned();
            queue.record_receipt(reply, &outcome, after(30)).unwrap();
            assert_eq!(state(&queue, lead), ends);
            assert!(take(&mut queue, after(89)).is_none());
            assert_eq!(take(&mut queue, after(90)).map(|a| a.key().to_owned()), again.then_some(key), "{outcome:?}");
        }
    }

    #[test]
    fn what_was_under_way_at_a_crash_is_settled_and_not_sent_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.db");
        let mut queue = Queue::open(&path, start()).unwrap();
        let lead = add_lead(&mut queue, "1", start());
        approve(&mut queue, lead, start());
        let key = take(&mut queue, after(20)).unwrap().key().to_owned();
        drop(queue);
        let mut queue = Queue::open(&path, after(25)).unwrap();
        assert_eq!(state(&queue, lead), State::Unknown);
        assert!(take(&mut queue, after(60)).is_none());
        assert!(queue.unsettled(after(19)).unwrap().is_empty(), "too early to tell");
        let unsettled = queue.unsettled(after(20)).unwrap().remove(0);
        assert_eq!((unsettled.reply().key(), unsettled.reply().approved_by()), (key.as_str(), "bo"));
        queue.settle(unsettled, &Outcome::Sent(receipt()), after(140)).unwrap();
        assert_eq!(state(&queue, lead), State::Sent);
    }

    #[test]
    fn caps_hold_per_hour_and_day() {
        let mut queue = Queue::in_memory().unwrap();
        for id in 0..5 {
            let lead = add_lead(&mut queue, &id.to_string(), start());
            approve(&mut queue, lead, start());
        }
        for (second, may) in
            [(30, true), (31, true), (32, false), (3_629, false), (3_631, true), (7_300, false), (86_431, true)]
        {
            let reply = take(&mut queue, after(second));
            assert_eq!(reply.is_some(), may, "after {second} seconds");
            if let Some(reply) = reply {
                queue.record_receipt(reply, &Outcome::Sent(receipt()), after(second)).unwrap();
            }
        }
    }

    #[test]
    fn one_person_is_contacted_once_whatever_the_network() {
        let mut queue = Queue::in_memory().unwrap();
        let first = add_lead(&mut queue, "1", start());
        let mut post = post("99", "x", "Leaving O2");
        (post.network, post.author.handle) = (Network::Mastodon, "author1@mastodon.example".into());
        let second = commit(&mut queue, vec![judged(post.clone(), vec![finding("o2", Verdict::Enter)])], start())[0];
        approve(&mut queue, first, start());
        approve(&mut queue, second, start());
        let both = [Network::Bluesky, Network::Mastodon];
        let reply = queue.take_approved(&policy(), &both, after(30)).unwrap().unwrap();
        queue.record_receipt(reply, &Outcome::Sent(receipt()), after(31)).unwrap();
        assert!(queue.take_approved(&policy(), &both, after(32)).unwrap().is_none());
        assert_eq!(queue.lead(second).unwrap().unwrap().reason.as_deref(), Some("already_contacted"));
        assert_eq!(queue.history(&post).unwrap().contacted_at, Some(after(30)));
    }

    #[test]
    fn a_pause_quiet_hours_and_a_delete_stop_it() {
        let (mut queue, lead) = approved();
        queue.set_paused(true, "bo", after(1)).unwrap();
        assert!(take(&mut queue, after(30)).is_none());
        queue.set_paused(false, "bo", after(31)).unwrap();
        let quiet = crate::rules::QuietHours {
            from: jiff::civil::time(9, 0, 0, 0),
            to: jiff::civil::time(11, 0, 0, 0),
            zone: jiff::tz::TimeZone::UTC,
        };
        let at_night = Policy { quiet_hours: Some(quiet), ..policy() };
        assert!(queue.take_approved(&at_night, HERE, after(32)).unwrap().is_none());
        let deletes = vec![(Network::Bluesky, crate::post::PostId::new("at://ana/1"))];
        queue.commit(&Batch { deletes, ..Batch::of("stream") }, &policy(), after(33)).unwrap();
        assert!(take(&mut queue, after(34)).is_none());
        assert_eq!(state(&queue, lead), State::Withdrawn);
    }

    #[test]
    fn words_changed_behind_our_back_are_not_sent() {
        let (mut queue, lead) = approved();
        queue.connection.execute("UPDATE leads SET text = 'Buy now'", []).unwrap();
        assert!(take(&mut queue, after(30)).is_none());
        assert_eq!(queue.lead(lead).unwrap().unwrap().reason.as_deref(), Some("words_not_approved"));
    }
}
