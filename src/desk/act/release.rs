//! Gives the lease on a lead back.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ActForm, run as act, to};
use crate::desk::app::App;
use crate::desk::fault::Fault;
use crate::desk::session::Who;
use crate::queue::{LeadId, Role};

/// Takes the step.
pub async fn run(
    State(app): State<App>,
    who: Who,
    Path(lead): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Response, Fault> {
    who.must_be(Role::Author)?;
    let lead = LeadId(lead);
    let name = who.name().to_owned();
    let done = act(&app, &who, lead, &form, move |queue| queue.release(lead, &name));
    Ok(done.await?.map_or_else(|page| page, |()| to(&form.back)))
}
