//! Speaks HTTP to a real desk: races for one lead, live changes, a quick end with open pages.

#[path = "desk_support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jumpship::queue::State;
use reqwest::StatusCode;
use reqwest::redirect::Policy;
use support::{SAID, Served};

/// A signed-in client, as a browser of that operator would be.
async fn client(desk: &Served) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let answer = client
        .post(&desk.link)
        .header("sec-fetch-site", "same-origin")
        .form(&[("name", "")])
        .send()
        .await
        .expect("an answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let headers = [("cookie", cookie), ("sec-fetch-site", "same-origin".into())];
    let headers = headers.into_iter().map(|(k, v)| (k.parse().expect("a name"), v.parse().expect("a value"))).collect();
    reqwest::Client::builder().redirect(Policy::none()).default_headers(headers).build().expect("a client")
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{SAID}, day {n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_approve_one_lead_exactly_one_wins() {
    const LEADS: i64 = 5;
    const CLIENTS: usize = 20;
    let desk = Served::with(&texts(LEADS as usize)).await;
    let client = client(&desk).await;
    for lead in 1..=LEADS {
        let page = format!("http://{}/leads/{lead}/approve", desk.address);
        let tries = (0..CLIENTS).map(|n| {
            let (client, page) = (client.clone(), page.clone());
            let words = format!("Northwind Mobile here, try {n}");
            async move {
                let form = [("version", "1"), ("text", &words), ("then", "/queue")];
                let answer = client.post(page).form(&form).send().await.expect("an answer");
                (answer.status(), answer.text().await.expect("a page").contains(&words))
            }
        });
        let answers = futures_util::future::join_all(tries).await;
        let won = answers.iter().filter(|(status, _)| *status == StatusCode::SEE_OTHER).count();
        let kept = answers.iter().filter(|(status, kept)| *status == StatusCode::CONFLICT && *kept).count();
        assert_eq!((won, kept), (1, CLIENTS - 1), "lead {lead}: {answers:?}");
        assert_eq!(desk.lead(lead).state, State::Approved);
    }
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_hear_of_new_leads_by_number_only() {
    let desk = Served::with(&[]).await;
    let client = client(&desk).await;
    let answer = client.get(format!("http://{}/live", desk.address)).send().await.expect("a stream");
    let mut stream = answer.bytes_stream();
    desk.hear("later", &texts(1));
    let mut heard = String::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !heard.contains("event: leads") && Instant::now() < deadline {
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.expect("in time");
        heard.push_str(&String::from_utf8_lossy(&chunk.expect("open").expect("bytes")));
    }
    assert!(heard.contains("\"leads\":[1]"), "{heard}");
    assert!(!heard.contains("signal") && !heard.contains("person"), "{heard}");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_at_once_with_twenty_pages_open() {
    let desk = Served::with(&[]).await;
    let client = client(&desk).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut stream =
            client.get(format!("http://{}/live", desk.address)).send().await.expect("a stream").bytes_stream();
        stream.next().await.expect("a first event").expect("bytes");
        open.push(stream);
    }
    let began = Instant::now();
    desk.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_colleague_needs_a_second_factor_to_approve() {
    let desk = Served::with(&texts(1)).await;
    let admin = client(&desk).await;
    let at = |page: &str| format!("http://{}{page}", desk.address);
    let page = admin.post(at("/team/invite")).form(&[("role", "approver")]).send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    let link = page
        .split("value=\"")
        .find(|part| part.contains("/link/"))
        .expect("a link")
        .split('"')
        .next()
        .expect("its end");
    let weak = [("name", "Ana"), ("password", "password1234")];
    let answer = admin.post(link).form(&weak).send().await.expect("an answer").text().await.expect("a page");
    assert!(answer.contains("first that anybody would guess"), "{answer}");
    let good = [("name", "Ana"), ("password", "four plain words here")];
    let answer = admin.post(link).form(&good).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let plain = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let form = [("version", "1"), ("text", "Northwind Mobile here")];
    let refused =
        plain.post(at("/leads/1/approve")).header("cookie", &cookie).form(&form).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let wrong =
        plain.post(at("/sign-in")).form(&[("name", "Ana"), ("password", "wrong")]).send().await.expect("an answer");
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let right = plain.post(at("/sign-in")).form(&good).send().await.expect("an answer");
    assert_eq!(right.status(), StatusCode::SEE_OTHER);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_reads_and_notes_but_never_approves() {
    let desk = Served::with(&texts(1)).await;
    let admin = client(&desk).await;
    let at = |page: &str| format!("http://{}{page}", desk.address);
    let form = [("name", "crm"), ("scopes", "read write")];
    let page =
        admin.post(at("/team/tokens")).form(&form).send().await.expect("an answer").text().await.expect("a page");
    let token = page
        .split("value=\"")
        .map(|part| part.split('"').next().unwrap_or(""))
        .find(|v| v.len() == 64)
        .expect("a token");
    let plain = reqwest::Client::new();
    let leads = plain.get(at("/api/v1/leads?rival=o2")).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(leads.status(), StatusCode::OK);
    assert!(leads.text().await.expect("JSON").contains("\"provider\":\"o2\""));
    let told = plain.post(at("/api/v1/leads/1/outcome")).bearer_auth(token).body("{\"note\":\"called them\"}");
    assert_eq!(told.send().await.expect("an answer").status(), StatusCode::OK);
    for (page, status) in
        [("/api/v1/leads/99", 404), ("/api/v1/leads/x", 404), ("/api/v1/leads?shelf=no", 400), ("/api/v1/no", 404)]
    {
        assert_eq!(plain.get(at(page)).bearer_auth(token).send().await.expect("an answer").status(), status, "{page}");
    }
    assert_eq!(plain.get(at("/api/v1/leads")).send().await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    assert_eq!(desk.lead(1).state, State::New);
    desk.stop().await;
}
