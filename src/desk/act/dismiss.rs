//! Says no to a lead, with a reason that the rules learn from.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ActForm, run as act, to, undo_seconds};
use crate::clock;
use crate::desk::app::App;
use crate::desk::fault::Fault;
use crate::desk::session::Who;
use crate::queue::{DismissReason, LeadId, Role};

/// Takes the step.
pub async fn run(
    State(app): State<App>,
    who: Who,
    Path(lead): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Response, Fault> {
    who.must_be(Role::Approver)?;
    let lead = LeadId(lead);
    let reason = DismissReason::from_name(&form.reason).ok_or(Fault::Unclear("Choose a reason first."))?;
    let (version, name) = (form.version, who.name().to_owned());
    let undo = undo_seconds(&who, app.engine().rules().policy().undo_seconds);
    let done =
        act(&app, &who, lead, &form, move |queue| queue.dismiss(lead, version, reason, undo, &name, clock::now()));
    Ok(done.await?.map_or_else(|page| page, |()| to(&form.then)))
}
