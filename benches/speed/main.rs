//! One table of what each step costs and how peers do, on the same invented frames in one run.
//!
//! `cargo bench` prints it; `POSTS=1000000 cargo bench` takes more frames, `cargo bench -- --write FILE` keeps them.

mod peers;
mod posts;
mod rules;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpship::decide::History;
use jumpship::engine::Engine;
use jumpship::frames::{Shape, Skimmer};
use jumpship::rules::{HomeChoice, Rules, RulesSource};
use jumpship::scan::Scratch;
use jumpship::source::Event;
use jumpship::source::jetstream::wire::{self, Content, Wire};

/// How often each row is measured; the fastest run counts, because noise only adds.
const RUNS: usize = 5;
/// The sizes of rules that are compared.
const PHRASES: [usize; 3] = [50, 5_000, 50_000];

fn main() {
    let count = std::env::var("POSTS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000);
    let mut args = std::env::args().skip_while(|arg| arg != "--write");
    if let (Some(_), Some(file)) = (args.next(), args.next()) {
        std::fs::write(&file, posts::frames(count, &rules::names(PHRASES[1]))).expect("the file can be written");
        return;
    }
    for phrases in PHRASES {
        table(count, phrases);
    }
}

fn table(count: usize, phrases: usize) {
    let frames = posts::frames(count, &rules::names(phrases));
    let lines: Vec<&[u8]> = frames.as_bytes().split_inclusive(|&b| b == b'\n').map(|l| l.trim_ascii_end()).collect();
    let started = Instant::now();
    let engine = engine(phrases);
    println!("\n{phrases} phrases, {} frames of {} bytes", lines.len(), frames.len() / lines.len());
    println!("  load and compile the rules {:>29.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let parse = row("serde_json, typed and borrowed, parse only", &lines, None, peers::parse);
    let row = |name, work: &mut dyn FnMut(&[u8]) -> bool| row(name, &lines, Some(parse), work);
    row("walk the lines (limit)", &mut |line| memchr::memchr(b'\n', line).is_some());
    let mut skimmer = Skimmer::default();
    row("find the text (limit)", &mut |line| skimmer.text(line, Shape::of(line)).is_some());
    let mut ours = Ours::new(&engine);
    row("find the text, ask the gate", &mut |line| ours.could_name(line));
    row("raw line to verdict: jumpship", &mut |line| ours.judge(line));
    row("sonic-rs, parse only", &mut peers::sonic);
    let said = rules::phrases(phrases);
    let automaton = peers::automaton(&said);
    row("serde_json + aho-corasick, match only", &mut |line| peers::match_text(line, &automaton));
    if phrases <= PHRASES[1] {
        let set = peers::regex_set(&said);
        row("serde_json + regex set, match only", &mut |line| peers::match_set(line, &set));
    }
    println!("  peak memory so far {:>37} MB", peak_megabytes());
}

/// Measures one row and prints it beside the first.
fn row(name: &str, lines: &[&[u8]], parse: Option<Duration>, mut work: impl FnMut(&[u8]) -> bool) -> Duration {
    let mut yes = 0;
    let mut run = || {
        let started = Instant::now();
        yes = lines.iter().filter(|line| black_box(work(black_box(line)))).count();
        started.elapsed()
    };
    let best = (0..RUNS).map(|_| run()).min().expect("there is at least one run");
    let ratio = best.as_secs_f64() / parse.unwrap_or(best).as_secs_f64();
    let nanoseconds = best.as_nanos() / lines.len() as u128;
    println!("  {name:<44} {nanoseconds:>8} ns {ratio:>7.2}   {yes} yes");
    best
}

/// The path of `jumpship scan`.
struct Ours<'e> {
    engine: &'e Engine,
    skimmer: Skimmer,
    scratch: Scratch,
}

impl<'e> Ours<'e> {
    fn new(engine: &'e Engine) -> Self {
        Self { engine, skimmer: Skimmer::default(), scratch: Scratch::default() }
    }

    fn could_name(&mut self, line: &[u8]) -> bool {
        let text = self.skimmer.text(line, Shape::of(line));
        text.is_none_or(|text| self.engine.could_name(text, &mut self.scratch))
    }

    fn judge(&mut self, line: &[u8]) -> bool {
        if !self.could_name(line) {
            return false;
        }
        let frame = std::str::from_utf8(line).expect("the frames are UTF-8");
        let Content::Event(Event::Created(post)) = wire::read(Wire::V1, frame).content else { return false };
        !self.engine.judge(&post, &History::default(), jiff::Timestamp::UNIX_EPOCH).is_empty()
    }
}

/// An engine with the shipped rules below and this many invented phrases above.
fn engine(phrases: usize) -> Engine {
    let folder = tempfile::tempdir().expect("a temporary folder");
    rules::write(folder.path(), phrases);
    let source =
        RulesSource { folders: vec![folder.path().to_owned()], home: HomeChoice::Nobody, ..RulesSource::default() };
    Engine::new(Arc::new(Rules::load(&source).expect("the invented rules are good")))
}

/// The most memory this process ever had, as the kernel counts it.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or(0u64) / 1024
}
