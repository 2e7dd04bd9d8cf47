//! The web as we use it: bounded bodies, one honest name, and no way into the private network.

pub mod guard;
mod plain;
mod secret;
mod wait;

use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

pub use guard::{Reach, Resolver};
pub use plain::plain;
pub use secret::Secret;
pub use wait::{ASKED_HOURS_MAX, asked_until};

/// What we call ourselves to every server.
pub const USER_AGENT: &str = concat!("Jumpship/", env!("CARGO_PKG_VERSION"));
/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for a server named in the config: it follows no redirect and gives up after `patience`.
///
/// # Errors
/// The system has no usable TLS settings.
pub fn client(patience: Duration) -> reqwest::Result<Client> {
    builder().timeout(patience).build()
}

/// A client for addresses that others chose: it resolves names itself and only to where it may go.
///
/// # Errors
/// The system has no usable TLS settings.
pub fn guarded_client(patience: Duration, reach: Reach, resolver: Arc<dyn Resolver>) -> reqwest::Result<Client> {
    builder().timeout(patience).no_proxy().dns_resolver(guard::Filter::new(reach, resolver)).build()
}

fn builder() -> ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails only when another part of the program was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder().user_agent(USER_AGENT).connect_timeout(CONNECT).redirect(Policy::none())
}

/// Why a body could not be read.
#[derive(Debug)]
pub enum BodyError {
    /// It is longer than we take, unpacked.
    TooLong,
    /// The connection broke in the middle, or it could not be unpacked.
    Broken(reqwest::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the answer is longer than we take"),
            Self::Broken(cause) => write!(f, "the answer broke off: {}", words(cause)),
        }
    }
}

/// The body, at most `bytes_max` of it after unpacking. Memory never holds more than that and one chunk.
///
/// # Errors
/// It is longer or broke off.
pub async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(BodyError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong, down to its root, without the address: that may hold a secret.
#[must_use]
pub fn words(error: &reqwest::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    if std::ptr::addr_eq(root, std::ptr::from_ref(error)) { kind(error).to_owned() } else { root.to_string() }
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() { "it took too long" } else { "the request failed" }
}
