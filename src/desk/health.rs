//! What machines ask the desk: alive, ready, counters.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::app::App;

/// Answers as long as the process does.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Whether the queue answers.
pub async fn ready(State(app): State<App>) -> Response {
    match app.store.ask(|queue| queue.latest_change()).await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

/// All counters, when the daemon serves them here.
pub async fn metrics(State(app): State<App>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match &app.metrics {
        Some(metrics) => ([(header::CONTENT_TYPE, kind)], metrics()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
