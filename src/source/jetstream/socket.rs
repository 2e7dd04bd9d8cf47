//! Opens a Jetstream socket: the address with its filter and cursor, TLS, bounds, and what a refusal means.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, http};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use super::position::Start;
use super::wire::{COLLECTION, Wire};
use crate::source::install_tls;

/// The longest a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The largest message that is taken; the server is asked not to send a larger one.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// An open stream.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server and the way it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address, such as `wss://jetstream.example`.
    pub host: Url,
    /// Which stream of it.
    pub wire: Wire,
}

/// Why there is no stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The server wants us to come back later.
    Later(Option<Duration>, String),
    /// The server does not take this cursor (or anything else we asked for).
    Request(String),
    /// There is no such server, or it does not speak this.
    Unreachable(String),
}

impl Endpoint {
    /// The host as cursors and people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.host.as_str().trim_end_matches('/')
    }

    /// The address to ask for posts and accounts from `start` on.
    #[must_use]
    pub fn address(&self, start: Start) -> Url {
        let mut url = self.host.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let (path, filter): (&str, &[(&str, &str)]) = match self.wire {
            Wire::V1 => ("/subscribe", &[("wantedCollections", COLLECTION)]),
            Wire::V2 => (
                "/xrpc/network.bsky.jetstream.subscribeEvents",
                &[("kinds", "commit"), ("kinds", "account"), ("collections", COLLECTION)],
            ),
        };
        url.set_path(&format!("{base}{path}"));
        url.query_pairs_mut().extend_pairs(filter).append_pair("maxMessageSizeBytes", &MESSAGE_BYTES_MAX.to_string());
        if let Some(cursor) = start.cursor() {
            url.query_pairs_mut().append_pair("cursor", &cursor.to_string());
        }
        url
    }

    /// Opens the stream.
    ///
    /// # Errors
    /// Why the server would not have us.
    pub async fn open(&self, start: Start) -> Result<Socket, Refusal> {
        install_tls();
        let request = request(&self.address(start)).map_err(|e| Refusal::Unreachable(e.to_string()))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        match timeout(CONNECT_TIMEOUT, connect_async_with_config(request, Some(config), true)).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(Error::Http(response))) => Err(refusal(&response)),
            Ok(Err(error)) => Err(Refusal::Unreachable(error.to_string())),
            Err(_) => Err(Refusal::Unreachable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
    }
}

fn request(address: &Url) -> Result<Request, Error> {
    let mut request = address.as_str().into_client_request()?;
    let agent = concat!("jumpship/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(agent));
    Ok(request)
}

fn refusal(response: &Response) -> Refusal {
    let status = response.status();
    let asked = retry_after(response.headers());
    let said = format!("the server answers {status}{}", said(response));
    match status {
        StatusCode::TOO_MANY_REQUESTS => Refusal::Later(asked, said),
        StatusCode::BAD_REQUEST => Refusal::Request(said),
        _ if status.is_server_error() && asked.is_some() => Refusal::Later(asked, said),
        _ => Refusal::Unreachable(said),
    }
}

/// The first words of the answer's body, without anything that could disturb a terminal.
fn said(response: &Response) -> String {
    let body = response.body().as_deref().unwrap_or_default();
    let text: String = String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(200).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}

/// `Retry-After` in seconds; the form with a date is rare and left to the backoff.
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, wire: Wire, start: Start) -> String {
        Endpoint { host: Url::parse(host).unwrap(), wire }.address(start).to_string()
    }

    #[test]
    fn addresses() {
        let v1 = "/subscribe?wantedCollections=app.bsky.feed.post&maxMessageSizeBytes=1048576";
        let v2 = "/xrpc/network.bsky.jetstream.subscribeEvents?kinds=commit&kinds=account\
                  &collections=app.bsky.feed.post&maxMessageSizeBytes=1048576";
        assert_eq!(address("wss://a.example", Wire::V1, Start::Live), format!("wss://a.example{v1}"));
        assert_eq!(address("wss://a.example/", Wire::V1, Start::Time(7)), format!("wss://a.example{v1}&cursor=7"));
        assert_eq!(
            address("ws://127.0.0.1:6008/x/", Wire::V2, Start::Seq(7)),
            format!("ws://127.0.0.1:6008/x{v2}&cursor=7")
        );
    }

    #[test]
    fn refusals() {
        let answer = |status: u16, wait: Option<&str>| {
            let mut response = http::Response::builder().status(status);
            if let Some(wait) = wait {
                response = response.header("Retry-After", wait);
            }
            refusal(&response.body(Some(b"{\"error\":\"E\x1b\"}".to_vec())).unwrap())
        };
        assert!(matches!(answer(429, Some("7")), Refusal::Later(Some(wait), _) if wait.as_secs() == 7));
        assert!(matches!(answer(429, None), Refusal::Later(None, _)));
        assert!(matches!(answer(503, Some("2")), Refusal::Later(Some(_), _)));
        assert!(matches!(answer(503, Some("soon")), Refusal::Unreachable(_)));
        assert!(matches!(answer(404, None), Refusal::Unreachable(_)));
        assert_eq!(
            answer(400, None),
            Refusal::Request("the server answers 400 Bad Request: {\"error\":\"E\"}".to_owned())
        );
    }
}
