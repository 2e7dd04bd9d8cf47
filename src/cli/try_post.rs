//! `jumpship try`: what one post, or every post of a file, would give under these rules.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::RulesArgs;
use super::{Exit, fail};
use crate::clock;
use crate::decide::History;
use crate::engine::{Engine, Finding};
use crate::post::{Network, Post};
use crate::text::one_line;

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
    let now = clock::now();
    match posts.iter().try_for_each(|post| show(&engine, post, now, &mut out)) {
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

/// Writes what a post gives: each provider with its verdict, what moved the score, and the first draft.
///
/// # Errors
/// When the output cannot be written.
pub fn show(engine: &Engine, post: &Post, now: Timestamp, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{}", one_line(&post.text))?;
    let findings = engine.judge(post, &History::default(), now);
    if findings.is_empty() {
        writeln!(out, "  names no provider, or none that is meant here.\n")?;
    }
    for finding in &findings {
        show_finding(finding, out)?;
    }
    Ok(())
}

fn show_finding(finding: &Finding, out: &mut impl Write) -> std::io::Result<()> {
    let a = &finding.assessment;
    let us = if finding.is_home { " (us)" } else { "" };
    let toward = a.toward.as_ref().map_or_else(String::new, |to| format!(", going to {to}"));
    writeln!(out, "  {}{us}: {}{toward}, intent {:.2} -> {}", a.provider, a.stance, a.intent, finding.verdict)?;
    for reason in &a.reasons {
        let rule = reason.rule.as_deref().unwrap_or("");
        let points = reason.points.to_string();
        let words = if reason.text.is_empty() { String::new() } else { format!("\"{}\"", one_line(&reason.text)) };
        let line = format!("    {points:>7}  {:<28} {words:<32} {rule}", reason.signal);
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "    {:>7}  in all", a.score.to_string())?;
    if let Some(draft) = finding.drafts.first() {
        writeln!(out, "    draft ({}): {}", draft.offer, one_line(&draft.text))?;
    }
    writeln!(out)
}
