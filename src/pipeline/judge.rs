//! Judges a delivery: every post against the rules and its history, every panic caught and counted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;

use crate::decide::History;
use crate::engine::{Engine, Finding};
use crate::post::{Network, Post, PostId};
use crate::queue::{Judged, Queue, QueueError};
use crate::source::Event;

/// A delivery, judged: what a batch is made of.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Posts that name a provider, and edits.
    pub posts: Vec<Judged>,
    /// Posts that are gone.
    pub deletes: Vec<(Network, PostId)>,
    /// Accounts that are gone.
    pub gone_accounts: Vec<(Network, String)>,
    /// How many posts were looked at.
    pub seen: u64,
    /// How many of them could not be judged.
    pub panics: u64,
}

/// Judges events in order, up to the first one that has to be stored after the others.
///
/// # Errors
/// The history could not be read.
pub fn judge(
    engine: &Engine,
    queue: &Queue,
    events: &mut std::iter::Peekable<std::vec::IntoIter<Event>>,
    now: Timestamp,
) -> Result<Verdicts, QueueError> {
    let version: Arc<str> = engine.rules().version().into();
    let mut verdicts = Verdicts::default();
    while let Some(event) = events.next_if(|event| !must_wait(event, &verdicts)) {
        match event {
            Event::Created(post) => verdicts.take(engine, queue, *post, false, &version, now)?,
            Event::Edited(post) => verdicts.take(engine, queue, *post, true, &version, now)?,
            Event::Deleted { network, id } => verdicts.deletes.push((network, id)),
            Event::AccountGone { network, author } => verdicts.gone_accounts.push((network, author)),
        }
    }
    Ok(verdicts)
}

/// A batch stores its posts before it erases: a post by an author who left and came back has to wait.
fn must_wait(event: &Event, verdicts: &Verdicts) -> bool {
    event.post().is_some_and(|post| {
        verdicts.gone_accounts.iter().any(|(network, author)| *network == post.network && author == post.author.key())
    })
}

impl Verdicts {
    fn take(
        &mut self,
        engine: &Engine,
        queue: &Queue,
        post: Post,
        edited: bool,
        version: &Arc<str>,
        now: Timestamp,
    ) -> Result<(), QueueError> {
        self.seen += 1;
        let Some(findings) = judge_post(engine, queue, &post, now).transpose()? else {
            self.panics += 1;
            return Ok(());
        };
        // An edit may take a provider's name out of a post that we hold.
        if edited || !findings.is_empty() {
            self.posts.push(Judged { post, findings, rules_version: Arc::clone(version) });
        }
        Ok(())
    }
}

/// The findings, or `None` when judging broke. Most posts name nobody, so the history is only asked for the rest.
fn judge_post(engine: &Engine, queue: &Queue, post: &Post, now: Timestamp) -> Option<Result<Vec<Finding>, QueueError>> {
    let blank = History::default();
    let findings = guarded(engine, post, &blank, now)?;
    if findings.is_empty() {
        return Some(Ok(findings));
    }
    match queue.history(post) {
        Ok(history) if history == blank => Some(Ok(findings)),
        Ok(history) => guarded(engine, post, &history, now).map(Ok),
        Err(error) => Some(Err(error)),
    }
}

/// Nothing the engine holds changes while it judges, so a broken judgement leaves nothing half done.
fn guarded(engine: &Engine, post: &Post, history: &History, now: Timestamp) -> Option<Vec<Finding>> {
    catch_unwind(AssertUnwindSafe(|| engine.judge(post, history, now))).ok().or_else(|| {
        tracing::error!(post = %post.id, "a post could not be judged and is left out");
        None
    })
}
