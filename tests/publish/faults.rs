//! A fake network in two dialects that refuses, drops its answers, lies about failures and accepts late.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::rig::LATE;

/// What the fake knows.
#[derive(Default)]
pub struct Inner {
    /// Every post of ours that was stored: the post it answers, and its record or status.
    pub stored: Vec<(String, Value)>,
    /// By record key, for the Bluesky dialect.
    records: BTreeMap<String, Value>,
    /// Posts and what the last look shall find instead of the plain post.
    pub oddities: BTreeMap<String, Value>,
    /// Whether faults are on.
    pub is_faulty: bool,
    /// Tells how often each fault fell.
    pub faults: BTreeMap<&'static str, u32>,
    dice: u64,
    token: u32,
}

/// A server that runs until the test ends.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<Inner>>);

impl Fake {
    /// Starts it; returns where.
    pub async fn start(is_faulty: bool) -> (Self, String) {
        let fake = Self(Arc::new(Mutex::new(Inner { is_faulty, dice: 42, ..Inner::default() })));
        let routes = Router::new()
            .route("/xrpc/com.atproto.server.createSession", post(session))
            .route("/xrpc/com.atproto.server.refreshSession", post(session))
            .route("/xrpc/com.atproto.repo.getRecord", get(get_record))
            .route("/xrpc/app.bsky.feed.getPosts", get(get_posts))
            .route("/xrpc/com.atproto.repo.putRecord", post(put_record))
            .route("/api/v1/accounts/verify_credentials", get(|| async { Json(json!({"id": "me"})) }))
            .route("/api/v1/accounts/relationships", get(relationships))
            .route("/api/v1/accounts/me/statuses", get(own_statuses))
            .route("/api/v2/search", get(search))
            .route("/api/v1/statuses/{id}", get(status))
            .route("/api/v1/statuses/{id}/context", get(context))
            .route("/api/v1/statuses", post(post_status))
            .with_state(fake.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (fake, address)
    }

    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Stores something now or a little later, and answers as the dice fall.
    fn write(&self, store: impl FnOnce(&mut Inner) -> Value + Send + 'static) -> Response {
        let mut inner = self.inner();
        let fault = inner.fault();
        *inner.faults.entry(fault).or_default() += 1;
        drop(inner);
        match fault {
            "refused" => return broken(),
            "busy" => {
                let reset = (jiff::Timestamp::now().as_second()).to_string();
                return (StatusCode::TOO_MANY_REQUESTS, [("RateLimit-Reset", reset)]).into_response();
            }
            "late" => {
                let fake = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LATE).await;
                    store(&mut fake.inner());
                });
                return broken();
            }
            _ => {}
        }
        let answer = store(&mut self.inner());
        match fault {
            "answer dropped" => broken(),
            "504 after accepting" => StatusCode::GATEWAY_TIMEOUT.into_response(),
            _ => Json(answer).into_response(),
        }
    }
}

impl Inner {
    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice >> 8
    }

    fn fault(&mut self) -> &'static str {
        if !self.is_faulty {
            return "none";
        }
        match self.roll() % 20 {
            0 | 1 => "refused",
            2 => "busy",
            3 | 4 => "late",
            5 | 6 => "answer dropped",
            7 | 8 => "504 after accepting",
            _ => "none",
        }
    }

    /// Every post that has more than one reply of ours.
    pub fn answered_twice(&self) -> usize {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for (parent, _) in &self.stored {
            *times.entry(parent).or_default() += 1;
        }
        times.values().filter(|times| **times > 1).count()
    }
}

/// Half an answer, then the end of the connection.
fn broken() -> Response {
    let parts = [Ok("{\"half"), Err(std::io::Error::other("cut"))];
    Body::from_stream(futures_util::stream::iter(parts)).into_response()
}

fn refusal(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error, "message": "no"}))).into_response()
}

type Asked = Query<BTreeMap<String, String>>;

async fn session(State(fake): State<Fake>) -> Response {
    let mut inner = fake.inner();
    inner.token += 1;
    let token = format!("token {}", inner.token);
    let session = json!({"did": "did:plc:desk", "handle": "desk.test", "accessJwt": token, "refreshJwt": "r"});
    Json(session).into_response()
}

/// Now and then a session is suddenly too old.
fn expired(fake: &Fake, headers: &HeaderMap) -> Option<Response> {
    let mut inner = fake.inner();
    let current = format!("Bearer token {}", inner.token);
    let is_old = headers.get("authorization").is_none_or(|token| token.to_str().unwrap() != current);
    (is_old || (inner.is_faulty && inner.roll().is_multiple_of(50))).then(|| refusal("ExpiredToken"))
}

fn record_of_post(fake: &Fake, uri: &str) -> Value {
    let text = "Leaving EE in May, no signal at all";
    let plain = json!({"uri": uri, "cid": "bafypost", "value": {"text": text}});
    fake.inner().oddities.get(uri).cloned().unwrap_or(plain)
}

async fn get_record(State(fake): State<Fake>, Query(asked): Asked, headers: HeaderMap) -> Response {
    if let Some(refusal) = expired(&fake, &headers) {
        return refusal;
    }
    let (repo, rkey) = (&asked["repo"], &asked["rkey"]);
    let record = if repo == "did:plc:desk" {
        fake.inner().records.get(rkey).cloned().unwrap_or_default()
    } else {
        record_of_post(&fake, &format!("at://{repo}/app.bsky.feed.post/{rkey}"))
    };
    if record.is_null() { refusal("RecordNotFound") } else { Json(record).into_response() }
}

async fn get_posts(State(fake): State<Fake>, Query(asked): Asked, headers: HeaderMap) -> Response {
    if let Some(refusal) = expired(&fake, &headers) {
        return refusal;
    }
    let mut view = record_of_post(&fake, &asked["uris"]);
    if view.is_null() {
        return Json(json!({"posts": []})).into_response();
    }
    view["record"] = view["value"].take();
    Json(json!({"posts": [view]})).into_response()
}

async fn put_record(State(fake): State<Fake>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Some(refusal) = expired(&fake, &headers) {
        return refusal;
    }
    assert!(body["swapRecord"].is_null() && body.as_object().unwrap().contains_key("swapRecord"));
    let rkey = body["rkey"].as_str().unwrap().to_owned();
    let parent = body["record"]["reply"]["parent"]["uri"].as_str().unwrap().to_owned();
    let uri = format!("at://did:plc:desk/app.bsky.feed.post/{rkey}");
    let value = json!({"uri": uri, "cid": "bafyours", "value": body["record"]});
    if fake.inner().records.get(&rkey).is_some_and(|there| there["value"] != body["record"]) {
        return refusal("InvalidSwap");
    }
    fake.write(move |inner| {
        if inner.records.insert(rkey, value.clone()).is_none() {
            inner.stored.push((parent, value.clone()));
        }
        value
    })
}

fn fake_status(fake: &Fake, uri: &str) -> Value {
    let plain = json!({"id": uri.rsplit('/').next(), "uri": uri, "visibility": "public", "edited_at": null,
                       "account": {"id": "them", "acct": "ann@far.example", "note": ""}});
    fake.inner().oddities.get(uri).cloned().unwrap_or(plain)
}

async fn search(State(fake): State<Fake>, Query(asked): Asked) -> Json<Value> {
    let status = fake_status(&fake, &asked["q"]);
    Json(if status.is_null() { json!({"statuses": []}) } else { json!({"statuses": [status]}) })
}

async fn status(State(fake): State<Fake>, Path(id): Path<String>) -> Response {
    let status = fake_status(&fake, &format!("https://far.example/{id}"));
    if status.is_null() { StatusCode::NOT_FOUND.into_response() } else { Json(status).into_response() }
}

async fn relationships(State(fake): State<Fake>, Query(asked): Asked) -> Json<Value> {
    let _ = fake;
    Json(json!([{"id": asked["id[]"], "blocked_by": asked["id[]"] == "blocker"}]))
}

async fn context(State(fake): State<Fake>, Path(id): Path<String>) -> Json<Value> {
    let inner = fake.inner();
    let below = inner.stored.iter().filter(|(parent, _)| *parent == id).map(|(_, status)| status.clone());
    Json(json!({"ancestors": [], "descendants": below.collect::<Vec<_>>()}))
}

async fn own_statuses(State(fake): State<Fake>) -> Json<Value> {
    Json(fake.inner().stored.iter().rev().take(40).map(|(_, status)| status.clone()).collect())
}

/// Like several real servers it ignores the idempotency key: whoever posts twice, posts twice.
async fn post_status(State(fake): State<Fake>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    assert!(headers.contains_key("idempotency-key"));
    let parent = body["in_reply_to_id"].as_str().unwrap().to_owned();
    fake.write(move |inner| {
        let id = format!("ours-{}", inner.stored.len());
        let status = json!({"id": id, "uri": format!("https://home.example/{id}"), "in_reply_to_id": parent,
                            "account": {"id": "me"}, "content": body["status"]});
        inner.stored.push((parent, status.clone()));
        status
    })
}
