//! What each network allows: how we may hear it, how we may answer, and what its rules say.
//!
//! The publisher obeys this table: a network that is not answered by API cannot be switched on by a slip in
//! the config. The desk and `jumpship networks` show it. It imports only [`crate::post`] and
//! [`crate::draft`], so that a room may show it without being able to send.

pub mod handoff;

use jiff::civil::Date;
use serde::Serialize;

use crate::draft::TextLimit;
use crate::post::Network;

/// How an approved reply reaches a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// We may send it by the network's API, once that is switched on.
    ByApi,
    /// A person posts it in the network's own app or page.
    ByHand,
    /// It is listened to and not answered.
    Never,
}

impl Answer {
    /// The words people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByApi => "by API",
            Self::ByHand => "by hand",
            Self::Never => "not at all",
        }
    }
}

/// How we learn that an author took a post back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// The network tells, in the stream.
    Told,
    /// It tells while we listen and never repeats it: we look again as well.
    ToldOnce,
    /// It does not tell: we look again.
    Looked,
    /// It neither tells nor can be asked: retention is all there is.
    Hidden,
}

impl Deletes {
    /// The words people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told at once",
            Self::ToldOnce => "told while connected, and looked for",
            Self::Looked => "looked for",
            Self::Hidden => "not known",
        }
    }
}

/// What keeps a repeated request from becoming a second reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Once {
    /// The record's key is ours: the network refuses a second record under it.
    ByRecordKey,
    /// The server may remember our key for an hour; before a repeat we read what is there.
    ByLookingFirst,
    /// Nothing is sent by us.
    NothingSent,
}

impl Once {
    /// The words people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByRecordKey => "by the record's key",
            Self::ByLookingFirst => "by reading before a repeat",
            Self::NothingSent => "nothing is sent",
        }
    }
}

/// What a network lets us do. One value for each [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// The network.
    pub network: Network,
    /// Its name as people write it.
    pub title: &'static str,
    /// How we hear it.
    pub read: &'static str,
    /// How far back it can be heard again after a stop.
    pub replay: &'static str,
    /// How we learn of deleted posts.
    pub deletes: Deletes,
    /// How it is answered.
    pub answer: Answer,
    /// The setting that names the contract under which the API may be used all the same.
    pub contract: Option<&'static str>,
    /// Whether a reply by program is allowed only to those who mentioned us.
    pub needs_summons: bool,
    /// What one unit of the text limit is.
    pub text_unit: &'static str,
    /// What keeps a reply from going out twice.
    pub once: Once,
    /// What listening costs.
    pub price: &'static str,
    /// What its rules say about people like us.
    pub rules: &'static str,
    /// When we read them.
    pub rules_read: Date,
}

impl Capability {
    /// What this network allows.
    #[must_use]
    pub fn of(network: Network) -> &'static Self {
        TABLE.iter().find(|row| row.network == network).expect("a test holds one row for each network")
    }

    /// How long a reply may be.
    #[must_use]
    pub const fn limit(&self) -> TextLimit {
        TextLimit::of(self.network)
    }

    /// Whether a program of ours may send there. `contracts` are the contract settings the config names.
    ///
    /// # Errors
    /// Why not, and what to do instead.
    pub fn allows_api(&self, contracts: &[String]) -> Result<(), String> {
        let signed = self.contract.is_some_and(|name| contracts.iter().any(|c| c == name));
        match (self.answer, self.contract) {
            (Answer::ByApi, _) => Ok(()),
            (_, Some(_)) if signed => Ok(()),
            (_, Some(name)) => Err(format!(
                "{} may be answered by API only under a contract. If you have one, write contract = \"{name}\"; else leave send = \"by_hand\".",
                self.title
            )),
            (answer, None) => Err(format!(
                "{} is answered {}, whatever the config says. Leave send = \"by_hand\".",
                self.title,
                answer.as_str()
            )),
        }
    }
}

/// The day on which the rules below were last read.
const READ: Date = jiff::civil::date(2026, 11, 22);

/// The table, in the order of [`Network::ALL`].
pub const TABLE: [Capability; 7] = [
    Capability {
        network: Network::Bluesky,
        title: "Bluesky",
        read: "stream (Jetstream, no account needed)",
        replay: "about 36 hours",
        deletes: Deletes::Told,
        answer: Answer::ByApi,
        contract: None,
        needs_summons: false,
        text_unit: "graphemes, and 3,000 bytes",
        once: Once::ByRecordKey,
        price: "free",
        rules: "Automated or bulk replies count as spam, and a bot may answer only who tagged it: each reply here is one \
                person's decision, few a day, from your own account. Thread gates, blocks and deletions bind us.",
        rules_read: READ,
    },
    Capability {
        network: Network::Mastodon,
        title: "Mastodon",
        read: "not built in yet",
        replay: "what the timeline still shows",
        deletes: Deletes::ToldOnce,
        answer: Answer::ByApi,
        contract: None,
        needs_summons: false,
        text_unit: "characters, a link counts 23",
        once: Once::ByLookingFirst,
        price: "free; 300 requests in 5 minutes",
        rules: "Each server has rules of its own; several forbid advertising or bots without leave. Read those of your \
                own server and the author's. #nobot in a profile is respected.",
        rules_read: READ,
    },
    Capability {
        network: Network::Reddit,
        title: "Reddit",
        read: "not built in: Reddit must approve access first",
        replay: "about 1,000 posts of a community",
        deletes: Deletes::Looked,
        answer: Answer::ByHand,
        contract: None,
        needs_summons: false,
        text_unit: "characters",
        once: Once::NothingSent,
        price: "free within limits; commercial use by contract",
        rules: "Access to any data needs approval beforehand, commercial use an agreement. What is deleted there must be \
                deleted here. Each community has its own rule about companies.",
        rules_read: READ,
    },
    Capability {
        network: Network::X,
        title: "X",
        read: "not built in: your key, at a price",
        replay: "7 days by recent search, at a price",
        deletes: Deletes::Looked,
        answer: Answer::ByHand,
        contract: Some("x_enterprise"),
        needs_summons: true,
        text_unit: "weighted characters, a link counts 23",
        once: Once::NothingSent,
        price: "$0.005 for each post read",
        rules: "A reply by API is allowed only to who mentioned or quoted you (since 23 February 2026). Keyword replies, and \
                contacting people who complained in public, are forbidden to programs. Delete within 24 hours. No person \
                may be matched to customer records without consent.",
        rules_read: READ,
    },
    Capability {
        network: Network::HackerNews,
        title: "Hacker News",
        read: "every item, by number",
        replay: "without end",
        deletes: Deletes::Looked,
        answer: Answer::ByHand,
        contract: None,
        needs_summons: false,
        text_unit: "characters",
        once: Once::NothingSent,
        price: "free",
        rules: "There is no API to post with, and promotion is unwelcome: listen, and answer as a person if at all.",
        rules_read: READ,
    },
    Capability {
        network: Network::Feed,
        title: "Feeds",
        read: "RSS, Atom and JSON Feed",
        replay: "what the feed still shows",
        deletes: Deletes::Hidden,
        answer: Answer::ByHand,
        contract: None,
        needs_summons: false,
        text_unit: "characters",
        once: Once::NothingSent,
        price: "free",
        rules: "A feed is public to read. Answering happens on the site it belongs to, under that site's rules.",
        rules_read: READ,
    },
    Capability {
        network: Network::Other,
        title: "Other",
        read: "files and standard input, as JSON lines",
        replay: "what the other side keeps",
        deletes: Deletes::Hidden,
        answer: Answer::ByHand,
        contract: None,
        needs_summons: false,
        text_unit: "characters",
        once: Once::NothingSent,
        price: "whatever you pay for it",
        rules: "Whoever brings the posts in answers for being allowed to.",
        rules_read: READ,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_its_row() {
        let rows: Vec<Network> = TABLE.iter().map(|row| row.network).collect();
        assert_eq!(rows, Network::ALL);
    }

    #[test]
    fn who_may_be_answered_by_api() {
        let contract = vec!["x_enterprise".to_owned()];
        let other = vec!["reddit".to_owned(), "yes".to_owned()];
        let table = [
            (Network::Bluesky, true, true),
            (Network::Mastodon, true, true),
            (Network::X, false, true),
            (Network::Reddit, false, false),
            (Network::HackerNews, false, false),
            (Network::Feed, false, false),
            (Network::Other, false, false),
        ];
        for (network, plain, signed) in table {
            let row = Capability::of(network);
            assert_eq!(row.allows_api(&[]).is_ok(), plain, "{network} without a contract");
            assert_eq!(row.allows_api(&contract).is_ok(), signed, "{network} with a contract");
            assert_eq!(row.allows_api(&other).is_ok(), plain, "{network} with another contract");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let x = Capability::of(Network::X).allows_api(&[]).unwrap_err();
        assert!(x.contains("contract = \"x_enterprise\""), "{x}");
        let reddit = Capability::of(Network::Reddit).allows_api(&[]).unwrap_err();
        assert!(reddit.contains("by hand"), "{reddit}");
    }

    #[test]
    fn only_what_we_send_by_api_needs_a_guard_against_twice() {
        for row in &TABLE {
            assert_eq!(row.answer == Answer::ByApi, row.once != Once::NothingSent, "{}", row.title);
        }
    }
}
