//! Who is looking at which lead right now: a hint for colleagues, never a lock, gone with the process.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::Timestamp;

use crate::queue::LeadId;

/// Somebody who was not heard of for this long has gone elsewhere.
const LOOK_SECONDS_MAX: i64 = 90;
/// The most operators remembered.
const OPERATORS_MAX: usize = 1_000;

/// The lead that each operator opened last.
#[derive(Debug, Default)]
pub struct Presence(Mutex<HashMap<String, (LeadId, Timestamp)>>);

impl Presence {
    /// Notes that somebody opened a lead.
    pub fn look(&self, who: &str, lead: LeadId, now: Timestamp) {
        let mut looking = self.lock();
        looking.retain(|_, (_, at)| is_fresh(*at, now));
        if looking.len() < OPERATORS_MAX {
            looking.insert(who.to_owned(), (lead, now));
        }
    }

    /// Everybody else who has this lead open.
    pub fn others(&self, me: &str, lead: LeadId, now: Timestamp) -> Vec<String> {
        let looking = self.lock();
        let there = looking.iter().filter(|(who, (on, at))| *who != me && *on == lead && is_fresh(*at, now));
        let mut names: Vec<String> = there.map(|(who, _)| who.clone()).collect();
        names.sort_unstable();
        names
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (LeadId, Timestamp)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.as_second() - at.as_second() < LOOK_SECONDS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sees_the_others_while_they_look() {
        let second = |s| Timestamp::from_second(s).unwrap();
        let presence = Presence::default();
        presence.look("Ana", LeadId(7), second(0));
        presence.look("Ben", LeadId(7), second(60));
        assert_eq!(presence.others("Cleo", LeadId(7), second(70)), ["Ana", "Ben"]);
        assert_eq!(presence.others("Ana", LeadId(7), second(70)), ["Ben"]);
        assert_eq!(presence.others("Cleo", LeadId(7), second(100)), ["Ben"]);
        presence.look("Ben", LeadId(8), second(101));
        assert!(presence.others("Cleo", LeadId(7), second(102)).is_empty());
    }
}
