//! The operator posted the reply by hand, and says where.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ActForm, run as act, to};
use crate::clock;
use crate::desk::app::App;
use crate::desk::fault::Fault;
use crate::desk::inert::safe_link;
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
    let url = safe_link(form.url.trim()).unwrap_or_default().to_owned();
    if url.is_empty() && !form.url.trim().is_empty() {
        return Err(Fault::Unclear("The address of the reply must begin with https:// or http://, or be left empty."));
    }
    let (version, name) = (form.version, who.name().to_owned());
    let done = act(&app, &who, lead, &form, move |queue| queue.posted(lead, version, &url, &name, clock::now()));
    Ok(done.await?.map_or_else(|page| page, |()| to(&form.then)))
}
