//! Takes in a batch: posts, findings, leads, deletes and the source's cursor, all in one transaction.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::audit::SYSTEM;
use super::health::Cursor;
use super::history::history;
use super::ledger::Tally;
use super::{DecisionError, Durability, Kind, LeadId, Queue, QueueError, Writing, ms};
use crate::decide::{Hold, Verdict};
use crate::engine::Finding;
use crate::post::{Network, Post, PostId};
use crate::rules::Policy;
use crate::score::Assessment;

/// A post and what was found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The post.
    pub post: Post,
    /// One per provider it names.
    pub findings: Vec<Finding>,
    /// The version of the rules it was judged by.
    pub rules_version: Arc<str>,
}

/// What a source brought since the last batch.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Which source.
    pub source: &'a str,
    /// Where to go on after this batch. Stored with everything else, or not at all.
    pub cursor: Option<Cursor>,
    /// Move the cursor even if that is backwards (the source began anew).
    pub reset_cursor: bool,
    /// Posts that name a provider, and edits of known posts.
    pub posts: Vec<Judged>,
    /// Posts their authors deleted.
    pub deletes: Vec<(Network, PostId)>,
    /// Accounts that were closed: every post of theirs goes. By [`crate::post::Author::key`].
    pub gone_accounts: Vec<(Network, String)>,
    /// How many posts were looked at, kept or not.
    pub seen: u64,
    /// How many were dropped, by reason.
    pub dropped: Vec<(&'static str, u64)>,
}

impl<'a> Batch<'a> {
    /// An empty batch of a source.
    #[must_use]
    pub const fn of(source: &'a str) -> Self {
        Self {
            source,
            cursor: None,
            reset_cursor: false,
            posts: Vec::new(),
            deletes: Vec::new(),
            gone_accounts: Vec::new(),
            seen: 0,
            dropped: Vec::new(),
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Leads it made.
    pub leads: Vec<LeadId>,
    /// Posts stored for the first time.
    pub posts_new: u64,
    /// Posts whose words changed.
    pub posts_edited: u64,
    /// Posts that were known already, word for word.
    pub posts_known: u64,
    /// Posts erased.
    pub posts_erased: u64,
    /// Leads withdrawn because their post went or changed.
    pub withdrawn: u64,
}

impl Queue {
    /// Commits a batch: all of it or nothing. The same batch again changes nothing.
    ///
    /// # Errors
    /// The database fails; nothing is stored then, and the cursor has not moved.
    pub fn commit(&mut self, batch: &Batch<'_>, policy: &Policy, now: Timestamp) -> Result<Committed, QueueError> {
        let done = self.write(Durability::Process, |w| {
            let mut intake =
                Intake { w, policy, now, source: batch.source, tally: Tally::default(), done: Committed::default() };
            intake.run(batch)?;
            let Intake { tally, done, .. } = intake;
            w.keep(tally, now)?;
            Ok(done)
        });
        done.map_err(|e: DecisionError| match e {
            DecisionError::Queue(error) => error,
            other => QueueError::Unusable(format!("the batch could not be stored: {other}.")),
        })
    }
}

/// One batch on its way in.
struct Intake<'a> {
    w: &'a Writing<'a>,
    policy: &'a Policy,
    now: Timestamp,
    source: &'a str,
    tally: Tally,
    done: Committed,
}

impl Intake<'_> {
    fn run(&mut self, batch: &Batch<'_>) -> Result<(), DecisionError> {
        for judged in &batch.posts {
            self.post(judged)?;
        }
        for (network, id) in &batch.deletes {
            let erased = self.w.erase_post_by_key(&self.w.keys.post(*network, id), "deleted", SYSTEM, self.now)?;
            self.erased(erased);
        }
        for (network, account) in &batch.gone_accounts {
            if let Some(author) = self.w.keys.account(*network, account) {
                let erased = self.w.erase_author(&author, "account_gone", SYSTEM, self.now)?;
                self.erased(erased);
            }
        }
        self.tally.count("seen", batch.source, batch.seen);
        for (reason, times) in &batch.dropped {
            self.tally.count("dropped", &format!("{}:{reason}", batch.source), *times);
        }
        match &batch.cursor {
            Some(cursor) => Ok(self.w.move_cursor(batch.source, cursor, batch.reset_cursor, self.now)?),
            None => Ok(()),
        }
    }

    fn erased(&mut self, erased: super::Erased) {
        self.done.posts_erased += erased.posts;
        self.done.withdrawn += erased.withdrawn;
    }

    fn post(&mut self, judged: &Judged) -> Result<(), DecisionError> {
        let key = self.w.keys.post(judged.post.network, &judged.post.id);
        if self.w.tx.prepare_cached("SELECT 1 FROM gone WHERE key = ?1")?.exists([key])? {
            return Ok(());
        }
        let sql = "SELECT id, body FROM posts WHERE key = ?1";
        let known = self.w.tx.prepare_cached(sql)?.query_row([key], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        match known {
            None if judged.findings.is_empty() => Ok(()),
            None => self.first(&key, judged),
            Some((id, body)) => self.again(id, body, judged),
        }
    }

    fn first(&mut self, key: &[u8; 16], judged: &Judged) -> Result<(), DecisionError> {
        let (post, keys) = (&judged.post, self.w.keys);
        let sql = "INSERT INTO posts (key, author, person, conversation, network, source, body, seen_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let (author, person) = (keys.account(post.network, post.author.key()), keys.person(&post.author.handle));
        let body = serde_json::to_string(post)?;
        self.w.tx.prepare_cached(sql)?.execute(params![
            key,
            author,
            person,
            keys.conversation(post),
            post.network.as_str(),
            self.source,
            body,
            ms(self.now)
        ])?;
        self.done.posts_new += 1;
        self.findings(self.w.tx.last_insert_rowid(), judged)
    }

    /// A post we know: the same words change nothing, other words replace them and what was found in them.
    fn again(&mut self, id: i64, body: String, judged: &Judged) -> Result<(), DecisionError> {
        let known = serde_json::from_str::<Post>(&body).is_ok_and(|p| p.text == judged.post.text);
        if known {
            self.done.posts_known += 1;
            return Ok(());
        }
        let body = serde_json::to_string(&judged.post)?;
        self.w.tx.prepare_cached("UPDATE posts SET body = ?1 WHERE id = ?2")?.execute(params![body, id])?;
        self.w.tx.prepare_cached("DELETE FROM findings WHERE post = ?1")?.execute([id])?;
        self.done.posts_edited += 1;
        self.findings(id, judged)?;
        self.follow_edit(id)
    }

    /// Open leads of an edited post stay only while the post still calls for one; an approval was
    /// given for other words and is withdrawn in any case.
    fn follow_edit(&mut self, post: i64) -> Result<(), DecisionError> {
        let stale = "SELECT id FROM leads l WHERE post = ?1 AND (state = 'approved' OR NOT EXISTS (
                         SELECT 1 FROM findings f WHERE f.post = l.post AND f.provider = l.provider
                            AND f.verdict IN ('enter', 'care')))";
        self.done.withdrawn += self.w.withdraw(stale, &post, "edited", SYSTEM, self.now)?;
        Ok(())
    }

    fn findings(&mut self, post: i64, judged: &Judged) -> Result<(), DecisionError> {
        let history = history(self.w.tx, self.w.keys, &judged.post)?;
        for finding in &judged.findings {
            let mut finding = finding.clone();
            // Another post of the same batch may have taken the conversation since this one was judged.
            if finding.verdict == Verdict::Enter && history.opted_out {
                finding.verdict = Verdict::Hold(Hold::of(Hold::OPTED_OUT));
            } else if finding.verdict == Verdict::Enter && history.conversation_taken {
                finding.verdict = Verdict::Hold(Hold::of(Hold::CONVERSATION_TAKEN));
            }
            self.tally.finding(&finding);
            if finding.verdict != Verdict::Ignore {
                self.store_finding(post, &finding, &judged.rules_version)?;
            }
            let kind = match finding.verdict {
                Verdict::Enter => Kind::Rival,
                Verdict::Care => Kind::Care,
                _ => continue,
            };
            self.lead(post, judged, &finding, kind)?;
        }
        Ok(())
    }

    fn store_finding(&self, post: i64, finding: &Finding, rules_version: &str) -> Result<(), DecisionError> {
        let sql =
            "INSERT INTO findings (post, provider, is_home, verdict, hold, hold_start, hold_end, assessment, drafts,
                                         rules_version, judged_at, listed)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let span = if let Verdict::Hold(hold) = &finding.verdict { hold.span } else { None };
        self.w.tx.prepare_cached(sql)?.execute(params![
            post,
            finding.assessment.provider,
            finding.is_home,
            finding.verdict.as_str(),
            finding.verdict.hold(),
            span.map(|s| s.start.cast_signed() as i64),
            span.map(|s| s.end.cast_signed() as i64),
            serde_json::to_string(&finding.assessment)?,
            serde_json::to_string(&finding.drafts)?,
            rules_version,
            ms(self.now),
            matches!(finding.verdict, Verdict::Watch | Verdict::Hold(_)),
        ])?;
        Ok(())
    }

    fn lead(&mut self, post: i64, judged: &Judged, finding: &Finding, kind: Kind) -> Result<(), DecisionError> {
        let new = NewLead {
            post,
            judged: &judged.post,
            assessment: &finding.assessment,
            offer: finding.drafts.first().map(|d| d.offer.as_str()),
            kind,
            rules_version: &judged.rules_version,
            expires_after_minutes: self.policy.expires_after_minutes,
        };
        if let Some(lead) = self.w.add_lead(&new, self.now)? {
            self.tally.rules(&finding.assessment, "lead");
            self.tally.count("leads", &finding.assessment.provider, 1);
            self.done.leads.push(lead);
        }
        Ok(())
    }
}

/// A lead to add.
pub(super) struct NewLead<'a> {
    pub post: i64,
    pub judged: &'a Post,
    pub assessment: &'a Assessment,
    pub offer: Option<&'a str>,
    pub kind: Kind,
    pub rules_version: &'a str,
    pub expires_after_minutes: u32,
}

impl Writing<'_> {
    /// Adds a lead unless there is or ever was one for this post and provider; refreshes one that nobody
    /// has decided on.
    pub(super) fn add_lead(&self, new: &NewLead<'_>, now: Timestamp) -> rusqlite::Result<Option<LeadId>> {
        let (post, a) = (new.judged, new.assessment);
        let sql = "INSERT INTO leads (key, post, author, person, conversation, network, provider, kind, state, change,
                          stance, toward, intent, score, rank, rules_version, offer, created_at, expires_at, changed_at,
                          changed_by)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'new', ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?17,
                           'system')
                   ON CONFLICT (key) DO UPDATE SET stance = excluded.stance, toward = excluded.toward,
                          intent = excluded.intent, score = excluded.score, rank = excluded.rank, offer = excluded.offer,
                          rules_version = excluded.rules_version, change = excluded.change, version = version + 1,
                          post = excluded.post
                      WHERE state IN ('new', 'snoozed')
                   RETURNING id, version = 1";
        let expires = now + SignedDuration::from_mins(i64::from(new.expires_after_minutes));
        let score = a.score.as_f64();
        let mut statement = self.tx.prepare_cached(sql)?;
        let row = statement
            .query_row(
                params![
                    self.keys.lead(post.network, &post.id, &a.provider),
                    new.post,
                    self.keys.account(post.network, post.author.key()),
                    self.keys.person(&post.author.handle),
                    self.keys.conversation(post),
                    post.network.as_str(),
                    a.provider,
                    new.kind.as_str(),
                    self.next_change()?,
                    a.stance.as_str(),
                    a.toward,
                    a.intent,
                    score,
                    rank(score, now),
                    new.rules_version,
                    new.offer,
                    ms(now),
                    ms(expires),
                ],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()?;
        Ok(row.and_then(|(id, fresh): (i64, bool)| fresh.then_some(LeadId(id))))
    }
}

/// Score and freshness as one number that never changes: a lead loses as much by three hours of age as
/// by half the odds (three points), so the order by rank is the order by faded odds at any time.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "both are far below 2^53")]
fn rank(score: f64, now: Timestamp) -> i64 {
    const HALVES_AFTER_SECONDS: f64 = 3.0 * 3_600.0;
    const POINTS_PER_DOUBLING: f64 = 3.0103;
    let doublings = score.clamp(-30.0, 30.0) / POINTS_PER_DOUBLING + now.as_second() as f64 / HALVES_AFTER_SECONDS;
    (doublings * 1_000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::testing::*;
    use super::*;

    #[test]
    fn the_same_batch_twice_is_the_same_as_once() {
        let mut queue = Queue::in_memory().unwrap();
        let batch = |at: i64| Batch {
            cursor: Some(cursor(at)),
            posts: vec![judged(post("at://ana/1", "ana", "Leaving EE"), vec![finding("ee", Verdict::Enter)])],
            seen: 3,
            ..Batch::of("stream")
        };
        let first = queue.commit(&batch(7), &Policy::default(), start()).unwrap();
        let again = queue.commit(&batch(7), &Policy::default(), after(1)).unwrap();
        assert_eq!((first.leads.len(), first.posts_new), (1, 1));
        assert_eq!(again, Committed { posts_known: 1, ..Committed::default() });
        assert_eq!(queue.cursor("stream").unwrap(), Some(cursor(7)));
    }

    #[test]
    fn a_cursor_moves_back_only_when_told_to() {
        let mut queue = Queue::in_memory().unwrap();
        for (position, reset, stands) in [(5, false, 5), (3, false, 5), (9, false, 9), (2, true, 2)] {
            let batch = Batch { cursor: Some(cursor(position)), reset_cursor: reset, ..Batch::of("stream") };
            queue.commit(&batch, &Policy::default(), start()).unwrap();
            assert_eq!(queue.cursor("stream").unwrap(), Some(cursor(stands)));
        }
    }

    #[test]
    fn one_lead_per_post_and_rival_and_one_post_per_conversation() {
        let mut queue = Queue::in_memory().unwrap();
        let two = judged(
            post("at://ana/1", "ana", "EE and O2 are both shocking"),
            vec![finding("ee", Verdict::Enter), finding("o2", Verdict::Enter)],
        );
        let mut reply = post("at://bo/1", "bo", "Leaving EE too");
        reply.root = Some(PostId::new("at://ana/1"));
        let reply = judged(reply, vec![finding("ee", Verdict::Enter)]);
        assert_eq!(commit(&mut queue, vec![two, reply], start()).len(), 2);
        let held = queue.watch_list(&super::super::WatchFilter::default()).unwrap();
        assert_eq!(held[0].hold.as_ref().unwrap().code, Hold::CONVERSATION_TAKEN);
    }

    #[test]
    fn a_deleted_post_is_gone_and_stays_gone() {
        let (mut queue, lead) = with_lead();
        let post = lead.post.unwrap();
        let batch = Batch { deletes: vec![(post.network, post.id.clone())], ..Batch::of("stream") };
        let done = queue.commit(&batch, &Policy::default(), after(1)).unwrap();
        assert_eq!((done.posts_erased, done.withdrawn), (1, 1));
        let lead = queue.lead(lead.id).unwrap().unwrap();
        assert_eq!((lead.state, lead.reply(), lead.post.as_ref()), (State::Withdrawn, None, None));
        assert!(commit(&mut queue, vec![judged(post, vec![finding("ee", Verdict::Enter)])], after(2)).is_empty());
    }

    #[test]
    fn an_edit_is_judged_anew() {
        let (mut queue, lead) = with_lead();
        let edited = post("at://ana/1", "ana", "EE sorted it, staying");
        commit(&mut queue, vec![judged(edited, vec![finding("ee", Verdict::Ignore)])], after(1));
        let lead = queue.lead(lead.id).unwrap().unwrap();
        assert_eq!((lead.state, lead.reason.as_deref()), (State::Withdrawn, Some("edited")));
    }
}
