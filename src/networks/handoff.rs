//! Where a person goes to post an approved reply by hand: a composer that is already filled in, or the post.

use serde::Serialize;
use url::Url;

use crate::post::{Network, Post};

/// The longest link that browsers and networks surely take.
const LINK_BYTES_MAX: usize = 8_000;

/// What the desk offers when a reply goes by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandOff {
    /// The page to open; none when the post has no address.
    pub open: Option<String>,
    /// Whether the words are in that page already. If not, copy them first.
    pub filled_in: bool,
}

impl HandOff {
    /// The way to answer this post with these words.
    #[must_use]
    pub fn of(post: &Post, text: &str) -> Self {
        match composer(post, text) {
            Some(link) => Self { open: Some(link), filled_in: true },
            None => Self { open: post.url.as_deref().and_then(web_link), filled_in: false },
        }
    }
}

/// A composer that takes both the post to answer and the words. X documents one; Bluesky's takes only words,
/// and a reply that lost its thread is worse than one to paste.
fn composer(post: &Post, text: &str) -> Option<String> {
    if post.network != Network::X || !is_status_id(post.id.as_str()) {
        return None;
    }
    let asked = [("in_reply_to", post.id.as_str()), ("text", text)];
    let link = Url::parse_with_params("https://x.com/intent/tweet", asked).ok()?;
    (link.as_str().len() <= LINK_BYTES_MAX).then(|| link.into())
}

fn is_status_id(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

/// The link, if it is one a browser may safely be sent to.
fn web_link(link: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: Network, id: &str, url: &str, text: &str, open: Option<&str>, filled_in: bool) {
        let mut post = Post::new(id, "No signal again");
        post.network = network;
        post.url = (!url.is_empty()).then(|| url.to_owned());
        assert_eq!(
            HandOff::of(&post, text),
            HandOff { open: open.map(str::to_owned), filled_in },
            "{network} {id} {url}"
        );
    }

    #[test]
    fn where_to_go() {
        let post = "https://forum.example/t/42";
        check(
            Network::X,
            "123",
            "",
            "Hi & bye",
            Some("https://x.com/intent/tweet?in_reply_to=123&text=Hi+%26+bye"),
            true,
        );
        check(Network::X, "not a number", post, "Hi", Some(post), false);
        check(Network::X, "123", post, &"é".repeat(3_000), Some(post), false);
        check(Network::Reddit, "t3_1", post, "Hi", Some(post), false);
        check(Network::Feed, "guid", "", "Hi", None, false);
        check(Network::Feed, "guid", "javascript:alert(1)", "Hi", None, false);
    }
}
