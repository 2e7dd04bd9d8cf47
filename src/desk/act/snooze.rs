//! Puts a lead off; it comes back by itself.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::SignedDuration;

use super::{ActForm, run as act, to, undo_seconds};
use crate::clock;
use crate::desk::app::App;
use crate::desk::fault::Fault;
use crate::desk::session::Who;
use crate::queue::{LeadId, Role};

/// Nobody remembers for longer.
const MINUTES_MAX: i64 = 30 * 24 * 60;

/// Takes the step.
pub async fn run(
    State(app): State<App>,
    who: Who,
    Path(lead): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Response, Fault> {
    who.must_be(Role::Approver)?;
    let lead = LeadId(lead);
    if !(1..=MINUTES_MAX).contains(&form.minutes) {
        return Err(Fault::Unclear("Say for how long, up to 30 days."));
    }
    let (version, name, now) = (form.version, who.name().to_owned(), clock::now());
    let until = now + SignedDuration::from_mins(form.minutes);
    let undo = undo_seconds(&who, app.engine().rules().policy().undo_seconds);
    let done = act(&app, &who, lead, &form, move |queue| queue.snooze(lead, version, until, undo, &name, now));
    Ok(done.await?.map_or_else(|page| page, |()| to(&form.then)))
}
