//! A real desk on a loopback port over a queue with invented leads, for the tests that speak HTTP to it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jumpship::clock;
use jumpship::decide::History;
use jumpship::desk::{self, Desk};
use jumpship::engine::{Engine, LiveEngine};
use jumpship::post::{Network, Post};
use jumpship::queue::{Batch, Judged, Lead, LeadId, Queue};
use jumpship::rules::{Rules, RulesSource};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A post that the shipped rules make a lead of.
pub const SAID: &str = "I'm leaving O2 next week, signal is rubbish";

/// A desk that is being served.
pub struct Served {
    /// Where.
    pub address: SocketAddr,
    /// A link that signs in once.
    pub link: String,
    database: PathBuf,
    engine: Arc<LiveEngine>,
    stop: Option<oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<std::io::Result<()>>,
    _queue: Queue,
    _folder: tempfile::TempDir,
}

impl Served {
    /// Serves a desk over leads made of these posts.
    pub async fn with(texts: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = folder.path().join("queue.db");
        let rules = Rules::load(&RulesSource::default()).expect("the shipped rules");
        let engine = Arc::new(LiveEngine::new(Engine::new(Arc::new(rules))));
        let mut queue = Queue::open(&database, clock::now()).expect("a new queue");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let link = desk::sign_in_link(&mut queue, &format!("http://{address}"), clock::now()).expect("a link");
        let (stop, stopped) = oneshot::channel();
        let made = Desk {
            listener,
            database: database.clone(),
            engine: Arc::clone(&engine),
            metrics: None,
            behind_tls: false,
        };
        let done = tokio::spawn(desk::serve(made, async move {
            let _ = stopped.await;
        }));
        let served = Self { address, link, database, engine, stop: Some(stop), done, _queue: queue, _folder: folder };
        served.hear("first", texts);
        served
    }

    /// Lets posts come in while the desk is open.
    pub fn hear(&self, batch: &str, texts: &[String]) {
        let (mut queue, engine, now) = (self.queue(), self.engine.current(), clock::now());
        let judged = |(n, text): (usize, &String)| {
            let mut post = Post::new(format!("{batch}-{n}"), text.clone());
            post.network = Network::Bluesky;
            post.author.handle = format!("person-{batch}-{n}.example");
            post.author.name = "Sam \"<b>Example</b>".to_owned();
            post.url = Some(format!("https://social.example/{batch}/{n}"));
            let findings = engine.judge(&post, &History::default(), now);
            Judged { post, findings, rules_version: engine.rules().version().into() }
        };
        let posts = texts.iter().enumerate().map(judged).collect();
        queue.commit(&Batch { posts, ..Batch::of("test") }, engine.rules().policy(), now).expect("a batch");
    }

    /// Another connection to its queue.
    pub fn queue(&self) -> Queue {
        Queue::open_shared(&self.database).expect("the queue is there")
    }

    /// One lead.
    pub fn lead(&self, id: i64) -> Lead {
        self.queue().lead(LeadId(id)).expect("a readable queue").expect("a lead")
    }

    /// Tells it to stop and waits until it has.
    pub async fn stop(mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.done.await.expect("no panic").expect("a clean end");
    }
}
