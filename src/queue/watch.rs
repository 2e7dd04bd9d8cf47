//! The watch list: what was not spoken to, with the reason, and the way to make a lead of it after all.

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use serde::Serialize;
use serde_json::json;

use super::intake::NewLead;
use super::leads::{json as read, span};
use super::{DecisionError, Durability, Kind, LeadId, Queue, QueueError, Refusal, State, at};
use crate::decide::Hold;
use crate::post::{Network, Post};
use crate::rules::Policy;
use crate::score::Assessment;

/// The most rows of one page.
const PAGE_MAX: usize = 200;

/// The number of a row in the watch list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct WatchId(pub i64);

/// A (post, provider) that was watched or held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watched {
    /// Its number.
    pub id: WatchId,
    /// The post.
    pub post: Post,
    /// What it says.
    pub assessment: Assessment,
    /// Whether it is about us.
    pub is_home: bool,
    /// Why we stayed out; none means it was only not enough to speak.
    pub hold: Option<Hold>,
    /// The rules it was judged by.
    pub rules_version: String,
    /// When.
    pub judged_at: Timestamp,
}

/// Which rows of the watch list, latest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WatchFilter {
    /// About this provider.
    pub provider: Option<String>,
    /// Held for this reason.
    pub hold: Option<String>,
    /// Only those held, or only those watched.
    pub held: Option<bool>,
    /// Before this row.
    pub before: Option<WatchId>,
    /// At most this many; 0 is a full page.
    pub limit: usize,
}

const SELECT: &str = "SELECT f.*, p.body FROM findings f JOIN posts p ON p.id = f.post";

impl Queue {
    /// A page of the watch list.
    ///
    /// # Errors
    /// The database fails.
    pub fn watch_list(&self, filter: &WatchFilter) -> Result<Vec<Watched>, QueueError> {
        let (sql, values) = page(filter);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), watched)?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Makes a lead of a watched or held post, because an operator says so. Opt-outs stay out.
    ///
    /// # Errors
    /// It is gone, it is a lead already, its author asked to be left alone, or the database fails.
    pub fn promote(
        &mut self,
        id: WatchId,
        policy: &Policy,
        operator: &str,
        now: Timestamp,
    ) -> Result<LeadId, DecisionError> {
        self.write(Durability::Power, |w| {
            let sql = format!("{SELECT} WHERE f.id = ?1 AND f.listed = 1");
            let found = w.tx.prepare_cached(&sql)?.query_row([id.0], watched).optional()?.flatten();
            let found = found.ok_or(DecisionError::NotFound)?;
            for person in w.keys.author(found.post.network, &found.post.author) {
                if super::history::opted_out(w.tx, &person)? {
                    return Err(Refusal::OptedOut.into());
                }
            }
            w.tx.execute("UPDATE findings SET listed = 0 WHERE id = ?1", [id.0])?;
            let new = NewLead {
                post: w.tx.query_row("SELECT post FROM findings WHERE id = ?1", [id.0], |r| r.get(0))?,
                judged: &found.post,
                assessment: &found.assessment,
                offer: None,
                kind: if found.is_home { Kind::Care } else { Kind::Rival },
                rules_version: &found.rules_version,
                expires_after_minutes: policy.expires_after_minutes,
            };
            let lead = w.add_lead(&new, now)?.ok_or(DecisionError::Refused(Refusal::State(State::New)))?;
            let detail = json!({ "hold": found.hold.map(|h| h.code) });
            w.audit(now, operator, "promote", Some(lead), &detail)?;
            Ok(lead)
        })
    }

    /// What was stored for the drafts of a lead: replaces them, for a promoted lead that had none.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_drafts(&mut self, id: LeadId, drafts: &[crate::draft::Draft]) -> Result<(), QueueError> {
        self.write(Durability::Process, |w| {
            let sql = "UPDATE findings SET drafts = ?1 WHERE (post, provider) = (SELECT post, provider FROM leads WHERE id = ?2)";
            w.tx.execute(sql, params![serde_json::to_string(drafts)?, id.0])?;
            let offer = drafts.first().map(|d| d.offer.as_str());
            w.tx.execute("UPDATE leads SET offer = ?1 WHERE id = ?2", params![offer, id.0])?;
            Ok(())
        })
    }
}

pub(super) fn page(filter: &WatchFilter) -> (String, Vec<Sql>) {
    let mut sql = format!("{SELECT} WHERE f.listed = 1");
    let mut values = Vec::new();
    let mut and = |condition: &str, value: Option<Sql>| {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    };
    and(" AND f.provider = ?", filter.provider.clone().map(Sql::Text));
    and(" AND f.hold = ?", filter.hold.clone().map(Sql::Text));
    and(" AND (f.hold IS NOT NULL) = ?", filter.held.map(|held| Sql::Integer(held.into())));
    and(" AND f.id < ?", filter.before.map(|id| Sql::Integer(id.0)));
    let limit = if filter.limit == 0 { PAGE_MAX } else { filter.limit.min(PAGE_MAX) };
    sql.push_str(&format!(" ORDER BY f.id DESC LIMIT {limit}"));
    (sql, values)
}

fn watched(row: &Row<'_>) -> rusqlite::Result<Option<Watched>> {
    let (Some(post), Some(assessment)) = (read(row, "body")?, read(row, "assessment")?) else { return Ok(None) };
    let hold = row.get::<_, Option<String>>("hold")?;
    let place = span(row.get("hold_start")?, row.get("hold_end")?);
    Ok(Some(Watched {
        id: WatchId(row.get("id")?),
        post,
        assessment,
        is_home: row.get("is_home")?,
        hold: hold.map(|code| Hold { code, span: place }),
        rules_version: row.get("rules_version")?,
        judged_at: at(row.get("judged_at")?),
    }))
}

impl Watched {
    /// Where it was written.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.post.network
    }
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::super::testing::*;
    use super::*;
    use crate::decide::Verdict;
    use crate::draft::Draft;

    fn with_held() -> Queue {
        let mut queue = Queue::in_memory().unwrap();
        for (id, verdict) in [
            ("1", Verdict::Watch),
            ("2", Verdict::Hold(Hold::of("bereavement"))),
            ("3", Verdict::Ignore),
            ("4", Verdict::Hold(Hold { code: "legal".into(), span: Some(crate::post::Span::new(3, 9)) })),
        ] {
            commit(&mut queue, vec![judged(post(id, id, "Leaving EE"), vec![finding("ee", verdict)])], start());
        }
        queue
    }

    #[test]
    fn it_shows_what_was_watched_and_held_latest_first() {
        let queue = with_held();
        let ids = |filter: &WatchFilter| -> Vec<String> {
            queue.watch_list(filter).unwrap().iter().map(|w| w.post.id.to_string()).collect()
        };
        let all = WatchFilter::default();
        assert_eq!(ids(&all), ["4", "2", "1"]);
        assert_eq!(ids(&WatchFilter { held: Some(true), ..all.clone() }), ["4", "2"]);
        assert_eq!(ids(&WatchFilter { held: Some(false), ..all.clone() }), ["1"]);
        assert_eq!(ids(&WatchFilter { hold: Some("bereavement".into()), ..all.clone() }), ["2"]);
        let first = queue.watch_list(&WatchFilter { limit: 1, ..all.clone() }).unwrap().remove(0);
        assert_eq!(first.hold.unwrap().span, Some(crate::post::Span::new(3, 9)));
        assert_eq!(ids(&WatchFilter { before: Some(first.id), ..all }), ["2", "1"]);
    }

    #[test]
    fn an_operator_can_promote_it_to_a_lead_once() {
        let mut queue = with_held();
        let held = queue.watch_list(&WatchFilter::default()).unwrap().remove(1);
        let lead = queue.promote(held.id, &Policy::default(), "bo", start()).unwrap();
        assert!(matches!(queue.promote(held.id, &Policy::default(), "cy", start()), Err(DecisionError::NotFound)));
        queue.set_drafts(lead, &[Draft { offer: "rolling".into(), text: "Hello".into() }]).unwrap();
        let lead = queue.lead(lead).unwrap().unwrap();
        assert_eq!((lead.hold.as_deref(), lead.reply()), (Some("bereavement"), Some("Hello")));
        assert_eq!(queue.leads(&Filter::default()).unwrap().0.len(), 1);
        assert_eq!(queue.watch_list(&WatchFilter::default()).unwrap().len(), 2);
    }

    #[test]
    fn nobody_who_asked_to_be_left_alone_is_promoted() {
        let mut queue = with_held();
        let held = queue.watch_list(&WatchFilter::default()).unwrap().remove(0);
        let person = super::super::PersonRef { name: "4.bsky.social", network: None };
        queue.privacy_erase(person, true, "bo", start()).unwrap();
        assert!(matches!(queue.promote(held.id, &Policy::default(), "bo", start()), Err(DecisionError::NotFound)));
    }
}
