//! `jumpship backtest`: what new rules would change, over the posts we have and against what people decided.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};

use super::daemon::rules_source;
use super::rules::was_approved;
use super::run::PlaceArgs;
use super::{Exit, fail};
use crate::clock;
use crate::decide::{History, Verdict};
use crate::engine::{Engine, Finding};
use crate::post::Post;
use crate::queue::{Queue, State};
use crate::rules::{Report, Rules, RulesSource};
use crate::text::one_line;

/// How many posts travel together.
pub const PAGE: usize = 1_000;
/// How many pages may wait for a thread.
const PAGES_WAITING_MAX: usize = 4;
/// How many threads judge.
const THREADS: usize = 2;
/// The longest line of a file that is read, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Try new rules on the past: what they would add, remove and change
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of new rules, laid over the shipped ones
    #[arg(long = "rules", value_name = "DIR", required = true)]
    new: Vec<PathBuf>,
    /// The shipped rules under the new ones; the config's when left out
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// How far to look back, such as 14d or 12h
    #[arg(long, value_name = "TIME", default_value = "14d")]
    since: String,
    /// A file of posts as JSON lines, instead of the stored posts
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How many of each kind to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    list: usize,
    #[command(flatten)]
    place: PlaceArgs,
}

/// A post with the leads it made and where they stand.
type Item = (u64, Post, Vec<(String, State)>);

/// One difference, with its place in the input so that the answer does not depend on the threads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    number: u64,
    words: String,
}

/// What the new rules would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tally {
    posts: u64,
    skipped: u64,
    added: Vec<Difference>,
    removed: Vec<Difference>,
    changed: Vec<Difference>,
    approved: u64,
    approved_lost: u64,
    dismissed: u64,
    dismissed_gone: u64,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let config = match args.place.read() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let old = rules_source(&config.rules);
    let pack = args.pack.clone().or_else(|| old.pack.clone());
    let new = RulesSource { pack, folders: args.new.clone(), home: old.home.clone() };
    let (old, new) = match (engine(&old), engine(&new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(report), _) => return fail(format!("the rules in use cannot be read:\n{report}")),
        (_, Err(report)) => return fail(format!("the new rules cannot be used:\n{report}")),
    };
    let now = clock::now();
    let Some(since) = parse_since(&args.since, now) else {
        return fail(format!("\"{}\" is no time. Write a number and d or h, such as 14d.", args.since));
    };
    let bar = bar();
    let (told, took) = clock::timed(|| {
        compare(&old, &new, now, |pages| match &args.file {
            Some(file) => send_file(file, pages, &bar).map_err(|e| format!("{} cannot be read: {e}.", file.display())),
            None => send_stored(&config.database, since, pages, &bar),
        })
    });
    bar.finish_and_clear();
    match told {
        Ok(tally) => {
            tell(&tally, args.list, &old, &new);
            println!("\n{} posts in {:.1} s.", tally.posts, took.as_secs_f64());
            if tally.skipped == 0 { Exit::Ok } else { Exit::Partly }
        }
        Err(message) => fail(message),
    }
}

fn engine(source: &RulesSource) -> Result<Engine, Report> {
    Rules::load(source).map(|rules| Engine::new(Arc::new(rules)))
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} posts, {per_sec}, {elapsed}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// The time so long before `now`: a number and `d` or `h`.
pub fn parse_since(text: &str, now: Timestamp) -> Option<Timestamp> {
    let hours_each = if text.ends_with('d') { 24 } else { 1 };
    let number: i64 = text.strip_suffix(['d', 'h'])?.parse().ok().filter(|n| (0..1_000_000).contains(n))?;
    now.checked_sub(SignedDuration::from_hours(number * hours_each)).ok()
}

/// Judges every post by both engines, on as many threads as there are; `send` feeds them.
fn compare(
    old: &Engine,
    new: &Engine,
    now: Timestamp,
    send: impl FnOnce(&SyncSender<Vec<Item>>) -> Result<u64, String>,
) -> Result<Tally, String> {
    let (pages, waiting) = sync_channel(PAGES_WAITING_MAX);
    let waiting = Mutex::new(waiting);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| work(old, new, now, &waiting))).collect();
        let sent = send(&pages);
        drop(pages);
        let tallies = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread broke down.".to_owned()));
        let mut all = tallies.collect::<Result<Vec<_>, _>>()?.into_iter().fold(Tally::default(), Tally::and);
        all.skipped = sent?;
        Ok(all.in_order())
    })
}

fn work(old: &Engine, new: &Engine, now: Timestamp, waiting: &Mutex<Receiver<Vec<Item>>>) -> Tally {
    let mut tally = Tally::default();
    loop {
        let page = waiting.lock().map(|pages| pages.recv());
        let Ok(Ok(page)) = page else { return tally };
        page.iter().for_each(|item| tally.judge(old, new, now, item));
    }
}

impl Tally {
    fn judge(&mut self, old: &Engine, new: &Engine, now: Timestamp, (number, post, leads): &Item) {
        self.posts += 1;
        let history = History::default();
        let (before, after) = (old.judge(post, &history, now), new.judge(post, &history, now));
        let mut providers: Vec<&str> = before.iter().chain(&after).map(|f| f.assessment.provider.as_str()).collect();
        providers.sort_unstable();
        providers.dedup();
        for provider in providers {
            let of = |all: &'_ [Finding]| all.iter().position(|f| f.assessment.provider == provider);
            self.compare(*number, post, provider, of(&before).map(|i| &before[i]), of(&after).map(|i| &after[i]));
        }
        for (provider, state) in leads {
            self.decided(*state, after.iter().any(|f| f.assessment.provider == *provider && is_lead(f)));
        }
    }

    fn compare(&mut self, number: u64, post: &Post, provider: &str, old: Option<&Finding>, new: Option<&Finding>) {
        let (before, after) = (reading(old), reading(new));
        if before == after {
            return;
        }
        let list = match (old.is_some_and(is_lead), new.is_some_and(is_lead)) {
            (false, true) => &mut self.added,
            (true, false) => &mut self.removed,
            _ => &mut self.changed,
        };
        let words = format!("{provider}: {before} -> {after}: {}", one_line(&post.text));
        list.push(Difference { number, words });
    }

    fn decided(&mut self, state: State, still: bool) {
        if was_approved(state) {
            self.approved += 1;
            self.approved_lost += u64::from(!still);
        } else if state == State::Dismissed {
            self.dismissed += 1;
            self.dismissed_gone += u64::from(!still);
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.posts += other.posts;
        self.added.extend(other.added);
        self.removed.extend(other.removed);
        self.changed.extend(other.changed);
        self.approved += other.approved;
        self.approved_lost += other.approved_lost;
        self.dismissed += other.dismissed;
        self.dismissed_gone += other.dismissed_gone;
        self
    }

    fn in_order(mut self) -> Self {
        [&mut self.added, &mut self.removed, &mut self.changed].into_iter().for_each(|list| list.sort());
        self
    }
}

const fn is_lead(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Enter | Verdict::Care)
}

/// How a finding reads; two rules that read alike change nothing.
fn reading(finding: Option<&Finding>) -> String {
    let Some(finding) = finding else { return "not named".to_owned() };
    let a = &finding.assessment;
    let toward = a.toward.as_ref().map_or_else(String::new, |to| format!(" to {to}"));
    format!("{} ({}{toward} {:.2})", finding.verdict, a.stance, a.intent)
}

/// Sends a file's posts; returns how many lines were no posts.
fn send_file(file: &std::path::Path, pages: &SyncSender<Vec<Item>>, bar: &ProgressBar) -> std::io::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 18, File::open(file)?);
    let (mut number, mut skipped, mut page, mut line) = (0, 0, Vec::with_capacity(PAGE), Vec::new());
    loop {
        line.clear();
        let end = reader.read_until(b'\n', &mut line)? == 0;
        if end || page.len() == PAGE {
            bar.inc(page.len() as u64);
            if pages.send(std::mem::take(&mut page)).is_err() || end {
                return Ok(skipped);
            }
        }
        number += 1;
        match serde_json::from_slice(&line[..line.len().min(LINE_BYTES_MAX)]) {
            Ok(post) => page.push((number, post, Vec::new())),
            Err(_) => skipped += u64::from(!line.iter().all(u8::is_ascii_whitespace)),
        }
    }
}

/// Sends the stored posts.
fn send_stored(
    database: &std::path::Path,
    since: Timestamp,
    pages: &SyncSender<Vec<Item>>,
    bar: &ProgressBar,
) -> Result<u64, String> {
    let queue = Queue::open_shared(database).map_err(|e| e.to_string())?;
    let mut after = 0;
    loop {
        let page = queue.stored_posts(since, after, PAGE).map_err(|e| e.to_string())?;
        let Some(last) = page.last() else { return Ok(0) };
        after = last.row;
        bar.inc(page.len() as u64);
        let items = page.into_iter().map(|s| (s.row.unsigned_abs(), s.post, s.leads)).collect();
        if pages.send(items).is_err() {
            return Ok(0);
        }
    }
}

fn tell(tally: &Tally, list: usize, old: &Engine, new: &Engine) {
    println!("Rules {} against {}.", new.rules().version(), old.rules().version());
    let lists = [("add", &tally.added), ("remove", &tally.removed), ("change", &tally.changed)];
    let sums: Vec<String> = lists.iter().map(|(what, all)| format!("{what} {}", all.len())).collect();
    println!("Would {}.", sums.join(", "));
    for (what, all) in lists.iter().filter(|(_, all)| !all.is_empty()) {
        println!("\nWould {what}:");
        all.iter().take(list).for_each(|difference| println!("  {}", difference.words));
        if all.len() > list {
            println!("  ... and {} more; --list {} shows all.", all.len() - list, all.len());
        }
    }
    if tally.approved + tally.dismissed > 0 {
        println!("\nOf {} approved leads {} would be lost.", tally.approved, tally.approved_lost);
        println!("Of {} dismissed leads {} would be gone.", tally.dismissed, tally.dismissed_gone);
    }
    if tally.skipped > 0 {
        println!("\n{} lines are no posts and were skipped.", tally.skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(posts: &[&str], state: State) -> impl FnOnce(&SyncSender<Vec<Item>>) -> Result<u64, String> {
        let items: Vec<Item> = posts
            .iter()
            .enumerate()
            .map(|(i, text)| (i as u64, Post::new(i.to_string(), *text), vec![("ee".to_owned(), state)]))
            .collect();
        move |pages| pages.send(items).map(|()| 0).map_err(|e| e.to_string())
    }

    const POSTS: [&str; 3] = ["Leaving EE next month, had enough", "EE signal is fine", "nothing to see"];

    #[test]
    fn the_same_rules_change_nothing() {
        let engine = engine(&RulesSource::default()).unwrap();
        let tally = compare(&engine, &engine, clock::now(), send(&POSTS, State::Sent)).unwrap();
        assert_eq!((tally.posts, tally.added.len(), tally.removed.len(), tally.changed.len()), (3, 0, 0, 0));
    }

    #[test]
    fn lost_approvals_are_counted() {
        let old = engine(&RulesSource::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("policy.toml"), "[thresholds]\nenter = 1.0\nwatch = 1.0\n").unwrap();
        let new = engine(&RulesSource { folders: vec![dir.path().to_owned()], ..RulesSource::default() }).unwrap();
        let tally = compare(&old, &new, clock::now(), send(&POSTS[..1], State::Sent)).unwrap();
        assert_eq!((tally.removed.len(), tally.approved, tally.approved_lost), (1, 1, 1), "{tally:?}");
        let tally = compare(&new, &old, clock::now(), send(&POSTS[..1], State::Dismissed)).unwrap();
        assert_eq!((tally.added.len(), tally.dismissed, tally.dismissed_gone), (1, 1, 0), "{tally:?}");
    }

    #[test]
    fn times_are_read() {
        let now: Timestamp = "2026-06-15T00:00:00Z".parse().unwrap();
        for (text, since) in [("14d", Some("2026-06-01T00:00:00Z")), ("12h", Some("2026-06-14T12:00:00Z")), ("x", None)]
        {
            assert_eq!(parse_since(text, now), since.map(|s| s.parse().unwrap()), "{text}");
        }
    }
}
