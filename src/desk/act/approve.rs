//! Approves a reply: all checks again, here, whatever the page said; then the next lead.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{ActForm, kept, run as act, saying, to, undo_seconds, words};
use crate::clock;
use crate::desk::app::App;
use crate::desk::checks::{Facts, blocking, checks};
use crate::desk::counter::Count;
use crate::desk::fault::Fault;
use crate::desk::session::Who;
use crate::engine::Engine;
use crate::queue::{Approval, Approve, DecisionError, LeadId, Queue, Refusal, Role};

/// Takes the approval.
pub async fn run(
    State(app): State<App>,
    who: Who,
    Path(lead): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Response, Fault> {
    who.must_be(Role::Approver)?;
    let lead = LeadId(lead);
    let (engine, asker, asked) = (app.engine(), who.clone(), form.clone());
    let done = act(&app, &who, lead, &form, move |queue| approve(queue, &engine, &asker, lead, &asked)).await?;
    Ok(match done {
        Ok(Ok(Approve::HeldUntil(_))) => to(&form.then),
        Ok(Ok(Approve::Another { .. })) => to(&saying(&form.back, "another")),
        Ok(Err(red)) => kept(&app, &who, lead, &form, StatusCode::UNPROCESSABLE_ENTITY, &red).await?,
        Err(page) => page,
    })
}

/// Approves, unless a check is red; then says which.
fn approve(
    queue: &mut Queue,
    engine: &Engine,
    who: &Who,
    id: LeadId,
    form: &ActForm,
) -> Result<Result<Approve, String>, DecisionError> {
    let now = clock::now();
    let lead = queue.lead(id)?.ok_or(DecisionError::NotFound)?;
    let policy = engine.rules().policy();
    let text = words(&form.text);
    if lead.version == form.version {
        let facts = Facts::read(queue, &lead, now)?;
        let checks = checks(&lead, &facts, engine.rules(), who.name(), now);
        if let Some(red) = blocking(&checks).first() {
            return Ok(Err(red.says.clone()));
        }
        if let Some(missing) = undisclosed(engine, &form.offer, &text) {
            return Ok(Err(missing));
        }
        if !Count::of(lead.network, &text).fits() {
            return Err(Refusal::TooLong.into());
        }
    }
    let approval = Approval { undo_seconds: undo_seconds(who, policy.undo_seconds), ..Approval::of(&text, policy) };
    queue.approve(id, form.version, &approval, who.name(), now).map(Ok)
}

/// What is missing when a reply does not say who we are, as its offer requires.
fn undisclosed(engine: &Engine, offer: &str, text: &str) -> Option<String> {
    let offer = engine.rules().offers().iter().find(|one| one.id == offer)?;
    let words = offer.disclosure.as_deref()?;
    (!offer.discloses(text))
        .then(|| format!("The reply must say who we are: \"{words}\". Put that in and approve again."))
}
