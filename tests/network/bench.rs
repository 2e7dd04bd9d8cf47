//! Starts the servers of the bench and talks to them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest that anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A Node program that ends when this value does: it watches its stdin.
pub struct Server {
    child: Child,
    /// What it said when it was ready.
    pub facts: Value,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/network/bench")
}

/// Whether a package of the bench is installed. Says so loudly when it is not.
pub fn is_ready(package: &str) -> bool {
    let ready = folder().join("node_modules").join(package).is_dir();
    if !ready {
        let why = format!("tests/network/bench has no {package}: run `npm ci` there");
        assert!(std::env::var("JUMPSHIP_TEST_ALL").is_err(), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    ready
}

impl Server {
    pub fn start(script: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = Command::new("node")
            .arg(script)
            .args(args)
            .envs(env.iter().copied())
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node can be started");
        let mut first = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut first).expect("a ready line");
        let facts = serde_json::from_str(&first).unwrap_or_else(|e| panic!("{script}: {first:?}: {e}"));
        Self { child, facts }
    }

    pub fn fact(&self, name: &str) -> String {
        self.facts[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.facts)).to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// One client for all, as making one is slow; it keeps no connection, as each test has a runtime of its own.
fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        jumpship::source::install_tls();
        reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client")
    })
}

/// One HTTP call with a JSON answer; panics unless it succeeds.
pub async fn call(url: &str, body: Option<String>, bearer: Option<&str>) -> Value {
    let client = client();
    let mut request = match body {
        Some(body) => client.post(url).header("content-type", "application/json").body(body),
        None => client.get(url),
    };
    if let Some(token) = bearer {
        request = request.header("authorization", token);
    }
    let answer = request.send().await.unwrap_or_else(|e| panic!("{url}: {e}"));
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    assert!(status.is_success(), "{url}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// A relay and its side door.
pub struct Relay(pub Server);

impl Relay {
    pub fn synthetic() -> Self {
        Self(Server::start("relay.cjs", &["--synthetic"], &[]))
    }

    pub fn in_front_of(pds: &Server) -> Self {
        Self(Server::start("relay.cjs", &[], &[("PDS", &pds.fact("pds"))]))
    }

    /// The address for the config.
    pub fn host(&self) -> String {
        format!("ws://127.0.0.1:{}", self.0.facts["port"])
    }

    pub async fn control(&self, what: &str, body: &str) -> Value {
        call(&format!("{}/{what}", self.0.fact("control")), Some(body.to_owned()), None).await
    }

    pub async fn state(&self) -> Value {
        call(&format!("{}/state", self.0.fact("control")), None, None).await
    }

    pub async fn wait_for_subscriber(&self) {
        let begun = Instant::now();
        while self.state().await["subscribers"] == 0 {
            assert!(begun.elapsed() < PATIENCE, "nobody subscribes");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
