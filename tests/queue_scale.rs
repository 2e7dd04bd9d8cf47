//! Measures the queue at a size few will reach: `cargo test --release --test queue_scale -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use jumpship::decide::{History, Verdict};
use jumpship::draft::Draft;
use jumpship::engine::Finding;
use jumpship::post::{Network, Post, Span};
use jumpship::queue::{Approval, Batch, Cursor, Filter, Judged, Order, Queue, State, WatchFilter};
use jumpship::rules::Policy;
use jumpship::score::{Assessment, Points, Reason, Stance};

const BATCH_POSTS: i64 = 1_000;
const PROVIDERS: [&str; 5] = ["ee", "o2", "three", "vodafone", "sky_mobile"];
const LOOKS: u32 = 20;

/// How many leads; `JUMPSHIP_SCALE_LEADS` may ask for fewer.
fn leads_wanted() -> i64 {
    std::env::var("JUMPSHIP_SCALE_LEADS").map_or(1_000_000, |count| count.parse().unwrap())
}

fn judged(number: i64) -> Judged {
    let mut post = Post::new(
        format!("at://did:plc:{number:024}/app.bsky.feed.post/{number:013}"),
        format!("Leaving EE when the contract is up in May, no signal at number {number} again. What else is there?"),
    );
    post.network = Network::Bluesky;
    post.author.id = format!("did:plc:{number:024}");
    post.author.handle = format!("author{number}.bsky.social");
    let provider = PROVIDERS[usize::try_from(number).unwrap() % PROVIDERS.len()];
    let verdict = if number % 10 == 9 { Verdict::Watch } else { Verdict::Enter };
    Judged { post, findings: vec![finding(provider, verdict, number)], rules_version: "rules-1".into() }
}

fn finding(provider: &str, verdict: Verdict, number: i64) -> Finding {
    let reason = |signal: &str, start: usize, points: f64| Reason {
        signal: signal.into(),
        span: Span::new(start, start + 10),
        text: "no signal".into(),
        points: Points::from_f64(points),
        rule: Some("signals/coverage.toml:14".into()),
    };
    let score = f64::from(u32::try_from(number % 150).unwrap()) / 10.0;
    let assessment = Assessment {
        provider: provider.into(),
        stance: Stance::Leaving,
        stances: [0.9, 0.0, 0.0, 0.1, 0.0],
        intent: Points::from_f64(score).probability(),
        toward: None,
        score: Points::from_f64(score),
        reasons: vec![
            reason("leaving.contract_end", 0, 6.0),
            reason("coverage.no_signal", 50, 3.0),
            reason("voice.asks", 60, 1.0),
        ],
    };
    let drafts = vec![Draft { offer: "rolling".into(), text: "Sorry to hear that. Northwind Mobile here.".into() }];
    Finding { assessment, is_home: false, verdict, drafts }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The slowest and the usual of several looks, in milliseconds.
fn look(what: &str, mut look: impl FnMut() -> usize) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..LOOKS {
        let start = Instant::now();
        found = look();
        times.push(milliseconds(start.elapsed()));
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{what:<44} {found:>4} rows  median {:>8.2} ms  worst {:>8.2} ms",
        times[times.len() / 2],
        times[times.len() - 1]
    );
}

#[test]
#[ignore = "a measurement of some minutes"]
fn a_million_leads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let start: Timestamp = "2026-05-04T10:00:00Z".parse().unwrap();
    let mut queue = Queue::open(&path, start).unwrap();
    let policy = Policy { expires_after_minutes: 1_000_000, ..Policy::default() };
    fill(&mut queue, &policy, start);
    let size = std::fs::metadata(&path).unwrap().len();
    println!("the file has {} MB", size >> 20);

    let filter = Filter::default();
    look("list, best first", || queue.leads(&filter).unwrap().0.len());
    look("list, newest first", || queue.leads(&Filter { order: Order::Newest, ..filter.clone() }).unwrap().0.len());
    look("list, soonest to expire", || {
        queue.leads(&Filter { order: Order::Expiring, ..filter.clone() }).unwrap().0.len()
    });
    let of_one = Filter { provider: Some("o2".into()), ..filter.clone() };
    look("list of one provider", || queue.leads(&of_one).unwrap().0.len());
    let sure = Filter { intent_min: Some(0.95), ..filter.clone() };
    look("list above 95 % intent", || queue.leads(&sure).unwrap().0.len());
    let words = Filter { words: Some("number 4242".into()), ..filter.clone() };
    look("list with rare words", || queue.leads(&words).unwrap().0.len());
    let common = Filter { words: Some("signal".into()), ..filter.clone() };
    look("list with a word every post has", || queue.leads(&common).unwrap().0.len());
    look("counts of all states", || queue.state_counts().unwrap().len());
    look("watch list", || queue.watch_list(&WatchFilter::default()).unwrap().len());
    look("history of one author", || usize::from(queue.history(&judged(77).post).unwrap() != History::default()));
    decide(&mut queue, start);
}

fn fill(queue: &mut Queue, policy: &Policy, start: Timestamp) {
    let began = Instant::now();
    let (mut number, mut stored) = (0, 0);
    let mut inside = Duration::ZERO;
    while stored < leads_wanted() {
        let mut batch = Batch::of("stream");
        batch.posts = (number..number + BATCH_POSTS).map(judged).collect();
        number += BATCH_POSTS;
        batch.cursor = Some(Cursor { text: number.to_string(), position: number });
        let commit = Instant::now();
        let now = start + SignedDuration::from_secs(number / 100);
        stored += i64::try_from(queue.commit(&batch, policy, now).unwrap().leads.len()).unwrap();
        inside += commit.elapsed();
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let rate = |count: i64| count as f64 / inside.as_secs_f64();
    println!(
        "{number} posts, {stored} leads in batches of {BATCH_POSTS}: {:.0} posts/s, {:.0} leads/s ({:.0} s in all)",
        rate(number),
        rate(stored),
        began.elapsed().as_secs_f64()
    );
}

fn decide(queue: &mut Queue, start: Timestamp) {
    let leads = queue.leads(&Filter { limit: 100, ..Filter::default() }).unwrap().0;
    let approval = Approval::of("Hello from Northwind Mobile", &Policy::default());
    let began = Instant::now();
    for lead in &leads {
        queue.approve(lead.id, lead.version, &approval, "ana", start).unwrap();
    }
    println!("approve, synced to disk: {:.2} ms each", milliseconds(began.elapsed()) / 100.0);
    let approved = Filter { states: vec![State::Approved], ..Filter::default() };
    look("list of approved", || queue.leads(&approved).unwrap().0.len());
}
