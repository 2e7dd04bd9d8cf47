//! Chooses theme and keys for this browser, and shows the help page.

use axum::Form;
use axum::extract::State;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use maud::Markup;
use serde::Deserialize;

use super::act::own_page;
use super::app::App;
use super::fault::Fault;
use super::frame::Frame;
use super::help;
use super::session::Who;
use super::taste::Taste;

/// What the menu's form carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    theme: String,
    keys: String,
    back: String,
}

/// Keeps the choice in a cookie.
pub async fn choose(_who: Who, Form(chosen): Form<Chosen>) -> impl IntoResponse {
    let cookie = Taste::asked(&chosen.theme, &chosen.keys).cookie();
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(own_page(&chosen.back)))
}

/// The help page.
pub async fn help(State(app): State<App>, who: Who) -> Result<Markup, Fault> {
    let frame = Frame::of(&app, &who).await?;
    Ok(frame.page("Help", "page", &help::page()))
}
