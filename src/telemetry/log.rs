//! The log on stderr: sentences for a person at a terminal, JSON for a machine.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// Sentences at a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Sentences.
    Human,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    fn is_json(self) -> bool {
        match self {
            Self::Auto => !io::stderr().is_terminal(),
            Self::Human => false,
            Self::Json => true,
        }
    }
}

/// Starts the log. `JUMPSHIP_LOG` sets what is told, such as `debug` or `jumpship::source=debug`.
pub fn start_log(format: LogFormat, usual: &str) {
    let filter = EnvFilter::try_from_env("JUMPSHIP_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // An error only says that a log runs already.
    let _ = if format.is_json() {
        builder.json().flatten_event(true).finish().try_init()
    } else {
        let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        builder.with_ansi(colours).finish().try_init()
    };
}
