//! The command line: one file per subcommand, this one only names them.

mod args;
mod audit;
mod backup;
mod backtest;
mod check;
mod eval;
mod explain;
mod daemon;
mod demo;
mod doctor;
mod decisions;
mod leads;
mod privacy;
mod rules;
mod run;
mod networks;
mod progress;
mod scan;
mod shell;
mod try_post;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ended, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All well.
    Ok = 0,
    /// Done, but something was skipped or found: told on stderr.
    Partly = 1,
    /// Not done: wrong use, broken rules or database.
    Failed = 2,
    /// Another Jumpship works on this database.
    Busy = 3,
}

/// Hears who is about to leave a rival, and queues a reply for a person to approve.
#[derive(Debug, Parser)]
#[command(name = "jumpship", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Run(run::Args),
    Doctor(doctor::Args),
    Check(Box<check::Args>),
    Try(Box<try_post::Args>),
    Backtest(Box<backtest::Args>),
    Rules(Box<rules::Args>),
    Scan(scan::Args),
    Networks(networks::Args),
    Leads(Box<leads::Args>),
    Approve(decisions::ApproveArgs),
    Dismiss(decisions::DismissArgs),
    Undo(decisions::UndoArgs),
    Audit(audit::Args),
    Privacy(privacy::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
    Train(train::Args),
    Eval(eval::Args),
    Explain(explain::Args),
}

/// Runs the command the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Try(args) => try_post::run(&args),
        Command::Backtest(args) => backtest::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Networks(args) => networks::run(&args),
        Command::Leads(args) => leads::run(&args),
        Command::Approve(args) => decisions::approve(&args),
        Command::Dismiss(args) => decisions::dismiss(&args),
        Command::Undo(args) => decisions::undo(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Privacy(args) => privacy::run(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Explain(args) => explain::run(&args),
    };
    ExitCode::from(exit as u8)
}

/// Tells a person what went wrong, in one place for all commands.
fn fail(message: impl std::fmt::Display) -> Exit {
    eprintln!("jumpship: {message}");
    Exit::Failed
}
