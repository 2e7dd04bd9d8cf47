//! What the tests of publishing share: a queue full of approved replies, and a dispatcher in a hurry.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use jumpship::decide::Verdict;
use jumpship::draft::Draft;
use jumpship::engine::Finding;
use jumpship::post::{Network, Post, Span};
use jumpship::publish::{Dispatcher, Pace, Publisher, Terms};
use jumpship::queue::{Approval, Approve, Batch, Filter, Judged, LeadId, Queue, State};
use jumpship::rules::Policy;
use jumpship::score::{Assessment, Points, Reason, Stance};

/// The words of every reply in these tests.
pub const WORDS: &str = "Sorry to hear that. Northwind here: see https://northwind.example/try 👋";

/// How late the fake servers may accept what they said nothing about.
pub const LATE: Duration = Duration::from_millis(250);

/// Faster than in the world, and still later than the fake servers are late.
pub const HURRY: Pace = Pace {
    tick: Duration::from_millis(20),
    settle_after: SignedDuration::from_millis(600),
    rest: SignedDuration::from_millis(5),
    rest_max: SignedDuration::from_millis(50),
};

/// Terms that stand in nobody's way.
pub struct Easy;

impl Terms for Easy {
    fn policy(&self) -> Policy {
        Policy { replies_per_hour_max: 1_000, replies_per_day_max: 10_000, quiet_hours: None, ..Policy::default() }
    }

    fn offer_is_over(&self, offer: &str, _: Timestamp) -> bool {
        offer == ENDED
    }
}

/// The offer that has ended.
pub const ENDED: &str = "ended";

/// A post by an author of its own.
pub fn post(network: Network, id: &str, author: &str) -> Post {
    let mut post = Post::new(id, "Leaving EE in May, no signal at all");
    post.network = network;
    post.author.id = author.to_owned();
    post.created_at = Some(Timestamp::now());
    post
}

fn judged(post: Post) -> Judged {
    let reason = Reason {
        signal: "leaving.switching".into(),
        span: Span::new(0, 7),
        text: "Leaving".into(),
        points: Points::from_f64(9.0),
        rule: None,
    };
    let assessment = Assessment {
        provider: "ee".into(),
        stance: Stance::Leaving,
        stances: [0.9, 0.0, 0.0, 0.05, 0.05],
        intent: 0.9,
        toward: None,
        score: Points::from_f64(9.5),
        reasons: vec![reason],
    };
    let offer = if post.author.handle == ENDED { ENDED } else { "hand-made" };
    let drafts = vec![Draft { offer: offer.into(), text: WORDS.into() }];
    let finding = Finding { assessment, is_home: false, verdict: Verdict::Enter, drafts };
    Judged { post, findings: vec![finding], rules_version: Arc::from("test") }
}

/// Puts the posts into the queue and approves a reply to each.
pub fn approve_all(queue: &mut Queue, posts: Vec<Post>) -> Vec<LeadId> {
    let now = Timestamp::now() - SignedDuration::from_secs(1);
    let policy = Easy.policy();
    let batch = Batch { posts: posts.into_iter().map(judged).collect(), ..Batch::of("test") };
    let leads = queue.commit(&batch, &policy, now).unwrap().leads;
    for lead in &leads {
        let version = queue.lead(*lead).unwrap().unwrap().version;
        let approval = Approval { undo_seconds: 0, ..Approval::of(WORDS, &policy) };
        let approved = queue.approve(*lead, version, &approval, "ann", now).unwrap();
        assert!(matches!(approved, Approve::HeldUntil(_)));
    }
    leads
}

/// Every lead's state, in words, counted.
pub fn states(queue: &Queue) -> Vec<(State, u64)> {
    queue.state_counts().unwrap().into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The state of each lead that is in one of these, and the reason it has been given; in order.
pub fn reasons(queue: &Queue, states: &[State]) -> Vec<(State, Option<String>)> {
    let filter = Filter { states: states.to_vec(), limit: 200, ..Filter::default() };
    let (mut leads, _) = queue.leads(&filter).unwrap();
    leads.sort_by_key(|lead| lead.id);
    leads.into_iter().map(|lead| (lead.state, lead.reason)).collect()
}

/// Sends until every reply has its end or time is up; returns the queue.
pub async fn send_all(queue: Queue, publisher: Box<dyn Publisher>, most: Duration) -> Queue {
    let queue = Arc::new(Mutex::new(queue));
    let mut dispatcher = Dispatcher::new(vec![publisher], Arc::clone(&queue), Arc::new(Easy)).at_pace(HURRY);
    let began = Instant::now();
    while began.elapsed() < most && is_busy(&queue.lock().unwrap()) {
        dispatcher.settle_some().await.unwrap();
        if !dispatcher.send_next().await.unwrap() {
            tokio::time::sleep(HURRY.tick).await;
        }
    }
    drop(dispatcher);
    Arc::into_inner(queue).unwrap().into_inner().unwrap()
}

fn is_busy(queue: &Queue) -> bool {
    let open = [State::Approved, State::Sending, State::Unknown];
    states(queue).iter().any(|(state, _)| open.contains(state))
}
