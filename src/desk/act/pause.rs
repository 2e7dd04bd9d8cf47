//! Stops all sending at once, and lets it go on again.

use axum::Form;
use axum::extract::State;
use axum::response::Response;

use super::{ActForm, to};
use crate::clock;
use crate::desk::app::App;
use crate::desk::fault::Fault;
use crate::desk::session::Who;
use crate::queue::Role;

/// Stops it.
pub async fn stop(app: State<App>, who: Who, form: Form<ActForm>) -> Result<Response, Fault> {
    set(app, who, form, true).await
}

/// Lets it go on.
pub async fn go_on(app: State<App>, who: Who, form: Form<ActForm>) -> Result<Response, Fault> {
    set(app, who, form, false).await
}

async fn set(State(app): State<App>, who: Who, Form(form): Form<ActForm>, paused: bool) -> Result<Response, Fault> {
    who.must_be(Role::Lead)?;
    app.store.ask(move |queue| queue.set_paused(paused, who.name(), clock::now())).await?;
    Ok(to(&form.back))
}
