//! One's own account: password, second factor, undo time, and the browsers that are signed in.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::act::UNDO_CHOICES;
use super::app::App;
use super::fault::Fault;
use super::frame::Frame;
use super::session::Who;
use super::{password, say};
use crate::clock;
use crate::queue::{Role, Session};

/// What the forms of this page carry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MeForm {
    old: String,
    new: String,
    secret: String,
    code: String,
    undo_seconds: u32,
}

/// The page.
pub async fn page(State(app): State<App>, who: Who) -> Result<Markup, Fault> {
    let frame = Frame::of(&app, &who).await?;
    let id = who.operator.id;
    let sessions = app.store.ask(move |queue| queue.sessions(id)).await?;
    let body = html! {
        header { h1 { (who.name()) } p.soft { "You are " (who.operator.role) "." } }
        @if who.role() < who.operator.role {
            p.notice.warn { "Your role needs a second factor. Until you set one up below, you may read and write drafts." }
        }
        (password_card(&who))
        (factor_card(&who))
        (undo_card(&who))
        (sessions_card(&sessions, who.session, frame.now))
    };
    Ok(frame.page("My account", "page", &body))
}

fn password_card(who: &Who) -> Markup {
    html! {
        section.card.stack {
            h2 { "Password" }
            @if who.operator.password_hash.is_none() { p.soft { "You sign in by link. With a password you can sign in anywhere." } }
            form.stack.tight method="post" action="/me/password" data-plain {
                input type="hidden" name="username" autocomplete="username" value=(who.name());
                @if who.operator.password_hash.is_some() {
                    label { "Present password" input type="password" name="old" autocomplete="current-password" required; }
                }
                label { "New password, 12 characters or more" input type="password" name="new" autocomplete="new-password" minlength="12" required; }
                div { button { "Set the password" } }
                p.small.soft { "This signs you out everywhere." }
            }
        }
    }
}

fn factor_card(who: &Who) -> Markup {
    let fresh = password::fresh_secret().map(|secret| password::readable(&secret)).unwrap_or_default();
    html! {
        section.card.stack {
            h2 { "Second factor" }
            @if who.operator.totp_secret.is_some() { p { "It is set up. Setting up another one replaces it." } }
            form.stack.tight method="post" action="/me/factor" data-plain {
                p { "Add this key to your authenticator app, then type the code that it shows." }
                p { code { (fresh) } }
                p.small { a href={ "otpauth://totp/Jumpship:desk?secret=" (fresh) "&issuer=Jumpship" } { "Open in an app on this device" } }
                input type="hidden" name="secret" value=(fresh);
                label { "Code" input name="code" inputmode="numeric" autocomplete="one-time-code" size="8" required; }
                div { button { "Set it up" } }
            }
        }
    }
}

fn undo_card(who: &Who) -> Markup {
    let chosen = who.operator.settings.get("undo_seconds").and_then(serde_json::Value::as_u64);
    html! {
        section.card.stack {
            h2 { "Time to undo" }
            form.inline method="post" action="/me/undo" {
                label.unseen for="undo" { "Seconds" }
                select #undo name="undo_seconds" {
                    @for seconds in UNDO_CHOICES { option value=(seconds) selected[chosen == Some(seconds.into())] { (seconds) " seconds" } }
                }
                button { "Save" }
            }
        }
    }
}

fn sessions_card(sessions: &[Session], mine: i64, now: jiff::Timestamp) -> Markup {
    html! {
        section.card.stack {
            h2 { "Where you are signed in" }
            div.scrolls { table {
                thead { tr { th scope="col" { "Browser" } th scope="col" { "Last seen" } th scope="col" { "Since" } th scope="col" {} } }
                tbody { @for session in sessions {
                    tr {
                        td { (session.agent) @if session.id == mine { " " strong { "(this one)" } } }
                        td { (say::ago(session.seen_at, now)) }
                        td { (say::ago(session.created_at, now)) }
                        td { form method="post" action={ "/me/sessions/" (session.id) "/end" } { button.quiet { "End" } } }
                    }
                } }
            } }
        }
    }
}

/// Sets the password and ends all sessions.
pub async fn set_password(State(app): State<App>, who: Who, Form(form): Form<MeForm>) -> Result<Response, Fault> {
    if let Some(why) = password::refused(&form.new, who.name()) {
        return Err(Fault::Unclear(why));
    }
    let wait = app.throttle.wait_seconds(who.name(), clock::now());
    let done = app
        .store
        .ask(move |queue| {
            let stored = who.operator.password_hash.as_deref();
            if wait.is_some() || (stored.is_some() && !password::is_right(&form.old, stored)) {
                return Ok::<_, crate::queue::QueueError>(None);
            }
            let hash = password::hash(&form.new);
            queue.set_password_hash(who.operator.id, hash.as_deref(), who.name(), clock::now())?;
            Ok(Some(()))
        })
        .await?;
    done.ok_or(Fault::Unclear("The present password is not right."))?;
    Ok(Redirect::to("/sign-in").into_response())
}

/// Sets the second factor once its first code is right.
pub async fn set_factor(State(app): State<App>, who: Who, Form(form): Form<MeForm>) -> Result<Redirect, Fault> {
    let secret = password::from_readable(&form.secret).ok_or(Fault::Unclear("The key is not one of ours."))?;
    if !password::code_is_right(&secret, &form.code, clock::now()) {
        return Err(Fault::Unclear("That code is not right. Check the clock of your device and try the next one."));
    }
    app.store.ask(move |queue| queue.set_totp_secret(who.operator.id, Some(&secret), who.name(), clock::now())).await?;
    Ok(Redirect::to("/me?said=saved"))
}

/// Chooses how long decisions can be undone.
pub async fn set_undo(State(app): State<App>, who: Who, Form(form): Form<MeForm>) -> Result<Redirect, Fault> {
    let mut settings = who.operator.settings.clone();
    if !settings.is_object() {
        settings = json!({});
    }
    settings["undo_seconds"] = json!(form.undo_seconds);
    app.store.ask(move |queue| queue.set_settings(who.operator.id, &settings)).await?;
    Ok(Redirect::to("/me?said=saved"))
}

/// Ends one session: one's own, or anybody's for an admin.
pub async fn end_session(State(app): State<App>, who: Who, Path(session): Path<i64>) -> Result<Redirect, Fault> {
    let (id, is_admin) = (who.operator.id, who.role() >= Role::Admin);
    let own = app.store.ask(move |queue| queue.sessions(id)).await?.iter().any(|one| one.id == session);
    if !own && !is_admin {
        return Err(Fault::NotFound);
    }
    app.store.ask(move |queue| queue.end_session(session, who.name(), clock::now())).await?;
    Ok(Redirect::to(if own { "/me" } else { "/team" }))
}
