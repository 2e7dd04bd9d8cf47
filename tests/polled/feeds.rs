//! Feeds against a server that fails, repeats, reorders, moves, packs bombs and points at our own network.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use jumpship::source::feed::{Feed, Settings};
use jumpship::source::{HealthView, State as SourceState};
use jumpship::web::{Reach, Resolver};

use crate::rig::{Dice, Stored, broken, serve};

const SOON: Duration = Duration::from_secs(5);

fn settings(url: &str, reach: Reach) -> Settings {
    let every = Duration::from_millis(2);
    Settings { name: "feed".into(), url: url.parse().unwrap(), every, reach, about: None }
}

fn feed(url: &str) -> Box<Feed> {
    Box::new(Feed::new(settings(url, Reach::Anywhere)).unwrap())
}

fn rss(ids: &[usize]) -> String {
    let item = |id: &usize| format!("<item><guid>{id}</guid><title>No signal in street {id}</title></item>");
    let items: String = ids.iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Forum</title>{items}</channel></rss>")
}

struct Forum {
    entries: usize,
    dice: Dice,
}

async fn moody(State(forum): State<Arc<Mutex<Forum>>>, headers: HeaderMap) -> Response {
    let mut forum = forum.lock().unwrap();
    let etag = format!("\"v{}\"", forum.entries);
    match forum.dice.roll(6) {
        0 => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        1 => return broken(),
        2 => return "not a feed".into_response(),
        3 if headers.get("if-none-match").is_some_and(|asked| asked.to_str().unwrap() == etag) => {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        _ => {}
    }
    // The last forty in any order, some of them twice.
    let mut shown: Vec<usize> = (forum.entries.saturating_sub(40)..forum.entries).collect();
    for i in 0..shown.len() {
        let with = usize::try_from(forum.dice.roll(shown.len() as u64)).unwrap();
        shown.swap(i, with);
    }
    shown.extend_from_within(..shown.len().min(3));
    ([("etag", etag)], rss(&shown)).into_response()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_cuts_lose_nothing_and_repeat_nothing() {
    let forum = Arc::new(Mutex::new(Forum { entries: 10, dice: Dice(7) }));
    let url = serve(Router::new().route("/rss", get(moody)).with_state(Arc::clone(&forum))).await + "/rss";
    let mut stored = Stored::default();
    for cut in 0..100 {
        forum.lock().unwrap().entries += 3;
        let most = if cut % 3 == 0 { Duration::from_millis(3) } else { SOON };
        stored.listen(feed(&url), 1, most).await;
    }
    let count = forum.lock().unwrap().entries;
    for _ in 0..50 {
        if stored.created.len() < count {
            stored.listen(feed(&url), 1, Duration::from_millis(300)).await;
        }
    }
    println!("{count} entries, {} told, {} twice", stored.created.len(), stored.twice());
    assert_eq!((stored.created.len(), stored.twice(), stored.edited), (count, 0, 0));
}

async fn state_of(url: &str) -> HealthView {
    let mut stored = Stored::default();
    let health = stored.listen(feed(url), 1, Duration::from_millis(800)).await;
    assert!(stored.created.is_empty());
    health
}

#[tokio::test]
async fn servers_are_obeyed() {
    let routes = Router::new()
        .route("/gone", get(|| async { StatusCode::GONE }))
        .route("/busy", get(|| async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")]) }))
        .route("/loop", get(|| async { (StatusCode::FOUND, [("location", "/loop")]) }))
        .route("/file", get(|| async { (StatusCode::FOUND, [("location", "file:///etc/hostname")]) }))
        .route("/word", get(|| async { (StatusCode::FOUND, [("location", "http://a:b@127.0.0.1/")]) }));
    let server = serve(routes).await;
    for (path, words) in [("gone", "gone for good"), ("loop", "redirects"), ("file", "not a web"), ("word", "password")]
    {
        let SourceState::Failed { why } = state_of(&format!("{server}/{path}")).await.state else { panic!("{path}") };
        assert!(why.contains(words), "{path}: {why}");
    }
    let state = state_of(&format!("{server}/busy")).await.state;
    assert!(matches!(state, SourceState::RateLimited { until } if until > jiff::Timestamp::now()), "{state:?}");
}

#[tokio::test]
async fn a_feed_that_moved_for_good_is_asked_at_its_new_place() {
    let old = Arc::new(AtomicU32::new(0));
    let asked = Arc::clone(&old);
    let routes = Router::new()
        .route(
            "/old",
            get(move || {
                asked.fetch_add(1, Ordering::Relaxed);
                async { (StatusCode::MOVED_PERMANENTLY, [("location", "/new")]) }
            }),
        )
        .route("/new", get(|| async { ([("etag", "W/\"odd, but theirs\"")], rss(&[1])) }));
    let url = serve(routes).await + "/old";
    let mut stored = Stored::default();
    stored.listen(feed(&url), 1, SOON).await;
    stored.listen(feed(&url), 1, Duration::from_millis(50)).await;
    assert_eq!((stored.created.len(), old.load(Ordering::Relaxed)), (1, 1));
    assert!(stored.cursor.unwrap().contains(r#"W/\"odd, but theirs\""#), "validators are kept word for word");
}

struct Liar(&'static str);

impl Resolver for Liar {
    fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let ip = self.0.parse().unwrap();
        Box::pin(async move { Ok(vec![ip]) })
    }
}

#[tokio::test]
async fn a_name_that_points_at_us_is_not_asked() {
    let hits = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&hits);
    let routes = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { rss(&[1]) }
    });
    let port = serve(routes).await.rsplit(':').next().unwrap().to_owned();
    for ip in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"] {
        let url = format!("http://feeds.example.com:{port}/rss");
        let feed = Feed::with_resolver(settings(&url, Reach::Public), Arc::new(Liar(ip))).unwrap();
        let health = Stored::default().listen(Box::new(feed), 1, Duration::from_millis(100)).await;
        assert!(matches!(health.state, SourceState::Failed { .. }), "{ip}: {:?}", health.state);
    }
    let direct = Feed::new(settings(&format!("http://127.0.0.1:{port}/rss"), Reach::Public)).unwrap();
    Stored::default().listen(Box::new(direct), 1, Duration::from_millis(100)).await;
    assert_eq!(hits.load(Ordering::Relaxed), 0, "our own network was asked");
}

/// The most memory this process ever had, in kilobytes.
fn memory_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_bomb_is_put_down_at_the_cap() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b' '; 16 << 20]).unwrap();
    let member = packed.finish().unwrap();
    let bomb: Arc<Vec<u8>> = Arc::new(member.repeat(128)); // 2 GiB when unpacked
    let routes =
        Router::new().route("/rss", get(move || async move { ([("content-encoding", "gzip")], bomb.to_vec()) }));
    let url = serve(routes).await + "/rss";
    let before = memory_max();
    let SourceState::Failed { why } = state_of(&url).await.state else { panic!("taken") };
    assert!(why.contains("longer than we take"), "{why}");
    let grown = memory_max().saturating_sub(before);
    println!("a bomb of 2 GiB cost {grown} kB");
    assert!(grown < 32 << 10, "{grown} kB");
}
