//! One call to a network's API, and what it means for the reply when it fails.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::Trouble;
use crate::clock;
use crate::web;

/// The longest answer of an API that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// The most of a server's own words that is kept, in characters.
const WORDS_MAX: usize = 200;

/// What the server said, unless it said nothing we can rely on.
#[derive(Debug)]
pub(super) struct Answer {
    /// 2xx, 3xx or 4xx.
    pub status: StatusCode,
    /// The body; `null` when it is not JSON.
    pub body: Value,
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        self.status.is_success()
    }

    /// The error's name, as AT protocol servers write it, else an empty one.
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// What the server says was wrong, cut to a line.
    pub fn words(&self) -> String {
        let message = self.body["message"].as_str().or(self.body["error_description"].as_str()).unwrap_or_default();
        let words = format!("{} {} {message}", self.status.as_u16(), self.error()).replace(char::is_control, " ");
        words.trim().chars().take(WORDS_MAX).collect()
    }
}

/// Makes the call. A 5xx answer proves nothing: servers have been seen to store a post and answer 504.
pub(super) async fn call(request: RequestBuilder) -> Result<Answer, Trouble> {
    let response = request.send().await.map_err(|error| meaning(&error))?;
    let status = response.status();
    let until = web::asked_until(response.headers(), clock::now());
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Trouble::NotSent { until, why: "429: the network asks us to wait".to_owned() });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Err(Trouble::Unclear(status.to_string()));
    }
    let body = web::body(response, ANSWER_BYTES_MAX).await.map_err(|e| Trouble::Unclear(e.to_string()))?;
    Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// Only a call that never reached the server is certain to have done nothing.
fn meaning(error: &reqwest::Error) -> Trouble {
    let why = web::words(error);
    if error.is_connect() || error.is_builder() { Trouble::not_sent(why) } else { Trouble::Unclear(why) }
}
