//! Asks the desk's router as a browser would: sign-in, list, detail, each decision, and what must be refused.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;

use super::app::App;
use super::{router, sign_in_link};
use crate::clock;
use crate::decide::History;
use crate::engine::{Engine, LiveEngine};
use crate::post::{Network, Post};
use crate::queue::{Batch, Judged, LeadId, Queue, State};
use crate::rules::{Rules, RulesSource};

const SAID: &str = "Switching from O2 to somebody else next week, signal is rubbish";

/// A desk over a queue with leads in it, and the cookie of its signed-in owner.
struct TestDesk {
    router: Router,
    queue: Queue,
    cookie: String,
    _folder: tempfile::TempDir,
    _stop: tokio::sync::watch::Sender<()>,
}

impl TestDesk {
    async fn with(texts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let rules = Rules::load(&RulesSource::default()).unwrap();
        let engine = Arc::new(LiveEngine::new(Engine::new(Arc::new(rules))));
        let mut queue = filled(&path, &engine.current(), texts);
        let link = sign_in_link(&mut queue, "http://desk.example", clock::now()).unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(());
        let app = App::new(path, engine, None, false, stopped);
        let mut desk = Self { router: router(app), queue, cookie: String::new(), _folder: folder, _stop: stop };
        let answer = desk.post(link.strip_prefix("http://desk.example").unwrap(), "").await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        desk.cookie = cookie.split(';').next().unwrap().to_owned();
        desk
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, page: &str) -> (StatusCode, String) {
        let request = Request::get(page).header(header::COOKIE, &self.cookie).body(Body::empty()).unwrap();
        text(self.send(request).await).await
    }

    async fn post(&self, page: &str, form: &str) -> Response {
        let request = Request::post(page)
            .header(header::COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Posts and says where it leads.
    async fn act(&self, page: &str, form: &str) -> String {
        let answer = self.post(page, form).await;
        let to = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        match to {
            Some(to) => to,
            None => format!("{:?}", text(answer).await),
        }
    }

    fn state(&self, lead: i64) -> State {
        self.queue.lead(LeadId(lead)).unwrap().unwrap().state
    }

    fn version(&self, lead: i64) -> i64 {
        self.queue.lead(LeadId(lead)).unwrap().unwrap().version
    }
}

fn filled(path: &Path, engine: &Engine, texts: &[&str]) -> Queue {
    let now = clock::now();
    let mut queue = Queue::open(path, now).unwrap();
    let judged = |(n, text): (usize, &&str)| {
        let mut post = Post::new(format!("p{n}"), *text);
        post.network = Network::Bluesky;
        post.author.handle = format!("person{n}.example");
        post.url = Some(format!("https://social.example/p{n}"));
        let findings = engine.judge(&post, &History::default(), now);
        Judged { post, findings, rules_version: engine.rules().version().into() }
    };
    let posts = texts.iter().enumerate().map(judged).collect();
    queue.commit(&Batch { posts, ..Batch::of("test") }, engine.rules().policy(), now).unwrap();
    queue
}

async fn text(answer: Response) -> (StatusCode, String) {
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 4 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_see_or_do() {
    let mut desk = TestDesk::with(&[SAID]).await;
    desk.cookie = "desk=wrong".into();
    for page in ["/", "/queue", "/queue/1", "/watch", "/help", "/live"] {
        assert_eq!(desk.get(page).await.0, StatusCode::SEE_OTHER, "{page}");
    }
    let answer = desk.post("/leads/1/approve", "version=1&text=hello").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(desk.state(1), State::New);
}

#[tokio::test]
async fn a_sign_in_link_works_once_and_looking_does_not_use_it() {
    let mut desk = TestDesk::with(&[]).await;
    let link = sign_in_link(&mut desk.queue, "", clock::now()).unwrap();
    assert!(desk.get(&link).await.1.contains("signs you in once"));
    assert_eq!(desk.post(&link, "").await.status(), StatusCode::SEE_OTHER);
    let (status, page) = text(desk.post(&link, "").await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("used already"));
}

#[tokio::test]
async fn the_list_and_the_lead_show_words_marks_and_points() {
    let desk = TestDesk::with(&[SAID]).await;
    let (status, list) = desk.get("/queue").await;
    assert_eq!(status, StatusCode::OK);
    assert!(list.contains("person0.example") && list.contains("<mark"), "{list}");
    let (_, lead) = desk.get("/queue/1").await;
    assert!(lead.contains("Should we enter?") && lead.contains("are about to leave"));
    assert!(lead.contains("name=\"version\" value=\"1\""));
}

#[tokio::test]
async fn an_approval_can_be_undone_and_then_handed_over() {
    let desk = TestDesk::with(&[SAID]).await;
    let to = desk.act("/leads/1/approve", "version=1&text=Northwind+Mobile+here,+happy+to+help&then=/queue").await;
    assert_eq!(to, "/queue");
    assert_eq!(desk.state(1), State::Approved);
    assert!(desk.get("/queue").await.1.contains("Undo until"));
    let undo = format!("version={}", desk.version(1));
    assert_eq!(desk.act("/leads/1/undo", &undo).await, "/queue/1?said=undone");
    assert_eq!(desk.state(1), State::New);
    let again = format!("version={}&text=Northwind+Mobile+here,+happy+to+help&then=/queue", desk.version(1));
    desk.act("/leads/1/approve", &again).await;
    desk.act("/leads/1/open", &format!("version={}", desk.version(1))).await;
    assert_eq!(desk.state(1), State::HandedOff);
    let posted = format!("version={}&url=https://social.example/ours", desk.version(1));
    desk.act("/leads/1/posted", &posted).await;
    assert_eq!(desk.state(1), State::Sent);
}

#[tokio::test]
async fn who_comes_second_learns_who_was_first_and_keeps_the_words() {
    let desk = TestDesk::with(&[SAID]).await;
    desk.act("/leads/1/dismiss", "version=1&reason=joke&then=/queue").await;
    assert_eq!(desk.state(1), State::Dismissed);
    let (status, page) =
        text(desk.post("/leads/1/approve", "version=1&text=Northwind+Mobile+here:+careful+words").await).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("careful words") && page.contains("Owner changed this lead"), "{page}");
}

#[tokio::test]
async fn a_red_check_blocks_approval_on_the_server_too() {
    let mut desk = TestDesk::with(&[SAID]).await;
    let (_, before) = desk.get("/queue/1").await;
    assert!(!before.contains("Approval is off"));
    desk.queue.claim(LeadId(1), "Ana", false, clock::now()).unwrap();
    assert!(desk.get("/queue/1").await.1.contains("Approval is off"));
    let form = format!("version={}&text=Northwind+Mobile+here", desk.version(1));
    let (status, page) = text(desk.post("/leads/1/approve", &form).await).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Ana is replying"), "{page}");
    assert_eq!(desk.state(1), State::New);
}

#[tokio::test]
async fn a_reply_that_does_not_fit_or_is_not_filled_in_is_refused() {
    let desk = TestDesk::with(&[SAID]).await;
    for (text, why) in [
        ("Northwind+Mobile+here+".repeat(20), "too long"),
        ("Northwind+Mobile+here,+hello+{name}".into(), "placeholder"),
        (String::new(), "no words"),
    ] {
        let (status, page) = text_of(&desk, &text).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        assert!(page.contains(why), "{page}");
    }
    assert_eq!(desk.state(1), State::New);
}

async fn text_of(desk: &TestDesk, words: &str) -> (StatusCode, String) {
    text(desk.post("/leads/1/approve", &format!("version=1&text={words}")).await).await
}

#[tokio::test]
async fn another_site_can_do_nothing_and_reading_changes_nothing() {
    let desk = TestDesk::with(&[SAID]).await;
    for site in ["cross-site", "same-site"] {
        let request = Request::post("/leads/1/dismiss")
            .header(header::COOKIE, &desk.cookie)
            .header("sec-fetch-site", site)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("version=1&reason=joke"))
            .unwrap();
        assert_eq!(desk.send(request).await.status(), StatusCode::FORBIDDEN);
    }
    for action in ["approve", "dismiss", "snooze", "undo", "claim", "open", "posted", "note", "never"] {
        let (status, _) = desk.get(&format!("/leads/1/{action}?version=1&reason=joke&text=x&minutes=5")).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{action}");
    }
    assert_eq!((desk.state(1), desk.version(1)), (State::New, 1));
}

#[tokio::test]
async fn hostile_words_come_out_as_words() {
    let hostile =
        "Leaving O2 next week <img src=x onerror=alert(1)> \u{202e}<script>alert(2)</script> signal is rubbish";
    let desk = TestDesk::with(&[hostile]).await;
    for page in ["/queue", "/queue/1", "/watch"] {
        let (_, html) = desk.get(page).await;
        assert!(!html.contains("<img") && !html.contains("<script>") && !html.contains('\u{202e}'), "{page}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_strict_policy() {
    let desk = TestDesk::with(&[]).await;
    for page in ["/sign-in", "/nowhere", "/assets/desk.css", "/healthz", "/readyz"] {
        let answer = desk.send(Request::get(page).body(Body::empty()).unwrap()).await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{page}");
    }
    let (status, _) = desk.get("/metrics").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn many_leads_are_dismissed_together_after_a_question() {
    let desk = TestDesk::with(&[SAID, &SAID.replace("O2", "EE"), &SAID.replace("O2", "Vodafone")]).await;
    let ask = "lead=1.1&lead=2.1&action=dismiss&reason=too_late&back=/queue";
    let (status, page) = text(desk.post("/bulk", ask).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Dismiss 2 leads"), "{page}");
    assert_eq!(desk.state(1), State::New);
    assert_eq!(desk.act("/bulk", &format!("{ask}&confirmed=yes")).await, "/queue");
    assert_eq!([desk.state(1), desk.state(2), desk.state(3)], [State::Dismissed, State::Dismissed, State::New]);
    let approve = desk.post("/bulk", "lead=3.1&action=approve&confirmed=yes").await;
    assert_eq!(approve.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_watched_post_can_be_made_a_lead() {
    let desk = TestDesk::with(&["My nan passed away and O2 signal is rubbish, leaving them next week"]).await;
    let (_, page) = desk.get("/watch").await;
    assert!(page.contains("held: bereavement"), "{page}");
    let to = desk.act("/watch/1/promote", "back=/watch").await;
    assert!(to.starts_with("/queue/1"), "{to}");
    assert!(desk.get("/queue/1").await.1.contains("promoted by hand"));
}
