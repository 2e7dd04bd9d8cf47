//! The daemon's sending half is killed again and again while the network misbehaves: nothing twice, nothing lost.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jumpship::post::{Network, Post};
use jumpship::publish::bluesky::{Bluesky, Settings};
use jumpship::publish::mastodon::{self, Mastodon};
use jumpship::publish::{Dispatcher, Publisher};
use jumpship::queue::{Queue, State};
use jumpship::web::Secret;
use tokio_util::sync::CancellationToken;

use crate::faults::Fake;
use crate::rig::{ENDED, Easy, HURRY, approve_all, post, reasons, send_all, states};

/// What the child says when it begins to send.
const READY: &str = "sending now";
/// Tells the child process of a test where it works.
const PLACE: &str = "JUMPSHIP_TEST_PLACE";

pub fn bluesky(server: &str, folder: &Path, identifier: &str, password: &str, has_view: bool) -> Box<dyn Publisher> {
    let settings = Settings {
        service: server.parse().unwrap(),
        identifier: identifier.to_owned(),
        password: Secret::new(password),
        session_file: folder.join("session.json"),
        has_view,
    };
    Box::new(Bluesky::new(settings).unwrap())
}

fn publisher(network: Network, server: &str, folder: &Path) -> Box<dyn Publisher> {
    if network == Network::Bluesky {
        return bluesky(server, folder, "desk.test", "open sesame", false);
    }
    let settings = mastodon::Settings { server: server.parse().unwrap(), token: Secret::new("token") };
    Box::new(Mastodon::new(settings).unwrap())
}

fn posts(network: Network, count: usize) -> Vec<Post> {
    let one = |i| match network {
        Network::Bluesky => {
            post(network, &format!("at://did:plc:author{i}/app.bsky.feed.post/p{i}"), &format!("did:plc:author{i}"))
        }
        _ => post(network, &format!("https://far.example/p{i}"), &format!("author{i}@far.example")),
    };
    (0..count).map(one).collect()
}

/// Not a test: what the tests below start as a process of its own, to kill it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_sends() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let [network, server, folder] = place.split('|').collect::<Vec<_>>().try_into().unwrap();
    let folder = Path::new(folder);
    let queue = Queue::open(&folder.join("q.db"), Timestamp::now()).unwrap();
    let publisher = publisher(Network::from_name(network), server, folder);
    let dispatcher = Dispatcher::new(vec![publisher], Arc::new(Mutex::new(queue)), Arc::new(Easy)).at_pace(HURRY);
    println!("{READY}");
    dispatcher.run(CancellationToken::new()).await.unwrap();
}

/// Starts the child and waits until it sends.
fn start_child(network: Network, server: &str, folder: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::child_that_sends", "--exact", "--nocapture"])
        .env(PLACE, format!("{network}|{server}|{}", folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(READY)), "the child died");
    child
}

/// All of it on request, a taste of it otherwise.
fn sizes() -> (usize, u64) {
    if std::env::var_os("JUMPSHIP_TEST_ALL").is_some() { (300, 100) } else { (60, 15) }
}

async fn killed_again_and_again(network: Network) {
    let (count, kills) = sizes();
    let folder = tempfile::tempdir().unwrap();
    let (fake, server) = Fake::start(true).await;
    let mut queue = Queue::open(&folder.path().join("q.db"), Timestamp::now()).unwrap();
    assert_eq!(approve_all(&mut queue, posts(network, count)).len(), count);
    drop(queue);
    for kill in 0..kills {
        let mut child = tokio::task::block_in_place(|| start_child(network, &server, folder.path()));
        tokio::time::sleep(Duration::from_millis(kill * 37 % 160)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let queue = Queue::open(&folder.path().join("q.db"), Timestamp::now()).unwrap();
    let before = states(&queue);
    let queue = send_all(queue, publisher(network, &server, folder.path()), Duration::from_secs(120)).await;
    let inner = fake.inner();
    println!("{network}: {kills} kills, then {before:?}, at last {:?}; faults {:?}", states(&queue), inner.faults);
    assert_eq!(inner.answered_twice(), 0, "sent twice");
    assert_eq!(states(&queue), [(State::Sent, count as u64)], "lost");
    assert_eq!(inner.stored.len(), count, "lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bluesky_gets_each_reply_once() {
    killed_again_and_again(Network::Bluesky).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mastodon_gets_each_reply_once() {
    killed_again_and_again(Network::Mastodon).await;
}

/// What the last look finds, and what becomes of the reply.
async fn last_look(network: Network, has_view: bool, cases: Vec<(serde_json::Value, Option<&str>)>) {
    let folder = tempfile::tempdir().unwrap();
    let (fake, server) = Fake::start(false).await;
    let posts = posts(network, cases.len());
    for (post, (oddity, _)) in posts.iter().zip(&cases) {
        let mut oddity = oddity.clone();
        if oddity != true {
            if oddity.is_object() {
                oddity["uri"] = post.id.as_str().into();
                oddity["id"] = post.id.as_str().rsplit('/').next().into();
            }
            fake.inner().oddities.insert(post.id.to_string(), oddity);
        }
    }
    let mut queue = Queue::in_memory().unwrap();
    approve_all(&mut queue, posts);
    let publisher = match network {
        Network::Bluesky => bluesky(&server, folder.path(), "desk.test", "open sesame", has_view),
        _ => publisher(network, &server, folder.path()),
    };
    let queue = send_all(queue, publisher, Duration::from_secs(20)).await;
    for ((state, reason), (oddity, expected)) in reasons(&queue, &State::ALL).iter().zip(&cases) {
        let wanted = if expected.is_some() { State::Withdrawn } else { State::Sent };
        assert_eq!((*state, reason.as_deref()), (wanted, *expected), "{network}: {oddity}");
    }
    let sent = cases.iter().filter(|(_, expected)| expected.is_none()).count();
    assert_eq!(fake.inner().stored.len(), sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_who_is_gone_or_closed_on_bluesky() {
    use serde_json::json;
    let text = json!({"text": "Leaving EE in May, no signal at all"});
    let cases = vec![
        (json!(true), None),
        (json!(null), Some("post_gone")),
        (json!({"cid": "c", "value": {"text": "All sorted, thanks EE"}}), Some("post_edited")),
        (json!({"cid": "c", "value": text, "viewer": {"replyDisabled": true}}), Some("gated")),
        (json!({"cid": "c", "value": text, "author": {"viewer": {"blockedBy": true}}}), Some("blocked")),
        (json!({"cid": "c", "value": text, "author": {"viewer": {"blocking": "at://x"}}}), Some("blocked")),
        (json!({"cid": "c", "value": text, "viewer": {"replyDisabled": false}}), None),
    ];
    last_look(Network::Bluesky, true, cases.clone()).await;
    last_look(Network::Bluesky, false, cases.into_iter().take(3).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_who_is_gone_or_closed_on_mastodon() {
    use serde_json::json;
    let account = json!({"id": "them", "acct": "ann@far.example", "note": ""});
    let cases = vec![
        (json!(true), None),
        (json!(null), Some("post_gone")),
        (json!({"visibility": "private", "account": account}), Some("gated")),
        (json!({"visibility": "public", "edited_at": "2026-11-22T10:00:00Z", "account": account}), Some("post_edited")),
        (json!({"visibility": "public", "account": {"id": "them", "note": "<p>#nobot</p>"}}), Some("nobot")),
        (json!({"visibility": "public", "account": {"id": "blocker", "note": ""}}), Some("blocked")),
    ];
    last_look(Network::Mastodon, false, cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_too_late_or_with_an_offer_that_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, server) = Fake::start(false).await;
    let mut posts = posts(Network::Bluesky, 3);
    posts[0].created_at = Some(Timestamp::now() - jiff::SignedDuration::from_hours(49));
    posts[1].author.handle = ENDED.to_owned();
    let mut queue = Queue::in_memory().unwrap();
    approve_all(&mut queue, posts);
    let queue = send_all(queue, publisher(Network::Bluesky, &server, folder.path()), Duration::from_secs(20)).await;
    let words: Vec<_> = reasons(&queue, &State::ALL).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(words, [Some("too_late".to_owned()), Some("offer_ended".to_owned()), None]);
    assert_eq!(fake.inner().stored.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_or_an_opt_out_after_the_approval_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, server) = Fake::start(false).await;
    let mut queue = Queue::in_memory().unwrap();
    let leads = approve_all(&mut queue, posts(Network::Bluesky, 2));
    queue.set_paused(true, "ann", Timestamp::now()).unwrap();
    let made = || publisher(Network::Bluesky, &server, folder.path());
    let mut queue = send_all(queue, made(), Duration::from_millis(300)).await;
    assert_eq!((states(&queue), fake.inner().stored.len()), (vec![(State::Approved, 2)], 0));
    queue.set_paused(false, "ann", Timestamp::now()).unwrap();
    queue.never_contact(leads[0], "they said stop", "ann", Timestamp::now()).unwrap();
    let queue = send_all(queue, made(), Duration::from_secs(20)).await;
    assert_eq!(states(&queue), [(State::Sent, 1), (State::Withdrawn, 1)]);
}
