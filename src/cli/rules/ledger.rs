//! `jumpship rules ledger`: what every rule did and what people made of it, so that dead weight shows.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};
use jiff::Timestamp;

use crate::cli::backtest::{PAGE, parse_since};
use crate::cli::daemon::rules_source;
use crate::cli::run::PlaceArgs;
use crate::cli::{Exit, fail};
use crate::clock;
use crate::engine::Engine;
use crate::queue::{LedgerRow, Queue, QueueError, State};
use crate::rules::{Role, Rules};

/// With at least this many decisions a rule can be judged.
const DECIDED_MIN: u64 = 10;
/// Approved less often than one in this many: worth asking whether to retire it.
const APPROVED_ONE_IN: u64 = 5;

/// Show how each rule is doing: hits, leads, approvals, dismissals by reason
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,
    /// How far to look back, such as 14d or 12h
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: String,
    /// Count every phrase over the stored posts, trials too (slower)
    #[arg(long)]
    phrases: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// What one rule did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
struct Line {
    kind: String,
    rule: String,
    hits: u64,
    leads: u64,
    approved: u64,
    dismissed: u64,
    reasons: BTreeMap<String, u64>,
    last_hit: Option<String>,
    suggestion: Option<String>,
}

impl Line {
    fn named(kind: &str, rule: &str) -> Self {
        Self { kind: kind.to_owned(), rule: rule.to_owned(), ..Self::default() }
    }

    /// Adds what the ledger says; an event it does not know is left alone.
    fn add(&mut self, row: &LedgerRow) {
        match row.event.split_once(':') {
            Some(("dismissed", reason)) => {
                self.dismissed += row.count;
                *self.reasons.entry(reason.to_owned()).or_default() += row.count;
            }
            _ if row.event == "lead" => self.leads += row.count,
            _ if row.event == "approved" => self.approved += row.count,
            _ if row.event == "hit" => {
                self.hits += row.count;
                self.last_hit = self.last_hit.take().max(Some(row.last_day.clone()));
            }
            _ => {}
        }
    }

    fn judged(mut self) -> Self {
        let decided = self.approved + self.dismissed;
        if decided >= DECIDED_MIN && self.approved * APPROVED_ONE_IN <= decided {
            self.suggestion = Some(format!("approved {} of {decided}: retire it?", self.approved));
        }
        self
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let config = match args.place.read() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let Some(since) = parse_since(&args.since, clock::now()) else {
        return fail(format!("\"{}\" is no time. Write a number and d or h, such as 14d.", args.since));
    };
    let rules = match Rules::load(&rules_source(&config.rules)) {
        Ok(rules) => rules,
        Err(report) => return fail(format!("the rules cannot be used:\n{report}")),
    };
    let lines = Queue::open_shared(&config.database).and_then(|queue| {
        if args.phrases { phrase_lines(&queue, rules, since) } else { rule_lines(&queue, &rules, since) }
    });
    match lines {
        Ok(lines) if args.json => println!("{}", serde_json::to_string_pretty(&lines).unwrap_or_default()),
        Ok(lines) => println!("{}", table(&lines)),
        Err(error) => return fail(error),
    }
    Exit::Ok
}

/// Every rule there is, with what the ledger says; rules that never hit stand there with zeros.
fn rule_lines(queue: &Queue, rules: &Rules, since: Timestamp) -> Result<Vec<Line>, QueueError> {
    let mut lines: BTreeMap<(String, String), Line> = BTreeMap::new();
    let signals = rules.signals().iter().map(|s| ("signal", &s.id));
    let holds = rules.holds().iter().map(|h| ("hold", &h.id));
    let offers = rules.offers().iter().map(|o| ("offer", &o.id));
    for (kind, id) in signals.chain(holds).chain(offers) {
        lines.insert((kind.to_owned(), id.clone()), Line::named(kind, id));
    }
    for row in queue.ledger(since)? {
        let key = (row.kind.clone(), row.rule.clone());
        lines.entry(key).or_insert_with(|| Line::named(&row.kind, &row.rule)).add(&row);
    }
    Ok(lines.into_values().map(Line::judged).collect())
}

/// Every phrase of a signal or hold that is said in a stored post, read anew by today's rules.
fn phrase_lines(queue: &Queue, rules: Rules, since: Timestamp) -> Result<Vec<Line>, QueueError> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    let phrases = rules.phrases().iter().filter(|p| matches!(p.role, Role::Signal(_) | Role::Hold(_)));
    for phrase in phrases {
        let place = phrase.place.to_string();
        lines.insert(place.clone(), Line::named(&owner(&rules, phrase.role), &place));
    }
    let engine = Engine::new(std::sync::Arc::new(rules));
    let mut after = 0;
    loop {
        let page = queue.stored_posts(since, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.row;
        for stored in &page {
            for hit in engine.scan(&stored.post).matches {
                let Some(line) = lines.get_mut(&hit.place.to_string()) else { continue };
                line.hits += 1;
                line.leads += stored.leads.len() as u64;
                line.approved += stored.leads.iter().filter(|(_, state)| was_approved(*state)).count() as u64;
                line.dismissed += stored.leads.iter().filter(|(_, state)| *state == State::Dismissed).count() as u64;
                line.last_hit = line.last_hit.take().max(Some(day(stored.seen_at)));
            }
        }
    }
    Ok(lines.into_values().map(Line::judged).collect())
}

/// Whether an operator said yes, whatever became of it.
pub fn was_approved(state: State) -> bool {
    use State::{Approved, HandedOff, Removed, Sending, Sent, Unknown};
    matches!(state, Approved | Sending | Sent | HandedOff | Unknown | Removed)
}

fn owner(rules: &Rules, role: Role) -> String {
    match role {
        Role::Signal(i) => rules.signals()[i].id.clone(),
        Role::Hold(i) => rules.holds()[i].id.clone(),
        _ => String::new(),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["kind", "rule", "hits", "leads", "approved", "dismissed", "last hit", ""]);
    for line in lines {
        let reasons: Vec<String> = line.reasons.iter().map(|(why, n)| format!("{why} {n}")).collect();
        let dismissed = match reasons.is_empty() {
            true => line.dismissed.to_string(),
            false => format!("{} ({})", line.dismissed, reasons.join(", ")),
        };
        table.add_row([
            line.kind.clone(),
            line.rule.clone(),
            line.hits.to_string(),
            line.leads.to_string(),
            line.approved.to_string(),
            dismissed,
            line.last_hit.clone().unwrap_or_else(|| "never".to_owned()),
            line.suggestion.clone().unwrap_or_default(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_and_dead_weight_is_named() {
        let row = |event: &str, count, last_day: &str| LedgerRow {
            kind: "signal".into(),
            rule: "a.b".into(),
            event: event.into(),
            count,
            last_day: last_day.into(),
        };
        let mut line = Line::named("signal", "a.b");
        for row in [
            row("hit", 90, "2026-05-02"),
            row("lead", 20, "2026-05-03"),
            row("approved", 1, "2026-05-03"),
            row("dismissed:sensitive", 9, "2026-05-03"),
            row("dismissed:not_leaving", 4, "2026-05-03"),
        ] {
            line.add(&row);
        }
        let line = line.judged();
        assert_eq!((line.hits, line.leads, line.approved, line.dismissed), (90, 20, 1, 13));
        assert_eq!(line.last_hit.as_deref(), Some("2026-05-02"));
        assert_eq!(line.suggestion.as_deref(), Some("approved 1 of 14: retire it?"));
    }
}
