//! `jumpship leads`: what waits for a decision, as a table or as JSON lines.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use super::args::{DatabaseArgs, print, queue_failed};
use super::{Exit, fail};
use crate::clock;
use crate::queue::{Filter, LEADS_PAGE_MAX, Lead, LeadId, Order, Queue, QueueError, State};

/// The width of the table, in columns of a terminal.
const WIDTH: u16 = 120;

/// The most characters of a post in the table.
const TEXT_CHARS_MAX: usize = 140;

/// Show leads, best first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this lead, in full
    id: Option<LeadId>,
    /// Only leads in these states, such as new,approved; `all` for every state
    #[arg(long, value_name = "STATE", value_delimiter = ',', default_value = "new", value_parser = states)]
    state: Vec<States>,
    /// Only leads about this provider
    #[arg(long, value_name = "PROVIDER")]
    rival: Option<String>,
    /// Only leads whose post has these words
    #[arg(long, value_name = "WORDS")]
    words: Option<String>,
    /// In which order: score, newest or expiring
    #[arg(long, value_name = "ORDER", default_value = "score", value_parser = order)]
    order: Order,
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    /// Print JSON, one lead a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// One word of `--state`.
#[derive(Debug, Clone)]
struct States(Vec<State>);

fn states(word: &str) -> Result<States, String> {
    if word == "all" {
        return Ok(States(State::ALL.to_vec()));
    }
    let known = State::ALL.map(State::as_str).join(", ");
    State::from_name(&word.replace('-', "_"))
        .map(|state| States(vec![state]))
        .ok_or_else(|| format!("there is no such state. There are: {known}, all"))
}

fn order(word: &str) -> Result<Order, String> {
    match word {
        "score" => Ok(Order::Score),
        "newest" => Ok(Order::Newest),
        "expiring" => Ok(Order::Expiring),
        _ => Err("leads come by score, newest or expiring".to_owned()),
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let queue = match args.database.open() {
        Ok(queue) => queue,
        Err(exit) => return exit,
    };
    match (args.id, found(&queue, args)) {
        (_, Err(error)) => queue_failed(&error),
        (Some(id), Ok(leads)) if leads.is_empty() => {
            fail(format!("there is no lead {id}. `jumpship leads` shows them."))
        }
        (_, Ok(leads)) if args.json => json(&leads),
        (Some(_), Ok(leads)) => print(|out| leads.iter().try_for_each(|lead| write!(out, "{}", story(lead)))),
        (None, Ok(leads)) => table(&queue, &leads),
    }
}

/// The leads asked for, page after page.
fn found(queue: &Queue, args: &Args) -> Result<Vec<Lead>, QueueError> {
    if let Some(id) = args.id {
        return Ok(queue.lead(id)?.into_iter().collect());
    }
    let mut states: Vec<State> = args.state.iter().flat_map(|s| s.0.iter().copied()).collect();
    states.sort_unstable();
    states.dedup();
    let (rival, words) = (args.rival.as_ref().map(|r| r.to_lowercase()), args.words.clone());
    let mut filter = Filter { states, provider: rival, words, order: args.order, ..Filter::default() };
    let mut leads = Vec::new();
    while leads.len() < args.limit {
        filter.limit = (args.limit - leads.len()).min(LEADS_PAGE_MAX);
        let (page, next) = queue.leads(&filter)?;
        leads.extend(page);
        filter.after = next;
        if next.is_none() {
            break;
        }
    }
    Ok(leads)
}

fn json(leads: &[Lead]) -> Exit {
    print(|out| {
        leads.iter().try_for_each(|lead| {
            serde_json::to_writer(&mut *out, lead)?;
            writeln!(out)
        })
    })
}

fn table(queue: &Queue, leads: &[Lead]) -> Exit {
    let counts = match queue.state_counts() {
        Ok(counts) => counts,
        Err(error) => return queue_failed(&error),
    };
    let now = clock::now();
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH).set_header(["lead", "intent", "leaves", "for", "state", "age", "author", "post"]);
    table.add_rows(leads.iter().map(|lead| row(lead, now)));
    let total: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    print(|out| {
        if leads.is_empty() {
            writeln!(out, "No lead matches.")?;
        } else {
            writeln!(out, "{table}")?;
        }
        if total.is_empty() { Ok(()) } else { writeln!(out, "In all: {}.", total.join(", ")) }
    })
}

fn row(lead: &Lead, now: Timestamp) -> [String; 8] {
    let post = lead.post.as_ref();
    let text: String = post.map_or("(erased)", |p| &p.text).chars().take(TEXT_CHARS_MAX).collect();
    [
        lead.id.to_string(),
        format!("{:.0} %", lead.intent * 100.0),
        lead.provider.clone(),
        lead.toward.clone().unwrap_or_default(),
        lead.state.to_string(),
        age(now.as_second() - lead.created_at.as_second()),
        plain(post.map_or("", |p| &p.author.handle)),
        plain(&text),
    ]
}

/// One lead in full, for reading.
fn story(lead: &Lead) -> String {
    let mut lines = vec![format!("Lead {}: {}, version {}", lead.id, lead.state, lead.version)];
    let toward = lead.toward.as_ref().map_or_else(String::new, |to| format!(" for {to}"));
    lines.push(format!("Leaves:  {}{toward}, {:.0} % sure", lead.provider, lead.intent * 100.0));
    if let Some(post) = &lead.post {
        lines.push(format!("Author:  {} on {}", plain(&post.author.handle), post.network));
        lines.push(format!("Post:    {}", plain(&post.text)));
        lines.extend(post.url.as_ref().map(|url| format!("Link:    {}", plain(url))));
    }
    for reason in lead.assessment.iter().flat_map(|a| &a.reasons) {
        lines.push(format!("  {:>6}  {}  {}", reason.points.to_string(), reason.signal, plain(&reason.text)));
    }
    lines.extend(lead.reply().map(|reply| format!("Reply:   {}", plain(reply))));
    lines.extend(lead.reason.as_ref().map(|reason| format!("Reason:  {reason}")));
    lines.extend(lead.receipt.as_ref().map(|r| format!("Receipt: {}", plain(&r.uri))));
    lines.join("\n") + "\n"
}

/// An age as people say it.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Text from outside on one line, with nothing in it that steers a terminal or turns the line around.
fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        c if c.is_control() => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        for (text, shown) in [
            ("Leaving\nEE", "Leaving EE"),
            ("\u{1b}[2Jgone", " [2Jgone"),
            ("abc\u{202e}txt.exe", "abc\u{fffd}txt.exe"),
            ("café 🙂", "café 🙂"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn an_age_is_short() {
        for (seconds, said) in [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7_300, "2 h"), (200_000, "2 d")] {
            assert_eq!(age(seconds), said);
        }
    }
}
