//! Which leads a page shows: everything stands in the address, so that it can be saved and shared.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::shelf::Shelf;
use crate::post::Network;
use crate::queue::{Filter, Kind, Order};

/// Leads on one page.
pub const PAGE_LEADS: usize = 50;

/// The query of a list's address, as forms fill it in. Empty means any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Words of the post.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// A provider's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rival: String,
    /// A network's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network: String,
    /// `rival` or `care`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// At least this score, 0 to 100.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min: String,
    /// At most this many hours old.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hours: String,
    /// An operator's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assignee: String,
    /// A signal's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signal: String,
    /// `score`, `newest` or `expiring`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
    /// The end of the page before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub after: String,
    /// Only what came before this millisecond, so that the list stands still while it is worked on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub upto: String,
    /// The draft shown in the editor, from 1.
    #[serde(skip_serializing)]
    pub draft: String,
    /// Set by the page's own refresh.
    #[serde(skip_serializing)]
    pub quiet: String,
}

impl Asked {
    /// What the queue is asked for.
    pub fn filter(&self, shelf: Shelf, who: &str, now: Timestamp) -> Filter {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let hours: Option<i64> = self.hours.parse().ok().filter(|hours| (1..=24 * 365).contains(hours));
        let order = match self.sort.as_str() {
            "newest" => Order::Newest,
            "expiring" => Order::Expiring,
            "score" => Order::Score,
            _ if shelf == Shelf::Queue || shelf == Shelf::Mine => Order::Score,
            _ => Order::Newest,
        };
        Filter {
            states: shelf.states().to_vec(),
            provider: some(&self.rival),
            network: some(&self.network).map(|name| Network::from_name(&name)),
            kind: Kind::from_name(&self.kind),
            intent_min: self.min.parse().ok().filter(|min| (0.0..=100.0).contains(min)).map(|min: f64| min / 100.0),
            assignee: some(&self.assignee),
            claimed_by: (shelf == Shelf::Mine).then(|| (who.to_owned(), now)),
            since: hours.map(|hours| now - SignedDuration::from_hours(hours)),
            before: self.stands_since(),
            words: some(&self.q),
            signal: some(&self.signal),
            order,
            after: self.after.parse().ok(),
            limit: PAGE_LEADS,
            ..Filter::default()
        }
    }

    /// The time from which on new leads wait behind the bar.
    pub fn stands_since(&self) -> Option<Timestamp> {
        self.upto.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())
    }

    /// The same list, standing still from now on.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Self {
        let upto = if self.upto.is_empty() { now.as_millisecond().to_string() } else { self.upto.clone() };
        Self { upto, ..self.clone() }
    }

    /// The same list with everything that came meanwhile.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { upto: String::new(), after: String::new(), ..self.clone() }
    }

    /// Whether anything but the order is asked for.
    pub fn narrows(&self) -> bool {
        *self != Self { sort: self.sort.clone(), after: self.after.clone(), upto: self.upto.clone(), ..Self::default() }
    }

    /// The address of a list.
    pub fn address(&self, shelf: Shelf) -> String {
        self.with_query(format!("/{}", shelf.path()))
    }

    /// The address of one lead in a list.
    pub fn lead_address(&self, shelf: Shelf, lead: crate::queue::LeadId) -> String {
        self.with_query(format!("/{}/{lead}", shelf.path()))
    }

    /// The query alone.
    pub fn query(&self) -> String {
        serde_urlencoded::to_string(self).unwrap_or_default()
    }

    fn with_query(&self, path: String) -> String {
        let query = self.query();
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gives_back_what_was_asked() {
        let asked = Asked { q: "no signal & more".into(), rival: "o2".into(), min: "60".into(), ..Asked::default() };
        let address = asked.address(Shelf::Queue);
        assert_eq!(address, "/queue?q=no+signal+%26+more&rival=o2&min=60");
        let query = address.split_once('?').unwrap().1;
        assert_eq!(serde_urlencoded::from_str::<Asked>(query).unwrap(), asked);
        assert!(asked.narrows() && !Asked { sort: "newest".into(), ..Asked::default() }.narrows());
    }

    #[test]
    fn nonsense_asks_for_nothing() {
        let asked =
            Asked { min: "many".into(), hours: "-3".into(), after: "x".into(), upto: "y".into(), ..Asked::default() };
        let now = Timestamp::UNIX_EPOCH;
        let plain = Asked::default().filter(Shelf::Queue, "Ana", now);
        assert_eq!(asked.filter(Shelf::Queue, "Ana", now), plain);
    }
}
