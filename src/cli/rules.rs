//! `jumpship rules`: look a rule up, start a folder of rules, see how each rule is doing.

mod init;
mod ledger;
mod show;

use super::Exit;
pub use ledger::was_approved;

/// Work with rules: show one, start a folder, see how they are doing
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(show::Args),
    Init(init::Args),
    Ledger(ledger::Args),
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    match &args.command {
        Command::Show(args) => show::run(args),
        Command::Init(args) => init::run(args),
        Command::Ledger(args) => ledger::run(args),
    }
}
