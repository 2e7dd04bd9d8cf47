//! `jumpship demo`: an invented stream through the very same pipeline, into a database that is thrown away.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Exit;
use super::daemon::Daemon;
use super::fail;
use crate::config::{DESK_LISTEN, DeskConfig, PublishConfig};
use crate::rules::RulesSource;
use crate::source::jsonl::{Input, Jsonl, Settings};
use crate::telemetry::{LogFormat, start_log};

/// The invented stream.
const STREAM: &str = include_str!("../../data/demo.jsonl");

/// Show Jumpship at work on an invented stream: no network, no set-up, nothing kept
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Serve the desk here
    #[arg(long, value_name = "ADDRESS", default_value = DESK_LISTEN)]
    listen: SocketAddr,
    /// Play the stream so many times faster
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = parse_speed)]
    speed: f64,
    /// How the log on stderr is written; JUMPSHIP_LOG sets how much
    #[arg(long, value_name = "FORM", default_value = "auto")]
    log: LogFormat,
}

/// A folder that goes when this value does.
struct ThrowAway(PathBuf);

impl Drop for ThrowAway {
    fn drop(&mut self) {
        // What cannot be removed now, the system's own clearing of temporary files removes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    start_log(args.log, "warn");
    let folder = match throw_away() {
        Ok(folder) => folder,
        Err(e) => return fail(format!("no temporary folder can be made: {e}. Set TMPDIR to one that can be written.")),
    };
    play(&folder.0, args)
}

fn play(folder: &Path, args: &Args) -> Exit {
    let stream =
        Settings { name: "demo".to_owned(), input: Input::Text(STREAM.into()), follow: false, speed: Some(args.speed) };
    Daemon {
        database: folder.join("demo.db"),
        rules: RulesSource::default(),
        sources: vec![Box::new(Jsonl::new(stream))],
        publish: PublishConfig::default(),
        desk: DeskConfig { listen: args.listen, url: None, behind_tls: false },
        listen_advice: "Choose another with --listen 127.0.0.1:7879.",
        greeting: "An invented stream is playing; leads arrive as you watch. Ctrl-C ends it. The desk, by a link that works once:",
    }
    .run()
}

/// A new folder that only we may read.
fn throw_away() -> std::io::Result<ThrowAway> {
    let folder = std::env::temp_dir().join(format!("jumpship-demo-{}", uuid::Uuid::now_v7().simple()));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    Ok(ThrowAway(folder))
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "write a number such as 2 or 0.5".to_owned())?;
    if (0.01..=1_000.0).contains(&speed) { Ok(speed) } else { Err("write a number from 0.01 to 1000".to_owned()) }
}
