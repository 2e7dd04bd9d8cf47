//! Whether every example comes out as its author says: caught or quiet, not missed or noisy.

use serde::Serialize;

use super::{Cast, at};
use crate::post::Post;
use crate::rules::{Examples, Line, Place, Role, RuleError, Status};
use crate::scan::Scanner;

/// A live signal needs at least this many posts that must match.
const SHOULD_MATCH_MIN: usize = 2;

/// How the examples came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Outcomes {
    /// Should match, and does.
    pub caught: usize,
    /// Should not match, and does not.
    pub quiet: usize,
    /// Should match, and does not.
    pub missed: usize,
    /// Should not match, and does.
    pub noisy: usize,
}

/// What an example belongs to.
struct Owner<'r> {
    what: &'static str,
    id: &'r str,
    role: Role,
    status: Status,
    place: &'r Place,
    examples: &'r Examples,
}

/// Scans every example of every signal and hold.
pub fn check(scanner: &Scanner, found: &mut Vec<RuleError>) -> Outcomes {
    let rules = scanner.rules();
    let cast = Cast::of(rules);
    let signals = rules.signals().iter().enumerate().map(|(i, s)| Owner {
        what: "signal",
        id: &s.id,
        role: Role::Signal(i),
        status: s.status,
        place: &s.place,
        examples: &s.examples,
    });
    let holds = rules.holds().iter().enumerate().map(|(i, h)| Owner {
        what: "hold",
        id: &h.id,
        role: Role::Hold(i),
        status: h.status,
        place: &h.place,
        examples: &h.examples,
    });
    let mut outcomes = Outcomes::default();
    for owner in signals.chain(holds) {
        there_are_enough(&owner, scanner, found);
        for line in &owner.examples.should_match {
            match matched(scanner, &cast, &owner, line) {
                Some(_) => outcomes.caught += 1,
                None => {
                    outcomes.missed += 1;
                    found.push(missed(&owner, line));
                }
            }
        }
        for line in &owner.examples.should_not_match {
            match matched(scanner, &cast, &owner, line) {
                None => outcomes.quiet += 1,
                Some((words, by)) => {
                    outcomes.noisy += 1;
                    found.push(noisy(&owner, line, &words, &by));
                }
            }
        }
    }
    outcomes
}

/// The words that match the owner in an example, and the rule line that says them. An example that names
/// nobody counts as said to a rival, as in its help chat.
fn matched(scanner: &Scanner, cast: &Cast<'_>, owner: &Owner<'_>, line: &Line) -> Option<(String, Place)> {
    let mut post = Post::new("example", cast.fill(&line.text));
    let mut scan = scanner.scan(&post);
    if scan.mentions.is_empty() {
        post.addressed_to = Some(cast.rival.to_owned());
        scan = scanner.scan(&post);
    }
    let hit = scan.matches.iter().find(|m| m.role == owner.role)?;
    Some((hit.span.of(&post.text).to_owned(), hit.place.clone()))
}

fn missed(owner: &Owner<'_>, line: &Line) -> RuleError {
    let message = format!("Missed: the {} \"{}\" does not see this example.", owner.what, owner.id);
    let help = "Add its words under says, see that no unless undoes it, or take the example away.";
    at(&on(owner.place, line), "R050", message, help)
}

fn noisy(owner: &Owner<'_>, line: &Line, words: &str, by: &Place) -> RuleError {
    let message = format!("Noisy: the {} \"{}\" sees \"{words}\" in this example.", owner.what, owner.id);
    let help = format!("{by} says it. Write that line more narrowly, or add the words that undo it under unless.");
    at(&on(owner.place, line), "R051", message, help)
}

/// Every live rule with phrases has examples both ways.
fn there_are_enough(owner: &Owner<'_>, scanner: &Scanner, found: &mut Vec<RuleError>) {
    let rules = scanner.rules();
    let speaks =
        rules.phrases().iter().any(|p| p.role == owner.role) || rules.patterns().iter().any(|p| p.role == owner.role);
    if owner.status != Status::Live || !speaks {
        return;
    }
    for (key, lines) in
        [("should_match", &owner.examples.should_match), ("should_not_match", &owner.examples.should_not_match)]
    {
        if lines.is_empty() {
            let message = format!("the {} \"{}\" has no {key} examples.", owner.what, owner.id);
            let help = format!("Add {key} = ''' with one whole post a line, or set status = \"trial\".");
            found.push(at(owner.place, "R052", message, help));
        }
    }
    if (1..SHOULD_MATCH_MIN).contains(&owner.examples.should_match.len()) {
        let message = format!("the {} \"{}\" has one should_match example only.", owner.what, owner.id);
        found.push(at(owner.place, "R053", message, "Add a second one, in other words.").warning());
    }
}

fn on(place: &Place, line: &Line) -> Place {
    Place { file: place.file.clone(), line: u32::try_from(line.number).unwrap_or(u32::MAX) }
}
