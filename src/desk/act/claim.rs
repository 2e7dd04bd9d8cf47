//! Takes or renews the lease on a lead, so that colleagues see who is replying.

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
    who.must_be(Role::Author)?;
    let lead = LeadId(lead);
    let take_over = !form.take_over.is_empty();
    if take_over {
        who.must_be(Role::Lead)?;
    }
    let name = who.name().to_owned();
    let done = act(&app, &who, lead, &form, move |queue| queue.claim(lead, &name, take_over, clock::now()));
    Ok(done.await?.map_or_else(|page| page, |_| to(&form.back)))
}
