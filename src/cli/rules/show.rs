//! `jumpship rules show`: which file a rule comes from, what it replaced, and how it reads.

use crate::cli::args::RulesArgs;
use crate::cli::{Exit, fail};
use crate::rules::{Definition, Sources, did_you_mean};

/// Show one rule: which file won, what it replaced, and what it says
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The id of a provider, signal, hold or offer
    id: String,
    #[command(flatten)]
    rules: RulesArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let sources = Sources::read(&args.rules.source());
    let all = sources.definitions();
    let found: Vec<&Definition> = all.iter().filter(|d| d.id == args.id).collect();
    if found.is_empty() {
        let ids: Vec<&str> = all.iter().map(|d| d.id.as_str()).collect();
        let help =
            did_you_mean(&args.id, &ids).unwrap_or_else(|| "See the files in rules/ for what there is.".to_owned());
        return fail(format!("no rule has the id \"{}\". {help}", args.id));
    }
    let mut kinds: Vec<&str> = found.iter().map(|d| d.kind).collect();
    kinds.dedup();
    for kind in kinds {
        tell(kind, &found.iter().filter(|d| d.kind == kind).copied().collect::<Vec<_>>());
    }
    if let Err(report) = sources.compile() {
        return fail(format!("these rules cannot be used:\n{report}"));
    }
    Exit::Ok
}

/// The last definition wins, since its folder lies on top.
fn tell(kind: &str, definitions: &[&Definition]) {
    let Some((winner, below)) = definitions.split_last() else { return };
    println!("{kind} {}: {}", winner.id, winner.place);
    match below.split_last() {
        None => println!("It stands in this file only."),
        Some((loser, _)) => println!("It wins because its folder is laid over the one of {}.", loser.place),
    }
    println!("\n{}\n", winner.text.trim_end());
}
