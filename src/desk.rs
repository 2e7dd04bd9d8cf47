//! The desk: the web page where operators read leads and decide, served by the daemon.

mod act;
mod api;
mod app;
mod assets;
mod audit;
mod checks;
mod counter;
mod detail;
mod fault;
mod frame;
mod guard;
mod health;
mod help;
mod inert;
mod insights;
mod list;
mod live;
mod marks;
mod me;
mod password;
mod presence;
mod pulse;
mod row;
mod rules;
mod say;
mod search;
mod secret;
mod session;
mod shelf;
mod sign_in;
mod start;
mod store;
mod taste;
mod taste_page;
mod team;
mod watch;
#[cfg(test)]
mod tests;
mod throttle;
mod views;

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

pub use sign_in::sign_in_link;

use crate::engine::LiveEngine;
use app::App;

/// The largest form: a long reply, its note and a little more.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// A page that is not ready by then will not be.
const ANSWER_SECONDS_MAX: u64 = 30;

/// Gives all counters in the text form that Prometheus reads.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What the desk needs from the daemon.
pub struct Desk {
    /// Where it listens; bound by the caller, who can tell best what to do when the port is taken.
    pub listener: TcpListener,
    /// The queue's file, which the daemon has open.
    pub database: PathBuf,
    /// The rules in force.
    pub engine: Arc<LiveEngine>,
    /// The counters, when `/metrics` is to be served.
    pub metrics: Option<Metrics>,
    /// Whether browsers reach it through TLS: cookies are then bound to it.
    pub behind_tls: bool,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("listener", &self.listener)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Serves the desk until `shutdown` is done; open pages are told to go, so that it ends at once.
///
/// # Errors
/// The listener fails.
pub async fn serve(desk: Desk, shutdown: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    let (stop, stopped) = tokio::sync::watch::channel(());
    tokio::spawn(async move {
        shutdown.await;
        drop(stop);
    });
    let app = App::new(desk.database, desk.engine, desk.metrics, desk.behind_tls, stopped.clone());
    let mut stopped = stopped;
    axum::serve(desk.listener, router(app))
        .with_graceful_shutdown(async move { while stopped.changed().await.is_ok() {} })
        .await
}

/// Every address of the desk. Nothing is changed but by POST.
fn router(app: App) -> Router {
    let secure = app.behind_tls;
    Router::new()
        .route("/", get(list::home))
        .route("/{shelf}", get(list::shelf))
        .route("/{shelf}/{lead}", get(list::lead))
        .route("/watch", get(watch::page))
        .route("/watch/{row}/promote", post(watch::promote))
        .route("/leads/{lead}", get(list::any_shelf))
        .route("/leads/{lead}/approve", post(act::approve::run))
        .route("/leads/{lead}/dismiss", post(act::dismiss::run))
        .route("/leads/{lead}/snooze", post(act::snooze::run))
        .route("/leads/{lead}/edit", post(act::edit::run))
        .route("/leads/{lead}/undo", post(act::undo::run))
        .route("/leads/{lead}/claim", post(act::claim::run))
        .route("/leads/{lead}/release", post(act::release::run))
        .route("/leads/{lead}/note", post(act::note::run))
        .route("/leads/{lead}/never", post(act::never::run))
        .route("/leads/{lead}/open", post(act::open::run))
        .route("/leads/{lead}/posted", post(act::posted::run))
        .route("/leads/{lead}/not-posted", post(act::not_posted::run))
        .route("/leads/{lead}/reopen", post(act::reopen::run))
        .route("/bulk", post(act::bulk::run))
        .route("/pause", post(act::pause::stop))
        .route("/pause/end", post(act::pause::go_on))
        .route("/views", post(views::save))
        .route("/views/{view}/drop", post(views::drop_view))
        .route("/rules", get(rules::page))
        .route("/insights", get(insights::page))
        .route("/start", get(start::page))
        .route("/audit", get(audit::page))
        .route("/audit.csv", get(audit::csv))
        .route("/audit.json", get(audit::json))
        .merge(people())
        .nest("/api/v1", api())
        .route("/taste", post(taste_page::choose))
        .route("/help", get(taste_page::help))
        .route("/live", get(live::stream))
        .route("/sign-in", get(sign_in::page).post(sign_in::by_password))
        .route("/sign-out", post(sign_in::out))
        .route("/link/{token}", get(sign_in::link_page).post(sign_in::link_used))
        .route("/assets/desk.css", get(assets::style))
        .route("/assets/desk.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(fault::not_found)
        .with_state(app)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(guard::same_origin))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(ANSWER_SECONDS_MAX)))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(secure, guard::headers))
}

/// Accounts and the team.
fn people() -> Router<App> {
    Router::new()
        .route("/me", get(me::page))
        .route("/me/password", post(me::set_password))
        .route("/me/factor", post(me::set_factor))
        .route("/me/undo", post(me::set_undo))
        .route("/me/sessions/{session}/end", post(me::end_session))
        .route("/team", get(team::page))
        .route("/team/invite", post(team::invite))
        .route("/team/tokens", post(team::add_token))
        .route("/team/tokens/{token}/revoke", post(team::revoke))
        .route("/team/{operator}/role", post(team::set_role))
        .route("/team/{operator}/let-go", post(team::let_go))
        .route("/team/{operator}/take-back", post(team::take_back))
}

/// What integrations use; each request brings a token.
fn api() -> Router<App> {
    Router::new()
        .route("/leads", get(api::leads))
        .route("/leads/{lead}", get(api::lead))
        .route("/leads/{lead}/outcome", post(api::outcome))
        .fallback(api::nothing)
}
