//! `jumpship approve`, `dismiss` and `undo`: an operator's decisions from the command line.

use super::args::{DatabaseArgs, OperatorArgs, queue_failed};
use super::{Exit, fail};
use crate::clock;
use crate::queue::{Approval, Approve, DecisionError, DismissReason, Lead, LeadId, Queue};

/// Approve a lead's reply: it goes out, or waits to be posted by hand, after the undo window
#[derive(Debug, clap::Args)]
pub struct ApproveArgs {
    /// The lead's number
    id: LeadId,
    /// The words to send, instead of the draft
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Dismiss a lead, saying why: the reason teaches the rules
#[derive(Debug, clap::Args)]
pub struct DismissArgs {
    /// The lead's number
    id: LeadId,
    /// Why: not-a-complaint, not-our-rival, wrong-person-or-area, joke, sensitive, already-solved, too-late,
    /// offer-does-not-fit or other
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: DismissReason,
    /// A note to go with it
    #[arg(long, value_name = "WORDS")]
    note: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Take back your last decision on a lead, while its undo window is open
#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    /// The lead's number
    id: LeadId,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn reason(word: &str) -> Result<DismissReason, String> {
    let known = DismissReason::ALL.map(|r| r.as_str().replace('_', "-")).join(", ");
    DismissReason::from_name(word).ok_or_else(|| format!("there is no such reason. There are: {known}"))
}

/// Runs `approve`.
pub fn approve(args: &ApproveArgs) -> Exit {
    decide(&args.common, args.id, |queue, lead, who| {
        let Some(text) = args.text.as_deref().or_else(|| lead.reply()) else {
            return Ok(Err("it has no draft. Say what to send with --text.".to_owned()));
        };
        let rules = match args.common.database.rules() {
            Ok(rules) => rules,
            Err(_) => return Ok(Err("nothing was approved".to_owned())),
        };
        let approval = Approval::of(text, rules.policy());
        let approved = queue.approve(lead.id, lead.version, &approval, who, clock::now())?;
        Ok(Ok(match approved {
            Approve::HeldUntil(until) => format!(
                "Lead {id} is approved and held until {}. `jumpship undo {id}` takes it back.",
                until.strftime("%H:%M:%S UTC"),
                id = lead.id
            ),
            Approve::Another { given } => {
                format!("Lead {} has {given} approval; another operator must approve it.", lead.id)
            }
        }))
    })
}

/// Runs `dismiss`.
pub fn dismiss(args: &DismissArgs) -> Exit {
    decide(&args.common, args.id, |queue, lead, who| {
        let now = clock::now();
        queue.dismiss(lead.id, lead.version, args.reason, crate::rules::Policy::default().undo_seconds, who, now)?;
        if let Some(note) = &args.note {
            queue.note(lead.id, note, who, now)?;
        }
        Ok(Ok(format!("Lead {} is dismissed: {}.", lead.id, args.reason.as_str())))
    })
}

/// Runs `undo`.
pub fn undo(args: &UndoArgs) -> Exit {
    decide(&args.common, args.id, |queue, lead, who| {
        queue.undo(lead.id, lead.version, who, clock::now())?;
        Ok(Ok(format!("Lead {} is new again.", lead.id)))
    })
}

/// Looks up the lead, takes the decision and tells how it went.
fn decide(
    common: &Common,
    id: LeadId,
    decision: impl FnOnce(&mut Queue, &Lead, &str) -> Result<Result<String, String>, DecisionError>,
) -> Exit {
    let mut queue = match common.database.open() {
        Ok(queue) => queue,
        Err(exit) => return exit,
    };
    let lead = match queue.lead(id) {
        Ok(Some(lead)) => lead,
        Ok(None) => return fail(format!("there is no lead {id}. `jumpship leads` shows them.")),
        Err(error) => return queue_failed(&error),
    };
    match decision(&mut queue, &lead, &common.operator.operator) {
        Ok(Ok(done)) => {
            println!("{done}");
            Exit::Ok
        }
        Ok(Err(why)) => fail(format!("lead {id}: {why}")),
        Err(DecisionError::Queue(error)) => queue_failed(&error),
        Err(error) => fail(format!("lead {id}: {error}.")),
    }
}
