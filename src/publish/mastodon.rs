//! Replies on Mastodon and servers that speak its API: looked for before each try, since not every server
//! remembers our key.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use super::call::{Answer, call};
use super::{Objection, Publisher, Trouble};
use crate::post::{Network, Post};
use crate::queue::{Approved, Receipt};
use crate::web::{self, Secret};

/// How long a call may take.
pub const CALL_SECONDS_MAX: u64 = 20;
/// How long a server that honours our key remembers it, less a margin.
const KEY_MINUTES: i64 = 55;
/// How many of our own statuses are looked through for a reply.
const OWN_STATUSES: &str = "40";

/// What the publisher needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's server.
    pub server: Url,
    /// A token with `read` and `write:statuses`.
    pub token: Secret,
}

/// Sends replies from one Mastodon account.
pub struct Mastodon {
    settings: Settings,
    client: Client,
    me: OnceCell<String>,
}

impl Publisher for Mastodon {
    fn network(&self) -> Network {
        Network::Mastodon
    }

    fn deliver<'a>(&'a self, reply: &'a Approved) -> BoxFuture<'a, Result<Receipt, Trouble>> {
        Box::pin(async move {
            let status = self.look(reply).await.map_err(Trouble::before_sending)?;
            if let Some(receipt) = self.own_reply(reply, &status).await.map_err(Trouble::before_sending)? {
                return Ok(receipt);
            }
            self.send(reply, &status).await
        })
    }

    fn find<'a>(&'a self, reply: &'a Approved) -> BoxFuture<'a, Result<Option<Receipt>, Trouble>> {
        Box::pin(async move {
            match self.resolve(reply.post()).await? {
                Some(status) => self.own_reply(reply, &status).await,
                // The post is gone, and with it the place to look: a person must.
                None => Err(Trouble::Unclear("the post it answers is gone".to_owned())),
            }
        })
    }

    /// While the server remembers our key.
    fn repeat_is_safe_until(&self, first_tried_at: Timestamp) -> Timestamp {
        first_tried_at + SignedDuration::from_mins(KEY_MINUTES)
    }
}

impl Mastodon {
    /// A publisher that has made no call yet.
    ///
    /// # Errors
    /// The system has no usable TLS settings.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let client = web::client(Duration::from_secs(CALL_SECONDS_MAX))?;
        Ok(Self { settings, client, me: OnceCell::new() })
    }

    fn request(&self, verb: Method, path: &str) -> RequestBuilder {
        let server = self.settings.server.as_str().trim_end_matches('/');
        self.client.request(verb, format!("{server}/api/{path}")).bearer_auth(self.settings.token.reveal())
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        call(self.request(Method::GET, path).query(query)).await
    }

    /// Our own account's id there.
    async fn me(&self) -> Result<&str, Trouble> {
        let ask = || async {
            let answer = self.get("v1/accounts/verify_credentials", &[]).await?;
            must_be_ok(&answer)?;
            text(&answer.body, "id").ok_or_else(|| Trouble::Unclear("our account has no id".to_owned()))
        };
        self.me.get_or_try_init(ask).await.map(String::as_str)
    }

    /// The post as our own server knows it; ids mean something on one server only.
    async fn resolve(&self, post: &Post) -> Result<Option<Value>, Trouble> {
        let query = [("q", post.id.as_str()), ("resolve", "true"), ("type", "statuses"), ("limit", "5")];
        let answer = self.get("v2/search", &query).await?;
        must_be_ok(&answer)?;
        let found = answer.body["statuses"].as_array().into_iter().flatten();
        let is_it = |status: &&Value| {
            let uri = status["uri"].as_str();
            uri == Some(post.id.as_str()) || (post.url.is_some() && status["url"].as_str() == post.url.as_deref())
        };
        let Some(id) = found.into_iter().find(is_it).and_then(|status| text(status, "id")) else { return Ok(None) };
        self.status(&id).await
    }

    /// A status as it stands now: what search finds may be old.
    async fn status(&self, id: &str) -> Result<Option<Value>, Trouble> {
        let answer = self.get(&format!("v1/statuses/{id}"), &[]).await?;
        if matches!(answer.status.as_u16(), 404 | 410) {
            return Ok(None);
        }
        must_be_ok(&answer)?;
        Ok(Some(answer.body))
    }

    /// The last look: what is there to answer, and does anything speak against it?
    async fn look(&self, reply: &Approved) -> Result<Value, Trouble> {
        let status = self.resolve(reply.post()).await?.ok_or(Trouble::Withdrawn(Objection::PostGone))?;
        if !matches!(status["visibility"].as_str(), Some("public" | "unlisted")) {
            return Err(Trouble::Withdrawn(Objection::Gated));
        }
        if status["edited_at"].as_str() != reply.post().version.as_deref() {
            return Err(Trouble::Withdrawn(Objection::PostEdited));
        }
        if status["account"]["note"].as_str().is_some_and(asks_bots_to_stay_away) {
            return Err(Trouble::Withdrawn(Objection::NoBot));
        }
        if self.is_blocked(&status["account"]).await? {
            return Err(Trouble::Withdrawn(Objection::Blocked));
        }
        Ok(status)
    }

    /// Whether the author and we are on speaking terms. Servers without the question know no blocks.
    async fn is_blocked(&self, account: &Value) -> Result<bool, Trouble> {
        let Some(id) = text(account, "id") else { return Ok(false) };
        let answer = self.get("v1/accounts/relationships", &[("id[]", &id)]).await?;
        if answer.status.as_u16() == 404 {
            return Ok(false);
        }
        must_be_ok(&answer)?;
        let relation = &answer.body[0];
        Ok(["blocking", "blocked_by", "domain_blocking"].iter().any(|what| relation[what] == true))
    }

    /// A reply of ours that is out already: below the post, or among our own latest.
    async fn own_reply(&self, reply: &Approved, status: &Value) -> Result<Option<Receipt>, Trouble> {
        let me = self.me().await?;
        let id = text(status, "id").unwrap_or_default();
        let context = self.get(&format!("v1/statuses/{id}/context"), &[]).await?;
        must_be_ok(&context)?;
        let own = self.get(&format!("v1/accounts/{me}/statuses"), &[("limit", OWN_STATUSES)]).await?;
        must_be_ok(&own)?;
        let all = [&context.body["descendants"], &own.body].into_iter().filter_map(Value::as_array).flatten();
        let is_ours = |s: &&Value| s["account"]["id"].as_str() == Some(me) && s["in_reply_to_id"].as_str() == Some(&id);
        Ok(all.into_iter().find(is_ours).map(|found| receipt(found, reply)))
    }

    async fn send(&self, reply: &Approved, status: &Value) -> Result<Receipt, Trouble> {
        let body = json!({
            "status": addressed(reply.text(), status["account"]["acct"].as_str().unwrap_or_default()),
            "in_reply_to_id": status["id"],
            "visibility": "unlisted",
        });
        let request = self.request(Method::POST, "v1/statuses").header("Idempotency-Key", reply.key()).json(&body);
        let answer = call(request).await?;
        if answer.is_ok() { Ok(receipt(&answer.body, reply)) } else { Err(Trouble::Refused(answer.words())) }
    }
}

fn must_be_ok(answer: &Answer) -> Result<(), Trouble> {
    if answer.is_ok() { Ok(()) } else { Err(Trouble::Unclear(answer.words())) }
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

/// A profile that says `#nobot` or `#nobots`, as a hashtag may be written inside HTML.
fn asks_bots_to_stay_away(note: &str) -> bool {
    let note = note.to_ascii_lowercase();
    ["#nobot", "#<span>nobot", "/tags/nobot"].iter().any(|tag| note.contains(tag))
}

/// The words with the author's address in front, without which nobody is told.
fn addressed(words: &str, acct: &str) -> String {
    let address = format!("@{acct}");
    let has_it = words.to_ascii_lowercase().contains(&address.to_ascii_lowercase());
    if acct.is_empty() || has_it { words.to_owned() } else { format!("{address} {words}") }
}

fn receipt(status: &Value, reply: &Approved) -> Receipt {
    let uri = text(status, "uri").or_else(|| text(status, "id")).unwrap_or_default();
    let at = status["created_at"].as_str().and_then(|at| at.parse().ok());
    Receipt { uri, url: text(status, "url"), at: at.unwrap_or_else(|| reply.started_at()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_author_is_addressed_once() {
        for (words, acct, expected) in [
            ("Hi there", "ann@home.example", "@ann@home.example Hi there"),
            ("Hi @Ann@home.example", "ann@home.example", "Hi @Ann@home.example"),
            ("Hi", "", "Hi"),
        ] {
            assert_eq!(addressed(words, acct), expected);
        }
    }

    #[test]
    fn a_profile_can_keep_us_away() {
        for (note, away) in [
            ("<p>Likes trains. #NoBot</p>", true),
            (r##"<a href="https://a.example/tags/nobot">#<span>nobot</span></a>"##, true),
            ("I write bots", false),
            ("", false),
        ] {
            assert_eq!(asks_bots_to_stay_away(note), away, "{note}");
        }
    }
}
