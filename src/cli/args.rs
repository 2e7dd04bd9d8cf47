//! Arguments that several commands share, and what they resolve to.

use std::path::PathBuf;

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
