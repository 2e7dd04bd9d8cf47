//! What a request can end in besides a page, each with a next step.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::frame::sheet;
use super::taste::Taste;
use crate::queue::{DecisionError, QueueError, Role};

/// Why there is no page.
#[derive(Debug)]
pub enum Fault {
    /// Nobody is signed in, and a page was asked for.
    SignIn,
    /// Nobody is signed in, and a change was asked for.
    SignedOut,
    /// There is nothing there.
    NotFound,
    /// The role does not allow it; this one would.
    Needs(Role),
    /// What was sent cannot be read.
    Unclear(&'static str),
    /// The queue failed.
    Queue(QueueError),
}

impl From<QueueError> for Fault {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<DecisionError> for Fault {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::NotFound => Self::NotFound,
            DecisionError::Queue(error) => Self::Queue(error),
            other => Self::Queue(QueueError::Unusable(format!("{other}."))),
        }
    }
}

impl Fault {
    fn told(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::SignIn | Self::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "You are signed out",
                "Sign in, go back and send it again: your text is still there.".into(),
            ),
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "Nothing here", "It may have been erased, or the address has a slip.".into())
            }
            Self::Needs(role) => (
                StatusCode::FORBIDDEN,
                "Not yours to do",
                format!(
                    "This takes the role of {role}, or a second factor that you have not set up yet. Ask an admin, or see My account."
                ),
            ),
            Self::Unclear(what) => (StatusCode::UNPROCESSABLE_ENTITY, "That could not be read", (*what).into()),
            Self::Queue(error) => (StatusCode::INTERNAL_SERVER_ERROR, "The desk is in trouble", error.to_string()),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if matches!(self, Self::SignIn) {
            return Redirect::to("/sign-in").into_response();
        }
        let (status, title, what) = self.told();
        if let Self::Queue(error) = &self {
            tracing::error!(%error, "a page of the desk failed");
        }
        let body = html! { p { (what) } a.button href="/queue" { "Back to the queue" } };
        (status, sheet(Taste::default(), title, &body)).into_response()
    }
}

/// Any address that is none.
pub async fn not_found() -> Fault {
    Fault::NotFound
}
