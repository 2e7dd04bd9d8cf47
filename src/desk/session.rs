//! Who is asking: the operator behind the session cookie, and what their role allows.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jiff::{SignedDuration, Timestamp};

use super::app::App;
use super::fault::Fault;
use super::secret;
use super::taste::{Taste, cookie};
use crate::clock;
use crate::queue::{Operator, OperatorId, Queue, QueueError, Role};

/// A session ends after this long without a request.
const IDLE_HOURS_MAX: i64 = 8;
/// A session ends after this long in any case.
const SESSION_DAYS_MAX: i64 = 7;
/// How exactly the last request is remembered.
const TOUCH_SECONDS: i64 = 60;
/// How much of the browser's name is kept for the list of sessions.
const AGENT_CHARS_MAX: usize = 200;

/// The operator who is asking.
#[derive(Debug, Clone)]
pub struct Who {
    /// Who.
    pub operator: Operator,
    /// By which session.
    pub session: i64,
    /// What their browser prefers.
    pub taste: Taste,
    /// The address they asked for, with its query.
    pub here: String,
}

impl Who {
    /// Their name, as the audit keeps it.
    pub fn name(&self) -> &str {
        &self.operator.name
    }

    /// What they may do now. Who signs in with a password and may approve needs a second factor for it.
    pub fn role(&self) -> Role {
        let bare = self.operator.password_hash.is_some() && self.operator.totp_secret.is_none();
        if bare { self.operator.role.min(Role::Author) } else { self.operator.role }
    }

    /// Refuses what their role does not allow.
    pub fn must_be(&self, role: Role) -> Result<(), Fault> {
        if self.role() >= role { Ok(()) } else { Err(Fault::Needs(role)) }
    }
}

impl FromRequestParts<App> for Who {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let refused = || if parts.method.is_safe() { Fault::SignIn } else { Fault::SignedOut };
        let Some(token) = cookie(&parts.headers, cookie_name(app.behind_tls)) else { return Err(refused()) };
        let hash = secret::hash(token);
        let found = app.store.ask(move |queue| live_session(queue, &hash, clock::now())).await?;
        let (session, operator) = found.ok_or_else(refused)?;
        let here = parts.uri.path_and_query().map_or("/queue", |path| path.as_str()).to_owned();
        Ok(Self { operator, session, taste: Taste::of(&parts.headers), here })
    }
}

impl OptionalFromRequestParts<App> for Who {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Fault> {
        Ok(<Self as FromRequestParts<App>>::from_request_parts(parts, app).await.ok())
    }
}

fn live_session(queue: &mut Queue, hash: &[u8], now: Timestamp) -> Result<Option<(i64, Operator)>, QueueError> {
    let Some((session, operator)) = queue.session(hash, now)? else { return Ok(None) };
    let idle = now.duration_since(session.seen_at);
    if idle > SignedDuration::from_hours(IDLE_HOURS_MAX) {
        return Ok(None);
    }
    if idle.as_secs() >= TOUCH_SECONDS {
        queue.touch_session(session.id, now)?;
    }
    Ok(Some((session.id, operator)))
}

/// Begins a session and gives the cookie that carries it.
pub async fn begin(app: &App, operator: OperatorId, headers: &HeaderMap) -> Result<String, Fault> {
    let token = secret::token().ok_or(Fault::Unclear("The system gave no random numbers. Try again."))?;
    let hash = secret::hash(&token);
    let agent = headers.get("user-agent").and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let agent: String = agent.chars().take(AGENT_CHARS_MAX).collect();
    let now = clock::now();
    let until = now + SignedDuration::from_hours(24 * SESSION_DAYS_MAX);
    app.store.ask(move |queue| queue.add_session(&hash, operator, &agent, until, now)).await?;
    Ok(session_cookie(app.behind_tls, &token, SESSION_DAYS_MAX * 86_400))
}

/// The cookie that ends a session in the browser.
pub fn ended(behind_tls: bool) -> String {
    session_cookie(behind_tls, "", 0)
}

fn session_cookie(behind_tls: bool, token: &str, seconds: i64) -> String {
    let secure = if behind_tls { "; Secure" } else { "" };
    format!("{}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", cookie_name(behind_tls))
}

/// `__Host-` binds the cookie to this host and to TLS; browsers refuse it without TLS.
const fn cookie_name(behind_tls: bool) -> &'static str {
    if behind_tls { "__Host-desk" } else { "desk" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
        let plain = session_cookie(false, "t", 60);
        assert_eq!(plain, "desk=t; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
        let tls = session_cookie(true, "t", 60);
        assert_eq!(tls, "__Host-desk=t; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
    }
}
