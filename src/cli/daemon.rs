//! What `run` and `demo` share: start-up in order, the desk, signals, and an end within ten seconds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Exit, fail};
use crate::clock;
use crate::config::{DeskConfig, PublishConfig, RulesConfig};
use crate::desk::{self, Desk};
use crate::engine::{Engine, LiveEngine};
use crate::pipeline::{self, Parts};
use crate::queue::{Queue, QueueError};
use crate::rules::{HomeChoice, Rules, RulesSource};
use crate::source::{Health, HealthView, Source};
use crate::telemetry::{Metrics, SourceReading};

/// After the pipeline ended, threads that still wait for input are left behind after so long.
const LEAVE_WAIT: std::time::Duration = std::time::Duration::from_millis(200);

/// How long open pages, and then a reply under way, may take once the pipeline has ended.
const END_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// A daemon that is ready to run.
pub struct Daemon {
    /// The file to keep everything in.
    pub database: PathBuf,
    /// What to judge by.
    pub rules: RulesSource,
    /// What to listen to.
    pub sources: Vec<Box<dyn Source>>,
    /// Which networks are answered by API.
    pub publish: PublishConfig,
    /// How to serve the desk.
    pub desk: DeskConfig,
    /// How to name another address, for when this one is taken.
    pub listen_advice: &'static str,
    /// What to say at a terminal once the desk is up, before its link.
    pub greeting: &'static str,
}

/// The rules a config names.
pub fn rules_source(rules: &RulesConfig) -> RulesSource {
    RulesSource {
        pack: rules.pack.clone(),
        folders: rules.folders.clone(),
        home: match rules.home.as_deref() {
            None => HomeChoice::AsRules,
            Some("none") => HomeChoice::Nobody,
            Some(name) => HomeChoice::Named(name.to_owned()),
        },
    }
}

/// The engine for these rules.
///
/// # Errors
/// The exit, after the report was shown.
pub fn engine(source: &RulesSource) -> Result<Arc<LiveEngine>, Exit> {
    match Rules::load(source) {
        Ok(rules) => Ok(Arc::new(LiveEngine::new(Engine::new(Arc::new(rules))))),
        Err(report) => Err(fail(format!("the rules cannot be used:\n{report}"))),
    }
}

/// The database, with its lock.
///
/// # Errors
/// The exit, after it was said why.
pub fn queue(path: &std::path::Path) -> Result<Queue, Exit> {
    Queue::open(path, clock::now()).map_err(|error| {
        fail(&error);
        if matches!(error, QueueError::Busy { .. }) { Exit::Busy } else { Exit::Failed }
    })
}

/// A panic is told by its place only: its message may quote a post.
pub fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(place, "a fault in the program was caught");
    }));
}

/// Runs something to its end on a runtime of its own, leaving behind threads that wait for input.
///
/// # Errors
/// The exit, when the system gives no threads.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| fail(format!("the system gives no threads: {e}. Raise its limits, or try again later.")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LEAVE_WAIT);
    Ok(done)
}

impl Daemon {
    /// Runs until told to stop.
    pub fn run(self) -> Exit {
        hush_panics();
        let engine = match engine(&self.rules) {
            Ok(engine) => engine,
            Err(exit) => return exit,
        };
        let queue = match queue(&self.database) {
            Ok(queue) => queue,
            Err(exit) => return exit,
        };
        block_on(self.serve(engine, queue)).unwrap_or_else(|exit| exit)
    }

    async fn serve(self, engine: Arc<LiveEngine>, mut queue: Queue) -> Exit {
        let listener = match TcpListener::bind(self.desk.listen).await {
            Ok(listener) => listener,
            Err(error) => return fail(self.cannot_listen(&error)),
        };
        let (stop, ask, metrics) = (CancellationToken::new(), Arc::new(Notify::new()), Metrics::default());
        let healths: Vec<Health> = self.sources.iter().map(|source| source.health()).collect();
        listen_to_signals(stop.clone(), Arc::clone(&ask));
        tokio::spawn(pipeline::keep_reloaded(
            Arc::clone(&engine),
            self.rules.clone(),
            metrics.clone(),
            ask,
            stop.clone(),
        ));
        let sending = match self.start_sending(&engine, &stop) {
            Ok(sending) => sending,
            Err(why) => return fail(why),
        };
        let link = match self.link(&mut queue, &listener) {
            Ok(link) => link,
            Err(error) => return fail(error),
        };
        let desk = self.open_desk(listener, &link, Arc::clone(&engine), metrics.clone(), healths, stop.clone());
        let parts = Parts { queue, engine, metrics, stop };
        let done = pipeline::run(parts, self.sources).await;
        let _ = tokio::time::timeout(END_WAIT_MAX, desk).await;
        let _ = tokio::time::timeout(END_WAIT_MAX, sending).await;
        match done {
            Ok(totals) => {
                tracing::info!(posts = totals.posts, leads = totals.leads, "stopped");
                Exit::Ok
            }
            Err(error) => fail(error),
        }
    }

    /// Sends what is approved on the networks the config switches on. When the database fails, all ends.
    fn start_sending(&self, engine: &Arc<LiveEngine>, stop: &CancellationToken) -> Result<JoinHandle<()>, String> {
        let state = self.database.parent().unwrap_or(Path::new("")).to_owned();
        let publishers = pipeline::publishers(&self.publish, &state)?;
        let (database, engine, stop) = (self.database.clone(), Arc::clone(engine), stop.clone());
        Ok(tokio::spawn(async move {
            if let Err(error) = pipeline::send(&database, engine, publishers, stop.clone()).await {
                tracing::error!(%error, "nothing more can be sent; the program ends");
                stop.cancel();
            }
        }))
    }

    /// The link that signs the first operator in, once.
    fn link(&self, queue: &mut Queue, listener: &TcpListener) -> Result<String, QueueError> {
        let at = listener.local_addr().unwrap_or(self.desk.listen);
        let url = self.desk.url.clone().unwrap_or_else(|| format!("http://{at}"));
        desk::sign_in_link(queue, &url, clock::now())
    }

    fn cannot_listen(&self, error: &std::io::Error) -> String {
        let cause = match error.kind() {
            std::io::ErrorKind::AddrInUse => "is taken by another program".to_owned(),
            _ => format!("cannot be used ({error})"),
        };
        format!("the desk's address {} {cause}. {}", self.desk.listen, self.listen_advice)
    }
}

impl Daemon {
    /// Serves the desk until the end, and says where it is.
    fn open_desk(
        &self,
        listener: TcpListener,
        link: &str,
        engine: Arc<LiveEngine>,
        metrics: Metrics,
        healths: Vec<Health>,
        stop: CancellationToken,
    ) -> JoinHandle<()> {
        // Nobody may be reading.
        let _ = writeln!(std::io::stdout(), "{}\n{link}", self.greeting);
        let desk = Desk {
            listener,
            database: self.database.clone(),
            engine,
            metrics: Some(Arc::new(move || metrics.text(&readings(&healths)))),
            behind_tls: self.desk.behind_tls,
        };
        tokio::spawn(async move {
            let ended = stop.clone();
            if let Err(error) = desk::serve(desk, async move { ended.cancelled().await }).await {
                tracing::error!(%error, "the desk stopped, and with it everything");
                stop.cancel();
            }
        })
    }
}

/// What the sources say at this moment, for the counters.
pub fn readings(healths: &[Health]) -> Vec<SourceReading> {
    healths.iter().map(|health| reading(&health.view())).collect()
}

fn reading(view: &HealthView) -> SourceReading {
    SourceReading {
        source: view.name.clone(),
        state: view.state.as_str(),
        lag_ms: view.lag_ms,
        last_event_second: view.last_event_at.map(jiff::Timestamp::as_second),
        reconnects: view.reconnects,
        gaps: view.gaps,
    }
}

/// SIGTERM and SIGINT stop, SIGHUP reads the rules again.
pub fn listen_to_signals(stop: CancellationToken, reload: Arc<Notify>) {
    #[cfg(unix)]
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int), Ok(mut hup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
        else {
            tracing::warn!("signals cannot be heard; end the program by closing its terminal");
            return;
        };
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hup.recv() => reload.notify_one(),
            }
        }
        stop.cancel();
    });
    #[cfg(not(unix))]
    tokio::spawn(async move {
        let _reload = reload;
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
}
