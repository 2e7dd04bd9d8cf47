//! `jumpship doctor`: looks at everything a run needs and says, for each, whether it is well and what to do.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use super::Exit;
use super::daemon;
use super::run::PlaceArgs;
use crate::clock;
use crate::config::{Config, SourceConfig, SourceKind};
use crate::engine::Engine;
use crate::pipeline;
use crate::queue::{Queue, QueueError};
use crate::rules::Rules;
use crate::source::install_tls;
use crate::source::jetstream::Jetstream;

/// A clock that is off by more than this makes lags, expiry and quiet hours wrong.
const CLOCK_SECONDS_MAX: i64 = 30;
/// The longest that asking a server for its time may take.
const ASK_WAIT_MAX: Duration = Duration::from_secs(10);

/// Check config, rules, database, the reach of each source and the clock
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,
    /// Do not try to reach anything on the network
    #[arg(long)]
    offline: bool,
}

/// One thing looked at.
enum Finding {
    Well(String),
    /// Works, but somebody should know.
    Note(String),
    Ill(String),
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let config = match args.place.read() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let mut ill = 0_u32;
    let mut show = |what: &str, finding: Finding| {
        let (mark, words) = match finding {
            Finding::Well(words) => ("ok", words),
            Finding::Note(words) => ("note", words),
            Finding::Ill(words) => {
                ill += 1;
                ("FAIL", words)
            }
        };
        println_or_quit(&format!(
            "{mark:<4}  {what:<18}  {}",
            words.trim_end().replace('\n', "\n                          ")
        ));
    };
    show("config", look_at_config(&config));
    show("rules", look_at_rules(&config));
    show("database", look_at_database(&config.database));
    show("desk", look_at_desk(&config));
    for source in &config.sources {
        show(&source.name, look_at_source(source, args.offline));
    }
    show("clock", look_at_clock(&config, args.offline));
    if ill == 0 { Exit::Ok } else { Exit::Partly }
}

/// A reader that went away, such as `head`, is no fault.
fn println_or_quit(line: &str) {
    use std::io::Write;
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(Exit::Ok as i32);
    }
}

fn look_at_config(config: &Config) -> Finding {
    match &config.file {
        Some(file) => Finding::Well(format!("{} is read", file.display())),
        None => Finding::Well("no jumpship.toml: running on defaults".to_owned()),
    }
}

fn look_at_rules(config: &Config) -> Finding {
    match Rules::load(&daemon::rules_source(&config.rules)) {
        Ok(rules) => {
            let engine = Engine::new(std::sync::Arc::new(rules));
            let rules = engine.rules();
            let home = rules.home().map_or("nobody", |home| home.name.as_str());
            Finding::Well(format!(
                "version {}: {} signals, {} holds, {} offers; home is {home}",
                rules.version(),
                rules.signals().len(),
                rules.holds().len(),
                rules.offers().len()
            ))
        }
        Err(report) => Finding::Ill(report.to_string()),
    }
}

fn look_at_database(path: &Path) -> Finding {
    match Queue::open_shared(path).and_then(|queue| queue.check(false)) {
        Ok(()) => Finding::Well(format!("{} is sound", path.display())),
        Err(QueueError::Missing { .. }) => {
            Finding::Note(format!("{} does not exist yet; `run` makes it", path.display()))
        }
        Err(error) => Finding::Ill(error.to_string()),
    }
}

fn look_at_desk(config: &Config) -> Finding {
    let listen = config.desk.listen;
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Finding::Well(format!("{listen} is free")),
        Err(error) => Finding::Note(format!(
            "{listen} cannot be used now: {error}. A running Jumpship holds it; else choose another `listen` under [desk]."
        )),
    }
}

fn look_at_source(source: &SourceConfig, offline: bool) -> Finding {
    match &source.kind {
        SourceKind::Bluesky { .. } if offline => Finding::Note("not asked".to_owned()),
        SourceKind::Bluesky { .. } => {
            let settings = pipeline::bluesky(source).expect("it is a Bluesky source");
            match daemon::block_on(Jetstream::probe(&settings)) {
                Ok(Ok(name)) => Finding::Well(format!("{name} answers")),
                Ok(Err(said)) => Finding::Ill(format!("no server answers:\n{said}\nCheck the network and `hosts`.")),
                Err(_) => Finding::Ill("could not be asked.".to_owned()),
            }
        }
        SourceKind::Feed { url, every, .. } => {
            Finding::Note(format!("{url}, asked every {} minutes", every.as_secs() / 60))
        }
        SourceKind::HackerNews => Finding::Note("every item, by number".to_owned()),
        SourceKind::Jsonl { path, .. } if path.as_os_str() == "-" => Finding::Well("standard input".to_owned()),
        SourceKind::Jsonl { path, .. } => match std::fs::File::open(path) {
            Ok(_) => Finding::Well(format!("{} can be read", path.display())),
            Err(e) => {
                Finding::Ill(format!("{} cannot be read: {e}. Check the path and who may read it.", path.display()))
            }
        },
    }
}

fn look_at_clock(config: &Config, offline: bool) -> Finding {
    let Some(url) = config.sources.iter().filter(|_| !offline).find_map(asked_for_time) else {
        return Finding::Note(format!("{} by this machine; no server was asked", clock::now()));
    };
    match daemon::block_on(server_time(&url)) {
        Ok(Ok(off)) if off.as_secs().abs() <= CLOCK_SECONDS_MAX => Finding::Well("agrees with the servers".to_owned()),
        Ok(Ok(off)) => Finding::Ill(format!("is off by {} s. Set it, best by NTP.", off.as_secs())),
        _ => Finding::Note("could not be compared: no server told its time".to_owned()),
    }
}

/// A web address on the host of a source.
fn asked_for_time(source: &SourceConfig) -> Option<String> {
    let SourceKind::Bluesky { hosts, .. } = &source.kind else { return None };
    Some(hosts.first()?.0.replacen("ws", "http", 1))
}

/// How far our clock is ahead of the `Date` a server sends.
async fn server_time(url: &str) -> Result<SignedDuration, String> {
    install_tls();
    let client = reqwest::Client::builder().timeout(ASK_WAIT_MAX).build().map_err(|e| e.to_string())?;
    let answer = client.head(url).send().await.map_err(|e| e.to_string())?;
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).ok_or("no date")?;
    let theirs = jiff::fmt::rfc2822::parse(date).map_err(|e| e.to_string())?.timestamp();
    Ok(clock::now().duration_since(theirs))
}
