//! The team: who is in it, in which role, inviting and letting go; tokens for integrations.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use maud::{Markup, html};
use serde::Deserialize;

use super::app::App;
use super::fault::Fault;
use super::frame::Frame;
use super::session::Who;
use super::{say, secret};
use crate::clock;
use crate::queue::{Link, LinkPurpose, Operator, OperatorId, Queue, QueueError, Role, Token};

/// How long an invitation may be used.
const INVITE_HOURS: i64 = 24;
/// What a token may do.
const SCOPES: [&str; 2] = ["read", "write"];

/// What the forms of this page carry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TeamForm {
    role: String,
    name: String,
    scopes: String,
}

/// What a role may do, in a line.
pub const fn role_says(role: Role) -> &'static str {
    match role {
        Role::Viewer => "reads",
        Role::Author => "also edits drafts, claims and writes notes",
        Role::Approver => "also approves, dismisses and snoozes",
        Role::Lead => "also pauses sending, takes over and tries rules",
        Role::Admin => "also manages people, tokens and sessions",
    }
}

/// The page.
pub async fn page(State(app): State<App>, who: Who) -> Result<Markup, Fault> {
    who.must_be(Role::Lead)?;
    let frame = Frame::of(&app, &who).await?;
    let read = |queue: &mut Queue| Ok::<_, QueueError>((queue.operators()?, queue.tokens()?));
    let (people, tokens) = app.store.ask(read).await?;
    let may = who.role() >= Role::Admin;
    let body = html! {
        h1 { "Team" }
        section.card { h2 { "People" } div.scrolls { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Second factor" } th scope="col" { "Since" } th scope="col" {} } }
            tbody { @for person in &people { (line(person, may, &frame)) } }
        } } }
        @if may { (invite_card()) (tokens_card(&tokens, &frame)) }
        section.card { h2 { "Roles" } dl.stack.tight { @for role in Role::ALL { div { dt { strong { (role) } } dd.soft { (role_says(role)) } } } } }
    };
    Ok(frame.page("Team", "page", &body))
}

fn line(person: &Operator, may: bool, frame: &Frame) -> Markup {
    let id = person.id.0;
    html! {
        tr {
            td { (person.name) @if !person.active { " " span.soft { "(left)" } } }
            td { @if may {
                form.inline method="post" action={ "/team/" (id) "/role" } {
                    label.unseen for={ "role-" (id) } { "Role of " (person.name) }
                    select id={ "role-" (id) } name="role" { @for role in Role::ALL { option value=(role) selected[role == person.role] { (role) } } }
                    button.quiet { "Set" }
                }
            } @else { (person.role) } }
            td { @if person.totp_secret.is_some() { "set up" } @else { span.soft { "none" } } }
            td { (say::ago(person.created_at, frame.now)) }
            td { @if may {
                form method="post" action={ "/team/" (id) (if person.active { "/let-go" } else { "/take-back" }) } {
                    button.quiet { @if person.active { "Let go" } @else { "Take back" } }
                }
            } }
        }
    }
}

fn invite_card() -> Markup {
    html! {
        section.card.stack {
            h2 { "Invite a colleague" }
            form.inline method="post" action="/team/invite" {
                label.unseen for="invite-role" { "Role" }
                select #invite-role name="role" { @for role in Role::ALL { option value=(role) selected[role == Role::Approver] { (role) ": " (role_says(role)) } } }
                button.primary { "Make a link" }
            }
            p.small.soft { "The link works once, for 24 hours. Whoever opens it chooses a name and a password." }
        }
    }
}

fn tokens_card(tokens: &[Token], frame: &Frame) -> Markup {
    html! {
        section.card.stack {
            h2 { "Integrations" }
            @for token in tokens {
                div.inline.ends {
                    span { strong { (token.name) } " may " (token.scopes) ", made by " (token.made_by) ", " (say::ago(token.created_at, frame.now)) }
                    @if token.revoked_at.is_some() { span.soft { "revoked" } } @else {
                        form method="post" action={ "/team/tokens/" (token.id) "/revoke" } { button.quiet { "Revoke" } }
                    }
                }
            }
            form.inline method="post" action="/team/tokens" {
                label { "Name" input name="name" required maxlength="60"; }
                label { "May" select name="scopes" { option value="read" { "read leads" } option value="read write" { "read leads and write outcomes" } } }
                button { "Make a token" }
            }
        }
    }
}

/// Makes an invitation and shows it once.
pub async fn invite(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    Form(form): Form<TeamForm>,
) -> Result<Markup, Fault> {
    who.must_be(Role::Admin)?;
    let role = Role::from_name(&form.role).ok_or(Fault::Unclear("Choose a role first."))?;
    let token = secret::token().ok_or(Fault::Unclear("The system gave no random numbers. Try again."))?;
    let expires_at = clock::now() + SignedDuration::from_hours(INVITE_HOURS);
    let link = Link { purpose: LinkPurpose::Invite(role), made_by: who.name().to_owned(), expires_at };
    let hash = secret::hash(&token);
    app.store.ask(move |queue| queue.add_link(&hash, &link)).await?;
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("");
    let scheme = if app.behind_tls { "https" } else { "http" };
    once(&app, &who, "Invitation", &format!("{scheme}://{host}/link/{token}")).await
}

/// Makes a token and shows it once.
pub async fn add_token(State(app): State<App>, who: Who, Form(form): Form<TeamForm>) -> Result<Markup, Fault> {
    who.must_be(Role::Admin)?;
    if form.name.trim().is_empty() || !form.scopes.split(' ').all(|scope| SCOPES.contains(&scope)) {
        return Err(Fault::Unclear("A token needs a name and what it may do."));
    }
    let token = secret::token().ok_or(Fault::Unclear("The system gave no random numbers. Try again."))?;
    let (hash, by) = (secret::hash(&token), who.name().to_owned());
    app.store.ask(move |queue| queue.add_token(&hash, form.name.trim(), &form.scopes, &by, clock::now())).await?;
    once(&app, &who, "Token", &token).await
}

async fn once(app: &App, who: &Who, title: &str, what: &str) -> Result<Markup, Fault> {
    let frame = Frame::of(app, who).await?;
    let body = html! {
        h1 { (title) }
        p { "Copy it now: it is shown only this once." }
        label { span.unseen { (title) } input readonly value=(what) size="90"; }
        a.button href="/team" { "Back to the team" }
    };
    Ok(frame.page(title, "page", &body))
}

/// Takes a token back.
pub async fn revoke(State(app): State<App>, who: Who, Path(token): Path<i64>) -> Result<Redirect, Fault> {
    who.must_be(Role::Admin)?;
    app.store.ask(move |queue| queue.revoke_token(token, who.name(), clock::now())).await?;
    Ok(Redirect::to("/team"))
}

/// Changes a role.
pub async fn set_role(
    State(app): State<App>,
    who: Who,
    Path(id): Path<i64>,
    Form(form): Form<TeamForm>,
) -> Result<Response, Fault> {
    let role = Role::from_name(&form.role).ok_or(Fault::Unclear("Choose a role first."))?;
    change(&app, who, move |queue, by| queue.set_role(OperatorId(id), role, by, clock::now())).await
}

/// Ends somebody's access, and their sessions with it.
pub async fn let_go(State(app): State<App>, who: Who, Path(id): Path<i64>) -> Result<Response, Fault> {
    change(&app, who, move |queue, by| queue.set_active(OperatorId(id), false, by, clock::now())).await
}

/// Gives somebody access again.
pub async fn take_back(State(app): State<App>, who: Who, Path(id): Path<i64>) -> Result<Response, Fault> {
    change(&app, who, move |queue, by| queue.set_active(OperatorId(id), true, by, clock::now())).await
}

async fn change(
    app: &App,
    who: Who,
    step: impl FnOnce(&mut Queue, &str) -> Result<(), QueueError> + Send + 'static,
) -> Result<Response, Fault> {
    who.must_be(Role::Admin)?;
    match app.store.ask(move |queue| step(queue, who.name())).await {
        Ok(()) => Ok(Redirect::to("/team").into_response()),
        Err(QueueError::Unusable(_)) => {
            Err(Fault::Unclear("The last admin must stay. Make somebody else admin first."))
        }
        Err(error) => Err(error.into()),
    }
}
