//! Hacker News against a server whose items come late, fail and vanish.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jumpship::source::hackernews::{HackerNews, Settings};
use serde_json::json;

use crate::rig::{Dice, Stored, broken, serve};

struct Site {
    newest: i64,
    dice: Dice,
    asked: BTreeMap<i64, u32>,
    gone: Vec<i64>,
}

type Shared = State<Arc<Mutex<Site>>>;

async fn item(State(site): Shared, Path(file): Path<String>) -> Response {
    let id: i64 = file.trim_end_matches(".json").parse().unwrap();
    let mut site = site.lock().unwrap();
    match site.dice.roll(25) {
        0 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        1 => return broken(),
        _ => {}
    }
    let times = site.asked.entry(id).or_default();
    *times += 1;
    // Every third item is not there when it is first asked for.
    if id % 3 == 0 && *times < 3 {
        return Json(json!(null)).into_response();
    }
    if site.gone.contains(&id) {
        return Json(json!({"id": id, "deleted": true})).into_response();
    }
    Json(json!({"id": id, "by": "ann", "time": 1_790_000_000, "text": format!("No signal in street {id}")}))
        .into_response()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_cuts_lose_nothing_and_repeat_nothing() {
    let site = Site { newest: 1_000, dice: Dice(11), asked: BTreeMap::new(), gone: vec![] };
    let site = Arc::new(Mutex::new(site));
    let routes = Router::new()
        .route("/v0/maxitem.json", get(|State(site): Shared| async move { Json(site.lock().unwrap().newest) }))
        .route(
            "/v0/updates.json",
            get(|State(site): Shared| async move { Json(json!({"items": site.lock().unwrap().gone})) }),
        )
        .route("/v0/item/{file}", get(item))
        .with_state(Arc::clone(&site));
    let server = serve(routes).await;
    let source = || {
        let settings =
            Settings { server: server.parse().unwrap(), every: Duration::from_millis(2), ..Settings::named("hn") };
        Box::new(HackerNews::new(settings).unwrap())
    };
    let mut stored = Stored::default();
    stored.listen(source(), 1, Duration::from_secs(5)).await;
    for cut in 0..100 {
        site.lock().unwrap().newest += 3;
        let most = if cut % 3 == 0 { Duration::from_millis(3) } else { Duration::from_secs(5) };
        stored.listen(source(), 1, most).await;
    }
    let expected = 301;
    for _ in 0..200 {
        if stored.created.len() < expected {
            stored.listen(source(), 1, Duration::from_millis(300)).await;
        }
    }
    println!("{expected} items, {} told, {} twice", stored.created.len(), stored.twice());
    assert_eq!((stored.created.len(), stored.twice()), (expected, 0));
    site.lock().unwrap().gone.push(1_100);
    for _ in 0..20 {
        site.lock().unwrap().newest += 1;
        stored.listen(source(), 1, Duration::from_secs(5)).await;
    }
    assert!(stored.deleted.contains(&"1100".to_owned()), "what is gone is told");
}
