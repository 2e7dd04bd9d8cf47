//! `jumpship try`: what one post, or every post of a file, would give under these rules.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use super::args::RulesArgs;
use super::explain::{Paint, explain};
use super::{Exit, fail};
use crate::engine::Engine;
use crate::post::{Network, Post};

/// The most posts of a file that are tried; more is a matter for `scan` or `backtest`.
const POSTS_MAX: usize = 1_000;

/// Try a post: who it names, what counts for and against leaving, whether to speak, what to say
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The words of a post, or a file: one post a line, as JSON or as plain words
    #[arg(value_name = "TEXT|FILE")]
    what: String,
    /// The network it was written on
    #[arg(long, default_value = "bluesky")]
    network: String,
    /// The provider it was said to, as in its help chat
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    #[command(flatten)]
    rules: RulesArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let engine = match args.rules.load() {
        Ok(rules) => Engine::new(Arc::new(rules)),
        Err(report) => return fail(format!("the rules cannot be used.\n{report}")),
    };
    let posts = match posts(args) {
        Ok(posts) => posts,
        Err(e) => return fail(format!("{} cannot be read: {e}.", args.what)),
    };
    let mut out = std::io::stdout().lock();
    let paint = Paint { on: out.is_terminal() };
    match posts.iter().try_for_each(|post| explain(&engine, post, paint, &mut out)) {
        Ok(()) => Exit::Ok,
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(e) => fail(format!("the answer cannot be written: {e}.")),
    }
}

fn posts(args: &Args) -> std::io::Result<Vec<Post>> {
    let file = Path::new(&args.what);
    let texts = if file.is_file() { std::fs::read_to_string(file)? } else { args.what.replace('\n', " ") };
    let lines = texts.lines().filter(|line| !line.trim().is_empty()).take(POSTS_MAX);
    Ok(lines.enumerate().map(|(i, line)| post(args, i + 1, line)).collect())
}

/// A line as JSON if it is a post, else as the words of one.
fn post(args: &Args, number: usize, line: &str) -> Post {
    serde_json::from_str(line).unwrap_or_else(|_| Post {
        network: Network::from_name(&args.network),
        addressed_to: args.to.clone(),
        ..Post::new(format!("try-{number}"), line.trim())
    })
}
