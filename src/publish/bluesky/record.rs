//! The record of a reply: its words, the post it answers, and which bytes of the words are links.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::Target;
use crate::post::Author;
use crate::queue::Approved;

/// Links, mentions and hashtags, by what they start with.
static MARKED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s(])(?:(?<link>https?://[^\s]+)|@(?<handle>[A-Za-z0-9.-]+)|#(?<tag>[\p{L}\p{N}_]+))")
        .expect("a test runs it")
});

/// The record, whole. It is the same for every try: its time is that of the try, and a try that finds
/// another record in its place changes nothing.
pub(super) fn record_of(reply: &Approved, target: &Target) -> Value {
    let mut record = json!({
        "$type": "app.bsky.feed.post",
        "text": reply.text(),
        "createdAt": reply.started_at().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "reply": { "root": target.root, "parent": { "uri": target.uri, "cid": target.cid } },
    });
    let facets = facets(reply.text(), &reply.post().author);
    if !facets.is_empty() {
        record["facets"] = facets.into();
    }
    record
}

/// The facets of a text, by byte. Only the author can be mentioned: we know no other handle's DID.
fn facets(text: &str, author: &Author) -> Vec<Value> {
    let mut facets = Vec::new();
    for found in MARKED.captures_iter(text) {
        if let Some(link) = found.name("link") {
            let uri = link.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '"']);
            let feature = json!({ "$type": "app.bsky.richtext.facet#link", "uri": uri });
            facets.push(facet(link.start(), link.start() + uri.len(), feature));
        } else if let Some(handle) = found.name("handle") {
            let name = handle.as_str().trim_end_matches(['.', '-']);
            if name.eq_ignore_ascii_case(&author.handle) && author.id.starts_with("did:") {
                let feature = json!({ "$type": "app.bsky.richtext.facet#mention", "did": author.id });
                facets.push(facet(handle.start() - 1, handle.start() + name.len(), feature));
            }
        } else if let Some(tag) = found.name("tag") {
            let feature = json!({ "$type": "app.bsky.richtext.facet#tag", "tag": tag.as_str() });
            facets.push(facet(tag.start() - 1, tag.end(), feature));
        }
    }
    facets
}

fn facet(start: usize, end: usize, feature: Value) -> Value {
    json!({ "index": { "byteStart": start, "byteEnd": end }, "features": [feature] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let author = Author { id: "did:plc:ann".into(), handle: "ann.example".into(), ..Author::default() };
        let found: Vec<String> = facets(text, &author)
            .iter()
            .map(|facet| {
                let at = |side: &str| usize::try_from(facet["index"][side].as_u64().unwrap()).unwrap();
                let kind = facet["features"][0]["$type"].as_str().unwrap().rsplit('#').next().unwrap();
                format!("{kind} {}", &text[at("byteStart")..at("byteEnd")])
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_marked_is_marked_by_the_byte() {
        check("No links here, 50% off @ noon", &[]);
        check("See https://home.example/offer.", &["link https://home.example/offer"]);
        check("Grüße 👋 (https://home.example/ü) bye", &["link https://home.example/ü"]);
        check("Hi @ann.example, and @bob.example", &["mention @ann.example"]);
        check("Good 📶 with #NoRoaming #5G", &["tag #NoRoaming", "tag #5G"]);
        check("mail me@ann.example or a#b", &[]);
    }
}
