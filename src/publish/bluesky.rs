//! Replies on Bluesky: one record under a key of ours, which the network refuses to hold twice.

mod record;
mod session;
mod tid;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use self::record::record_of;
use self::session::Account;
use self::tid::tid_of;
use super::call::Answer;
use super::{Objection, Publisher, Trouble};
use crate::networks::Capability;
use crate::post::Network;
use crate::queue::{Approved, Receipt};
use crate::web::{self, Secret};

/// The collection posts are in.
const POSTS: &str = "app.bsky.feed.post";
/// How long a call may take.
pub const CALL_SECONDS_MAX: u64 = 20;

/// What the publisher needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's server.
    pub service: Url,
    /// The account's handle or DID.
    pub identifier: String,
    /// An app password.
    pub password: Secret,
    /// Where the session is kept.
    pub session_file: PathBuf,
    /// Whether the server can ask the network's view of a post, gates and blocks included. A server on its
    /// own has none; then the record alone is looked at.
    pub has_view: bool,
}

/// The post that is answered, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    uri: String,
    cid: String,
    /// The first post of the conversation: `{uri, cid}`.
    root: Value,
}

/// Sends replies from one Bluesky account.
pub struct Bluesky {
    account: Account,
    has_view: bool,
}

impl Publisher for Bluesky {
    fn network(&self) -> Network {
        Network::Bluesky
    }

    fn deliver<'a>(&'a self, reply: &'a Approved) -> BoxFuture<'a, Result<Receipt, Trouble>> {
        Box::pin(async move {
            if !Capability::of(Network::Bluesky).limit().fits(reply.text()) {
                return Err(Trouble::Refused("the words are longer than Bluesky takes".to_owned()));
            }
            let target = self.look(reply).await.map_err(Trouble::before_sending)?;
            self.put(reply, &target).await
        })
    }

    fn find<'a>(&'a self, reply: &'a Approved) -> BoxFuture<'a, Result<Option<Receipt>, Trouble>> {
        Box::pin(self.read_back(reply))
    }

    /// For ever: the record's key is the same for every try.
    fn repeat_is_safe_until(&self, _: Timestamp) -> Timestamp {
        Timestamp::MAX
    }
}

impl Bluesky {
    /// A publisher that has not signed in yet, or finds its session on disk.
    ///
    /// # Errors
    /// The system has no usable TLS settings.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let client = web::client(Duration::from_secs(CALL_SECONDS_MAX))?;
        let has_view = settings.has_view;
        Ok(Self { account: Account::new(settings, client), has_view })
    }

    /// The last look: what is there to answer, and does anything speak against it?
    async fn look(&self, reply: &Approved) -> Result<Target, Trouble> {
        let (uri, cid, record) = if self.has_view { self.view(reply).await? } else { self.record(reply).await? };
        if record["text"].as_str() != Some(reply.post().text.as_str()) {
            return Err(Trouble::Withdrawn(Objection::PostEdited));
        }
        let itself = json!({ "uri": uri, "cid": cid });
        let root = &record["reply"]["root"];
        let root = if root["uri"].is_string() && root["cid"].is_string() { root.clone() } else { itself };
        Ok(Target { uri, cid, root })
    }

    /// The post as the network shows it to our account. One that is not shown is gone or not for us.
    async fn view(&self, reply: &Approved) -> Result<(String, String, Value), Trouble> {
        let answer = self.account.get("app.bsky.feed.getPosts", &[("uris", reply.post().id.as_str())]).await?;
        must_be_ok(&answer)?;
        let post = &answer.body["posts"][0];
        let is_true = |value: &Value| value.as_bool() == Some(true) || value.is_string();
        if !post.is_object() {
            return Err(Trouble::Withdrawn(Objection::PostGone));
        }
        let viewer = &post["author"]["viewer"];
        if is_true(&viewer["blockedBy"]) || is_true(&viewer["blocking"]) {
            return Err(Trouble::Withdrawn(Objection::Blocked));
        }
        if is_true(&post["viewer"]["replyDisabled"]) {
            return Err(Trouble::Withdrawn(Objection::Gated));
        }
        address(post).map(|(uri, cid)| (uri, cid, post["record"].clone()))
    }

    /// The post's record, from a server that has no view of the network.
    async fn record(&self, reply: &Approved) -> Result<(String, String, Value), Trouble> {
        let (repo, rkey) = parts(reply.post().id.as_str()).ok_or(Trouble::Withdrawn(Objection::PostGone))?;
        let answer = self.get_record(repo, rkey).await?;
        let record = answer.ok_or(Trouble::Withdrawn(Objection::PostGone))?;
        address(&record).map(|(uri, cid)| (uri, cid, record["value"].clone()))
    }

    /// Writes the record unless there is one. What is there already decides, should there be one.
    async fn put(&self, reply: &Approved, target: &Target) -> Result<Receipt, Trouble> {
        let did = self.account.did().await.map_err(Trouble::before_sending)?;
        let rkey = tid_of(reply);
        let body = json!({
            "repo": did, "collection": POSTS, "rkey": rkey, "record": record_of(reply, target), "swapRecord": null,
        });
        let answer = self.account.post("com.atproto.repo.putRecord", &body).await?;
        if answer.is_ok() {
            return Ok(receipt(&did, &rkey, reply.started_at()));
        }
        if answer.error() != "InvalidSwap" {
            return Err(Trouble::Refused(answer.words()));
        }
        let found = self.read_back(reply).await.map_err(|trouble| Trouble::Unclear(format!("{trouble:?}")))?;
        found.ok_or_else(|| Trouble::Unclear("another record was there and is gone".to_owned()))
    }

    async fn read_back(&self, reply: &Approved) -> Result<Option<Receipt>, Trouble> {
        let did = self.account.did().await?;
        let rkey = tid_of(reply);
        let Some(record) = self.get_record(&did, &rkey).await? else { return Ok(None) };
        if record["value"]["reply"]["parent"]["uri"].as_str() != Some(reply.post().id.as_str()) {
            return Err(Trouble::Refused("another post of ours has this reply's key".to_owned()));
        }
        let at = record["value"]["createdAt"].as_str().and_then(|at| at.parse().ok());
        Ok(Some(receipt(&did, &rkey, at.unwrap_or_else(|| reply.started_at()))))
    }

    /// A record; `None` when its server says it is not there.
    async fn get_record(&self, repo: &str, rkey: &str) -> Result<Option<Value>, Trouble> {
        let query = [("repo", repo), ("collection", POSTS), ("rkey", rkey)];
        let answer = self.account.get("com.atproto.repo.getRecord", &query).await?;
        let gone = ["RecordNotFound", "RepoNotFound", "RepoTakendown", "RepoDeactivated", "RepoSuspended"];
        if gone.contains(&answer.error())
            || answer.body["message"].as_str().is_some_and(|m| m.starts_with("Could not find repo"))
        {
            return Ok(None);
        }
        must_be_ok(&answer)?;
        Ok(Some(answer.body))
    }
}

fn must_be_ok(answer: &Answer) -> Result<(), Trouble> {
    if answer.is_ok() { Ok(()) } else { Err(Trouble::Unclear(answer.words())) }
}

/// The uri and cid of a record or view.
fn address(record: &Value) -> Result<(String, String), Trouble> {
    match (record["uri"].as_str(), record["cid"].as_str()) {
        (Some(uri), Some(cid)) => Ok((uri.to_owned(), cid.to_owned())),
        _ => Err(Trouble::Unclear("the post has no address".to_owned())),
    }
}

/// The repository and record key of a post's `at://` URI.
fn parts(uri: &str) -> Option<(&str, &str)> {
    let mut parts = uri.strip_prefix("at://")?.splitn(3, '/');
    match (parts.next()?, parts.next()?, parts.next()?) {
        (repo, POSTS, rkey) if !rkey.contains('/') => Some((repo, rkey)),
        _ => None,
    }
}

fn receipt(did: &str, rkey: &str, at: Timestamp) -> Receipt {
    Receipt {
        uri: format!("at://{did}/{POSTS}/{rkey}"),
        url: Some(format!("https://bsky.app/profile/{did}/post/{rkey}")),
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_address() {
        for (uri, expected) in [
            ("at://did:plc:a/app.bsky.feed.post/3k", Some(("did:plc:a", "3k"))),
            ("at://did:plc:a/app.bsky.feed.like/3k", None),
            ("at://did:plc:a/app.bsky.feed.post/3k/x", None),
            ("https://bsky.app/profile/a/post/3k", None),
            ("at://did:plc:a", None),
        ] {
            assert_eq!(parts(uri), expected, "{uri}");
        }
    }
}
