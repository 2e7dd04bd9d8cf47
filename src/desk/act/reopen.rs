//! Opens a lead whose reply the network refused, to try other words.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ActForm, run as act, to};
use crate::clock;
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
    who.must_be(Role::Approver)?;
    let lead = LeadId(lead);
    let (version, name) = (form.version, who.name().to_owned());
    let done = act(&app, &who, lead, &form, move |queue| queue.reopen(lead, version, &name, clock::now()));
    Ok(done.await?.map_or_else(|page| page, |()| to(&format!("/queue/{lead}"))))
}
