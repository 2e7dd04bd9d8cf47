//! Arguments that several commands share, and what they resolve to.

use std::path::PathBuf;

use super::{Exit, fail};
use crate::config::{self, Config};
use crate::queue::{Queue, QueueError};
use crate::rules::{DEFAULT_PACK, HomeChoice, Report, Rules, RulesSource};

/// Which rules to judge by.
#[derive(Debug, Clone, clap::Args)]
pub struct RulesArgs {
    /// Lay this folder of rules over the shipped ones (may be given again; the last wins)
    #[arg(long = "rules", value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// The shipped rules to start from; `none` for the folders alone
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PACK)]
    pub pack: String,
    /// Which provider is us; `none` makes every provider a rival
    #[arg(long, value_name = "NAME")]
    pub home: Option<String>,
}

impl RulesArgs {
    /// The source they name.
    #[must_use]
    pub fn source(&self) -> RulesSource {
        RulesSource {
            pack: (self.pack != "none").then(|| self.pack.clone()),
            folders: self.folders.clone(),
            home: match self.home.as_deref() {
                None => HomeChoice::AsRules,
                Some("none") => HomeChoice::Nobody,
                Some(name) => HomeChoice::Named(name.to_owned()),
            },
        }
    }

    /// The rules themselves.
    ///
    /// # Errors
    /// The report of what is wrong with them.
    pub fn load(&self) -> Result<Rules, Report> {
        Rules::load(&self.source())
    }
}

/// Which database to work on. The config names it; the user may name another.
#[derive(Debug, Clone, clap::Args)]
pub struct DatabaseArgs {
    /// The database; by default the one the config names, else the one in the user's state folder
    #[arg(long, value_name = "FILE", env = "JUMPSHIP_DATABASE")]
    pub database: Option<PathBuf>,
    /// The config; by default jumpship.toml here or in the user's config folder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl DatabaseArgs {
    /// The config they lead to.
    ///
    /// # Errors
    /// It is wrong; the user has been told.
    pub fn config(&self) -> Result<Config, Exit> {
        let file = config::find(self.config.clone());
        Config::read(file.as_deref()).map_err(|e| fail(format!("the config cannot be used: {e}")))
    }

    /// The path of the database.
    ///
    /// # Errors
    /// The config is wrong; the user has been told.
    pub fn path(&self) -> Result<PathBuf, Exit> {
        self.database.clone().map_or_else(|| Ok(self.config()?.database), Ok)
    }

    /// The database itself, beside a daemon that may be running.
    ///
    /// # Errors
    /// It cannot be used; the user has been told.
    pub fn open(&self) -> Result<Queue, Exit> {
        Queue::open_shared(&self.path()?).map_err(|e| queue_failed(&e))
    }

    /// The rules the config names, for their policy.
    ///
    /// # Errors
    /// They are wrong; the user has been told.
    pub fn rules(&self) -> Result<Rules, Exit> {
        let source = super::daemon::rules_source(&self.config()?.rules);
        Rules::load(&source).map_err(|report| fail(format!("the rules cannot be used:\n{report}")))
    }
}

/// Tells what is wrong with the database; another daemon on it has an exit code of its own.
pub fn queue_failed(error: &QueueError) -> Exit {
    let exit = fail(error);
    if matches!(error, QueueError::Busy { .. }) { Exit::Busy } else { exit }
}

/// Who decides at the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct OperatorArgs {
    /// Whose decision it is, for the audit
    #[arg(long = "as", value_name = "NAME", env = "USER", default_value = "command line")]
    pub operator: String,
}

/// Writes to standard output; a reader that has had enough is no failure.
pub fn print(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Exit {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match write(&mut out).and_then(|()| std::io::Write::flush(&mut out)) {
        Ok(()) => Exit::Ok,
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(e) => fail(format!("the output cannot be written: {e}.")),
    }
}
