//! `jumpship scan`: posts as JSON lines in, assessments as JSON lines out, nothing stored.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::args::RulesArgs;
use super::{Exit, fail};
use crate::clock;
use crate::decide::History;
use crate::engine::{Engine, Finding};
use crate::post::Post;
use crate::score::{Points, Reason, Stance};

/// The longest line that is read, in bytes; a longer one is skipped and counted.
const LINE_BYTES_MAX: usize = 4 << 20;

/// Read posts as JSON lines, write one assessment per (post, provider) as a JSON line
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file of posts, one JSON object a line; `-` for standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    rules: RulesArgs,
}

/// One line of output.
#[derive(Debug, Serialize)]
struct Row<'a> {
    post_id: &'a str,
    provider: &'a str,
    stance: Stance,
    stances: [f64; 5],
    intent: f64,
    toward: Option<&'a str>,
    verdict: &'a str,
    hold: Option<&'a str>,
    score: Points,
    reasons: &'a [Reason],
    rules_version: &'a str,
}

impl<'a> Row<'a> {
    fn new(post: &'a Post, finding: &'a Finding, rules_version: &'a str) -> Self {
        let assessment = &finding.assessment;
        Self {
            post_id: post.id.as_str(),
            provider: &assessment.provider,
            stance: assessment.stance,
            stances: assessment.stances,
            intent: assessment.intent,
            toward: assessment.toward.as_deref(),
            verdict: finding.verdict.as_str(),
            hold: finding.verdict.hold(),
            score: assessment.score,
            reasons: &assessment.reasons,
            rules_version,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let rules = match args.rules.load() {
        Ok(rules) => rules,
        Err(report) => return fail(format!("the rules cannot be used:\n{report}")),
    };
    let input: Box<dyn BufRead> = if args.file.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        match File::open(&args.file) {
            Ok(file) => Box::new(BufReader::with_capacity(1 << 18, file)),
            Err(e) => return fail(format!("{} cannot be read: {e}. Check the path.", args.file.display())),
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match scan(&Engine::new(Arc::new(rules)), input, &mut out).and_then(|skipped| out.flush().map(|()| skipped)) {
        Ok(0) => Exit::Ok,
        Ok(skipped) => {
            eprintln!("jumpship: {skipped} lines were skipped.");
            Exit::Partly
        }
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(e) => fail(format!("reading or writing stopped: {e}.")),
    }
}

/// Scans every line; returns how many were skipped.
fn scan(engine: &Engine, mut input: Box<dyn BufRead>, out: &mut impl Write) -> io::Result<u64> {
    let (mut number, mut skipped) = (0u64, 0u64);
    let now = clock::now();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(skipped);
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match parse(&line) {
            Ok(post) => {
                for finding in engine.judge(&post, &History::default(), now) {
                    serde_json::to_writer(&mut *out, &Row::new(&post, &finding, engine.rules().version()))?;
                    out.write_all(b"\n")?;
                }
            }
            Err(cause) => {
                skipped += 1;
                eprintln!("jumpship: line {number} is skipped: {cause}.");
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<Post, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("it is longer than {LINE_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(line).map_err(|e| format!("it is not a post ({e})"))
}
