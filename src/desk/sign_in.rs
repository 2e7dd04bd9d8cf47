//! Signing in: by the one-time link that the daemon prints, and out again.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::app::App;
use super::fault::Fault;
use super::frame::sheet;
use super::secret;
use super::session::{self, Who};
use super::taste::Taste;
use crate::clock;
use crate::queue::{Link, LinkPurpose, OperatorId, Queue, QueueError, Role};

/// How long a sign-in link may be used.
const LINK_HOURS: i64 = 24;
/// What the first operator is called until somebody says otherwise.
const FIRST_NAME: &str = "Owner";

/// Makes a link that signs its reader in once: as the first admin, who is made if there is none.
///
/// # Errors
/// The queue fails.
pub fn sign_in_link(queue: &mut Queue, base_url: &str, now: Timestamp) -> Result<String, QueueError> {
    let operator = first_admin(queue, now)?;
    let token = secret::token().ok_or_else(|| QueueError::Unusable("the system gave no random numbers.".into()))?;
    let expires_at = now + SignedDuration::from_hours(LINK_HOURS);
    let link = Link { purpose: LinkPurpose::SignIn(operator), made_by: "system".into(), expires_at };
    queue.add_link(&secret::hash(&token), &link)?;
    Ok(format!("{}/link/{token}", base_url.trim_end_matches('/')))
}

fn first_admin(queue: &mut Queue, now: Timestamp) -> Result<OperatorId, QueueError> {
    let admins = queue.operators()?.into_iter().find(|one| one.active && one.role == Role::Admin);
    admins.map_or_else(|| queue.add_operator(FIRST_NAME, Role::Admin, "system", now), |admin| Ok(admin.id))
}

/// Where somebody without a session lands.
pub async fn page(headers: HeaderMap) -> Markup {
    let body = html! {
        p { "Open the sign-in link that Jumpship printed when it started. It works once." }
        p.soft { "Lost it? Run " code { "jumpship desk link" } " on the machine that Jumpship runs on." }
    };
    sheet(Taste::of(&headers), "Sign in", &body)
}

/// Shows what a link is for. Looking does not use it up: mail scanners look, too.
pub async fn link_page(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Markup, Fault> {
    let hash = secret::hash(&token);
    let link = app.store.ask(move |queue| queue.link(&hash, clock::now())).await?;
    let body = match link {
        Some(Link { purpose: LinkPurpose::SignIn(_), .. }) => html! {
            p { "This link signs you in once, on this browser." }
            form method="post" data-plain { button.primary autofocus { "Sign in" } }
        },
        _ => spent(),
    };
    Ok(sheet(Taste::of(&headers), "Sign in", &body))
}

fn spent() -> Markup {
    html! { p { "This link was used already, or its time is over. Ask for another one." } }
}

/// Uses a link up and begins a session.
pub async fn link_used(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let hash = secret::hash(&token);
    let link = app.store.ask(move |queue| queue.use_link(&hash, clock::now())).await?;
    match link {
        Some(Link { purpose: LinkPurpose::SignIn(operator), .. }) => {
            let cookie = session::begin(&app, operator, &headers).await?;
            Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/queue")).into_response())
        }
        _ => Ok(sheet(Taste::of(&headers), "Sign in", &spent()).into_response()),
    }
}

/// Ends the session.
pub async fn out(State(app): State<App>, who: Who) -> Result<impl IntoResponse, Fault> {
    let (session, name) = (who.session, who.name().to_owned());
    app.store.ask(move |queue| queue.end_session(session, &name, clock::now())).await?;
    let cookie = session::ended(app.behind_tls);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/sign-in")))
}
