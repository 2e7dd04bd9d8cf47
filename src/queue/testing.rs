//! Helpers for the queue's tests: a post, a batch of it, the lead it makes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Batch, Cursor, Judged, Lead, LeadId, Queue, QueueError};
use crate::decide::Verdict;
use crate::draft::Draft;
use crate::engine::Finding;
use crate::post::{Network, Post, Span};
use crate::rules::Policy;
use crate::score::{Assessment, Points, Reason, Stance};

/// A fixed beginning of time.
pub fn start() -> Timestamp {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

/// So many seconds after the beginning.
pub fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

pub fn post(id: &str, author: &str, text: &str) -> Post {
    let mut post = Post::new(id, text);
    post.network = Network::Bluesky;
    post.author.id = format!("did:plc:{author}");
    post.author.handle = format!("{author}.bsky.social");
    post
}

pub fn finding(provider: &str, verdict: Verdict) -> Finding {
    let signal = Reason {
        signal: "leaving.switching".into(),
        span: Span::new(0, 7),
        text: "Leaving".into(),
        points: Points::from_f64(9.0),
        rule: Some("signals/leaving.toml:3".into()),
    };
    let assessment = Assessment {
        provider: provider.into(),
        stance: Stance::Leaving,
        stances: [0.9, 0.0, 0.0, 0.05, 0.05],
        intent: 0.9,
        toward: None,
        score: Points::from_f64(9.54),
        reasons: vec![signal],
    };
    let drafts = if verdict == Verdict::Enter {
        vec![Draft { offer: "rolling".into(), text: "We could help. Northwind Mobile here.".into() }]
    } else {
        Vec::new()
    };
    Finding { assessment, is_home: verdict == Verdict::Care, verdict, drafts }
}

pub fn judged(post: Post, findings: Vec<Finding>) -> Judged {
    Judged { post, findings, rules_version: Arc::from("rules-1") }
}

pub fn cursor(position: i64) -> Cursor {
    Cursor { text: format!("t{position}"), position }
}

/// Commits posts as one batch.
pub fn commit(queue: &mut Queue, posts: Vec<Judged>, now: Timestamp) -> Vec<LeadId> {
    let batch = Batch { posts, seen: 1, ..Batch::of("stream") };
    queue.commit(&batch, &Policy::default(), now).unwrap().leads
}

/// Adds one lead of its own author; `id` tells it from others.
pub fn add_lead(queue: &mut Queue, id: &str, now: Timestamp) -> LeadId {
    let author = format!("author{id}");
    let post = post(&format!("at://{author}/{id}"), &author, "Leaving EE in May, no signal at all");
    commit(queue, vec![judged(post, vec![finding("ee", Verdict::Enter)])], now)[0]
}

/// Commits one lead together with a cursor.
pub fn try_commit(queue: &mut Queue, id: &str, position: i64) -> Result<(), QueueError> {
    let post = post(&format!("at://{id}/1"), &format!("author{id}"), "Leaving EE in May, no signal at all");
    let posts = vec![judged(post, vec![finding("ee", Verdict::Enter)])];
    let batch = Batch { posts, cursor: Some(cursor(position)), ..Batch::of("stream") };
    queue.commit(&batch, &Policy::default(), start()).map(|_| ())
}

/// A queue with one new lead.
pub fn with_lead() -> (Queue, Lead) {
    let mut queue = Queue::in_memory().unwrap();
    let post = post("at://ana/1", "ana", "Leaving EE in May, no signal at all");
    let ids = commit(&mut queue, vec![judged(post, vec![finding("ee", Verdict::Enter)])], start());
    let lead = queue.lead(ids[0]).unwrap().unwrap();
    (queue, lead)
}
