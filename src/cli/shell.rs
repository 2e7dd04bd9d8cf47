//! `jumpship completions` and `jumpship man`: what a packager or a shell wants, made from the commands themselves.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit, fail};

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

/// Print the manual page, or write one page per command into a folder
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write `jumpship.1`, `jumpship-scan.1` and so on into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints a completion script.
pub fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "jumpship", &mut script);
    print(&script)
}

/// Prints or writes manual pages.
pub fn man(args: &ManArgs) -> Exit {
    if let Some(dir) = &args.out {
        return match clap_mangen::generate_to(Cli::command(), dir) {
            Ok(()) => Exit::Ok,
            Err(e) => fail(format!("{} cannot be written: {e}. Make the folder first.", dir.display())),
        };
    }
    let mut page = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => print(&page),
        Err(e) => fail(format!("the manual page cannot be made: {e}.")),
    }
}

/// Writes to stdout; a reader that goes away early is no error.
fn print(bytes: &[u8]) -> Exit {
    match io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => fail(format!("writing stopped: {e}.")),
        _ => Exit::Ok,
    }
}
