//! `jumpship backup` and `jumpship restore`: carry the database away while it is in use, and bring it back.

use std::path::PathBuf;

use super::Exit;
use super::args::{DatabaseArgs, queue_failed};
use crate::queue::Queue;

/// Copy the database into a new file, also while the daemon runs, and check the copy
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The new file
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Check a backup and put it in the place of the database; the old one is kept beside it
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Only check the backup, change nothing
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs `backup`.
pub fn backup(args: &BackupArgs) -> Exit {
    let queue = match args.database.open() {
        Ok(queue) => queue,
        Err(exit) => return exit,
    };
    match queue.backup(&args.file) {
        Ok(()) => tell(&format!("{} holds the whole database, and is sound.", args.file.display())),
        Err(error) => queue_failed(&error),
    }
}

/// Runs `restore`.
pub fn restore(args: &RestoreArgs) -> Exit {
    if args.verify {
        return match Queue::verify_backup(&args.file) {
            Ok(()) => tell(&format!("{} is sound.", args.file.display())),
            Err(error) => queue_failed(&error),
        };
    }
    let path = match args.database.path() {
        Ok(path) => path,
        Err(exit) => return exit,
    };
    match Queue::restore(&args.file, &path) {
        Ok(()) => tell(&format!("{} is restored. The old one ends in .replaced.", path.display())),
        Err(error) => queue_failed(&error),
    }
}

fn tell(message: &str) -> Exit {
    println!("{message}");
    Exit::Ok
}
