//! Works the desk in a real headless Chromium, by keyboard, without a script, on a small screen, against hostile text.

#[path = "desk_support/mod.rs"]
mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jumpship::queue::State;
use serde_json::{Value, json};
use support::{SAID, Served};

/// Texts that would act if any page let them.
const HOSTILE: [&str; 6] = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "\"><svg onload=window.hit=1>",
    "javascript:window.hit=1",
    "</textarea><script>window.hit=1</script>",
    "\u{202e}<a href=//evil.example>x</a>\u{0}",
];
/// How long the page may take to show what was done.
const WAIT: Duration = Duration::from_secs(15);

/// A WebDriver session: the few commands these tests need.
struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
}

impl Browser {
    /// Starts one; none when the programs are missing.
    async fn start() -> Option<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = Command::new("chromedriver");
        let driver = command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let http = reqwest::Client::new();
        let args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1440,900"];
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": args}, "goog:loggingPrefs": {"browser": "ALL"}}}});
        let base = format!("http://127.0.0.1:{port}/session");
        let began = Instant::now();
        while began.elapsed() < WAIT {
            if let Ok(answer) = http.post(&base).body(wanted.to_string()).send().await {
                let answer: Value = answer.json().await.ok()?;
                let id = answer["value"]["sessionId"].as_str()?;
                return Some(Self { driver, http, session: format!("{base}/{id}") });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}{path}", self.session)).body(body.to_string()).send().await;
        let answer: Value = answer.expect("a driver").json().await.expect("JSON");
        answer["value"].clone()
    }

    async fn go(&self, page: &str) {
        self.post("/url", json!({ "url": page })).await;
    }

    async fn js(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Presses keys, one after the other, on whatever has the focus.
    async fn keys(&self, keys: &str) {
        let presses: Vec<Value> = keys
            .chars()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})])
            .collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "k", "actions": presses}]})).await;
    }

    /// Waits until an expression is true.
    async fn until(&self, expression: &str) {
        let began = Instant::now();
        while began.elapsed() < WAIT {
            if self.js(&format!("return Boolean({expression})")).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let page = self.js("return location.href + ' ' + document.body.innerText.slice(0, 600)").await;
        panic!("not seen: {expression}\n{page}");
    }

    async fn sign_in(&self, desk: &Served) {
        self.go(&desk.link).await;
        self.js("document.querySelector('form button').click()").await;
        self.until("document.querySelector('.frame')").await;
    }

    /// What the console complained of: a refused script, a broken policy, a fault.
    async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        let lines = log.as_array().cloned().unwrap_or_default();
        lines.iter().filter(|line| line["level"] == "SEVERE").map(|line| line["message"].to_string()).collect()
    }

    async fn end(mut self) {
        let _ = self.http.delete(&self.session).send().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A browser, or the reason why this test says nothing.
async fn browser(test: &str) -> Option<Browser> {
    let browser = Browser::start().await;
    if browser.is_none() {
        assert!(std::env::var_os("JUMPSHIP_TEST_ALL").is_none(), "{test}: chromedriver and chromium are missing");
        eprintln!("SKIPPED {test}: chromedriver and chromium are not installed");
    }
    browser
}

fn leads(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{SAID}, day {n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_are_decided_by_keyboard_and_taken_back() {
    let Some(browser) = browser("keyboard").await else { return };
    let desk = Served::with(&leads(4)).await;
    browser.sign_in(&desk).await;
    browser.keys("j").await;
    browser.until("document.querySelector('.detail[data-id]')").await;
    let first =
        browser.js("return Number(document.querySelector('.detail').dataset.id)").await.as_i64().expect("a lead");
    browser.keys("a").await;
    browser
        .until(&format!("document.querySelector('.detail')?.dataset.id != {first} && document.querySelector('.toast')"))
        .await;
    assert_eq!(desk.lead(first).state, State::Approved);
    browser.keys("z").await;
    browser
        .until(&format!(
            "document.querySelector('.detail')?.dataset.id == {first} && !document.querySelector('form.toast')"
        ))
        .await;
    assert_eq!(desk.lead(first).state, State::New);
    browser.keys("d1").await;
    browser.until(&format!("document.querySelector('.detail')?.dataset.id != {first}")).await;
    assert_eq!(desk.lead(first).state, State::Dismissed);
    browser.keys("h2").await;
    browser.until("document.querySelectorAll('.row').length == 2").await;
    browser.keys("?").await;
    browser.until("document.querySelector('#help[open]')").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.end().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_leads_wait_behind_a_bar_until_asked_for() {
    let Some(browser) = browser("live").await else { return };
    let desk = Served::with(&leads(1)).await;
    browser.sign_in(&desk).await;
    browser.keys("j").await;
    browser.until("document.querySelector('.detail[data-id]')").await;
    desk.hear("later", &leads(2));
    browser.until("document.querySelector('a.fresh')?.textContent.startsWith('2')").await;
    assert_eq!(browser.js("return document.querySelectorAll('.row').length").await, json!(1));
    browser.keys(".").await;
    browser.until("document.querySelectorAll('.row').length == 3").await;
    browser.end().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_stays_text_in_every_place() {
    let Some(browser) = browser("hostile").await else { return };
    let texts: Vec<String> = HOSTILE.iter().map(|hostile| format!("{SAID} {hostile}")).collect();
    let desk = Served::with(&texts).await;
    for lead in 1..=HOSTILE.len() as i64 {
        let (mut queue, now) = (desk.queue(), jumpship::clock::now());
        queue.note(jumpship::queue::LeadId(lead), HOSTILE[lead as usize - 1], "Ana", now).expect("a note");
    }
    browser.sign_in(&desk).await;
    for page in [
        "/queue",
        "/watch",
        "/audit",
        "/rules?post=%3Cscript%3Ewindow.hit%3D1%3C/script%3E%20O2",
        "/queue?q=%22%3E%3Cscript%3Ewindow.hit=1",
    ] {
        browser.go(&format!("http://{}{page}", desk.address)).await;
        assert_eq!(browser.js("return window.hit ?? null").await, Value::Null, "{page}");
    }
    for lead in 1..=HOSTILE.len() {
        browser.go(&format!("http://{}/queue/{lead}", desk.address)).await;
        browser.until("document.querySelector('.detail[data-id]')").await;
        assert_eq!(browser.js("return window.hit ?? null").await, Value::Null);
        let links = "return [...document.links].filter(a => !['http:','https:'].includes(a.protocol)).length";
        assert_eq!(browser.js(links).await, json!(0));
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.end().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_without_a_script_and_on_a_small_screen() {
    let Some(browser) = browser("no script").await else { return };
    let desk = Served::with(&leads(2)).await;
    browser.sign_in(&desk).await;
    let device = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true}});
    browser.post("/goog/cdp/execute", device).await;
    for page in ["/queue", "/queue/1", "/watch", "/insights", "/rules", "/audit", "/team", "/me", "/start", "/help"] {
        browser.go(&format!("http://{}{page}", desk.address)).await;
        let wide = browser.js("return document.documentElement.scrollWidth - 390").await.as_i64();
        assert!(wide.is_some_and(|wide| wide <= 0), "{page} is {wide:?} px too wide at 390 px");
    }
    let off = json!({"cmd": "Emulation.setScriptExecutionDisabled", "params": {"value": true}});
    browser.post("/goog/cdp/execute", off).await;
    browser.go(&format!("http://{}/queue/1", desk.address)).await;
    let button = browser.post("/element", json!({"using": "css selector", "value": "button[data-approve]"})).await;
    let id = button.as_object().and_then(|found| found.values().next()?.as_str().map(str::to_owned)).expect("a button");
    browser.post(&format!("/element/{id}/click"), json!({})).await;
    let began = Instant::now();
    while desk.lead(1).state != State::Approved && began.elapsed() < WAIT {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(desk.lead(1).state, State::Approved);
    browser.end().await;
    desk.stop().await;
}
