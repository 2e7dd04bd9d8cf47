//! A thousand posts on a real PDS, with the socket cut and the daemon killed all the while.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Relay, Server, call, is_ready};
use crate::daemon::Daemon;
use crate::faults::{LEADS, POSTS};

/// How many post at the same time, and how much each.
const AUTHORS: usize = 10;
const POSTS_EACH: usize = 100;
/// Every so many posts is about leaving.
const LEAVING_EVERY: usize = 2;
/// What is done to the daemon meanwhile.
const CUTS: usize = 20;
const KILLS: usize = 5;
const POST: &str = "app.bsky.feed.post";

/// An account on the PDS.
#[derive(Clone)]
struct Author {
    xrpc: String,
    did: String,
    token: String,
}

impl Author {
    async fn join(pds: &str, number: usize) -> Self {
        let xrpc = format!("{pds}/xrpc");
        let body =
            json!({"handle": format!("ann{number}.test"), "email": format!("ann{number}@mail.test"), "password": "pw"});
        let said = call(&format!("{xrpc}/com.atproto.server.createAccount"), Some(body.to_string()), None).await;
        let text = |key: &str| said[key].as_str().expect(key).to_owned();
        Self { xrpc, did: text("did"), token: format!("Bearer {}", text("accessJwt")) }
    }

    async fn post(&self, text: &str) -> String {
        let record = json!({"$type": POST, "text": text, "createdAt": "2026-11-22T10:00:00Z"});
        let said = self.send("createRecord", json!({"repo": self.did, "collection": POST, "record": record})).await;
        said["uri"].as_str().expect("a uri").rsplit('/').next().expect("a key").to_owned()
    }

    async fn delete(&self, rkey: &str) {
        self.send("deleteRecord", json!({"repo": self.did, "collection": POST, "rkey": rkey})).await;
    }

    async fn send(&self, method: &str, body: Value) -> Value {
        call(&format!("{}/com.atproto.repo.{method}", self.xrpc), Some(body.to_string()), Some(&self.token)).await
    }
}

async fn write_posts(author: Author, number: usize) {
    for i in 0..POSTS_EACH {
        let text = match i % LEAVING_EVERY {
            0 => format!("O2 signal is rubbish number {number}-{i}, texted PAC today and leaving this week"),
            _ => format!("Baked bread number {number}-{i} today"),
        };
        author.post(&text).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_posts_through_cuts_and_kills() {
    if !is_ready("@atproto/pds") {
        return;
    }
    let pds = Server::start("pds.cjs", &[], &[]);
    let relay = Relay::in_front_of(&pds);
    let mut daemon = Daemon::new(&[&relay.host()], "auto");
    daemon.start();
    let watch = daemon.watch_cursor();
    relay.wait_for_subscriber().await;
    let mut authors = Vec::new();
    for number in 0..AUTHORS {
        authors.push(Author::join(&pds.fact("pds"), number).await);
    }
    let writers: Vec<_> = authors.iter().cloned().enumerate().map(|(n, a)| tokio::spawn(write_posts(a, n))).collect();
    for cut in 1..=CUTS {
        tokio::time::sleep(Duration::from_millis(400)).await;
        relay.control(if cut % 2 == 0 { "drop?rst=1" } else { "cut?after=1" }, "").await;
        if cut % (CUTS / KILLS) == 0 {
            daemon.kill();
            daemon.start();
            relay.wait_for_subscriber().await;
        }
    }
    for writer in writers {
        writer.await.expect("all posts are made");
    }
    let leaving = i64::try_from(AUTHORS * POSTS_EACH / LEAVING_EVERY).expect("a small number");
    daemon.wait_for(LEADS, leaving).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((daemon.number(LEADS), daemon.number(POSTS)), (Some(leaving), Some(leaving)), "none twice");
    watch.end();
    deleted_posts_vanish(&daemon, &authors[0], leaving).await;
    let (status, took) = daemon.stop();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
    assert!(!daemon.log().contains("rubbish"), "the log never quotes a post");
}

async fn deleted_posts_vanish(daemon: &Daemon, author: &Author, leads: i64) {
    let words = "the heron forgot its umbrella";
    let rkey = author.post(&format!("O2 signal is rubbish, {words}, texted PAC today and leaving this week")).await;
    daemon.wait_for(LEADS, leads + 1).await;
    assert!(daemon.holds_bytes(words));
    author.delete(&rkey).await;
    daemon.wait_for("SELECT count(*) FROM leads WHERE state = 'withdrawn'", 1).await;
    daemon.wait_for(POSTS, leads).await;
    daemon.wait_until_gone(words).await;
}
