//! Reads leads: one, a page of many, how many there are of each state, what changed lately.

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Kind, LeadId, Queue, QueueError, Receipt, State, at, ms, rows_of};
use crate::draft::Draft;
use crate::post::{Network, Post, Span};
use crate::score::{Assessment, Points};

/// The most leads of one page.
pub const LEADS_PAGE_MAX: usize = 200;

/// The most posts a search for words looks at, newest first: about 30 ms worth.
const SEARCH_POSTS_MAX: usize = 3_000;

/// A queued (post, provider), with everything an operator needs to decide.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lead {
    /// Its number.
    pub id: LeadId,
    /// Grows with each change; a decision names the version it was made on.
    pub version: i64,
    /// Where it stands.
    pub state: State,
    /// Whether it is a rival's customer or ours.
    pub kind: Kind,
    /// Where the post was written.
    pub network: Network,
    /// The provider they are leaving.
    pub provider: String,
    /// Where they are going, when they say so.
    pub toward: Option<String>,
    /// Their stance, as a word.
    pub stance: String,
    /// Probability that they are about to leave.
    pub intent: f64,
    /// The sum of all reasons.
    pub score: Points,
    /// The rules it was judged by.
    pub rules_version: String,
    /// The post; none once it is erased.
    pub post: Option<Post>,
    /// The reasons; none once the post is erased.
    pub assessment: Option<Assessment>,
    /// Which hold it was promoted over, if it came from the watch list.
    pub hold: Option<String>,
    /// What we could say, best first.
    pub drafts: Vec<Draft>,
    /// The reply as an operator left it; none means the first draft.
    pub text: Option<String>,
    /// The offer the reply is made from.
    pub offer: Option<String>,
    /// Who wrote `text`.
    pub edited_by: Option<String>,
    /// Why it was dismissed, withdrawn or failed.
    pub reason: Option<String>,
    /// What the network answered, or where an operator posted it.
    pub receipt: Option<Receipt>,
    /// Whose it is.
    pub assignee: Option<String>,
    /// Who works on it right now; it may be over.
    pub claim: Option<Claim>,
    /// When it came.
    pub created_at: Timestamp,
    /// When it is too late.
    pub expires_at: Timestamp,
    /// When it comes back.
    pub snoozed_until: Option<Timestamp>,
    /// Until when the last decision can be undone; an approval is held back until then.
    pub undo_until: Option<Timestamp>,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

impl Lead {
    /// The reply as it stands: the operator's words, else the first draft's.
    #[must_use]
    pub fn reply(&self) -> Option<&str> {
        self.text.as_deref().or_else(|| self.drafts.first().map(|d| d.text.as_str()))
    }
}

/// A lease on a lead, so that two people do not work on one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Who.
    pub by: String,
    /// Until when, unless renewed.
    pub until: Timestamp,
}

/// In which order a page comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Highest score first, faded by age: three hours halve the odds.
    #[default]
    Score,
    /// Latest first.
    Newest,
    /// Soonest to expire first.
    Expiring,
}

impl Order {
    const fn column(self) -> &'static str {
        match self {
            Self::Score => "l.rank",
            Self::Newest => "l.id",
            Self::Expiring => "l.expires_at",
        }
    }

    const fn ascends(self) -> bool {
        matches!(self, Self::Expiring)
    }
}

/// Where a page ended: the next one starts after it, whatever came or went meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    sort: i64,
    id: i64,
}

impl std::fmt::Display for PageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.sort, self.id)
    }
}

impl std::str::FromStr for PageKey {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (sort, id) = text.split_once('.').ok_or(())?;
        Ok(Self { sort: sort.parse().map_err(|_| ())?, id: id.parse().map_err(|_| ())? })
    }
}

/// Which leads to show. The default is everything new, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// In any of these states.
    pub states: Vec<State>,
    /// About this provider.
    pub provider: Option<String>,
    /// On this network.
    pub network: Option<Network>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With at least this intent.
    pub intent_min: Option<f64>,
    /// With less than this intent.
    pub intent_below: Option<f64>,
    /// Belonging to this operator.
    pub assignee: Option<String>,
    /// Claimed by this operator right now (as of the time given).
    pub claimed_by: Option<(String, Timestamp)>,
    /// Came at or after this time.
    pub since: Option<Timestamp>,
    /// Came before this time.
    pub before: Option<Timestamp>,
    /// Last changed at or after this time, such as "approved today".
    pub changed_since: Option<Timestamp>,
    /// Whose post has all these words; the last may be a beginning.
    pub words: Option<String>,
    /// That this signal speaks for.
    pub signal: Option<String>,
    /// In which order.
    pub order: Order,
    /// After the end of the page before.
    pub after: Option<PageKey>,
    /// At most this many, and at most [`LEADS_PAGE_MAX`].
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            states: vec![State::New],
            provider: None,
            network: None,
            kind: None,
            intent_min: None,
            intent_below: None,
            assignee: None,
            claimed_by: None,
            since: None,
            before: None,
            changed_since: None,
            words: None,
            signal: None,
            order: Order::default(),
            after: None,
            limit: 50,
        }
    }
}

impl Filter {
    /// The states that one statement asks for. Each state has its own indexes, so each is asked alone and
    /// the answers are merged; a search for words starts elsewhere and asks for all at once.
    fn asked_together(&self) -> std::slice::Chunks<'_, State> {
        let at_once = if self.words.is_some() { self.states.len().max(1) } else { 1 };
        self.states.chunks(at_once)
    }
}

/// A lead that changed, for those who watch the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its place in the sequence of changes.
    pub change: i64,
    /// Which lead.
    pub lead: LeadId,
    /// Where it stands now.
    pub state: State,
}

const COLUMNS: &str = "l.*, p.body, f.assessment, f.drafts, f.hold";
const BESIDE: &str = "LEFT JOIN posts p ON p.id = l.post
                      LEFT JOIN findings f ON f.post = l.post AND f.provider = l.provider";

impl Queue {
    /// One lead.
    ///
    /// # Errors
    /// The database fails.
    pub fn lead(&self, id: LeadId) -> Result<Option<Lead>, QueueError> {
        let sql = format!("SELECT {COLUMNS} FROM leads l {BESIDE} WHERE l.id = ?1");
        Ok(self.connection.prepare_cached(&sql)?.query_row([id.0], lead).optional()?)
    }

    /// A page of leads, and where the next one starts if there is one.
    ///
    /// # Errors
    /// The database fails.
    pub fn leads(&self, filter: &Filter) -> Result<(Vec<Lead>, Option<PageKey>), QueueError> {
        let limit = filter.limit.clamp(1, LEADS_PAGE_MAX);
        let mut found: Vec<(PageKey, Lead)> = Vec::new();
        for states in filter.asked_together() {
            let (sql, values) = page(filter, states, limit + 1);
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), |row| {
                let lead = lead(row)?;
                Ok((PageKey { sort: row.get("sort")?, id: lead.id.0 }, lead))
            })?;
            for row in rows {
                found.push(row?);
            }
        }
        found.sort_by_key(|&(key, _)| key);
        if !filter.order.ascends() {
            found.reverse();
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|&(key, _)| key);
        Ok((found.into_iter().map(|(_, lead)| lead).collect(), next))
    }

    /// The numbers and versions of all leads a filter selects, at most `most`: for "select all matching".
    ///
    /// # Errors
    /// The database fails.
    pub fn matching(&self, filter: &Filter, most: usize) -> Result<Vec<(LeadId, i64)>, QueueError> {
        let mut found = Vec::new();
        for states in filter.asked_together() {
            let (from, values) = selection(filter, states);
            let sql = format!("SELECT l.id, l.version {from} ORDER BY l.id DESC LIMIT {most}");
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), |r| Ok((LeadId(r.get(0)?), r.get(1)?)))?;
            for row in rows {
                found.push(row?);
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// How many leads are in each state; states without any are left out.
    ///
    /// # Errors
    /// The database fails.
    pub fn state_counts(&self) -> Result<Vec<(State, u64)>, QueueError> {
        let mut statement = self.connection.prepare_cached("SELECT state, count FROM lead_counts WHERE count > 0")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs())))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The number of the latest change.
    ///
    /// # Errors
    /// The database fails.
    pub fn latest_change(&self) -> Result<i64, QueueError> {
        let sql = "SELECT value FROM meta WHERE name = 'change'";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |r| r.get(0))?)
    }

    /// What changed after a place in the sequence, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn changes(&self, after: i64, limit: usize) -> Result<Vec<Change>, QueueError> {
        let sql = "SELECT change, id, state FROM leads WHERE change > ?1 ORDER BY change LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, rows_of(limit)], |r| {
            Ok(Change { change: r.get(0)?, lead: LeadId(r.get(1)?), state: r.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many other leads this author made about this provider that are still open: one case.
    ///
    /// # Errors
    /// The database fails.
    pub fn same_case(&self, id: LeadId) -> Result<Vec<LeadId>, QueueError> {
        let sql = "SELECT b.id FROM leads a JOIN leads b ON b.author = a.author AND b.provider = a.provider
                   WHERE a.id = ?1 AND b.id <> a.id AND b.state IN ('new', 'snoozed') ORDER BY b.id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([id.0], |r| Ok(LeadId(r.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// The statement for a page of leads in these states.
pub(super) fn page(filter: &Filter, states: &[State], limit: usize) -> (String, Vec<Sql>) {
    let (mut from, mut values) = selection(filter, states);
    let column = filter.order.column();
    let (way, beyond) = if filter.order.ascends() { ("ASC", ">") } else { ("DESC", "<") };
    if let Some(after) = filter.after {
        from.push_str(&format!(" AND ({column}, l.id) {beyond} (?, ?)"));
        values.extend([Sql::Integer(after.sort), Sql::Integer(after.id)]);
    }
    let sql = format!("SELECT {COLUMNS}, {column} AS sort {from} ORDER BY {column} {way}, l.id {way} LIMIT {limit}");
    (sql, values)
}

/// Everything from FROM to the last condition. A search for words starts from the posts that have them;
/// all else from the leads.
fn selection(filter: &Filter, states: &[State]) -> (String, Vec<Sql>) {
    let mut values = Vec::new();
    let mut sql = match filter.words.as_deref().and_then(search) {
        Some(words) => {
            values.push(Sql::Text(words));
            format!(
                "FROM (SELECT rowid AS post FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT {SEARCH_POSTS_MAX}) w
                 CROSS JOIN leads l ON l.post = w.post {BESIDE}"
            )
        }
        None => format!("FROM leads l {BESIDE}"),
    };
    let marks = vec!["?"; states.len()].join(", ");
    sql.push_str(&format!(" WHERE l.state IN ({marks})"));
    values.extend(states.iter().map(|s| Sql::Text(s.as_str().to_owned())));
    for (condition, value) in conditions(filter) {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    }
    (sql, values)
}

/// What a filter asks of each lead.
fn conditions(filter: &Filter) -> [(&'static str, Option<Sql>); 12] {
    let text = |text: &str| Some(Sql::Text(text.to_owned()));
    let time = |at: Option<Timestamp>| at.map(|at| Sql::Integer(ms(at)));
    let (claimed_by, claimed_at) = filter.claimed_by.clone().unzip();
    [
        ("l.provider = ?", filter.provider.as_deref().and_then(text)),
        ("l.network = ?", filter.network.and_then(|n| text(n.as_str()))),
        ("l.kind = ?", filter.kind.and_then(|k| text(k.as_str()))),
        ("l.intent >= ?", filter.intent_min.map(Sql::Real)),
        ("l.intent < ?", filter.intent_below.map(Sql::Real)),
        ("l.assignee = ?", filter.assignee.as_deref().and_then(text)),
        ("l.claimed_by = ?", claimed_by.map(Sql::Text)),
        ("l.claimed_until > ?", time(claimed_at)),
        ("l.created_at >= ?", time(filter.since)),
        ("l.created_at < ?", time(filter.before)),
        ("l.changed_at >= ?", time(filter.changed_since)),
        (
            "EXISTS (SELECT 1 FROM json_each(f.assessment, '$.reasons') r WHERE r.value ->> '$.signal' = ?)",
            filter.signal.as_deref().and_then(text),
        ),
    ]
}

/// What people type as a search that cannot be a wrong one: each word in quotes, the last as a beginning.
fn search(words: &str) -> Option<String> {
    let quoted: Vec<String> = words.split_whitespace().map(|w| format!("\"{}\"", w.replace('"', ""))).collect();
    let quoted: Vec<String> = quoted.into_iter().filter(|w| w.len() > 2).collect();
    (!quoted.is_empty()).then(|| quoted.join(" ") + "*")
}

fn lead(row: &Row<'_>) -> rusqlite::Result<Lead> {
    let time = |name: &str| row.get::<_, Option<i64>>(name).map(|t| t.map(at));
    let claim = match (row.get::<_, Option<String>>("claimed_by")?, time("claimed_until")?) {
        (Some(by), Some(until)) => Some(Claim { by, until }),
        _ => None,
    };
    Ok(Lead {
        id: LeadId(row.get("id")?),
        version: row.get("version")?,
        state: row.get("state")?,
        kind: Kind::from_name(&row.get::<_, String>("kind")?).unwrap_or(Kind::Rival),
        network: Network::from_name(&row.get::<_, String>("network")?),
        provider: row.get("provider")?,
        toward: row.get("toward")?,
        stance: row.get("stance")?,
        intent: row.get("intent")?,
        score: Points::from_f64(row.get("score")?),
        rules_version: row.get("rules_version")?,
        post: json(row, "body")?,
        assessment: json(row, "assessment")?,
        hold: row.get("hold")?,
        drafts: json(row, "drafts")?.unwrap_or_default(),
        text: row.get("text")?,
        offer: row.get("offer")?,
        edited_by: row.get("edited_by")?,
        reason: row.get("reason")?,
        receipt: json(row, "receipt")?,
        assignee: row.get("assignee")?,
        claim,
        created_at: at(row.get("created_at")?),
        expires_at: at(row.get("expires_at")?),
        snoozed_until: time("snoozed_until")?,
        undo_until: time("undo_until")?,
        changed_at: at(row.get("changed_at")?),
        changed_by: row.get("changed_by")?,
    })
}

/// A column of JSON; what an older program wrote in a shape we no longer read counts as absent.
pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<String>>(name)?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A span stored as two columns.
pub(super) fn span(start: Option<i64>, end: Option<i64>) -> Option<Span> {
    Some(Span::new(usize::try_from(start?).ok()?, usize::try_from(end?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{WatchFilter, watch};
    use super::*;
    use crate::decide::Verdict;

    fn every_order() -> [Filter; 3] {
        [Order::Score, Order::Newest, Order::Expiring].map(|order| Filter { order, ..Filter::default() })
    }

    /// The plan SQLite makes for a statement, one step a line.
    fn plan(queue: &Queue, sql: &str, values: Vec<Sql>) -> String {
        let mut statement = queue.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |r| r.get::<_, String>("detail")).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_page_walks_an_index_and_never_sorts() {
        let queue = Queue::in_memory().unwrap();
        let plan = |sql: &str, values| plan(&queue, sql, values);
        let after = Some(PageKey { sort: 9, id: 9 });
        let narrow =
            Filter { intent_min: Some(0.5), network: Some(Network::X), kind: Some(Kind::Care), ..Filter::default() };
        let filters = every_order().into_iter().flat_map(|f| [Filter { after, ..f.clone() }, f]);
        let by_provider = Filter { provider: Some("ee".into()), order: Order::Newest, ..Filter::default() };
        for filter in filters.chain([narrow, by_provider]) {
            let (sql, values) = page(&filter, &[State::New], 50);
            let plan = plan(&sql, values);
            assert!(plan.contains("SEARCH l USING INDEX leads_"), "{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
        let (sql, values) =
            watch::page(&WatchFilter { before: Some(super::super::WatchId(9)), ..WatchFilter::default() });
        let watched = plan(&sql, values);
        assert!(watched.contains("findings_listed") && !watched.contains("TEMP B-TREE"), "{watched}");
    }

    #[test]
    fn a_search_for_words_starts_from_the_posts_that_have_them() {
        let queue = Queue::in_memory().unwrap();
        let filter = Filter { words: Some("mast".into()), states: State::ALL.to_vec(), ..Filter::default() };
        let (sql, values) = page(&filter, &filter.states, 50);
        let plan = plan(&queue, &sql, values);
        assert!(plan.contains("SEARCH l USING INDEX leads_post") && !plan.contains("SCAN l"), "{plan}");
    }

    #[test]
    fn pages_join_without_a_gap_or_a_double_whatever_comes_between() {
        for filter in every_order() {
            let mut queue = Queue::in_memory().unwrap();
            for id in 0..25 {
                add_lead(&mut queue, &id.to_string(), after(id * 7 % 11));
            }
            let states = vec![State::New, State::Dismissed];
            let mut filter = Filter { states, limit: 10, ..filter };
            let (mut seen, mut pages) = (Vec::new(), 0);
            loop {
                let (page, next) = queue.leads(&filter).unwrap();
                pages += 1;
                let first = &page[0];
                let reason = super::super::DismissReason::Joke;
                queue.dismiss(first.id, first.version, reason, 20, "bo", after(20)).unwrap_or_default();
                seen.extend(page.iter().map(|l| l.id.0));
                let Some(next) = next else { break };
                filter.after = Some(next.to_string().parse().unwrap());
            }
            seen.sort_unstable();
            assert_eq!((pages, seen), (3, (1..=25).collect::<Vec<_>>()), "{:?}", filter.order);
        }
    }

    #[test]
    fn filters_narrow() {
        let mut queue = Queue::in_memory().unwrap();
        let texts = [
            ("1", "ee", "Leaving EE, mast is down"),
            ("2", "o2", "Leaving O2, café dead zone"),
            ("3", "ee", "Off to O2"),
        ];
        for (id, provider, text) in texts {
            commit(&mut queue, vec![judged(post(id, id, text), vec![finding(provider, Verdict::Enter)])], after(1));
        }
        let all = || Filter { order: Order::Expiring, ..Filter::default() };
        let ids = |filter: Filter| queue.leads(&filter).unwrap().0.iter().map(|l| l.id.0).collect::<Vec<_>>();
        let words = |words: &str| Filter { words: Some(words.into()), ..all() };
        for (filter, found) in [
            (all(), vec![1, 2, 3]),
            (Filter { provider: Some("ee".into()), ..all() }, vec![1, 3]),
            (Filter { network: Some(Network::X), ..all() }, vec![]),
            (Filter { intent_min: Some(0.95), ..all() }, vec![]),
            (Filter { intent_below: Some(0.95), ..all() }, vec![1, 2, 3]),
            (Filter { since: Some(after(2)), ..all() }, vec![]),
            (Filter { signal: Some("leaving.switching".into()), ..all() }, vec![1, 2, 3]),
            (Filter { signal: Some("coverage.none".into()), ..all() }, vec![]),
            (Filter { states: vec![State::Sent], ..all() }, vec![]),
            (words("mast"), vec![1]),
            (words("leaving ma"), vec![1]),
            (words("CAFE"), vec![2]),
            (words("o2"), vec![2, 3]),
            (words("\"' OR 1=1 --"), vec![]),
            (words("  "), vec![1, 2, 3]),
        ] {
            assert_eq!(ids(filter.clone()), found, "{filter:?}");
        }
    }

    #[test]
    fn what_changed_is_told_in_order_and_by_number_only() {
        let (mut queue, lead) = with_lead();
        let before = queue.latest_change().unwrap();
        let other = add_lead(&mut queue, "2", after(1));
        queue.note(lead.id, "call them", "bo", after(2)).unwrap();
        let changed: Vec<LeadId> = queue.changes(before, 10).unwrap().iter().map(|c| c.lead).collect();
        assert_eq!(changed, [other, lead.id]);
        assert_eq!(queue.changes(queue.latest_change().unwrap(), 10).unwrap(), []);
    }

    #[test]
    fn two_posts_of_one_author_about_one_provider_are_one_case() {
        let (mut queue, lead) = with_lead();
        let again = post("at://ana/2", "ana", "EE is still dead");
        let second = commit(&mut queue, vec![judged(again, vec![finding("ee", Verdict::Enter)])], after(9))[0];
        add_lead(&mut queue, "3", after(9));
        assert_eq!(queue.same_case(lead.id).unwrap(), [second]);
    }
}
