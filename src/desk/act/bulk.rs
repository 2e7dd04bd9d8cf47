//! Dismisses, snoozes or assigns many leads after showing how many. There is no bulk approval, on purpose.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use url::form_urlencoded;

use super::{own_page, to, undo_seconds};
use crate::clock;
use crate::desk::app::App;
use crate::desk::detail::reason_name;
use crate::desk::fault::Fault;
use crate::desk::frame::{Frame, back};
use crate::desk::search::Asked;
use crate::desk::session::Who;
use crate::desk::{say, shelf::Shelf};
use crate::queue::{DecisionError, DismissReason, LeadId, Queue, QueueError, Role};

/// The most leads of one action.
const LEADS_MAX: usize = 500;
/// How long a bulk snooze lasts unless the form says otherwise.
const SNOOZE_MINUTES: i64 = 180;

/// What to do with all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bulk {
    Dismiss(DismissReason),
    Snooze(i64),
    Assign(Option<String>),
}

/// What the form carried.
#[derive(Debug, Default)]
struct BulkForm {
    leads: Vec<(LeadId, i64)>,
    action: String,
    reason: String,
    minutes: String,
    assignee: String,
    back: String,
    /// The shelf and query whose leads are meant, all of them.
    all: String,
    confirmed: bool,
}

/// Shows how many leads are meant; does it when that was confirmed.
pub async fn run(State(app): State<App>, who: Who, body: String) -> Result<Response, Fault> {
    let mut form = read(&body);
    let bulk = form.bulk()?;
    who.must_be(if matches!(bulk, Bulk::Assign(_)) { Role::Author } else { Role::Approver })?;
    if !form.all.is_empty() {
        form.leads = matching(&app, &who, &form.all).await?;
    }
    if form.leads.is_empty() {
        return Err(Fault::Unclear("No lead was selected."));
    }
    if !form.confirmed {
        let frame = Frame::of(&app, &who).await?;
        return Ok(frame.page("Sure?", "page", &question(&form, &bulk)).into_response());
    }
    let undo = undo_seconds(&who, app.engine().rules().policy().undo_seconds);
    let (leads, name, now) = (form.leads.clone(), who.name().to_owned(), clock::now());
    let done = app.store.ask(move |queue| all(queue, &bulk, &leads, undo, &name, now)).await?;
    if done == form.leads.len() {
        return Ok(to(&form.back));
    }
    let frame = Frame::of(&app, &who).await?;
    Ok(frame.page("Done in part", "page", &in_part(done, &form)).into_response())
}

fn read(body: &str) -> BulkForm {
    let mut form = BulkForm::default();
    for (key, value) in form_urlencoded::parse(body.as_bytes()) {
        let value = value.into_owned();
        match key.as_ref() {
            "lead" if form.leads.len() < LEADS_MAX => form.leads.extend(id_and_version(&value)),
            "action" => form.action = value,
            "reason" => form.reason = value,
            "minutes" => form.minutes = value,
            "assignee" => form.assignee = value,
            "back" => form.back = value,
            "all" => form.all = value,
            "confirmed" => form.confirmed = true,
            _ => {}
        }
    }
    form
}

fn id_and_version(value: &str) -> Option<(LeadId, i64)> {
    let (id, version) = value.split_once('.')?;
    Some((LeadId(id.parse().ok()?), version.parse().ok()?))
}

impl BulkForm {
    fn bulk(&self) -> Result<Bulk, Fault> {
        match self.action.as_str() {
            "dismiss" => {
                let reason = DismissReason::from_name(&self.reason).ok_or(Fault::Unclear("Choose a reason first."))?;
                Ok(Bulk::Dismiss(reason))
            }
            "snooze" => Ok(Bulk::Snooze(self.minutes.parse().unwrap_or(SNOOZE_MINUTES).clamp(1, 43_200))),
            "assign" => Ok(Bulk::Assign((!self.assignee.is_empty()).then(|| self.assignee.clone()))),
            _ => Err(Fault::Unclear("Many leads can be dismissed, snoozed or assigned together, and nothing else.")),
        }
    }
}

/// Every lead that a list's address selects.
async fn matching(app: &App, who: &Who, address: &str) -> Result<Vec<(LeadId, i64)>, Fault> {
    let (path, query) = own_page(address).split_once('?').unwrap_or((address, ""));
    let shelf = path.trim_matches('/').split('/').next().and_then(Shelf::at).ok_or(Fault::NotFound)?;
    let asked: Asked = serde_urlencoded::from_str(query).unwrap_or_default();
    let filter = asked.filter(shelf, who.name(), clock::now());
    Ok(app.store.ask(move |queue| queue.matching(&filter, LEADS_MAX)).await?)
}

/// Does it to each lead that has not changed meanwhile; says to how many.
fn all(
    queue: &mut Queue,
    bulk: &Bulk,
    leads: &[(LeadId, i64)],
    undo: u32,
    name: &str,
    now: Timestamp,
) -> Result<usize, QueueError> {
    let mut done = 0;
    for &(id, version) in leads {
        let step = match bulk {
            Bulk::Dismiss(reason) => queue.dismiss(id, version, *reason, undo, name, now),
            Bulk::Snooze(minutes) => {
                queue.snooze(id, version, now + SignedDuration::from_mins(*minutes), undo, name, now)
            }
            Bulk::Assign(to) => queue.assign(id, to.as_deref(), name, now),
        };
        match step {
            Ok(()) => done += 1,
            Err(DecisionError::Queue(error)) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(done)
}

fn question(form: &BulkForm, bulk: &Bulk) -> Markup {
    let n = say::count(form.leads.len(), "lead", "leads");
    html! {
        h1 { @match bulk {
            Bulk::Dismiss(reason) => { "Dismiss " (n) " as: " (reason_name(*reason)) "?" }
            Bulk::Snooze(minutes) => { "Snooze " (n) " for " (say::span(minutes * 60)) "?" }
            Bulk::Assign(Some(who)) => { "Give " (n) " to " (who) "?" }
            Bulk::Assign(None) => { "Give " (n) " to nobody?" }
        } }
        p.soft { "Leads that somebody changes meanwhile are left alone. At most " (LEADS_MAX) " at a time." }
        form.inline method="post" action="/bulk" {
            @for (id, version) in &form.leads { input type="hidden" name="lead" value={ (id) "." (version) }; }
            @for (name, value) in [("action", &form.action), ("reason", &form.reason), ("minutes", &form.minutes), ("assignee", &form.assignee)] {
                input type="hidden" name=(name) value=(value);
            }
            (back(own_page(&form.back)))
            button.primary name="confirmed" value="yes" data-focus autofocus { "Yes, " (n) }
            a.button href=(own_page(&form.back)) data-key="Escape u" { "No, back" }
        }
    }
}

fn in_part(done: usize, form: &BulkForm) -> Markup {
    html! {
        h1 { (say::count(done, "lead", "leads")) " done, " (form.leads.len() - done) " left alone" }
        p { "Somebody else changed or claimed those meanwhile." }
        a.button href=(own_page(&form.back)) data-key="Escape u" { "Back to the list" }
    }
}
