//! Forgets: deleted posts, closed accounts, people who ask; and keeps the promise never to contact them.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde_json::json;

use super::keys::Hash;
use super::outbox::into_queue_error;
use super::{DecisionError, Durability, Lead, LeadId, Queue, QueueError, Writing, ms};
use crate::post::{Network, Post};

/// What was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Posts.
    pub posts: u64,
    /// Leads that were open and are withdrawn now.
    pub withdrawn: u64,
    /// Whether the words are out of the file as well; if not, the hourly job sees to it.
    pub cleaned: bool,
}

impl std::ops::AddAssign for Erased {
    fn add_assign(&mut self, other: Self) {
        self.posts += other.posts;
        self.withdrawn += other.withdrawn;
    }
}

/// A person as an enquiry names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonRef<'a> {
    /// Their handle, with or without `@`, or the network's id of the account.
    pub name: &'a str,
    /// Only on this network.
    pub network: Option<Network>,
}

/// Everything stored about a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Export {
    /// Their posts.
    pub posts: Vec<Post>,
    /// Our leads on them, with reasons and replies.
    pub leads: Vec<Lead>,
    /// Whether they are in the register of people never to contact.
    pub opted_out: bool,
}

impl Queue {
    /// Erases one post: its words, what was found in them, replies and notes that may quote them.
    ///
    /// # Errors
    /// The database fails.
    pub fn erase_post(
        &mut self,
        network: Network,
        id: &crate::post::PostId,
        reason: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<Erased, QueueError> {
        let done = self.write(Durability::Power, |w| w.erase_post_by_key(&w.keys.post(network, id), reason, who, now));
        done.map_err(into_queue_error)
    }

    /// Puts the author of a lead into the register of people never to contact, for ever, and withdraws
    /// every open lead on them.
    ///
    /// # Errors
    /// There is no such lead, or the database fails.
    pub fn never_contact(
        &mut self,
        id: LeadId,
        why: &str,
        operator: &str,
        now: Timestamp,
    ) -> Result<u64, DecisionError> {
        self.write(Durability::Power, |w| {
            let sql = "SELECT author, person FROM leads WHERE id = ?1";
            let row = |r: &rusqlite::Row<'_>| Ok([r.get(0)?, r.get(1)?]);
            let people: [Option<Hash>; 2] =
                w.tx.query_row(sql, [id.0], row).optional()?.ok_or(DecisionError::NotFound)?;
            w.audit(now, operator, "never_contact", Some(id), &json!({ "why": why }))?;
            w.opt_out(people.into_iter().flatten(), why, operator, now)
        })
    }

    /// Everything stored about a person.
    ///
    /// # Errors
    /// The database fails.
    pub fn privacy_export(&self, person: PersonRef<'_>) -> Result<Export, QueueError> {
        let mut export = Export { posts: Vec::new(), leads: Vec::new(), opted_out: false };
        for hash in self.hashes(person) {
            export.opted_out |= super::history::opted_out(&self.connection, &hash)?;
            for column in ["author", "person"] {
                let sql = format!("SELECT body FROM posts WHERE {column} = ?1 ORDER BY id");
                let mut statement = self.connection.prepare_cached(&sql)?;
                let bodies = statement.query_map([hash], |r| r.get::<_, String>(0))?;
                for body in bodies {
                    let post: Post = serde_json::from_str(&body?)?;
                    if !export.posts.iter().any(|p| p.id == post.id && p.network == post.network) {
                        export.posts.push(post);
                    }
                }
                let sql = format!("SELECT id FROM leads WHERE {column} = ?1 ORDER BY id");
                let mut statement = self.connection.prepare_cached(&sql)?;
                let ids: Vec<i64> = statement.query_map([hash], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
                for id in ids {
                    if !export.leads.iter().any(|l| l.id.0 == id) {
                        export.leads.extend(self.lead(LeadId(id))?);
                    }
                }
            }
        }
        Ok(export)
    }

    /// Erases everything stored about a person; `object` also registers them as never to contact.
    /// The file is cleaned as well: nothing of the words stays in it.
    ///
    /// # Errors
    /// The database fails.
    pub fn privacy_erase(
        &mut self,
        person: PersonRef<'_>,
        object: bool,
        operator: &str,
        now: Timestamp,
    ) -> Result<Erased, QueueError> {
        let hashes = self.hashes(person);
        let what = if object { "privacy_object" } else { "privacy_erase" };
        let done = self.write(Durability::Power, |w| {
            let mut erased = Erased::default();
            if object {
                erased.withdrawn += w.opt_out(hashes.iter().copied(), "objected", operator, now)?;
            }
            for hash in &hashes {
                erased += w.erase_author(hash, what, operator, now)?;
            }
            w.audit(now, operator, what, None, &json!({ "posts": erased.posts, "withdrawn": erased.withdrawn }))?;
            Ok(erased)
        });
        let done = done.map_err(into_queue_error)?;
        Ok(Erased { cleaned: self.clean_file()?, ..done })
    }

    /// Writes the log back and empties it, so that erased words are in none of the files; false when
    /// somebody was reading, and it has to be done again.
    ///
    /// # Errors
    /// The database fails.
    pub fn clean_file(&mut self) -> Result<bool, QueueError> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        Ok(self.connection.query_row(sql, [], |r| r.get::<_, i64>(0)).map(|busy| busy == 0)?)
    }

    fn hashes(&self, person: PersonRef<'_>) -> Vec<Hash> {
        let name = person.name.trim_start_matches('@');
        let networks = Network::ALL.into_iter().filter(|n| person.network.is_none_or(|only| only == *n));
        let accounts = networks.filter_map(|n| self.keys.account(n, name));
        let anywhere = self.keys.person(name).filter(|_| person.network.is_none());
        accounts.chain(anywhere).collect()
    }
}

impl Writing<'_> {
    /// Erases the post of that key, if it is stored, and remembers that it is gone.
    pub(super) fn erase_post_by_key(
        &self,
        key: &Hash,
        reason: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<Erased, DecisionError> {
        let sql = "SELECT id FROM posts WHERE key = ?1";
        let id: Option<i64> = self.tx.prepare_cached(sql)?.query_row([key], |r| r.get(0)).optional()?;
        match id {
            Some(id) => self.erase_row(id, reason, who, now),
            None => Ok(Erased::default()),
        }
    }

    /// Erases every post of an author, known by either of their hashes.
    pub(super) fn erase_author(
        &self,
        hash: &Hash,
        reason: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<Erased, DecisionError> {
        let sql = "SELECT id FROM posts WHERE author = ?1 UNION SELECT id FROM posts WHERE person = ?1";
        let mut statement = self.tx.prepare_cached(sql)?;
        let ids: Vec<i64> = statement.query_map([hash], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut erased = Erased::default();
        for id in ids {
            erased += self.erase_row(id, reason, who, now)?;
        }
        Ok(erased)
    }

    fn erase_row(&self, post: i64, reason: &str, who: &str, now: Timestamp) -> Result<Erased, DecisionError> {
        let remember = "INSERT OR REPLACE INTO gone SELECT key, ?2 FROM posts WHERE id = ?1";
        self.tx.prepare_cached(remember)?.execute(params![post, ms(now)])?;
        self.forget(post, reason, who, now)
    }

    /// Drops a stored post and all that quotes it; open leads on it are withdrawn.
    pub(super) fn forget(&self, post: i64, reason: &str, who: &str, now: Timestamp) -> Result<Erased, DecisionError> {
        let withdrawn = self.withdraw("SELECT id FROM leads WHERE post = ?1", &post, reason, who, now)?;
        let notes = "DELETE FROM notes WHERE lead IN (SELECT id FROM leads WHERE post = ?1)";
        self.tx.prepare_cached(notes)?.execute([post])?;
        self.tx.prepare_cached("UPDATE leads SET text = NULL WHERE post = ?1")?.execute([post])?;
        let posts = self.tx.prepare_cached("DELETE FROM posts WHERE id = ?1")?.execute([post])?;
        Ok(Erased { posts: posts as u64, withdrawn, cleaned: false })
    }

    /// Enters people into the register and withdraws their open leads.
    fn opt_out(
        &self,
        people: impl Iterator<Item = Hash>,
        why: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<u64, DecisionError> {
        let mut withdrawn = 0;
        for person in people {
            let sql = "INSERT OR IGNORE INTO opt_outs VALUES (?1, ?2, ?3)";
            self.tx.prepare_cached(sql)?.execute(params![person, ms(now), why])?;
            let theirs = "SELECT id FROM leads WHERE author = ?1 UNION SELECT id FROM leads WHERE person = ?1";
            withdrawn += self.withdraw(theirs, &person, "opted_out", who, now)?;
        }
        Ok(withdrawn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Approval, Refusal, State};
    use super::*;
    use crate::decide::{History, Verdict};
    use crate::rules::Policy;

    const CANARY: &str = "xylophonecanary";

    /// Whether any file of the database holds the canary.
    fn canary_in(folder: &std::path::Path) -> bool {
        let files = std::fs::read_dir(folder).unwrap().map(|e| std::fs::read(e.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()))
    }

    fn with_canary(folder: &std::path::Path) -> (Queue, LeadId) {
        let mut queue = Queue::open(&folder.join("q.db"), start()).unwrap();
        for other in 0..20 {
            add_lead(&mut queue, &other.to_string(), start());
        }
        let mut post = post("at://ana/1", "ana", &format!("Leaving EE {CANARY}"));
        post.author.bio = CANARY.to_owned();
        let lead = commit(&mut queue, vec![judged(post, vec![finding("ee", Verdict::Enter)])], start())[0];
        queue.note(lead, CANARY, "bo", start()).unwrap();
        let version = queue.edit(lead, 1, &format!("Sorry to hear {CANARY}"), None, "bo", start()).unwrap();
        queue.approve(lead, version, &Approval::of(CANARY, &Policy::default()), "bo", start()).unwrap();
        (queue, lead)
    }

    #[test]
    fn erased_words_are_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut queue, lead) = with_canary(folder.path());
        queue.clean_file().unwrap();
        assert!(canary_in(folder.path()), "the test can see the canary");
        let person = PersonRef { name: "@ana.bsky.social", network: None };
        let erased = queue.privacy_erase(person, false, "bo", after(5)).unwrap();
        assert_eq!(erased, Erased { posts: 1, withdrawn: 1, cleaned: true });
        assert!(!canary_in(folder.path()));
        assert_eq!(queue.lead(lead).unwrap().unwrap().state, State::Withdrawn);
        assert!(queue.audit_verify().unwrap().broken.is_none());
    }

    #[test]
    fn a_post_deleted_by_its_author_leaves_every_file_with_the_hourly_job() {
        let folder = tempfile::tempdir().unwrap();
        let (mut queue, _) = with_canary(folder.path());
        queue
            .erase_post(Network::Bluesky, &crate::post::PostId::new("at://ana/1"), "deleted", "system", after(5))
            .unwrap();
        queue.retain(30, after(6)).unwrap();
        assert!(!canary_in(folder.path()));
    }

    #[test]
    fn who_objects_is_known_on_every_network_after_everything_is_erased() {
        let (mut queue, _) = with_lead();
        let person = PersonRef { name: "ana.bsky.social", network: None };
        let export = queue.privacy_export(person).unwrap();
        assert_eq!((export.posts.len(), export.leads.len(), export.opted_out), (1, 1, false));
        queue.privacy_erase(person, true, "bo", after(1)).unwrap();
        assert!(queue.privacy_export(person).unwrap().posts.is_empty());
        let mut elsewhere = post("99", "x", "Leaving O2");
        elsewhere.network = Network::Mastodon;
        elsewhere.author.handle = "ana@mastodon.example".to_owned();
        assert!(queue.history(&elsewhere).unwrap().opted_out);
        elsewhere.author.handle = "anabel@mastodon.example".to_owned();
        assert_eq!(queue.history(&elsewhere).unwrap(), History::default());
    }

    #[test]
    fn never_contact_withdraws_what_was_approved() {
        let (mut queue, lead) = with_lead();
        let approval = Approval::of("Hello", &Policy::default());
        queue.approve(lead.id, 1, &approval, "bo", start()).unwrap();
        assert_eq!(queue.never_contact(lead.id, "asked", "cy", after(1)).unwrap(), 1);
        assert_eq!(queue.take_approved(&Policy::default(), &[Network::Bluesky], after(60)).unwrap().map(|_| ()), None);
        let lead = queue.lead(lead.id).unwrap().unwrap();
        assert_eq!((lead.state, lead.reason.as_deref()), (State::Withdrawn, Some("opted_out")));
        let refused = queue.approve(lead.id, lead.version, &approval, "bo", after(2)).unwrap_err();
        assert!(matches!(refused, DecisionError::Refused(Refusal::State(State::Withdrawn))));
    }
}
