//! Rules, scanner and judgement as one pure machine: a post goes in, a finding per provider comes out.

mod live;

use std::sync::Arc;

use jiff::Timestamp;

pub use live::{LiveEngine, Refused};

use crate::decide::{Case, History, Hold, Verdict, decide};
use crate::draft::{Draft, drafts};
use crate::post::{Post, Span};
use crate::rules::{Role, Rules, Status};
use crate::scan::{Mention, MentionKind, Scan, Scanner, Scratch};
use crate::score::{Assessment, Model, Models, assess};
use crate::text::fold;

/// The most drafts offered for one lead.
pub const DRAFTS_MAX: usize = 3;

/// Judges posts by one set of rules. Pure: the same post, history and time give the same findings.
#[derive(Debug)]
pub struct Engine {
    scanner: Scanner,
    models: Models,
}

/// What one post means for us with one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it says about the provider.
    pub assessment: Assessment,
    /// Whether the provider is us.
    pub is_home: bool,
    /// Whether to speak.
    pub verdict: Verdict,
    /// What we could say, best first; only for [`Verdict::Enter`].
    pub drafts: Vec<Draft>,
}

impl Engine {
    /// An engine for a set of rules, with the models that come with the program.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self { scanner: Scanner::new(rules), models: Models::shipped() }
    }

    /// An engine that judges its language by this model instead of the shipped one.
    #[must_use]
    pub fn with_model(rules: Arc<Rules>, model: Model) -> Self {
        Self { scanner: Scanner::new(rules), models: Models::shipped().with(model) }
    }

    /// Which models it judges by: together with the rules' version it tells what a verdict rests on.
    #[must_use]
    pub fn model_version(&self) -> &str {
        self.models.version()
    }

    /// The rules it judges by.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.scanner.rules()
    }

    /// What finds names and phrases.
    #[must_use]
    pub const fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// The scan of a post, for callers that need the words (the desk's marks, the explanation).
    #[must_use]
    pub fn scan(&self, post: &Post) -> Scan {
        self.scanner.scan(post)
    }

    /// Whether a text could name a provider; when not, [`Engine::judge`] finds nothing in a post that says
    /// just this and is addressed to nobody.
    #[must_use]
    pub fn could_name(&self, text: &str, scratch: &mut Scratch) -> bool {
        self.scanner.could_name(text, scratch)
    }

    /// One finding per provider the post names; none when it names nobody.
    #[must_use]
    pub fn judge(&self, post: &Post, history: &History, now: Timestamp) -> Vec<Finding> {
        let scan = self.scanner.scan(post);
        if scan.mentions.is_empty() {
            return Vec::new();
        }
        let holds = self.holds(post, &scan);
        let rules = self.rules();
        assess(post, &scan, rules, &self.models)
            .into_iter()
            .map(|assessment| {
                let is_home = rules.home().is_some_and(|home| home.id == assessment.provider);
                let case =
                    Case { assessment: &assessment, is_home, holds: &holds, history, policy: rules.policy(), now };
                let verdict = decide(&case);
                let drafts = match verdict {
                    Verdict::Enter => drafts(&assessment, post.network, rules, now, DRAFTS_MAX),
                    _ => Vec::new(),
                };
                Finding { assessment, is_home, verdict, drafts }
            })
            .collect()
    }

    /// The hold for a provider's own account, if the rules have it: its handles are in the rules already.
    fn brand(&self, post: &Post) -> Option<(usize, Option<Span>)> {
        let hold = self.rules().holds().iter().position(|h| h.id == Hold::BRAND_ACCOUNT)?;
        let handle = fold(&format!("@{}", post.author.handle));
        let own = !post.author.handle.is_empty() && self.rules().names().iter().any(|name| name.folded == handle);
        own.then_some((hold, None))
    }

    /// The hold for a provider's name that was broken on purpose, if the rules have it.
    fn evasive(&self, scan: &Scan) -> Option<(usize, Option<Span>)> {
        let hold = self.rules().holds().iter().position(|h| h.id == Hold::EVASIVE_SPELLING)?;
        let words = scan.reading.words();
        let hidden =
            |m: &&Mention| m.kind == MentionKind::Evasive || words[m.words.clone()].iter().any(|word| word.disguised);
        scan.mentions.iter().find(hidden).map(|m| (hold, Some(m.span)))
    }

    /// Reasons to stay out found in the text and the author, strongest (first in the file) first.
    #[must_use]
    pub fn holds(&self, post: &Post, scan: &Scan) -> Vec<Hold> {
        let rules = self.rules();
        let in_text = scan.matches.iter().filter_map(|m| match m.role {
            Role::Hold(i) => Some((i, Some(m.span))),
            _ => None,
        });
        let in_author = self.scanner.author_holds(&post.author).into_iter().map(|i| (i, None));
        let mut found: Vec<_> = in_text
            .chain(in_author)
            .chain(self.evasive(scan))
            .chain(self.brand(post))
            .filter(|&(i, _)| rules.holds()[i].status == Status::Live)
            .collect();
        found.sort_by_key(|&(i, span)| (i, span));
        found.dedup_by_key(|&mut (i, _)| i);
        found.into_iter().map(|(i, span)| Hold { code: rules.holds()[i].id.clone(), span }).collect()
    }
}
