//! The same on a real Bluesky server, with its own rate limits.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jumpship::post::{Network, Post};
use jumpship::queue::{Queue, State};
use serde_json::{Value, json};

use crate::kill::bluesky;
use crate::rig::{WORDS, approve_all, post, reasons, send_all, states};

/// How many replies are sent: all of them on request, a taste otherwise.
fn replies() -> usize {
    if std::env::var_os("JUMPSHIP_TEST_ALL").is_some() { 300 } else { 30 }
}

/// A server of our own that dies with the test.
struct Pds {
    _child: Child,
    url: String,
    client: reqwest::Client,
}

impl Pds {
    /// Starts it, or says that the bench is not installed.
    fn start() -> Option<Self> {
        let bench =
            std::env::var_os("JUMPSHIP_BENCH").map_or_else(|| PathBuf::from("tests/network/bench"), PathBuf::from);
        if !bench.join("node_modules").exists() {
            assert!(std::env::var_os("JUMPSHIP_TEST_ALL").is_none(), "install tests/network/bench: npm ci");
            eprintln!("SKIPPED: tests/network/bench is not installed (npm ci).");
            return None;
        }
        let mut child = Command::new("node")
            .arg("pds.cjs")
            .current_dir(bench)
            .env("RATE_LIMITS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let client = jumpship::web::client(Duration::from_secs(20)).unwrap();
        Some(Self { _child: child, url: ready["pds"].as_str().unwrap().to_owned(), client })
    }

    async fn call(&self, method: &str, token: Option<&str>, body: Value) -> Value {
        let mut request = self.client.post(format!("{}/xrpc/{method}", self.url)).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn account(&self, name: &str) -> (String, String) {
        let body = json!({"handle": format!("{name}.test"), "email": format!("{name}@mail.test"), "password": "pw"});
        let session = self.call("com.atproto.server.createAccount", None, body).await;
        let field = |name: &str| session[name].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
        (field("did"), field("accessJwt"))
    }

    async fn write_post(&self, did: &str, token: &str, text: &str) -> Post {
        let record = json!({"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-22T10:00:00.000Z"});
        let body = json!({"repo": did, "collection": "app.bsky.feed.post", "record": record});
        let made = self.call("com.atproto.repo.createRecord", Some(token), body).await;
        post(Network::Bluesky, made["uri"].as_str().unwrap(), did)
    }

    /// Every post of an account.
    async fn posts_of(&self, did: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = [("repo", did), ("collection", "app.bsky.feed.post"), ("limit", "100"), ("cursor", &cursor)];
            let asked = self.client.get(format!("{}/xrpc/com.atproto.repo.listRecords", self.url)).query(&query[..]);
            let page: Value = asked.send().await.unwrap().json().await.unwrap();
            all.extend(page["records"].as_array().unwrap().iter().cloned());
            match page["cursor"].as_str() {
                Some(next) if all.len() < 10_000 => next.clone_into(&mut cursor),
                _ => return all,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_gets_each_reply_once() {
    let Some(pds) = Pds::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (ann, ann_token) = pds.account("ann").await;
    let (desk, desk_token) = pds.account("desk").await;
    let password = pds.call("com.atproto.server.createAppPassword", Some(&desk_token), json!({"name": "test"})).await;
    let password = password["password"].as_str().unwrap();

    let count = replies();
    let mut posts = Vec::new();
    for i in 0..count {
        let mut post = pds.write_post(&ann, &ann_token, "Leaving EE in May, no signal at all").await;
        post.author.id = format!("did:plc:author{i}"); // one contact a person: each has its own author
        posts.push(post);
    }
    let mut edited = pds.write_post(&ann, &ann_token, "Never mind, they fixed it").await;
    edited.author.id = "did:plc:editor".into();
    posts.push(edited);
    let gone = format!("at://{ann}/app.bsky.feed.post/3kgonegonego2");
    posts.push(post(Network::Bluesky, &gone, "did:plc:gone"));

    let began = Instant::now();
    let mut queue = Queue::in_memory().unwrap();
    approve_all(&mut queue, posts);
    let publisher = || bluesky(&pds.url, folder.path(), "desk.test", password, false);
    let queue = send_all(queue, publisher(), Duration::from_secs(120)).await;
    println!("{:?} in {:?}", states(&queue), began.elapsed());
    let reasons: Vec<_> = reasons(&queue, &[State::Withdrawn]).into_iter().filter_map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["post_edited", "post_gone"]);
    assert_eq!(states(&queue), [(State::Sent, count as u64), (State::Withdrawn, 2)]);

    let sent = pds.posts_of(&desk).await;
    let mut parents: Vec<&str> = sent.iter().map(|r| r["value"]["reply"]["parent"]["uri"].as_str().unwrap()).collect();
    parents.sort_unstable();
    parents.dedup();
    assert_eq!((sent.len(), parents.len()), (count, count));
    assert_eq!(sent[0]["value"]["text"], WORDS);
    assert_eq!(sent[0]["value"]["facets"][0]["features"][0]["uri"], "https://northwind.example/try");
}
