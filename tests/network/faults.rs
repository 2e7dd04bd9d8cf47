//! Every fault the relay knows, on both wires: nothing lost, nothing twice, the cursor never back.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::bench::{Relay, is_ready};
use crate::daemon::Daemon;

/// All leads there are, and all posts that were kept.
pub const LEADS: &str = "SELECT count(*) FROM leads";
/// Posts that were kept: two for one would show here.
pub const POSTS: &str = "SELECT count(*) FROM posts";
/// How many posts stand around each fault.
const ROUND: i64 = 12;

/// The faults in the order they are tried, each as the relay's control calls.
const FAULTS: &[&[&str]] = &[
    &["drop"],
    &["drop?rst=1"],
    &["close?code=1001&reason=maintenance"],
    &["cut?after=5"],
    &["error?name=ConsumerTooSlow"],
    &["refuse?n=2&status=503", "drop"],
    &["refuse?n=1&status=429&retry_after=1", "drop"],
    &["stall?ms=1500"],
    &["stall?ms=30000&deaf=1"],
    &["rewind?n=10"],
    &["rewind?n=10&backwards=1"],
    &["reorder?pairs=5"],
    &["reorder?pairs=3", "cut?after=4"],
    &["gap?n=50"],
    &["early?ms=3600000", "drop"],
    &["forget"],
    &["raw:this is not JSON"],
    &["raw:{\"did\":7}"],
];

/// A post that makes one lead, by an author of its own.
fn leaving(number: i64) -> String {
    let text = format!("O2 signal is rubbish number {number}, texted PAC today and leaving this week");
    create(number, &text)
}

fn create(number: i64, text: &str) -> String {
    json!({"did": format!("did:plc:author{number}"), "kind": "commit", "commit": {"rkey": format!("3l{number:0>11}"), "record": {
        "$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-22T10:00:00Z"}}})
    .to_string()
}

/// A round of posts: leavers with noise between them.
fn round(first: i64) -> String {
    (first..first + ROUND).fold(String::new(), |mut all, number| {
        let _ = writeln!(all, "{}\n{}", leaving(number), create(1_000_000 + number, "Baked bread again today"));
        all
    })
}

async fn lay(relay: &Relay, calls: &[&str]) {
    for what in calls {
        match what.strip_prefix("raw:") {
            Some(raw) => relay.control("raw", raw).await,
            None => relay.control(what, "").await,
        };
    }
}

async fn survives_every_fault(wire: &str) {
    if !is_ready("ws") {
        return;
    }
    let relay = Relay::synthetic();
    let mut daemon = Daemon::new(&[&relay.host()], wire);
    daemon.start();
    let watch = daemon.watch_cursor();
    let mut posted = 0;
    for fault in FAULTS {
        relay.wait_for_subscriber().await;
        relay.control("emit", &round(posted + 1)).await;
        if fault == &["forget"] {
            // A server that forgets takes with it what we have not heard yet.
            daemon.wait_for(LEADS, posted + ROUND).await;
        }
        lay(&relay, fault).await;
        relay.control("emit", &round(posted + ROUND + 1)).await;
        posted += 2 * ROUND;
        daemon.wait_for(LEADS, posted).await;
        relay.control("reset", "").await;
        eprintln!("{wire} {fault:?}: {posted} leads");
    }
    relay.wait_for_subscriber().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(daemon.number(LEADS), Some(posted), "none twice");
    assert_eq!(daemon.number(POSTS), Some(posted), "none twice");
    watch.end();
    let (status, took) = daemon.stop();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}\n{}", daemon.log());
}

#[tokio::test]
async fn wire_v1_survives_every_fault() {
    survives_every_fault("v1").await;
}

#[tokio::test]
async fn wire_v2_survives_every_fault() {
    survives_every_fault("v2").await;
}

/// A server that no longer has what we missed: we go on, and say that something may be missing.
#[tokio::test]
async fn a_gap_is_reported_not_hidden() {
    if !is_ready("ws") {
        return;
    }
    let relay = Relay::synthetic();
    let mut daemon = Daemon::new(&[&relay.host()], "v2");
    daemon.start();
    relay.wait_for_subscriber().await;
    relay.control("emit", &round(1)).await;
    daemon.wait_for(LEADS, 12).await;
    daemon.kill();
    relay.control("emit", &round(101)).await;
    let last = relay.state().await["seq"].as_u64().expect("a seq");
    relay.control(&format!("floor?seq={}", last + 1), "").await;
    daemon.start();
    relay.wait_for_subscriber().await;
    relay.control("emit", &round(201)).await;
    daemon.wait_for(LEADS, 24).await;
    let gaps = "SELECT CAST(body ->> 'gaps' AS INTEGER) FROM health";
    daemon.wait_for(gaps, 1).await;
}

/// The first host is not there, the second refuses, the third serves.
#[tokio::test]
async fn another_host_takes_over() {
    if !is_ready("ws") {
        return;
    }
    let (first, second) = (Relay::synthetic(), Relay::synthetic());
    let mut daemon = Daemon::new(&["ws://127.0.0.1:9", &first.host(), &second.host()], "auto");
    daemon.start();
    first.wait_for_subscriber().await;
    first.control("emit", &round(1)).await;
    daemon.wait_for(LEADS, 12).await;
    second.control("emit", &round(1)).await;
    second.control("emit", &round(101)).await;
    drop(first);
    second.wait_for_subscriber().await;
    daemon.wait_for(LEADS, 24).await;
}

/// What comes again backwards must not bring back what its author deleted.
#[tokio::test]
async fn a_deleted_post_stays_deleted() {
    if !is_ready("ws") {
        return;
    }
    let relay = Relay::synthetic();
    let mut daemon = Daemon::new(&[&relay.host()], "v2");
    daemon.start();
    relay.wait_for_subscriber().await;
    relay.control("emit", &leaving(7)).await;
    daemon.wait_for(POSTS, 1).await;
    let delete = json!({"did": "did:plc:author7", "kind": "commit",
        "commit": {"operation": "delete", "rkey": "3l00000000007"}});
    relay.control("emit", &delete.to_string()).await;
    daemon.wait_for(POSTS, 0).await;
    for (number, again) in [(8, "rewind?n=2&backwards=1"), (9, "rewind?n=2")] {
        relay.control(again, "").await;
        relay.control("emit", &leaving(number)).await;
    }
    daemon.wait_for(POSTS, 2).await;
    daemon.kill();
    daemon.start();
    relay.wait_for_subscriber().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(daemon.number(POSTS), Some(2));
    daemon.wait_for("SELECT count(*) FROM leads WHERE state = 'withdrawn'", 1).await;
    // An account that is gone takes all its posts with it.
    for author in ["did:plc:author8", "did:plc:author9"] {
        let gone = json!({"did": author, "kind": "account",
            "account": {"active": false, "status": "deleted", "did": author}});
        relay.control("emit", &gone.to_string()).await;
    }
    daemon.wait_for(POSTS, 0).await;
    daemon.wait_until_gone("signal is rubbish number").await;
}
