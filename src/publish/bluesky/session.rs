//! A signed-in account: the session is kept on disk and renewed in order, because signing in is rationed.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, RequestBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Settings;
use crate::clock;
use crate::publish::Trouble;
use crate::publish::call::{Answer, call};

/// After a refused password, so long nothing is tried: the network allows 30 sign-ins in 5 minutes and 300 a day.
const REFUSED_MINUTES: i64 = 15;

/// A session as the server gave it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// The account's DID.
    pub did: String,
    /// The handle or DID it was asked for, to notice when the config names another.
    #[serde(default)]
    identifier: String,
    access_jwt: String,
    refresh_jwt: String,
}

/// The account, signed in as needed.
pub(super) struct Account {
    settings: Settings,
    client: Client,
    /// Held during a renewal, so that two never cross.
    state: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    session: Option<Session>,
    refused_until: Option<Timestamp>,
}

impl Account {
    pub fn new(settings: Settings, client: Client) -> Self {
        let session = load(&settings.session_file).filter(|s: &Session| s.identifier == settings.identifier);
        Self { settings, client, state: Mutex::new(Held { session, refused_until: None }) }
    }

    /// The account's DID.
    pub async fn did(&self) -> Result<String, Trouble> {
        Ok(self.current().await?.did)
    }

    /// A reading call.
    pub async fn get(&self, method: &str, query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        self.call(|| self.request(Method::GET, method).query(query)).await
    }

    /// A writing call.
    pub async fn post(&self, method: &str, body: &Value) -> Result<Answer, Trouble> {
        self.call(|| self.request(Method::POST, method).json(body)).await
    }

    fn request(&self, verb: Method, method: &str) -> RequestBuilder {
        self.client.request(verb, format!("{}/xrpc/{method}", self.settings.service.as_str().trim_end_matches('/')))
    }

    /// Makes a call. One that is refused because the session is old did nothing, so it is made again.
    async fn call(&self, request: impl Fn() -> RequestBuilder) -> Result<Answer, Trouble> {
        let session = self.current().await?;
        let answer = call(request().bearer_auth(&session.access_jwt)).await?;
        if !is_expired(&answer) {
            return Ok(answer);
        }
        let session = self.renewed(&session).await?;
        call(request().bearer_auth(&session.access_jwt)).await
    }

    async fn current(&self) -> Result<Session, Trouble> {
        let mut held = self.state.lock().await;
        match &held.session {
            Some(session) => Ok(session.clone()),
            None => self.sign_in(&mut held).await,
        }
    }

    /// A session newer than `old`: somebody else's renewal counts.
    async fn renewed(&self, old: &Session) -> Result<Session, Trouble> {
        let mut held = self.state.lock().await;
        if let Some(session) = held.session.as_ref().filter(|s| s.access_jwt != old.access_jwt) {
            return Ok(session.clone());
        }
        let renewal = self.request(Method::POST, "com.atproto.server.refreshSession").bearer_auth(&old.refresh_jwt);
        let answer = call(renewal).await.map_err(Trouble::before_sending)?;
        if answer.is_ok() { self.keep(&mut held, answer.body) } else { self.sign_in(&mut held).await }
    }

    async fn sign_in(&self, held: &mut Held) -> Result<Session, Trouble> {
        let now = clock::now();
        if let Some(until) = held.refused_until.filter(|until| *until > now) {
            return Err(Trouble::NotSent { until: Some(until), why: "the account could not sign in".to_owned() });
        }
        let body = json!({ "identifier": self.settings.identifier, "password": self.settings.password.reveal() });
        let request = self.request(Method::POST, "com.atproto.server.createSession").json(&body);
        let answer = call(request).await.map_err(Trouble::before_sending)?;
        if answer.is_ok() {
            return self.keep(held, answer.body);
        }
        let until = Some(now + SignedDuration::from_mins(REFUSED_MINUTES));
        held.refused_until = until;
        held.session = None;
        Err(Trouble::NotSent { until, why: format!("the account could not sign in: {}", answer.words()) })
    }

    fn keep(&self, held: &mut Held, body: Value) -> Result<Session, Trouble> {
        let mut session: Session = serde_json::from_value(body)
            .map_err(|e| Trouble::not_sent(format!("the session is not understood: {e}")))?;
        session.identifier.clone_from(&self.settings.identifier);
        if let Err(e) = store(&self.settings.session_file, &session) {
            // It works without, until the next start signs in anew.
            tracing::warn!(error = %e, "The Bluesky session could not be kept on disk.");
        }
        held.session = Some(session.clone());
        held.refused_until = None;
        Ok(session)
    }
}

fn is_expired(answer: &Answer) -> bool {
    !answer.is_ok() && matches!(answer.error(), "ExpiredToken" | "InvalidToken")
}

fn load(path: &Path) -> Option<Session> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Writes the session beside its place and moves it there, readable by us alone.
fn store(path: &Path, session: &Session) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(&serde_json::to_vec(session)?)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_kept_for_us_alone_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session.json");
        let session = Session {
            did: "did:plc:desk".into(),
            identifier: "desk.example".into(),
            access_jwt: "a".into(),
            refresh_jwt: "r".into(),
        };
        for _ in 0..2 {
            store(&path, &session).unwrap();
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&path).unwrap().did, "did:plc:desk");
        std::fs::write(&path, "{half").unwrap();
        assert!(load(&path).is_none());
    }
}
