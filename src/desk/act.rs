//! What an operator can do; each action is a file below. Here: the form they share and where they lead.

pub mod approve;
pub mod bulk;
pub mod claim;
pub mod dismiss;
pub mod edit;
pub mod never;
pub mod not_posted;
pub mod note;
pub mod open;
pub mod pause;
pub mod posted;
pub mod release;
pub mod reopen;
pub mod snooze;
pub mod undo;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::app::App;
use super::detail;
use super::fault::Fault;
use super::frame::Frame;
use super::session::Who;
use super::shelf::Shelf;
use crate::clock;
use crate::queue::{DecisionError, LeadId, Queue};

/// How long an operator can take a decision back, if they chose it; else the policy says.
pub const UNDO_CHOICES: [u32; 5] = [0, 10, 20, 30, 60];

/// The form that all actions on one lead share; each reads what it needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ActForm {
    /// The version of the lead that the operator looked at.
    pub version: i64,
    /// The page it was done on.
    pub back: String,
    /// The page to go to once the lead is decided: the next one.
    pub then: String,
    /// The reply, or the note.
    pub text: String,
    /// The offer the reply was made from.
    pub offer: String,
    /// Why it is dismissed, or never to be contacted.
    pub reason: String,
    /// For how many minutes it is snoozed.
    pub minutes: i64,
    /// Where the reply was posted.
    pub url: String,
    /// Set to take a claim over.
    pub take_over: String,
}

/// The page of ours that a form names; anything else is the queue. No way out to other sites.
pub fn own_page(page: &str) -> &str {
    let is_ours = page.starts_with('/') && !page.starts_with("//") && !page.contains(['\\', '\r', '\n', '\0']);
    if is_ours && page.is_ascii() { page } else { "/queue" }
}

/// The same page with a sentence on it.
fn saying(page: &str, code: &str) -> String {
    let page = own_page(page);
    format!("{page}{}said={code}", if page.contains('?') { "&" } else { "?" })
}

/// Forms come in with carriage returns; the text that is counted, hashed and sent has none.
pub fn words(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// How long this operator's decisions can be undone.
pub fn undo_seconds(who: &Who, policy_seconds: u32) -> u32 {
    let chosen = who.operator.settings.get("undo_seconds").and_then(serde_json::Value::as_u64);
    chosen
        .and_then(|seconds| u32::try_from(seconds).ok())
        .filter(|s| UNDO_CHOICES.contains(s))
        .unwrap_or(policy_seconds)
}

/// Does something to the queue and leads on to a page; tells on a page who was faster or what stood in the way,
/// with the operator's words kept.
async fn run<T: Send + 'static>(
    app: &App,
    who: &Who,
    lead: LeadId,
    form: &ActForm,
    change: impl FnOnce(&mut Queue) -> Result<T, DecisionError> + Send + 'static,
) -> Result<Result<T, Response>, Fault> {
    match app.store.ask(change).await {
        Ok(done) => Ok(Ok(done)),
        Err(DecisionError::NotFound) => Err(Fault::NotFound),
        Err(DecisionError::Queue(error)) => Err(Fault::Queue(error)),
        Err(stopped) => {
            let status = if matches!(stopped, DecisionError::Conflict(_)) {
                StatusCode::CONFLICT
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            kept(app, who, lead, form, status, &detail::why(&stopped, clock::now())).await.map(Err)
        }
    }
}

/// The page for a decision that could not be taken: why, the operator's words, and the lead's own.
async fn kept(
    app: &App,
    who: &Who,
    lead: LeadId,
    form: &ActForm,
    status: StatusCode,
    why: &str,
) -> Result<Response, Fault> {
    let stands = app.store.ask(move |queue| queue.lead(lead)).await?.ok_or(Fault::NotFound)?;
    let frame = Frame::of(app, who).await?;
    let address = format!("/{}/{lead}", Shelf::of(stands.state).path());
    let body = detail::stopped(&stands, why, &form.text, &address);
    Ok((status, frame.page("Not done", "page", &body)).into_response())
}

fn to(page: &str) -> Response {
    Redirect::to(own_page(page)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_cannot_lead_away_from_the_desk() {
        for (page, ours) in [
            ("/queue?rival=o2", "/queue?rival=o2"),
            ("", "/queue"),
            ("//evil.example", "/queue"),
            ("/\\evil.example", "/queue"),
            ("https://evil.example", "/queue"),
            ("/a\r\nSet-Cookie: x", "/queue"),
        ] {
            assert_eq!(own_page(page), ours);
        }
        assert_eq!(saying("/queue?a=1", "saved"), "/queue?a=1&said=saved");
    }

    #[test]
    fn words_lose_what_browsers_add() {
        assert_eq!(words(" one\r\ntwo\r\n"), "one\ntwo");
    }
}
