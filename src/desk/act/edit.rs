//! Keeps an operator's words for the reply without approving them.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ActForm, run as act, saying, to, words};
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
    let (version, name, text) = (form.version, who.name().to_owned(), words(&form.text));
    let offer = (!form.offer.is_empty()).then(|| form.offer.clone());
    let done = act(&app, &who, lead, &form, move |queue| {
        queue.edit(lead, version, &text, offer.as_deref(), &name, clock::now())
    });
    Ok(done.await?.map_or_else(|page| page, |_| to(&saying(&form.back, "saved"))))
}
