//! `jumpship run`: the daemon, or with `--once` one visit for cron.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::daemon::{self, Daemon};
use super::{Exit, fail};
use crate::config::{self, Config};
use crate::pipeline::{self, Level, Parts};
use crate::source::{Health, Source};
use crate::telemetry::{LogFormat, Metrics, start_log};

/// The longest one visit may take unless told otherwise.
const VISIT: &str = "10m";
/// What to do when the desk's address is taken.
const LISTEN_ADVICE: &str =
    "Choose another with --listen 127.0.0.1:7879, or with `listen` under [desk] in jumpship.toml.";

/// Listen to the sources, queue leads and serve the desk
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,
    /// Serve the desk here instead
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Catch up from where the last run ended, then stop; no desk (for cron)
    #[arg(long)]
    once: bool,
    /// With --once: stop after so long even if there is more, such as 90s or 10m
    #[arg(long = "for", value_name = "TIME", default_value = VISIT, requires = "once", value_parser = parse_time)]
    wait_max: Duration,
    /// How the log on stderr is written; JUMPSHIP_LOG sets how much
    #[arg(long, value_name = "FORM", default_value = "auto")]
    log: LogFormat,
}

/// Where the config and the database are.
#[derive(Debug, Clone, clap::Args)]
pub struct PlaceArgs {
    /// Use this config instead of ./jumpship.toml or the one in your config folder
    #[arg(long, value_name = "FILE", env = "JUMPSHIP_CONFIG")]
    pub config: Option<PathBuf>,
    /// Keep everything in this database instead
    #[arg(long, value_name = "FILE", env = "JUMPSHIP_DATABASE")]
    pub database: Option<PathBuf>,
}

impl PlaceArgs {
    /// The config they name.
    ///
    /// # Errors
    /// The exit, after it was said what is wrong.
    pub fn read(&self) -> Result<Config, Exit> {
        let mut config = Config::read(config::find(self.config.clone()).as_deref()).map_err(fail)?;
        if let Some(database) = &self.database {
            config.database.clone_from(database);
        }
        Ok(config)
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let mut config = match args.place.read() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if let Err(error) = args.listen.map_or(Ok(()), |listen| config.desk.move_to(listen)) {
        return fail(error);
    }
    start_log(args.log, if args.once { "error" } else { "info" });
    if args.once { visit(&config, args.wait_max) } else { stay(config) }
}

fn stay(config: Config) -> Exit {
    let sources = match sources(&config) {
        Ok(sources) => sources,
        Err(exit) => return exit,
    };
    Daemon {
        rules: daemon::rules_source(&config.rules),
        sources,
        database: config.database,
        publish: config.publish,
        desk: config.desk,
        listen_advice: LISTEN_ADVICE,
        greeting: "Jumpship listens. Open the desk with this link; it works once:",
    }
    .run()
}

fn sources(config: &Config) -> Result<Vec<Box<dyn Source>>, Exit> {
    config.sources.iter().map(pipeline::build).collect::<Result<_, _>>().map_err(fail)
}

/// One visit: silent when all is well.
fn visit(config: &Config, wait_max: Duration) -> Exit {
    daemon::hush_panics();
    let opened = daemon::engine(&daemon::rules_source(&config.rules))
        .and_then(|engine| Ok((engine, daemon::queue(&config.database)?)));
    let (engine, queue) = match opened {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let stop = CancellationToken::new();
    let parts = Parts { queue, engine, metrics: Metrics::default(), stop: stop.clone() };
    let sources = match sources(config) {
        Ok(sources) => sources,
        Err(exit) => return exit,
    };
    let healths: Vec<Health> = sources.iter().map(|source| source.health()).collect();
    let work = async {
        daemon::listen_to_signals(stop.clone(), Arc::new(Notify::new()));
        let stopping = async {
            let level = tokio::select! {
                level = pipeline::wait_until_level(&healths, wait_max) => level,
                () = stop.cancelled() => Level::TimeUp,
            };
            stop.cancel();
            level
        };
        tokio::join!(pipeline::run(parts, sources), stopping)
    };
    match daemon::block_on(work) {
        Err(exit) => exit,
        Ok((Err(error), _)) => fail(error),
        Ok((Ok(_), level)) => report(&level, &healths),
    }
}

/// Says what was not well: sources that failed, stretches that may be missing, lines that were left out.
fn report(level: &Level, healths: &[Health]) -> Exit {
    let mut exit = Exit::Ok;
    if let Level::Failed(failed) = level {
        for (name, why) in failed {
            eprintln!("jumpship: {name} cannot be heard: {why}");
        }
        exit = Exit::Partly;
    }
    for view in healths.iter().map(Health::view) {
        for gap in &view.last_gaps {
            eprintln!("jumpship: {}: posts may be missing: {}.", view.name, gap.why);
            exit = Exit::Partly;
        }
    }
    exit
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "write a time such as 90s, 10m or 1h".to_owned())?;
    Duration::try_from(time).map_err(|_| "a time cannot be negative".to_owned())
}
