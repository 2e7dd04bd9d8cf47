//! One public message, its author and the network it came from: what every source hands on.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The network's own name for one post: an `at://` URI, a status id, a GUID. Opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PostId(String);

impl PostId {
    /// Wraps a network's identifier as it stands.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identifier as the network writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a post was written. What each network allows stands in the table of `networks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "String")]
pub enum Network {
    /// Bluesky and everything else on the AT protocol.
    Bluesky,
    /// Mastodon and servers that speak its API.
    Mastodon,
    /// Reddit.
    Reddit,
    /// X, formerly Twitter.
    X,
    /// Hacker News.
    HackerNews,
    /// RSS, Atom and JSON feeds.
    Feed,
    /// A file, standard input, or any network that has no file of its own.
    #[default]
    Other,
}

impl Network {
    /// Every network, for tables and tests.
    pub const ALL: [Self; 7] =
        [Self::Bluesky, Self::Mastodon, Self::Reddit, Self::X, Self::HackerNews, Self::Feed, Self::Other];

    /// The lower-case name used in JSON, the database and the config.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bluesky => "bluesky",
            Self::Mastodon => "mastodon",
            Self::Reddit => "reddit",
            Self::X => "x",
            Self::HackerNews => "hackernews",
            Self::Feed => "feed",
            Self::Other => "other",
        }
    }

    /// The network of that name; anything unknown is [`Network::Other`].
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|n| n.as_str() == name).unwrap_or_default()
    }
}

impl From<String> for Network {
    fn from(name: String) -> Self {
        Self::from_name(&name)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who wrote a post, as far as the network tells. Empty strings mean "not told".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Author {
    /// The network's stable identifier (a DID, an account id); handles change, this does not.
    pub id: String,
    /// The handle, without a leading `@`.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// The profile text.
    pub bio: String,
    /// How many follow them, where the network says.
    pub followers: Option<u64>,
    /// Whether the account calls itself automated.
    pub bot: bool,
}

impl Author {
    /// The most stable thing that tells this author from another: the id, else the handle.
    #[must_use]
    pub fn key(&self) -> &str {
        if self.id.is_empty() { &self.handle } else { &self.id }
    }
}

/// One public message. Only `id` and `text` are required: this is also the documented schema of the
/// JSON lines that `jumpship scan` and the file source read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The network's identifier of this post.
    pub id: PostId,
    /// The words, as the author wrote them. Every span in the program is a byte range into this.
    pub text: String,
    /// Where it was written.
    #[serde(default)]
    pub network: Network,
    /// A link a person can open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub author: Author,
    /// When, by the author's clock: not to be trusted for ordering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The language the network or the author declared, such as `en` or `en-GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// The post this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<PostId>,
    /// The first post of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PostId>,
    /// The provider this was said to, when the place tells (its help chat, its page): "you" means it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressed_to: Option<String>,
    /// Which edit of the post this is (a content hash or revision), where the network has edits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Post {
    /// A post of which only the identifier and the words are known.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: PostId::new(id),
            text: text.into(),
            network: Network::default(),
            url: None,
            author: Author::default(),
            created_at: None,
            lang: None,
            reply_to: None,
            root: None,
            addressed_to: None,
            version: None,
        }
    }

    /// The conversation this post belongs to: its root, else the post it answers, else itself.
    #[must_use]
    pub fn conversation(&self) -> &PostId {
        self.root.as_ref().or(self.reply_to.as_ref()).unwrap_or(&self.id)
    }
}

/// A byte range into a post's text, on character boundaries; `start == end` marks nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Whether the two share at least one byte.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The words it covers; empty when the span does not fit the text.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}
