//! `jumpship scan`: posts as JSON lines in, assessments as JSON lines out, nothing stored.

mod arena;
mod dispatch;
mod line;
mod row;
mod tally;

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use self::arena::{Arena, Arenas};
use self::dispatch::{Delivery, Dispatch};
use self::line::{Layout, Reader};
use self::tally::Tally;
use super::args::RulesArgs;
use super::progress::Progress;
use super::{Exit, fail};
use crate::clock;
use crate::engine::Engine;

/// The most threads that may be asked for.
const THREADS_MAX: usize = 256;

/// Read posts as JSON lines, write one assessment per (post, provider) as a JSON line
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file of posts, one JSON object a line; `-` for standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    rules: RulesArgs,
    /// What the lines are: posts, raw Jetstream frames (both wires), or whichever each one looks like
    #[arg(long, value_enum, default_value_t)]
    input: Layout,
    /// Write one summary instead of the assessments
    #[arg(long)]
    count: bool,
    /// How many threads judge [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let rules = match args.rules.load() {
        Ok(rules) => rules,
        Err(report) => return fail(format!("the rules cannot be used:\n{report}")),
    };
    let (input, bytes) = match open(args) {
        Ok(input) => input,
        Err(e) => return fail(format!("{} cannot be read: {e}. Check the path.", args.file.display())),
    };
    let engine = Engine::new(Arc::new(rules));
    let started = Instant::now();
    let result = scan(args, &engine, input, Progress::bytes(bytes)).and_then(|tally| {
        if args.count {
            writeln!(io::stdout().lock(), "{}", tally.summary(started.elapsed(), threads(args)))?;
        }
        Ok(tally)
    });
    match result {
        Ok(tally) if tally.skipped == 0 => Exit::Ok,
        Ok(tally) => {
            eprintln!("jumpship: {} lines were skipped.", tally.skipped);
            Exit::Partly
        }
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(e) => fail(format!("reading or writing stopped: {e}.")),
    }
}

fn open(args: &Args) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if args.file.as_os_str() == "-" {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(&args.file)?;
    let bytes = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
    Ok((Box::new(file), bytes))
}

fn threads(args: &Args) -> usize {
    let asked = args.threads.or_else(|| std::thread::available_parallelism().ok());
    asked.map_or(1, NonZeroUsize::get).min(THREADS_MAX)
}

/// Scans every line. Each thread fills an arena with whole lines, judges them, and delivers what came of
/// it under the arena's number, so the output stands in the order of the input.
fn scan(args: &Args, engine: &Engine, input: Box<dyn Read + Send>, progress: Progress) -> io::Result<Tally> {
    let arenas = Mutex::new(Arenas::new(input));
    let dispatch = Dispatch::new(io::stdout(), progress);
    let work = || dispatch.stop_on_error(work(args, engine, &arenas, &dispatch));
    std::thread::scope(|scope| {
        (1..threads(args)).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    dispatch.finish()
}

fn work(args: &Args, engine: &Engine, arenas: &Mutex<Arenas>, dispatch: &Dispatch<io::Stdout>) -> io::Result<()> {
    let mut reader = Reader::new(engine, args.input, !args.count, clock::now());
    let mut arena = Arena::default();
    while !dispatch.stopped() && arenas.lock().expect("no thread panics while it reads").fill(&mut arena)? {
        let mut delivery = Delivery { number: arena.number, bytes: arena.bytes().len(), ..Delivery::default() };
        for line in arena.lines() {
            reader.read(line, &mut delivery);
        }
        if arena.cut_a_line {
            delivery.skip(&format!("it is longer than {} bytes", arena::LINE_BYTES_MAX));
        }
        dispatch.deliver(delivery)?;
    }
    Ok(())
}
