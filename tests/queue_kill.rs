//! Kills a process that works on the queue, again and again: no lead is lost or doubled, no reply goes out twice.
//!
//! The worker is this very test program, started with a variable that says what to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;
use jumpship::decide::Verdict;
use jumpship::engine::Finding;
use jumpship::post::{Network, Post};
use jumpship::queue::{Approval, Batch, Cursor, Filter, Judged, Outcome, Queue, Receipt, State};
use jumpship::rules::Policy;
use jumpship::score::{Assessment, Points, Stance};

const WORK: &str = "JUMPSHIP_TEST_WORK";
const FOLDER: &str = "JUMPSHIP_TEST_FOLDER";
const ROUNDS: u64 = 30;

/// Post `number` of the stream that is the truth: every third one makes a lead, every seventh is deleted
/// three posts later.
fn event(batch: &mut Batch<'_>, number: i64) {
    let id = |number: i64| format!("at://stream/{number}");
    let mut post = Post::new(id(number), "Leaving EE");
    (post.network, post.author.id) = (Network::Bluesky, format!("did:{number}"));
    let verdict = if number % 3 == 0 { Verdict::Enter } else { Verdict::Ignore };
    let findings = vec![finding(verdict)];
    batch.posts.push(Judged { post, findings, rules_version: "1".into() });
    if number % 7 == 3 {
        batch.deletes.push((Network::Bluesky, jumpship::post::PostId::new(id(number - 3))));
    }
}

fn finding(verdict: Verdict) -> Finding {
    let assessment = Assessment {
        provider: "ee".into(),
        stance: Stance::Leaving,
        stances: [1.0, 0.0, 0.0, 0.0, 0.0],
        intent: 0.9,
        toward: None,
        score: Points::from_f64(9.5),
        reasons: Vec::new(),
    };
    Finding { assessment, is_home: false, verdict, drafts: Vec::new() }
}

/// What the queue must hold when the cursor stands behind post `last`: leads, and how many are withdrawn.
fn truth(last: i64) -> (u64, u64) {
    let leads = (0..=last).filter(|n| n % 3 == 0).count();
    let withdrawn = (0..=last).filter(|n| n % 7 == 3 && (n - 3) % 3 == 0).count();
    (leads as u64, withdrawn as u64)
}

fn database() -> PathBuf {
    Path::new(&std::env::var(FOLDER).unwrap()).join("q.db")
}

/// The worker. Does nothing when the tests run as usual.
#[test]
fn worker() {
    match std::env::var(WORK).as_deref() {
        Ok("intake") => take_in(),
        Ok("publish") => publish(),
        _ => {}
    }
}

/// Opens the queue and says so: from now on the worker may be killed.
fn begin() -> Queue {
    let queue = Queue::open(&database(), Timestamp::now()).unwrap();
    fs::write(database().with_file_name("begun"), "").unwrap();
    queue
}

fn take_in() {
    let mut queue = begin();
    let mut next = queue.cursor("stream").unwrap().map_or(0, |c| c.position + 1);
    loop {
        let mut batch = Batch::of("stream");
        let last = next + next % 13;
        (next..=last).for_each(|number| event(&mut batch, number));
        batch.cursor = Some(Cursor { text: last.to_string(), position: last });
        queue.commit(&batch, &Policy::default(), Timestamp::now()).unwrap();
        next = last + 1;
    }
}

/// Approves every new lead and sends what is approved to a "network": a file that gets one line a reply.
fn publish() {
    let policy =
        Policy { replies_per_hour_max: 100_000, replies_per_day_max: 100_000, undo_seconds: 0, ..Policy::default() };
    let mut queue = begin();
    let network = database().with_file_name("network");
    loop {
        let now = Timestamp::now();
        for unsettled in queue.unsettled(now).unwrap() {
            let key = unsettled.reply().key();
            let outcome = if fs::read_to_string(&network).unwrap_or_default().contains(key) {
                Outcome::Sent(receipt(key, now))
            } else {
                Outcome::NotSent { retry_at: now, why: "absent".into() }
            };
            queue.settle(unsettled, &outcome, now).unwrap();
        }
        for lead in queue.leads(&Filter { limit: 1, ..Filter::default() }).unwrap().0 {
            let approval = Approval::of("Hello", &policy);
            queue.approve(lead.id, lead.version, &approval, "bo", now).unwrap();
        }
        let Some(reply) = queue.take_approved(&policy, &[Network::Bluesky], Timestamp::now()).unwrap() else {
            continue;
        };
        let mut file = OpenOptions::new().create(true).append(true).open(&network).unwrap();
        file.write_all(format!("{}\n", reply.key()).as_bytes()).unwrap();
        let outcome = Outcome::Sent(receipt(reply.key(), now));
        queue.record_receipt(reply, &outcome, now).unwrap();
    }
}

fn receipt(key: &str, at: Timestamp) -> Receipt {
    Receipt { uri: key.to_owned(), url: None, at }
}

fn start(work: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--test-threads=1"])
        .env(WORK, work)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the worker run for a moment that differs from round to round, then kills it outright.
fn one_round(work: &str, folder: &Path, round: u64) {
    let begun = folder.join("begun");
    let _ = fs::remove_file(&begun);
    let mut child = start(work, folder);
    while !begun.exists() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(round * 37 % 90));
    assert!(child.try_wait().unwrap().is_none(), "the worker ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_while_taking_in_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = -1;
    for round in 0..ROUNDS {
        one_round("intake", folder.path(), round);
        let queue = Queue::open(&folder.path().join("q.db"), Timestamp::now()).unwrap();
        let stands = queue.cursor("stream").unwrap().map_or(-1, |c| c.position);
        assert!(stands >= last, "the cursor never moves back");
        last = stands;
        let counts: HashMap<State, u64> = queue.state_counts().unwrap().into_iter().collect();
        assert_eq!((counts.values().sum(), *counts.get(&State::Withdrawn).unwrap_or(&0)), truth(last), "round {round}");
    }
    println!("{ROUNDS} kills, {} posts, {:?}", last + 1, truth(last));
    assert!(last > 0, "the worker got somewhere");
}

#[test]
fn killed_while_publishing_no_reply_goes_out_twice_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let mut queue = Queue::open(&path, Timestamp::now()).unwrap();
    let mut batch = Batch::of("stream");
    (0..400).for_each(|number| event(&mut batch, number * 3));
    batch.deletes.clear();
    queue.commit(&batch, &Policy::default(), Timestamp::now()).unwrap();
    drop(queue);
    for round in 0..ROUNDS {
        one_round("publish", folder.path(), round);
    }
    let queue = Queue::open(&path, Timestamp::now()).unwrap();
    let out = fs::read_to_string(folder.path().join("network")).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    let mut different = lines.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(lines.len(), different.len(), "a reply went out twice");
    let counts: HashMap<State, u64> = queue.state_counts().unwrap().into_iter().collect();
    let sent = counts.get(&State::Sent).copied().unwrap_or(0);
    let unknown = counts.get(&State::Unknown).copied().unwrap_or(0);
    assert!(sent <= lines.len() as u64 && lines.len() as u64 <= sent + unknown, "{sent} {unknown} {}", lines.len());
    println!("{ROUNDS} kills, {} replies out, {sent} known to be, {unknown} to be settled", lines.len());
    assert!(!lines.is_empty(), "the worker got somewhere");
    assert!(queue.audit_verify().unwrap().broken.is_none());
}
