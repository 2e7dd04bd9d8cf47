//! Signing in: by a one-time link or an invitation, by password and code, and out again.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

use super::app::App;
use super::fault::Fault;
use super::frame::sheet;
use super::session::{self, Who};
use super::taste::Taste;
use super::{password, secret};
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

/// What the sign-in and invitation forms carry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    name: String,
    password: String,
    code: String,
}

/// Where somebody without a session lands.
pub async fn page(headers: HeaderMap) -> Markup {
    form(&headers, None)
}

fn form(headers: &HeaderMap, wrong: Option<&str>) -> Markup {
    let body = html! {
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form.stack method="post" action="/sign-in" data-plain {
            label { "Name" input name="name" autocomplete="username" required; }
            label { "Password" input type="password" name="password" autocomplete="current-password" required; }
            label { "Code from your app, if you have one" input name="code" inputmode="numeric" autocomplete="one-time-code"; }
            button.primary { "Sign in" }
        }
        p.small.soft { "First time? Open the sign-in link that Jumpship printed when it started, or an invitation. Each works once." }
    };
    sheet(Taste::of(headers), "Sign in", &body)
}

/// Signs in by name, password and code. The answer never says which of them was wrong.
pub async fn by_password(
    State(app): State<App>,
    headers: HeaderMap,
    Form(sent): Form<SignInForm>,
) -> Result<Response, Fault> {
    let now = clock::now();
    if let Some(seconds) = app.throttle.wait_seconds(&sent.name, now) {
        let wrong = format!("Too many tries. Wait {seconds} seconds.");
        return Ok((StatusCode::TOO_MANY_REQUESTS, form(&headers, Some(&wrong))).into_response());
    }
    let name = sent.name.clone();
    let known = app.store.ask(move |queue| check(queue, &sent, now)).await?;
    app.throttle.tried(&name, known.is_some(), now);
    match known {
        Some(operator) => enter(&app, operator, &headers).await,
        None => {
            tracing::warn!("a sign-in by password failed");
            Ok((StatusCode::UNAUTHORIZED, form(&headers, Some("Name, password or code is not right."))).into_response())
        }
    }
}

fn check(queue: &mut Queue, sent: &SignInForm, now: Timestamp) -> Result<Option<OperatorId>, QueueError> {
    let operator = queue.operator_named(&sent.name)?.filter(|operator| operator.active);
    let stored = operator.as_ref().and_then(|operator| operator.password_hash.as_deref());
    let knows = password::is_right(&sent.password, stored);
    let secret = operator.as_ref().and_then(|operator| operator.totp_secret.as_deref());
    let has = secret.is_none_or(|secret| password::code_is_right(secret, &sent.code, now));
    Ok(operator.filter(|_| knows && has).map(|operator| operator.id))
}

async fn enter(app: &App, operator: OperatorId, headers: &HeaderMap) -> Result<Response, Fault> {
    let cookie = session::begin(app, operator, headers).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/queue")).into_response())
}

/// Shows what a link is for. Looking does not use it up: mail scanners look, too.
pub async fn link_page(State(app): State<App>, Path(token): Path<String>, headers: HeaderMap) -> Result<Markup, Fault> {
    let hash = secret::hash(&token);
    let link = app.store.ask(move |queue| queue.link(&hash, clock::now())).await?;
    let (title, body) = match link.map(|link| link.purpose) {
        Some(LinkPurpose::SignIn(_)) => (
            "Sign in",
            html! {
                p { "This link signs you in once, on this browser." }
                form method="post" data-plain { button.primary autofocus { "Sign in" } }
            },
        ),
        Some(LinkPurpose::Invite(role)) => ("Join the team", join(role, None)),
        None => ("Sign in", spent()),
    };
    Ok(sheet(Taste::of(&headers), title, &body))
}

fn spent() -> Markup {
    html! { p { "This link was used already, or its time is over. Ask for another one." } }
}

fn join(role: Role, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        p { "You are invited as " (role) "." }
        form.stack method="post" data-plain {
            label { "Your name, as colleagues will see it" input name="name" autocomplete="username" maxlength="60" required; }
            label { "Password, 12 characters or more" input type="password" name="password" autocomplete="new-password" minlength="12" required; }
            button.primary { "Join" }
        }
    }
}

/// Uses a link up and begins a session.
pub async fn link_used(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<SignInForm>,
) -> Result<Response, Fault> {
    let hash = secret::hash(&token);
    let taste = Taste::of(&headers);
    match app.store.ask(move |queue| use_up(queue, &hash, &sent, clock::now())).await? {
        Used::In(operator) => enter(&app, operator, &headers).await,
        Used::Again(role, why) => Ok(sheet(taste, "Join the team", &join(role, Some(&why))).into_response()),
        Used::Spent => Ok(sheet(taste, "Sign in", &spent()).into_response()),
    }
}

/// What came of using a link.
enum Used {
    /// It lets this operator in.
    In(OperatorId),
    /// The invitation stands, but what was sent with it will not do.
    Again(Role, String),
    /// It was used, or is too old.
    Spent,
}

fn use_up(queue: &mut Queue, hash: &[u8], sent: &SignInForm, now: Timestamp) -> Result<Used, QueueError> {
    if let Some(Link { purpose: LinkPurpose::Invite(role), .. }) = queue.link(hash, now)? {
        if let Some(why) = password::refused(&sent.password, &sent.name) {
            return Ok(Used::Again(role, why.to_owned()));
        }
        if sent.name.trim().is_empty() || queue.operator_named(sent.name.trim())?.is_some() {
            return Ok(Used::Again(role, "Somebody here has that name already. Choose another.".to_owned()));
        }
    }
    let Some(link) = queue.use_link(hash, now)? else { return Ok(Used::Spent) };
    match link.purpose {
        LinkPurpose::SignIn(operator) => Ok(Used::In(operator)),
        LinkPurpose::Invite(role) => {
            let operator = queue.add_operator(sent.name.trim(), role, &link.made_by, now)?;
            queue.set_password_hash(operator, password::hash(&sent.password).as_deref(), sent.name.trim(), now)?;
            Ok(Used::In(operator))
        }
    }
}

/// Ends the session.
pub async fn out(State(app): State<App>, who: Who) -> Result<impl IntoResponse, Fault> {
    let (session, name) = (who.session, who.name().to_owned());
    app.store.ask(move |queue| queue.end_session(session, &name, clock::now())).await?;
    let cookie = session::ended(app.behind_tls);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/sign-in")))
}
