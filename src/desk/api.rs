//! The HTTP JSON API for integrations: reads leads, writes outcomes; a token says who and what. See docs/openapi.json.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::inert::safe_link;
use super::search::Asked;
use super::secret;
use super::shelf::Shelf;
use crate::clock;
use crate::queue::{DecisionError, LeadId, QueueError, Token};

/// An integration that showed its token.
#[derive(Debug)]
pub struct Caller(Token);

/// What an answer other than the thing asked for says.
#[derive(Debug)]
pub struct ApiFault(StatusCode, String);

impl Caller {
    fn may(&self, scope: &str) -> Result<(), ApiFault> {
        let may = self.0.scopes.split(' ').any(|one| one == scope);
        if may { Ok(()) } else { Err(ApiFault(StatusCode::FORBIDDEN, format!("This token may not {scope}."))) }
    }

    /// As the audit names it.
    fn name(&self) -> String {
        format!("token:{}", self.0.name)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiFault> {
        let refused = || ApiFault(StatusCode::UNAUTHORIZED, "Send a token: Authorization: Bearer ...".into());
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(refused)?;
        let hash = secret::hash(token.trim());
        let known = app.store.ask(move |queue| queue.token(&hash)).await?;
        known.map(Self).ok_or_else(refused)
    }
}

impl From<QueueError> for ApiFault {
    fn from(error: QueueError) -> Self {
        tracing::error!(%error, "an answer of the API failed");
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<DecisionError> for ApiFault {
    fn from(error: DecisionError) -> Self {
        let status = match &error {
            DecisionError::NotFound => StatusCode::NOT_FOUND,
            DecisionError::Conflict(_) => StatusCode::CONFLICT,
            DecisionError::Queue(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, format!("{error}."))
    }
}

impl IntoResponse for ApiFault {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Which leads are asked for: a shelf and the same filters as the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AskedShelf {
    shelf: String,
}

/// A page of leads.
pub async fn leads(
    State(app): State<App>,
    caller: Caller,
    shelf: Result<Query<AskedShelf>, axum::extract::rejection::QueryRejection>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, ApiFault> {
    caller.may("read")?;
    let unclear = |_| ApiFault(StatusCode::BAD_REQUEST, "The query cannot be read.".into());
    let (Query(shelf), Query(asked)) = (shelf.map_err(unclear)?, asked.map_err(unclear)?);
    let name = if shelf.shelf.is_empty() { "queue" } else { &shelf.shelf };
    let shelf = Shelf::at(name).ok_or_else(|| ApiFault(StatusCode::BAD_REQUEST, "There is no such shelf.".into()))?;
    let filter = asked.filter(shelf, &caller.name(), clock::now());
    let (leads, next) = app.store.ask(move |queue| queue.leads(&filter)).await?;
    Ok(Json(json!({ "leads": leads, "after": next.map(|key| key.to_string()) })))
}

/// One lead.
pub async fn lead(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, ApiFault> {
    caller.may("read")?;
    let id = number(&id)?;
    let lead = app.store.ask(move |queue| queue.lead(id)).await?.ok_or(DecisionError::NotFound)?;
    Ok(Json(json!(lead)))
}

/// What an integration tells about a lead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// A note beside the lead.
    #[serde(default)]
    note: Option<String>,
    /// The reply was posted by hand; where.
    #[serde(default)]
    posted: Option<String>,
    /// The version it was posted from.
    #[serde(default)]
    version: Option<i64>,
}

/// Writes an outcome: a note, or that a handed-off reply was posted. An approval is for people only.
pub async fn outcome(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiFault> {
    caller.may("write")?;
    let id = number(&id)?;
    let told: Told =
        serde_json::from_slice(&body).map_err(|error| ApiFault(StatusCode::BAD_REQUEST, format!("{error}.")))?;
    let who = caller.name();
    let link = told.posted.as_deref().map(|link| safe_link(link).map(str::to_owned));
    if link == Some(None) {
        return Err(ApiFault(StatusCode::BAD_REQUEST, "\"posted\" must be a link.".into()));
    }
    let lead = app.store.ask(move |queue| {
        let now = clock::now();
        if let Some(note) = told.note.as_deref().filter(|note| !note.trim().is_empty()) {
            queue.note(id, note.trim(), &who, now)?;
        }
        if let (Some(link), Some(version)) = (link.flatten(), told.version) {
            queue.posted(id, version, &link, &who, now)?;
        }
        queue.lead(id)?.ok_or(DecisionError::NotFound)
    });
    Ok(Json(json!(lead.await?)))
}

/// Any other address below `/api`.
pub async fn nothing() -> ApiFault {
    ApiFault(StatusCode::NOT_FOUND, "There is nothing here.".into())
}

fn number(id: &str) -> Result<LeadId, ApiFault> {
    id.parse().map_err(|error: String| ApiFault(StatusCode::NOT_FOUND, format!("{error}.")))
}
