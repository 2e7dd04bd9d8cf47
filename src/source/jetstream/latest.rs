//! Remembers what was deleted or edited of late, so that an old copy that comes again changes nothing.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::source::Event;

/// The most posts and accounts remembered: some hours of a busy network in about 5 MB.
const REMEMBERED_MAX: usize = 100_000;

/// When each post or account last changed for good, by the server's clock.
#[derive(Debug, Default)]
pub struct Latest {
    hasher: RandomState,
    changed_us: HashMap<u64, u64>,
    order: VecDeque<u64>,
}

impl Latest {
    /// Whether the event is older than a delete or edit we already know. Takes note of it if not.
    pub fn is_outdated(&mut self, event: &Event, time_us: u64) -> bool {
        match event {
            Event::Created(post) => self.is_older(post.id.as_str(), time_us) || self.is_older(&post.author.id, time_us),
            Event::Edited(post) => {
                let outdated = self.is_older(&post.author.id, time_us) || self.is_older(post.id.as_str(), time_us);
                self.note(post.id.as_str(), time_us);
                outdated
            }
            Event::Deleted { id, .. } => self.note(id.as_str(), time_us),
            Event::AccountGone { author, .. } => self.note(author, time_us),
        }
    }

    fn is_older(&self, key: &str, time_us: u64) -> bool {
        self.changed_us.get(&self.hasher.hash_one(key)).is_some_and(|&changed| time_us < changed)
    }

    /// Notes a change; a removal is never outdated, so the answer is always no.
    fn note(&mut self, key: &str, time_us: u64) -> bool {
        let key = self.hasher.hash_one(key);
        if let Some(changed) = self.changed_us.get_mut(&key) {
            *changed = time_us.max(*changed);
            return false;
        }
        if self.order.len() == REMEMBERED_MAX {
            self.order.pop_front().map(|oldest| self.changed_us.remove(&oldest));
        }
        self.order.push_back(key);
        self.changed_us.insert(key, time_us);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::{Network, Post, PostId};

    fn created(id: &str, author: &str) -> Event {
        let mut post = Post::new(id, "x");
        post.author.id = author.to_owned();
        Event::Created(Box::new(post))
    }

    #[test]
    fn an_old_copy_changes_nothing() {
        let mut latest = Latest::default();
        assert!(!latest.is_outdated(&created("1", "ann"), 10));
        let gone = Event::Deleted { network: Network::Bluesky, id: PostId::new("1") };
        assert!(!latest.is_outdated(&gone, 20));
        assert!(latest.is_outdated(&created("1", "ann"), 10), "sent again after its delete");
        assert!(!latest.is_outdated(&created("1", "ann"), 30), "made anew after its delete");
        assert!(!latest.is_outdated(&created("2", "ann"), 10), "another post");
        let left = Event::AccountGone { network: Network::Bluesky, author: "ann".into() };
        assert!(!latest.is_outdated(&left, 40));
        assert!(latest.is_outdated(&created("2", "ann"), 35));
    }

    #[test]
    fn memory_is_bounded() {
        let mut latest = Latest::default();
        for i in 0..REMEMBERED_MAX + 10 {
            latest.note(&i.to_string(), 1);
        }
        assert_eq!((latest.order.len(), latest.changed_us.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    }
}
