//! Adds a note between operators; it stands apart from the reply and is never sent.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ActForm, run as act, to, words};
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
    let (name, text) = (who.name().to_owned(), words(&form.text));
    if text.is_empty() {
        return Ok(to(&form.back));
    }
    let done = act(&app, &who, lead, &form, move |queue| queue.note(lead, &text, &name, clock::now()));
    Ok(done.await?.map_or_else(|page| page, |()| to(&form.back)))
}
