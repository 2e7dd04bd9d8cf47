//! `jumpship check`: is this folder of rules right, and if not, which line, why, and what to write instead.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use super::args::RulesArgs;
use super::{Exit, fail};
use crate::check::{Checked, check};
use crate::clock;
use crate::rules::{CODES, Level, Sources, explain};

/// Check rules: can they be read, do their examples come out, may their offers be made, do they stay quiet
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to check, laid over the shipped rules; a folder with a pack.toml stands by itself
    dir: Option<PathBuf>,
    #[command(flatten)]
    rules: RulesArgs,
    /// Write the report as JSON
    #[arg(long)]
    json: bool,
    /// Count warnings as failure: exit 1
    #[arg(long)]
    strict: bool,
    /// Explain an error code, such as R012, and check nothing
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    if let Some(code) = &args.explain {
        return tell(code);
    }
    let mut rules = args.rules.clone();
    rules.folders.extend(args.dir.clone());
    let checked = check(&Sources::read(&rules.source()), clock::now());
    let written = if args.json { json(&checked) } else { text(&checked) };
    if let Err(e) = written {
        return fail(format!("the report cannot be written: {e}."));
    }
    match (checked.count(Level::Error), checked.count(Level::Warning)) {
        (0, warnings) if warnings > 0 && args.strict => Exit::Partly,
        (0, _) => Exit::Ok,
        _ => Exit::Failed,
    }
}

fn tell(code: &str) -> Exit {
    match explain(code) {
        Some((title, text)) => {
            println!("{}: {title}\n\n{text}", code.to_uppercase());
            Exit::Ok
        }
        None => {
            let known: Vec<&str> = CODES.iter().map(|(code, _, _)| *code).collect();
            fail(format!("there is no code {code}. There are: {}.", known.join(", ")))
        }
    }
}

fn json(checked: &Checked) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, checked)?;
    writeln!(out)
}

fn text(checked: &Checked) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "{}", checked.report.render(std::io::stdout().is_terminal()))?;
    if let Some(version) = &checked.rules_version {
        let o = checked.examples;
        writeln!(out, "Examples: {} Caught, {} Quiet, {} Missed, {} Noisy.", o.caught, o.quiet, o.missed, o.noisy)?;
        writeln!(out, "Quiet corpus: {} posts. Rules version: {version}.", checked.quiet_posts)?;
    }
    let (errors, warnings) = (checked.count(Level::Error), checked.count(Level::Warning));
    match (errors, warnings) {
        (0, 0) => writeln!(out, "All is well."),
        _ => writeln!(out, "{}, {}.", count(errors, "error"), count(warnings, "warning")),
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
