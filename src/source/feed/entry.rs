//! From a feed's bytes to posts, and the memory of which of them we have had.

use feed_rs::model::Entry;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::post::{Author, Network, Post, PostId};
use crate::web::plain;

/// The posts of a feed, in its order.
///
/// # Errors
/// What is wrong with it.
pub(super) fn posts_of(body: &[u8], feed: &Url, about: Option<&str>) -> Result<Vec<Post>, String> {
    let parser = feed_rs::parser::Builder::new().base_uri(Some(feed.as_str())).sanitize_content(false).build();
    let parsed = parser.parse(body).map_err(|e| e.to_string())?;
    let lang = parsed.language.clone();
    let post = |entry: Entry| {
        let mut post = post_of(entry, feed)?;
        post.lang.clone_from(&lang);
        post.addressed_to = about.map(str::to_owned);
        Some(post)
    };
    Ok(parsed.entries.into_iter().filter_map(post).collect())
}

fn post_of(entry: Entry, feed: &Url) -> Option<Post> {
    let title = entry.title.map(|title| plain(&title.content)).unwrap_or_default();
    let body = entry.content.and_then(|content| content.body).or(entry.summary.map(|summary| summary.content));
    let body = plain(&body.unwrap_or_default());
    // Many feeds repeat the beginning of the body as its title.
    let text = if body.starts_with(title.trim_end_matches('…')) { body } else { format!("{title}\n{body}") };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut post = Post::new(id_of(&entry.id, feed).as_str(), text);
    post.network = Network::Feed;
    post.url = entry.links.into_iter().find(|link| link.rel.as_deref() != Some("enclosure")).map(|link| link.href);
    let name = entry.authors.into_iter().find_map(|author| author.name).unwrap_or_default();
    post.author = Author { handle: name.clone(), name, ..Author::default() };
    let at = entry.published.or(entry.updated);
    post.created_at = at.and_then(|at| Timestamp::from_millisecond(at.timestamp_millis()).ok());
    Some(post)
}

/// A name that no other feed gives to another entry.
fn id_of(id: &str, feed: &Url) -> PostId {
    let is_global = ["https://", "http://", "urn:", "tag:"].iter().any(|start| id.starts_with(start));
    PostId::new(if is_global { id.to_owned() } else { format!("{feed}#{id}") })
}

/// The entries we know, and what they said: names and words as hashes, the longest unseen first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seen(Vec<(u64, u64)>);

impl Seen {
    /// Notes an entry: whether it is new, or `None` when we had it just so.
    pub fn note(&mut self, post: &Post, most: usize) -> Option<bool> {
        let (name, words) = (hash(post.id.as_str()), hash(&post.text));
        let known = self.0.iter().position(|(known, _)| *known == name);
        if known.is_some_and(|at| self.0[at].1 == words) {
            return None;
        }
        if let Some(at) = known {
            self.0.remove(at);
        }
        self.0.push((name, words));
        let surplus = self.0.len().saturating_sub(most);
        self.0.drain(..surplus);
        Some(known.is_none())
    }
}

fn hash(text: &str) -> u64 {
    let digest = digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<Post> {
        posts_of(body.as_bytes(), &"https://forum.example/rss".parse().unwrap(), Some("ee")).unwrap()
    }

    #[test]
    fn rss_atom_and_json_become_posts() {
        let rss = r#"<rss version="2.0"><channel><title>Forum</title><language>en-GB</language>
            <item><title>No signal</title><link>https://forum.example/t/1</link><guid isPermaLink="false">1</guid>
            <description>&lt;p&gt;EE has no signal &amp;amp; I am off&lt;/p&gt;</description>
            <pubDate>Sun, 22 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"#;
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><id>urn:f</id><updated>2026-11-22T10:00:00Z</updated>
            <entry><id>urn:f:1</id><title>Slow</title><updated>2026-11-22T10:00:00Z</updated><author><name>ann</name></author>
            <content type="html">Slow&lt;br&gt;all day</content></entry></feed>"#;
        let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"F","items":
            [{"id":"https://forum.example/t/3","content_text":"Bill went up","date_published":"2026-11-22T10:00:00Z"}]}"#;
        for (body, id, text) in [
            (rss, "https://forum.example/rss#1", "No signal\nEE has no signal & I am off"),
            (atom, "urn:f:1", "Slow\nall day"),
            (json, "https://forum.example/t/3", "Bill went up"),
        ] {
            let posts = read(body);
            assert_eq!((posts[0].id.as_str(), posts[0].text.as_str()), (id, text));
            assert_eq!(posts[0].created_at.unwrap().to_string(), "2026-11-22T10:00:00Z");
            assert_eq!((posts[0].network, posts[0].addressed_to.as_deref()), (Network::Feed, Some("ee")));
        }
    }

    #[test]
    fn an_entry_is_new_once_and_then_only_when_it_changes() {
        let mut seen = Seen::default();
        let post = |id: &str, text: &str| Post::new(id, text);
        assert_eq!(seen.note(&post("1", "a"), 2), Some(true));
        assert_eq!(seen.note(&post("1", "a"), 2), None);
        assert_eq!(seen.note(&post("1", "b"), 2), Some(false));
        assert_eq!(seen.note(&post("2", "a"), 2), Some(true));
        assert_eq!(seen.note(&post("3", "a"), 2), Some(true));
        assert_eq!(seen.0.len(), 2, "what is remembered is bounded");
    }

    #[test]
    fn hostile_feeds_are_refused_or_read_quickly() {
        let url: Url = "https://forum.example/rss".parse().unwrap();
        let bomb = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss version="2.0"><channel><title>&b;</title></channel></rss>"#;
        for body in [bomb.as_bytes(), b"", b"<html>no feed</html>", &[0xff; 1_000], &[0; 1_000]] {
            let _ = posts_of(body, &url, None);
        }
    }
}
