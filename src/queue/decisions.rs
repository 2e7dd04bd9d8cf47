//! What operators do with a lead: claim, edit, approve, dismiss, snooze, undo, note, hand off.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::SYSTEM;
use super::history::{contacted_at, opted_out};
use super::keys::{self, Hash};
use super::step::Step;
use super::{DecisionError, Durability, LeadId, Queue, QueueError, Receipt, Refusal, State, Writing, at, ms};
use crate::draft::TextLimit;
use crate::post::Network;
use crate::rules::Policy;

/// How long a claim lasts unless it is renewed.
pub const CLAIM_SECONDS: i64 = 300;

/// The longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 4_000;

/// A snoozed lead stays at least this long after it comes back.
const AFTER_SNOOZE_MINUTES: i64 = 60;

/// What an operator approves, and on what conditions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Approval<'a> {
    /// The words to send, exactly.
    pub text: &'a str,
    /// How long it can be undone.
    pub undo_seconds: u32,
    /// One contact per person within this many days.
    pub contact_window_days: u32,
    /// How many different operators must approve the same words.
    pub approvals_needed: u8,
}

impl<'a> Approval<'a> {
    /// These words, on the conditions of the policy, by one operator.
    #[must_use]
    pub const fn of(text: &'a str, policy: &Policy) -> Self {
        Self {
            text,
            undo_seconds: policy.undo_seconds,
            contact_window_days: policy.contact_window_days,
            approvals_needed: 1,
        }
    }
}

/// What an approval led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approve {
    /// Approved; nothing is sent before this time.
    HeldUntil(Timestamp),
    /// Noted; so many operators have approved these words, and more must.
    Another {
        /// How many have.
        given: u8,
    },
}

/// Why an operator says no. Feeds the backtest and the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DismissReason {
    /// They do not complain or leave at all.
    NotAComplaint,
    /// It is not about this provider.
    NotOurRival,
    /// We cannot serve them: wrong person, wrong place.
    WrongPersonOrArea,
    /// It is meant in jest.
    Joke,
    /// Speaking here would be indecent.
    Sensitive,
    /// It has been put right.
    AlreadySolved,
    /// It is too old by now.
    TooLate,
    /// None of our offers helps them.
    OfferDoesNotFit,
    /// Something else: see the note.
    Other,
}

impl DismissReason {
    /// Every reason, in the order of the keys 1 to 9.
    pub const ALL: [Self; 9] = [
        Self::NotAComplaint,
        Self::NotOurRival,
        Self::WrongPersonOrArea,
        Self::Joke,
        Self::Sensitive,
        Self::AlreadySolved,
        Self::TooLate,
        Self::OfferDoesNotFit,
        Self::Other,
    ];

    /// The word used in JSON, the database and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAComplaint => "not_a_complaint",
            Self::NotOurRival => "not_our_rival",
            Self::WrongPersonOrArea => "wrong_person_or_area",
            Self::Joke => "joke",
            Self::Sensitive => "sensitive",
            Self::AlreadySolved => "already_solved",
            Self::TooLate => "too_late",
            Self::OfferDoesNotFit => "offer_does_not_fit",
            Self::Other => "other",
        }
    }

    /// The reason of that name; hyphens may stand for underscores.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|r| r.as_str() == name)
    }
}

/// A note between operators. It stands apart from the reply and can never be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Who wrote it.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// What a decision looks at before it is taken.
pub(super) struct Facts {
    network: Network,
    has_post: bool,
    people: Vec<Hash>,
    undo_until: Option<Timestamp>,
    claim: Option<(String, Timestamp)>,
}

impl Facts {
    /// Where the lead's post was written.
    pub(super) const fn network(&self) -> Network {
        self.network
    }
}

impl Queue {
    /// Takes or renews the lease on a lead. `take_over` takes it from somebody else (audited).
    ///
    /// # Errors
    /// Another operator holds it, or the database fails.
    pub fn claim(
        &mut self,
        id: LeadId,
        operator: &str,
        take_over: bool,
        now: Timestamp,
    ) -> Result<Timestamp, DecisionError> {
        let until = now + SignedDuration::from_secs(CLAIM_SECONDS);
        self.write(Durability::Process, |w| {
            let claimed = w.free_for(id, operator, now);
            match claimed {
                Err(DecisionError::Refused(Refusal::Claimed { by, .. })) if take_over => {
                    w.audit(now, operator, "take_over", Some(id), &json!({ "from": by }))?;
                }
                other => other?,
            }
            let sql = "UPDATE leads SET claimed_by = ?1, claimed_until = ?2 WHERE id = ?3";
            w.tx.prepare_cached(sql)?.execute(params![operator, ms(until), id.0])?;
            w.touch(id)?;
            Ok(until)
        })
    }

    /// Gives the lease back; nothing happens when somebody else holds it.
    ///
    /// # Errors
    /// The database fails.
    pub fn release(&mut self, id: LeadId, operator: &str) -> Result<(), DecisionError> {
        self.write(Durability::Process, |w| {
            let sql = "UPDATE leads SET claimed_by = NULL, claimed_until = NULL WHERE id = ?1 AND claimed_by = ?2";
            if w.tx.prepare_cached(sql)?.execute(params![id.0, operator])? == 1 {
                w.touch(id)?;
            }
            Ok(())
        })
    }

    /// Gives the lead to an operator, or to nobody.
    ///
    /// # Errors
    /// There is no such lead, or the database fails.
    pub fn assign(
        &mut self,
        id: LeadId,
        assignee: Option<&str>,
        operator: &str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.write(Durability::Process, |w| {
            let sql = "UPDATE leads SET assignee = ?1 WHERE id = ?2";
            if w.tx.prepare_cached(sql)?.execute(params![assignee, id.0])? == 0 {
                return Err(DecisionError::NotFound);
            }
            w.touch(id)?;
            Ok(w.audit(now, operator, "assign", Some(id), &json!({ "to": assignee }))?)
        })
    }

    /// Keeps an operator's words for the reply; returns the lead's new version. Earlier approvals of
    /// other words no longer count.
    ///
    /// # Errors
    /// Somebody was faster, the lead is not open, or the database fails.
    pub fn edit(
        &mut self,
        id: LeadId,
        version: i64,
        text: &str,
        offer: Option<&str>,
        operator: &str,
        now: Timestamp,
    ) -> Result<i64, DecisionError> {
        self.write(Durability::Power, |w| {
            w.free_for(id, operator, now)?;
            let from = &[State::New, State::Snoozed, State::Failed];
            let sql = "UPDATE leads SET text = ?1, offer = coalesce(?2, offer), edited_by = ?3, version = version + 1,
                              change = ?4, changed_at = ?5, changed_by = ?3 WHERE id = ?6 AND version = ?7
                       RETURNING version";
            w.must_stand(id, version, from)?;
            let change = w.next_change()?;
            let set = params![text, offer, operator, change, ms(now), id.0, version];
            let version = w.tx.prepare_cached(sql)?.query_row(set, |r| r.get(0))?;
            let detail = json!({ "text_hash": super::audit::hex(&keys::words(text)) });
            w.audit(now, operator, "edit", Some(id), &detail)?;
            Ok(version)
        })
    }

    /// Approves words for a lead: the only way towards an [`super::Approved`].
    ///
    /// # Errors
    /// Somebody was faster, a check says no, or the database fails.
    pub fn approve(
        &mut self,
        id: LeadId,
        version: i64,
        approval: &Approval<'_>,
        operator: &str,
        now: Timestamp,
    ) -> Result<Approve, DecisionError> {
        self.write(Durability::Power, |w| w.approve(id, version, approval, operator, now))
    }

    /// Says no to a lead, for a reason; can be undone for `undo_seconds`.
    ///
    /// # Errors
    /// Somebody was faster, the lead's state does not allow it, or the database fails.
    pub fn dismiss(
        &mut self,
        id: LeadId,
        version: i64,
        reason: DismissReason,
        undo_seconds: u32,
        operator: &str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            w.free_for(id, operator, now)?;
            let from = &[State::New, State::Snoozed, State::Approved, State::Failed];
            let reason = reason.as_str();
            w.decide(id, version, from, State::Dismissed, operator, "dismiss", Some(reason), now)?;
            w.undoable(id, undo_seconds, now)?;
            Ok(w.judge_rules(id, &format!("dismissed:{reason}"), now)?)
        })
    }

    /// Puts a lead off until a time; it comes back as new and stays open for a while then.
    ///
    /// # Errors
    /// Somebody was faster, the lead's state does not allow it, or the database fails.
    pub fn snooze(
        &mut self,
        id: LeadId,
        version: i64,
        until: Timestamp,
        undo_seconds: u32,
        operator: &str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            w.free_for(id, operator, now)?;
            w.decide(id, version, &[State::New, State::Snoozed], State::Snoozed, operator, "snooze", None, now)?;
            w.undoable(id, undo_seconds, now)?;
            let stays = until.saturating_add(SignedDuration::from_mins(AFTER_SNOOZE_MINUTES)).unwrap_or(Timestamp::MAX);
            let sql = "UPDATE leads SET snoozed_until = ?1, expires_at = max(expires_at, ?2) WHERE id = ?3";
            w.tx.prepare_cached(sql)?.execute(params![ms(until), ms(stays), id.0])?;
            Ok(())
        })
    }

    /// Takes back the same operator's last decision. An approval can be undone until it is being sent;
    /// the rest until the undo window is over.
    ///
    /// # Errors
    /// It is too late, it was somebody else's, or the database fails.
    pub fn undo(&mut self, id: LeadId, version: i64, operator: &str, now: Timestamp) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            let from = &[State::Approved, State::Dismissed, State::Snoozed];
            let stands = w.must_stand(id, version, from)?;
            let in_time = w.facts(id)?.undo_until.is_some_and(|until| now < until);
            if stands.who != operator || !(in_time || stands.state == State::Approved) {
                return Err(Refusal::TooLateToUndo.into());
            }
            w.tx.execute("DELETE FROM approvals WHERE lead = ?1", [id.0])?;
            let undone = match stands.state {
                State::Approved => Some("undone:approved"),
                State::Dismissed => Some("undone:dismissed"),
                _ => None,
            };
            w.decide(id, version, from, State::New, operator, "undo", None, now)?;
            undone.map_or(Ok(()), |event| Ok(w.judge_rules(id, event, now)?))
        })
    }

    /// Takes an approved lead out of the sender's hands, because a person will post the reply.
    ///
    /// # Errors
    /// Somebody was faster, a check says no, or the database fails.
    pub fn hand_off(
        &mut self,
        id: LeadId,
        version: i64,
        contact_window_days: u32,
        operator: &str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            w.must_stand(id, version, &[State::Approved])?;
            w.may_contact(id, contact_window_days, now)?;
            w.decide(id, version, &[State::Approved], State::HandedOff, operator, "hand_off", None, now)?;
            w.open_attempt(id, now)?;
            Ok(())
        })
    }

    /// "I posted it": a handed-off reply is out, or one with an unknown fate turned out to be.
    ///
    /// # Errors
    /// Somebody was faster, the lead's state does not allow it, or the database fails.
    pub fn posted(
        &mut self,
        id: LeadId,
        version: i64,
        url: &str,
        operator: &str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            let from = &[State::HandedOff, State::Unknown];
            w.decide(id, version, from, State::Sent, operator, "posted", None, now)?;
            w.close_attempt(id, "sent", None, now)?;
            w.keep_receipt(id, &Receipt { uri: url.to_owned(), url: Some(url.to_owned()), at: now })
        })
    }

    /// "I did not": the reply is not out, and the lead is open again.
    ///
    /// # Errors
    /// Somebody was faster, the lead's state does not allow it, or the database fails.
    pub fn not_posted(
        &mut self,
        id: LeadId,
        version: i64,
        operator: &str,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            let from = &[State::HandedOff, State::Unknown];
            w.decide(id, version, from, State::New, operator, "not_posted", None, now)?;
            w.close_attempt(id, "not_sent", None, now)?;
            w.tx.execute("DELETE FROM approvals WHERE lead = ?1", [id.0])?;
            w.forget_contact(id)?;
            Ok(())
        })
    }

    /// Opens a lead whose reply the network refused, to try other words.
    ///
    /// # Errors
    /// Somebody was faster, the lead's state does not allow it, or the database fails.
    pub fn reopen(&mut self, id: LeadId, version: i64, operator: &str, now: Timestamp) -> Result<(), DecisionError> {
        self.write(Durability::Power, |w| {
            w.tx.execute("DELETE FROM approvals WHERE lead = ?1", [id.0])?;
            w.decide(id, version, &[State::Failed], State::New, operator, "reopen", None, now)
        })
    }

    /// Our reply was taken down after it was sent.
    ///
    /// # Errors
    /// The lead was not sent, or the database fails.
    pub fn removed(&mut self, id: LeadId, reason: &str, now: Timestamp) -> Result<(), DecisionError> {
        self.write(Durability::Process, |w| {
            let (from, to) = (&[State::Sent], State::Removed);
            let step = Step { lead: id, version: None, from, to, who: SYSTEM, what: "removed", reason: Some(reason) };
            w.step(&step, now)
        })
    }

    /// Adds a note.
    ///
    /// # Errors
    /// There is no such lead, or the database fails.
    pub fn note(&mut self, id: LeadId, text: &str, operator: &str, now: Timestamp) -> Result<(), DecisionError> {
        let text = clipped(text);
        self.write(Durability::Power, |w| {
            w.standing(id)?.ok_or(DecisionError::NotFound)?;
            let sql = "INSERT INTO notes (lead, who, at, text) VALUES (?1, ?2, ?3, ?4)";
            w.tx.prepare_cached(sql)?.execute(params![id.0, operator, ms(now), text])?;
            w.touch(id)?;
            Ok(w.audit(now, operator, "note", Some(id), &json!({}))?)
        })
    }

    /// The notes of a lead, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn notes(&self, id: LeadId) -> Result<Vec<Note>, QueueError> {
        let sql = "SELECT who, at, text FROM notes WHERE lead = ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([id.0], |r| Ok(Note { who: r.get(0)?, at: at(r.get(1)?), text: r.get(2)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Writing<'_> {
    fn approve(
        &self,
        id: LeadId,
        version: i64,
        approval: &Approval<'_>,
        operator: &str,
        now: Timestamp,
    ) -> Result<Approve, DecisionError> {
        self.must_stand(id, version, &[State::New])?;
        self.free_for(id, operator, now)?;
        self.may_contact(id, approval.contact_window_days, now)?;
        check_text(approval.text, self.facts(id)?.network)?;
        let given = self.count_approval(id, approval.text, operator, now)?;
        self.tx
            .prepare_cached(
                "UPDATE leads SET text = ?1, edited_by = CASE WHEN text = ?1 THEN edited_by ELSE ?2 END WHERE id = ?3",
            )?
            .execute(params![approval.text, operator, id.0])?;
        if given < approval.approvals_needed {
            self.touch(id)?;
            self.audit(now, operator, "approve_first", Some(id), &json!({ "given": given }))?;
            return Ok(Approve::Another { given });
        }
        self.decide(id, version, &[State::New], State::Approved, operator, "approve", None, now)?;
        self.judge_rules(id, "approved", now)?;
        Ok(Approve::HeldUntil(self.undoable(id, approval.undo_seconds, now)?))
    }

    /// Notes an approval of these words and says how many operators gave one.
    fn count_approval(&self, id: LeadId, text: &str, operator: &str, now: Timestamp) -> Result<u8, DecisionError> {
        let hash = keys::words(text);
        self.tx.execute("DELETE FROM approvals WHERE lead = ?1 AND text_hash <> ?2", params![id.0, hash])?;
        let sql = "INSERT OR IGNORE INTO approvals VALUES (?1, ?2, ?3, ?4)";
        if self.tx.prepare_cached(sql)?.execute(params![id.0, operator, hash, ms(now)])? == 0 {
            return Err(Refusal::NeedsAnother.into());
        }
        Ok(self.tx.query_row("SELECT count(*) FROM approvals WHERE lead = ?1", [id.0], |r| r.get(0))?)
    }

    /// A step an operator takes.
    #[expect(clippy::too_many_arguments, reason = "each is one column of the audit row")]
    fn decide(
        &self,
        lead: LeadId,
        version: i64,
        from: &[State],
        to: State,
        who: &str,
        what: &'static str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        self.step(&Step { lead, version: Some(version), from, to, who, what, reason }, now)?;
        self.tx.prepare_cached("UPDATE leads SET decided_at = ?1 WHERE id = ?2")?.execute([ms(now), lead.0])?;
        Ok(())
    }

    fn undoable(&self, id: LeadId, undo_seconds: u32, now: Timestamp) -> rusqlite::Result<Timestamp> {
        let until = now + SignedDuration::from_secs(i64::from(undo_seconds));
        self.tx.prepare_cached("UPDATE leads SET undo_until = ?1 WHERE id = ?2")?.execute([ms(until), id.0])?;
        Ok(until)
    }

    fn must_stand(&self, id: LeadId, version: i64, from: &[State]) -> Result<super::Conflict, DecisionError> {
        let stands = self.standing(id)?.ok_or(DecisionError::NotFound)?;
        match stands {
            s if s.version != version => Err(DecisionError::Conflict(s)),
            s if !from.contains(&s.state) => Err(Refusal::State(s.state).into()),
            s => Ok(s),
        }
    }

    /// Whether nobody else holds the lease.
    fn free_for(&self, id: LeadId, operator: &str, now: Timestamp) -> Result<(), DecisionError> {
        match self.facts(id)?.claim {
            Some((by, until)) if by != operator && until > now => Err(Refusal::Claimed { by, until }.into()),
            _ => Ok(()),
        }
    }

    /// Whether we may speak to the lead's author at all.
    pub(super) fn may_contact(&self, id: LeadId, window_days: u32, now: Timestamp) -> Result<(), DecisionError> {
        let facts = self.facts(id)?;
        if !facts.has_post {
            return Err(Refusal::PostGone.into());
        }
        let window = SignedDuration::from_hours(24 * i64::from(window_days));
        for person in &facts.people {
            if opted_out(self.tx, person)? {
                return Err(Refusal::OptedOut.into());
            }
            if let Some(at) = contacted_at(self.tx, person, Some(id.0))?.filter(|at| now.duration_since(*at) < window) {
                return Err(Refusal::AlreadyContacted(at).into());
            }
        }
        Ok(())
    }

    pub(super) fn facts(&self, id: LeadId) -> Result<Facts, DecisionError> {
        let sql = "SELECT network, post IS NOT NULL, author, person, undo_until, claimed_by, claimed_until
                   FROM leads WHERE id = ?1";
        let row = |r: &rusqlite::Row<'_>| {
            let people: [Option<Hash>; 2] = [r.get(2)?, r.get(3)?];
            Ok(Facts {
                network: Network::from_name(&r.get::<_, String>(0)?),
                has_post: r.get(1)?,
                people: people.into_iter().flatten().collect(),
                undo_until: r.get::<_, Option<i64>>(4)?.map(at),
                claim: r.get::<_, Option<String>>(5)?.zip(r.get::<_, Option<i64>>(6)?.map(at)),
            })
        };
        self.tx.prepare_cached(sql)?.query_row([id.0], row).optional()?.ok_or(DecisionError::NotFound)
    }
}

/// A note's text, as much of it as is kept.
fn clipped(text: &str) -> &str {
    let end = (0..=text.len().min(NOTE_BYTES_MAX)).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

/// Whether words may be sent on a network: there are some, they fit, and nothing is left to fill in.
fn check_text(text: &str, network: Network) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::EmptyText);
    }
    if !TextLimit::of(network).fits(text) {
        return Err(Refusal::TooLong);
    }
    let placeholder = text.split('{').skip(1).find_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    placeholder.map_or(Ok(()), |name| Err(Refusal::Placeholder(format!("{{{name}}}"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const BO: &str = "bo";

    fn approve(queue: &mut Queue, id: LeadId, text: &str, who: &str, now: Timestamp) -> Result<Approve, DecisionError> {
        let version = queue.lead(id).unwrap().unwrap().version;
        queue.approve(id, version, &Approval::of(text, &Policy::default()), who, now)
    }

    /// Leads a new lead along a path of steps, one word each; tells where it stands or why it could not go on.
    fn path(steps: &str) -> String {
        let (mut queue, lead) = with_lead();
        let (id, policy) = (lead.id, Policy::default());
        for (second, step) in steps.split_whitespace().enumerate() {
            let now = after(second as i64);
            let version = queue.lead(id).unwrap().unwrap().version;
            let done = match step {
                "approve" => queue.approve(id, version, &Approval::of("Hello", &policy), BO, now).map(|_| ()),
                "dismiss" => queue.dismiss(id, version, DismissReason::Joke, 20, BO, now),
                "snooze" => queue.snooze(id, version, after(1_000), 20, BO, now),
                "undo" => queue.undo(id, version, BO, now),
                "undo-late" => queue.undo(id, version, BO, after(2_000)),
                "undo-other" => queue.undo(id, version, "cy", now),
                "hand-off" => queue.hand_off(id, version, 90, BO, now),
                "posted" => queue.posted(id, version, "https://example.com/1", BO, now),
                "not-posted" => queue.not_posted(id, version, BO, now),
                "reopen" => queue.reopen(id, version, BO, now),
                "wake" => queue.tick(after(1_500)).map(|_| ()).map_err(Into::into),
                "expire" => queue.tick(after(100_000)).map(|_| ()).map_err(Into::into),
                other => panic!("no step {other}"),
            };
            if let Err(error) = done {
                return format!("{step}: {error}");
            }
        }
        assert!(queue.audit_verify().unwrap().broken.is_none());
        queue.lead(id).unwrap().unwrap().state.to_string()
    }

    #[test]
    fn a_lead_goes_these_ways_and_no_others() {
        for (steps, end) in [
            ("approve", "approved"),
            ("approve undo", "new"),
            ("approve undo approve", "approved"),
            ("approve undo-late", "new"),
            ("approve undo-other", "undo-other: it is too late to undo, or the decision was somebody else's"),
            ("approve approve", "approve: a lead that is approved cannot take this step"),
            ("approve dismiss", "dismissed"),
            ("approve dismiss undo approve", "approved"),
            ("approve snooze", "snooze: a lead that is approved cannot take this step"),
            ("approve expire", "approved"),
            ("approve hand-off", "handed_off"),
            ("approve hand-off posted", "sent"),
            ("approve hand-off posted undo", "undo: a lead that is sent cannot take this step"),
            ("approve hand-off posted posted", "posted: a lead that is sent cannot take this step"),
            ("approve hand-off not-posted", "new"),
            ("approve hand-off not-posted approve hand-off posted", "sent"),
            ("hand-off", "hand-off: a lead that is new cannot take this step"),
            ("posted", "posted: a lead that is new cannot take this step"),
            ("dismiss", "dismissed"),
            ("dismiss undo", "new"),
            ("dismiss undo-late", "undo-late: it is too late to undo, or the decision was somebody else's"),
            ("dismiss approve", "approve: a lead that is dismissed cannot take this step"),
            ("snooze", "snoozed"),
            ("snooze wake", "new"),
            ("snooze undo", "new"),
            ("snooze approve", "approve: a lead that is snoozed cannot take this step"),
            ("expire", "expired"),
            ("expire approve", "approve: a lead that is expired cannot take this step"),
            ("reopen", "reopen: a lead that is new cannot take this step"),
            ("undo", "undo: a lead that is new cannot take this step"),
        ] {
            assert_eq!(path(steps), end, "{steps}");
        }
    }

    #[test]
    fn who_comes_second_learns_who_was_first_and_when() {
        let (mut queue, lead) = with_lead();
        let approval = Approval::of("Hello", &Policy::default());
        queue.approve(lead.id, lead.version, &approval, "ana", after(3)).unwrap();
        let second = queue.dismiss(lead.id, lead.version, DismissReason::Joke, 20, BO, after(4)).unwrap_err();
        let DecisionError::Conflict(conflict) = second else { panic!("{second}") };
        assert_eq!((conflict.who.as_str(), conflict.state, conflict.when), ("ana", State::Approved, after(3)));
    }

    #[test]
    fn words_that_may_not_be_sent_are_refused() {
        let long = "x".repeat(301);
        for (text, refusal) in [
            ("", "the reply has no words"),
            (" \n", "the reply has no words"),
            (long.as_str(), "the reply is too long for the network"),
            ("Hello {name}, try us", "the reply still holds the placeholder {name}"),
        ] {
            let (mut queue, lead) = with_lead();
            assert_eq!(approve(&mut queue, lead.id, text, BO, start()).unwrap_err().to_string(), refusal);
            assert_eq!(queue.lead(lead.id).unwrap().unwrap(), lead, "nothing changed");
        }
    }

    #[test]
    fn two_must_approve_the_same_words_where_two_are_needed() {
        let (mut queue, lead) = with_lead();
        let two = |text| Approval { approvals_needed: 2, ..Approval::of(text, &Policy::default()) };
        let mut approve = |text, who: &str| {
            let version = queue.lead(lead.id).unwrap().unwrap().version;
            queue.approve(lead.id, version, &two(text), who, start()).map_err(|e| e.to_string())
        };
        let needs_another = Err("you have approved these words; a second operator must approve them too".to_owned());
        assert_eq!(approve("Hello", "ana"), Ok(Approve::Another { given: 1 }));
        assert_eq!(approve("Hello", "ana"), needs_another);
        assert_eq!(approve("Hello there", "bo"), Ok(Approve::Another { given: 1 }), "other words begin anew");
        assert_eq!(approve("Hello there", "ana"), Ok(Approve::HeldUntil(after(20))));
    }

    #[test]
    fn a_claim_keeps_others_out_until_it_runs_out() {
        let (mut queue, lead) = with_lead();
        queue.claim(lead.id, "ana", false, start()).unwrap();
        let refused = approve(&mut queue, lead.id, "Hello", BO, after(1)).unwrap_err().to_string();
        assert_eq!(refused, "ana is working on it until 10:05:00 UTC");
        assert!(queue.claim(lead.id, BO, false, after(1)).is_err());
        queue.claim(lead.id, BO, true, after(1)).unwrap();
        queue.release(lead.id, "ana").unwrap();
        assert_eq!(queue.lead(lead.id).unwrap().unwrap().claim.unwrap().by, BO, "only the holder releases");
        approve(&mut queue, lead.id, "Hello", "ana", after(CLAIM_SECONDS + 2)).unwrap();
    }

    #[test]
    fn a_note_is_kept_apart_from_the_reply() {
        let (mut queue, lead) = with_lead();
        queue.note(lead.id, &"é".repeat(NOTE_BYTES_MAX), BO, start()).unwrap();
        let notes = queue.notes(lead.id).unwrap();
        assert_eq!((notes[0].who.as_str(), notes[0].text.len()), (BO, NOTE_BYTES_MAX));
        assert_eq!(queue.lead(lead.id).unwrap().unwrap().reply(), Some("We could help. Northwind Mobile here."));
    }

    #[test]
    fn dismissals_and_approvals_reach_the_rules_ledger() {
        let (mut queue, lead) = with_lead();
        queue.dismiss(lead.id, 1, DismissReason::Sensitive, 20, BO, start()).unwrap();
        let ledger = queue.ledger(start()).unwrap();
        let told: Vec<_> = ledger.iter().map(|r| format!("{} {} {} {}", r.kind, r.rule, r.event, r.count)).collect();
        assert_eq!(
            told,
            [
                "offer rolling dismissed:sensitive 1",
                "signal leaving.switching dismissed:sensitive 1",
                "signal leaving.switching hit 1",
                "signal leaving.switching lead 1",
            ]
        );
    }
}
