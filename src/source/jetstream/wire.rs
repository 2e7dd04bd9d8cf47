//! Reads one Jetstream frame, of either wire, into an event and its place in the stream; pure and total.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::post::{Author, Network, Post, PostId};
use crate::source::{Event, clean};

/// The only kind of record we read.
pub const COLLECTION: &str = "app.bsky.feed.post";

/// The two ways a Jetstream server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// `/subscribe`: cursors are times.
    V1,
    /// `/xrpc/network.bsky.jetstream.subscribeEvents`: cursors are sequence numbers of one server.
    V2,
}

/// Where a frame stands in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The server's own number; wire v1 has none to go on from.
    pub seq: Option<u64>,
    /// When the server saw it, in microseconds since 1970.
    pub time_us: u64,
}

/// One frame, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it stands, if that could be read.
    pub place: Option<Place>,
    /// What it says.
    pub content: Content,
}

/// What a frame says.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// Something for us.
    Event(Event),
    /// Something that is none of our business, such as another kind of record.
    Nothing,
    /// Something for us that cannot be used, and why.
    Dropped(&'static str),
    /// A word from the server about the stream itself.
    Info(String),
    /// The server's last words.
    Error(String),
}

impl Frame {
    const fn dropped(reason: &'static str) -> Self {
        Self { place: None, content: Content::Dropped(reason) }
    }
}

/// Reads a frame. Anything at all may come in; nothing panics and nothing is believed.
#[must_use]
pub fn read(wire: Wire, text: &str) -> Frame {
    let frame = match wire {
        Wire::V1 => serde_json::from_str::<V1<'_>>(text).map(V1::read),
        Wire::V2 => serde_json::from_str::<V2<'_>>(text).map(V2::read),
    };
    frame.unwrap_or_else(|e| Frame::dropped(if e.is_data() { "wrong_shape" } else { "not_json" }))
}

/// A text that is borrowed from the frame unless it holds escapes.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct V1<'a> {
    #[serde(borrow)]
    did: Text<'a>,
    time_us: u64,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    commit: Option<Commit<'a>>,
    #[serde(borrow)]
    account: Option<Account<'a>>,
}

impl V1<'_> {
    fn read(self) -> Frame {
        let place = Place { seq: None, time_us: self.time_us };
        let content = content(&self.kind, &self.did, self.commit.as_ref(), self.account.as_ref());
        Frame { place: Some(place), content }
    }
}

#[derive(Deserialize)]
struct V2<'a> {
    #[serde(rename = "$type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(rename = "$type", borrow)]
    kind: Text<'a>,
    seq: Option<u64>,
    #[serde(borrow)]
    did: Option<Text<'a>>,
    time: Option<Timestamp>,
    #[serde(borrow)]
    account: Option<Account<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

impl V2<'_> {
    fn read(self) -> Frame {
        match (&*self.kind, self.payload) {
            ("error", _) => {
                Frame { place: None, content: Content::Error(self.error.as_deref().unwrap_or("unnamed").to_owned()) }
            }
            ("message", Some(payload)) => Self::message(payload.get()),
            _ => Frame::dropped("wrong_shape"),
        }
    }

    fn message(payload: &str) -> Frame {
        let Ok(head) = serde_json::from_str::<Payload<'_>>(payload) else { return Frame::dropped("wrong_shape") };
        let kind = head.kind.rsplit('#').next().unwrap_or_default();
        if kind == "info" {
            let name = head.name.as_deref().unwrap_or("unnamed").to_owned();
            return Frame { place: None, content: Content::Info(name) };
        }
        let (Some(seq), Some(did), Some(time)) = (head.seq, head.did, head.time) else {
            return Frame::dropped("wrong_shape");
        };
        let place = u64::try_from(time.as_microsecond()).ok().map(|time_us| Place { seq: Some(seq), time_us });
        // On this wire a commit's fields lie flat beside the sequence number.
        let commit = if kind == "commit" { serde_json::from_str::<Commit<'_>>(payload).ok() } else { None };
        Frame { place, content: content(kind, &did, commit.as_ref(), head.account.as_ref()) }
    }
}

#[derive(Deserialize)]
struct Commit<'a> {
    #[serde(borrow)]
    operation: Text<'a>,
    #[serde(borrow)]
    collection: Text<'a>,
    #[serde(borrow)]
    rkey: Text<'a>,
    #[serde(borrow)]
    cid: Option<Text<'a>>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Account<'a> {
    active: bool,
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    text: String,
    #[serde(borrow)]
    created_at: Option<Text<'a>>,
    langs: Option<Vec<String>>,
    #[serde(borrow)]
    reply: Option<Reply<'a>>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    root: Reference<'a>,
    #[serde(borrow)]
    parent: Reference<'a>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
}

fn content(kind: &str, did: &str, commit: Option<&Commit<'_>>, account: Option<&Account<'_>>) -> Content {
    match (kind, commit, account) {
        _ if !is_did(did) => Content::Dropped("bad_did"),
        ("commit", Some(commit), _) => commit_content(did, commit),
        ("account", _, Some(account)) => account_content(did, account),
        ("commit" | "account", ..) => Content::Dropped("wrong_shape"),
        ("identity" | "sync", ..) => Content::Nothing,
        _ => Content::Dropped("unknown_kind"),
    }
}

fn commit_content(did: &str, commit: &Commit<'_>) -> Content {
    if &*commit.collection != COLLECTION {
        return Content::Nothing;
    }
    if !is_rkey(&commit.rkey) {
        return Content::Dropped("bad_rkey");
    }
    let edited = match &*commit.operation {
        "create" => false,
        "update" => true,
        "delete" => return Content::Event(Event::Deleted { network: Network::Bluesky, id: uri(did, &commit.rkey) }),
        _ => return Content::Dropped("unknown_operation"),
    };
    match post(did, commit).and_then(clean) {
        Ok(post) if edited => Content::Event(Event::Edited(Box::new(post))),
        Ok(post) => Content::Event(Event::Created(Box::new(post))),
        Err(reason) => Content::Dropped(reason),
    }
}

/// Only a closed account is a tombstone; one that is merely slow or being moved is not.
fn account_content(did: &str, account: &Account<'_>) -> Content {
    let gone = match account.status.as_deref() {
        Some("deleted" | "takendown" | "suspended" | "deactivated") => true,
        Some(_) => false,
        None => !account.active,
    };
    if !gone {
        return Content::Nothing;
    }
    Content::Event(Event::AccountGone { network: Network::Bluesky, author: did.to_owned() })
}

fn post(did: &str, commit: &Commit<'_>) -> Result<Post, &'static str> {
    let record = commit.record.ok_or("no_record")?;
    let record: Record<'_> = serde_json::from_str(record.get()).map_err(|_| "bad_record")?;
    let reply = record.reply.as_ref();
    let mut post = Post::new(uri(did, &commit.rkey).as_str(), record.text);
    post.network = Network::Bluesky;
    post.url = Some(format!("https://bsky.app/profile/{did}/post/{}", &*commit.rkey));
    post.author = Author { id: did.to_owned(), ..Author::default() };
    post.created_at = record.created_at.and_then(|at| at.parse().ok());
    post.lang = record.langs.and_then(|langs| langs.into_iter().next());
    post.reply_to = reply.map(|r| PostId::new(&*r.parent.uri));
    post.root = reply.map(|r| PostId::new(&*r.root.uri));
    post.version = commit.cid.as_deref().map(str::to_owned);
    Ok(post)
}

fn uri(did: &str, rkey: &str) -> PostId {
    PostId::new(format!("at://{did}/{COLLECTION}/{rkey}"))
}

/// A DID as the protocol writes it. It ends up in a link, so nothing else passes.
fn is_did(did: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":._%-".contains(&b);
    did.len() <= 256 && did.starts_with("did:") && did.len() > 8 && did.bytes().all(plain)
}

/// A record key as the protocol writes it.
fn is_rkey(rkey: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:~-".contains(&b);
    (1..=512).contains(&rkey.len()) && rkey.bytes().all(plain) && rkey != "." && rkey != ".."
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const DID: &str = "did:plc:northwindexample";

    fn v1(kind: &str, body: Value) -> String {
        json!({"did": DID, "time_us": 1_800_000_000_000_001_u64, "kind": kind, kind: body}).to_string()
    }

    fn v2(kind: &str, body: Value) -> String {
        let mut payload = json!({
            "$type": format!("network.bsky.jetstream.subscribeEvents#{kind}"),
            "seq": 42, "did": DID, "time": "2027-01-15T08:00:00.000001Z", "witnessedAt": "2027-01-15T08:00:00.000001Z",
        });
        let fields = if kind == "commit" { body } else { json!({kind: body}) };
        payload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"$type": "message", "payload": payload}).to_string()
    }

    fn create(record: Value) -> Value {
        json!({"rev": "3l", "operation": "create", "collection": COLLECTION, "rkey": "3labc", "cid": "bafy1", "record": record})
    }

    /// One line that says what a frame means, the same for both wires.
    fn say(frame: &Frame) -> String {
        match &frame.content {
            Content::Event(Event::Created(post)) => format!("created {} {:?}", post.id, post.text),
            Content::Event(Event::Edited(post)) => format!("edited {} {:?}", post.id, post.text),
            Content::Event(Event::Deleted { id, .. }) => format!("deleted {id}"),
            Content::Event(Event::AccountGone { author, .. }) => format!("gone {author}"),
            Content::Nothing => "nothing".to_owned(),
            Content::Dropped(reason) => format!("dropped {reason}"),
            Content::Info(name) => format!("info {name}"),
            Content::Error(name) => format!("error {name}"),
        }
    }

    #[test]
    fn both_wires_say_the_same() {
        let post =
            json!({"$type": COLLECTION, "text": "no bars on the moor \u{1F4F5}", "createdAt": "2027-01-15T08:00:00Z"});
        let edit =
            json!({"operation": "update", "collection": COLLECTION, "rkey": "3labc", "record": {"text": "two bars"}});
        let id = format!("at://{DID}/{COLLECTION}/3labc");
        let table = [
            ("commit", create(post), format!("created {id} {:?}", "no bars on the moor \u{1F4F5}")),
            ("commit", edit, format!("edited {id} \"two bars\"")),
            (
                "commit",
                json!({"operation": "delete", "collection": COLLECTION, "rkey": "3labc"}),
                format!("deleted {id}"),
            ),
            (
                "commit",
                json!({"operation": "create", "collection": "app.bsky.feed.like", "rkey": "x", "record": {}}),
                "nothing".into(),
            ),
            (
                "commit",
                json!({"operation": "burn", "collection": COLLECTION, "rkey": "x"}),
                "dropped unknown_operation".into(),
            ),
            ("account", json!({"active": false, "did": DID, "seq": 7, "status": "deleted"}), format!("gone {DID}")),
            ("account", json!({"active": false, "did": DID, "seq": 7, "status": "deactivated"}), format!("gone {DID}")),
            ("account", json!({"active": false, "did": DID, "seq": 7}), format!("gone {DID}")),
            ("account", json!({"active": false, "did": DID, "seq": 7, "status": "throttled"}), "nothing".into()),
            ("account", json!({"active": true, "did": DID, "seq": 7}), "nothing".into()),
            ("identity", json!({"did": DID, "handle": "ann.test", "seq": 7}), "nothing".into()),
            ("sync", json!({"rev": "3l"}), "nothing".into()),
            ("novelty", json!({}), "dropped unknown_kind".into()),
        ];
        for (kind, body, wanted) in table {
            let (old, new) = (read(Wire::V1, &v1(kind, body.clone())), read(Wire::V2, &v2(kind, body)));
            assert_eq!((say(&old), say(&new)), (wanted.clone(), wanted));
            assert_eq!(old.place, Some(Place { seq: None, time_us: 1_800_000_000_000_001 }));
            assert_eq!(new.place, Some(Place { seq: Some(42), time_us: 1_800_000_000_000_001 }), "never the inner seq");
        }
    }

    #[test]
    fn a_post_carries_what_the_rules_need() {
        let root = json!({"uri": "at://did:plc:other/app.bsky.feed.post/1", "cid": "bafy0"});
        let parent = json!({"uri": "at://did:plc:other/app.bsky.feed.post/2", "cid": "bafy0"});
        let record = json!({"text": "same here", "createdAt": "2027-01-15T07:59:59.5Z", "langs": ["en-GB", "cy"],
            "reply": {"root": root, "parent": parent}});
        let Content::Event(Event::Created(post)) = read(Wire::V1, &v1("commit", create(record))).content else {
            panic!("a post")
        };
        assert_eq!(post.url.as_deref(), Some("https://bsky.app/profile/did:plc:northwindexample/post/3labc"));
        assert_eq!((post.network, post.author.id.as_str()), (Network::Bluesky, DID));
        assert_eq!(post.created_at.unwrap().to_string(), "2027-01-15T07:59:59.5Z");
        assert_eq!((post.lang.as_deref(), post.version.as_deref()), (Some("en-GB"), Some("bafy1")));
        assert_eq!(post.reply_to.unwrap().as_str(), "at://did:plc:other/app.bsky.feed.post/2");
        assert_eq!(post.root.unwrap().as_str(), "at://did:plc:other/app.bsky.feed.post/1");
    }

    #[test]
    fn the_server_speaks_of_the_stream_itself() {
        let info = r#"{"$type":"message","payload":{"$type":"x#info","name":"OutdatedCursor","message":"older"}}"#;
        assert_eq!(say(&read(Wire::V2, info)), "info OutdatedCursor");
        let error = r#"{"$type":"error","error":"ConsumerTooSlow","message":"m"}"#;
        assert_eq!(say(&read(Wire::V2, error)), "error ConsumerTooSlow");
    }

    /// A record that is hostile, and what becomes of the post.
    #[test]
    fn hostile_records() {
        let long = "x".repeat(70_000);
        let table = [
            (json!(null), "dropped no_record"),
            (json!([]), "dropped bad_record"),
            (json!("text"), "dropped bad_record"),
            (json!({}), "dropped bad_record"),
            (json!({"text": 5}), "dropped bad_record"),
            (json!({"text": null}), "dropped bad_record"),
            (json!({"text": ["a"]}), "dropped bad_record"),
            (json!({"text": "a", "langs": "en"}), "dropped bad_record"),
            (json!({"text": "a", "langs": [1]}), "dropped bad_record"),
            (json!({"text": "a", "reply": {}}), "dropped bad_record"),
            (json!({"text": "a", "reply": {"root": {"uri": 1}, "parent": {"uri": 2}}}), "dropped bad_record"),
            (json!({"text": "a", "reply": {"root": {"uri": ""}, "parent": {"uri": "at://x"}}}), "dropped bad_id"),
            (json!({"text": "a", "createdAt": 7}), "dropped bad_record"),
            (json!({"text": long}), "dropped text_too_long"),
        ];
        for (record, wanted) in table {
            for frame in [
                read(Wire::V1, &v1("commit", create(record.clone()))),
                read(Wire::V2, &v2("commit", create(record.clone()))),
            ] {
                assert_eq!(say(&frame), wanted, "{}", record.to_string().chars().take(80).collect::<String>());
                assert!(frame.place.is_some(), "the cursor moves past it");
            }
        }
    }

    #[test]
    fn odd_but_usable_records() {
        let id = format!("at://{DID}/{COLLECTION}/3labc");
        for (text, wanted) in [("", "\"\""), ("a\0b", "\"a\u{FFFD}b\""), ("\u{202E}abc", "\"\\u{202e}abc\"")] {
            let frame = read(Wire::V1, &v1("commit", create(json!({"text": text, "createdAt": "yesterday"}))));
            assert_eq!(say(&frame), format!("created {id} {wanted}"));
        }
    }

    #[test]
    fn hostile_frames() {
        let deep = "[".repeat(100_000);
        let huge_number = r#"{"did":"did:plc:abcdef","time_us":99999999999999999999999,"kind":"commit"}"#;
        let table: &[(&str, &str)] = &[
            ("", "not_json"),
            (" ", "not_json"),
            ("\u{FEFF}{}", "not_json"),
            ("hello", "not_json"),
            ("{", "not_json"),
            (r#"{"did":"did:plc:abc"#, "not_json"),
            (r#"{"did":"\ud800"}"#, "not_json"),
            ("{}{}", "wrong_shape"),
            ("null", "wrong_shape"),
            ("true", "wrong_shape"),
            ("42", "wrong_shape"),
            ("\"text\"", "wrong_shape"),
            ("[]", "wrong_shape"),
            ("{}", "wrong_shape"),
            (r#"{"kind":"commit"}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":-1,"kind":"commit"}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":"1","kind":"commit"}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":1.5,"kind":"commit"}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":1,"kind":"commit"}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":1,"kind":"account"}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":1,"kind":"commit","commit":[]}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":1,"kind":"account","account":{"active":"no"}}"#, "wrong_shape"),
            (r#"{"did":"did:plc:abcdef","time_us":1,"kind":7}"#, "wrong_shape"),
            (r#"{"did":"","time_us":1,"kind":"identity"}"#, "bad_did"),
            (r#"{"did":"did:","time_us":1,"kind":"identity"}"#, "bad_did"),
            (r#"{"did":"ann.test","time_us":1,"kind":"identity"}"#, "bad_did"),
            (r#"{"did":"did:plc:a/../b","time_us":1,"kind":"identity"}"#, "bad_did"),
            (r#"{"did":"did:plc:a\"onload=1","time_us":1,"kind":"identity"}"#, "bad_did"),
            (
                r#"{"did":"did:plc:abcdef","time_us":1,"kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":""}}"#,
                "bad_rkey",
            ),
            (
                r#"{"did":"did:plc:abcdef","time_us":1,"kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"a/b"}}"#,
                "bad_rkey",
            ),
            (
                r#"{"did":"did:plc:abcdef","time_us":1,"kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":".."}}"#,
                "bad_rkey",
            ),
            (huge_number, "wrong_shape"),
            (&deep, "not_json"),
        ];
        for (text, reason) in table {
            let frame = read(Wire::V1, text);
            let shown: String = text.chars().take(60).collect();
            let wanted = format!("dropped {reason}");
            let found = say(&frame);
            // Which of the two a broken text is called does not matter; that it is dropped does.
            assert!(found == wanted || (found.starts_with("dropped ") && frame.place.is_none()), "{shown}: {found}");
            assert!(say(&read(Wire::V2, text)).starts_with("dropped "), "{shown}");
        }
    }

    #[test]
    fn hostile_envelopes_of_v2() {
        let table = [
            (r#"{"$type":"message"}"#, "dropped wrong_shape"),
            (r#"{"$type":"message","payload":null}"#, "dropped wrong_shape"),
            (r#"{"$type":"message","payload":[]}"#, "dropped wrong_shape"),
            (r#"{"$type":"message","payload":{}}"#, "dropped wrong_shape"),
            (r#"{"$type":"message","payload":{"$type":"x#commit"}}"#, "dropped wrong_shape"),
            (
                r#"{"$type":"message","payload":{"$type":"x#commit","seq":-1,"did":"did:plc:abcdef","time":"2027-01-15T08:00:00Z"}}"#,
                "dropped wrong_shape",
            ),
            (
                r#"{"$type":"message","payload":{"$type":"x#commit","seq":1,"did":"did:plc:abcdef","time":"noon"}}"#,
                "dropped wrong_shape",
            ),
            (
                r#"{"$type":"message","payload":{"$type":"x#commit","seq":1,"did":"did:plc:abcdef","time":"2027-01-15T08:00:00Z"}}"#,
                "dropped wrong_shape",
            ),
            (
                r#"{"$type":"message","payload":{"$type":"commit","seq":1,"did":"nobody","time":"2027-01-15T08:00:00Z"}}"#,
                "dropped bad_did",
            ),
            (r#"{"$type":"novelty","payload":{}}"#, "dropped wrong_shape"),
            (r#"{"$type":"error","error":5}"#, "dropped wrong_shape"),
        ];
        for (text, wanted) in table {
            assert_eq!(say(&read(Wire::V2, text)), wanted, "{text}");
        }
    }
}
