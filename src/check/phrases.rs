//! Whether signals contradict or shadow each other: the same words said twice, undone, or given two meanings.

use std::collections::HashMap;

use super::at;
use crate::rules::{Part, Parts, Phrase, Place, Role, RuleError, Rules, Slot, Status};
use crate::score::Stance;

/// The most ways of saying one phrase that are spelt out; a phrase with more is not compared.
const WAYS_MAX: usize = 64;

/// Compares every way to say a phrase with every other phrase.
pub fn check(rules: &Rules, found: &mut Vec<RuleError>) {
    let ways: Vec<Vec<String>> = rules.phrases().iter().map(|phrase| ways(&phrase.parts)).collect();
    let mut said: HashMap<(Role, &str), &Phrase> = HashMap::new();
    for (phrase, ways) in rules.phrases().iter().zip(&ways).filter(|(p, _)| is_said(p.role)) {
        let repeated = ways.iter().filter_map(|way| said.get(&(phrase.role, way.as_str()))).collect::<Vec<_>>();
        if !ways.is_empty() && repeated.len() == ways.len() {
            found.push(repeats(phrase, &repeated[0].place));
        }
        for way in ways {
            said.entry((phrase.role, way)).or_insert(phrase);
        }
    }
    let undone = undone_ways(rules, &ways);
    for (phrase, ways) in rules.phrases().iter().zip(&ways) {
        found.extend(is_undone(phrase, ways, &undone));
        found.extend(contradicts(phrase, ways, &said, rules));
    }
}

const fn is_said(role: Role) -> bool {
    matches!(role, Role::Signal(_) | Role::Hold(_))
}

fn repeats(phrase: &Phrase, first: &Place) -> RuleError {
    at(&phrase.place, "R054", format!("{first} already says this."), "Delete this line.").warning()
}

/// Every way to undo a signal or hold, by what it undoes.
fn undone_ways<'w>(rules: &'w Rules, ways: &'w [Vec<String>]) -> HashMap<(Role, &'w str), &'w Phrase> {
    let undoes = |role| match role {
        Role::SignalUnless(i) => Some(Role::Signal(i)),
        Role::HoldUnless(i) => Some(Role::Hold(i)),
        _ => None,
    };
    let each = rules.phrases().iter().zip(ways).filter_map(|(phrase, ways)| Some((undoes(phrase.role)?, phrase, ways)));
    each.flat_map(|(role, phrase, ways)| ways.iter().map(move |way| ((role, way.as_str()), phrase))).collect()
}

/// A phrase of which every way is undone, word for word, by an `unless` of its own rule.
fn is_undone(phrase: &Phrase, ways: &[String], undone: &HashMap<(Role, &str), &Phrase>) -> Option<RuleError> {
    let by = ways.iter().map(|way| undone.get(&(phrase.role, way.as_str()))).collect::<Option<Vec<_>>>()?;
    let message = format!("this can never match: the unless at {} undoes it.", by.first()?.place);
    Some(at(&phrase.place, "R055", message, "Delete one of the two lines."))
}

/// The same words in two live signals that pull in opposite directions.
fn contradicts(
    phrase: &Phrase,
    ways: &[String],
    said: &HashMap<(Role, &str), &Phrase>,
    rules: &Rules,
) -> Option<RuleError> {
    let Role::Signal(here) = phrase.role else { return None };
    let signals = rules.signals();
    let opposed = |a: usize, b: usize| {
        let (a, b) = (&signals[a], &signals[b]);
        let live = a.status == Status::Live && b.status == Status::Live;
        let signs = a.points.hundredths().signum() * b.points.hundredths().signum() < 0;
        live && (signs || (a.speaks_for == Stance::Leaving && b.speaks_for == Stance::Joining))
    };
    let other = (0..here).filter(|&there| opposed(here, there)).find_map(|there| {
        ways.iter().find_map(|way| said.get(&(Role::Signal(there), way.as_str()))).map(|hit| (there, hit))
    });
    let (there, hit) = other?;
    let message = format!(
        "\"{}\" and \"{}\" ({}) say the same words and mean opposite things.",
        signals[here].id, signals[there].id, hit.place
    );
    Some(at(&phrase.place, "R056", message, "Take the words out of one of them.").warning())
}

/// Every way to say the parts; none when there are more than [`WAYS_MAX`].
fn ways(parts: &[Part]) -> Vec<String> {
    let mut all = vec![String::new()];
    for part in parts {
        let here = one(part);
        if here.is_empty() || all.len() * here.len() > WAYS_MAX {
            return Vec::new();
        }
        all = all.iter().flat_map(|before| here.iter().map(move |way| join(before, way))).collect();
    }
    all
}

fn one(part: &Part) -> Vec<String> {
    let options = |options: &[Parts]| -> Vec<String> {
        let each: Vec<Vec<String>> = options.iter().map(|o| ways(o)).collect();
        if each.iter().any(Vec::is_empty) { Vec::new() } else { each.concat() }
    };
    match part {
        Part::Word(word) => vec![word.to_string()],
        Part::Prefix(stem) => vec![format!("{stem}*")],
        Part::Gap => vec!["...".to_owned()],
        Part::Slot(slot) => vec![slot_name(*slot).to_owned()],
        Part::OneOf(of) => options(of),
        Part::Maybe(of) => {
            let mut all = options(of);
            if !all.is_empty() {
                all.push(String::new());
            }
            all
        }
    }
}

const fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Rival => "{rival}",
        Slot::Home => "{home}",
        Slot::Provider => "{provider}",
        Slot::Other => "{other}",
    }
}

fn join(before: &str, way: &str) -> String {
    if before.is_empty() || way.is_empty() { format!("{before}{way}") } else { format!("{before} {way}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_spelt_out_in_every_way() {
        let parts = |words: &[&str]| -> Parts { words.iter().map(|w| Part::Word((*w).into())).collect() };
        let phrase = [
            Part::Word("signal".into()),
            Part::OneOf([parts(&["is"]), parts(&["was", "so"])].into()),
            Part::Maybe([parts(&["really"])].into()),
            Part::Prefix("bad".into()),
        ];
        assert_eq!(
            ways(&phrase),
            ["signal is really bad*", "signal is bad*", "signal was so really bad*", "signal was so bad*"]
        );
    }
}
