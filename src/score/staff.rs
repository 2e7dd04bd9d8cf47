//! What staff signals add to one provider's score: their points, capped by topic, with the rule's file and line.

use super::{Points, Reason};
use crate::post::Post;
use crate::rules::{Role, Rules, Signal, Status};
use crate::scan::{Match, Scan};

/// The live signals a post says, in order of place.
pub fn live<'a>(scan: &'a Scan, rules: &'a Rules) -> impl Iterator<Item = (&'a Match, &'a Signal)> {
    scan.matches
        .iter()
        .filter_map(|m| match m.role {
            Role::Signal(i) => Some((m, &rules.signals()[i])),
            _ => None,
        })
        .filter(|(_, signal)| signal.status == Status::Live)
}

/// The signals that count for this provider, each once, with what it adds within its topic's cap:
/// those said of this provider, and those said of nobody in particular.
pub fn points<'a>(scan: &'a Scan, rules: &'a Rules, provider: usize) -> Vec<(&'a Match, &'a Signal, Points)> {
    let mut topics: Vec<(&str, Points)> = Vec::new();
    let mut counted: Vec<(&Match, &Signal, Points)> = Vec::new();
    for (m, signal) in live(scan, rules).filter(|(m, _)| m.provider.is_none_or(|p| p == provider)) {
        if !counted.iter().any(|(_, other, _)| other.id == signal.id) {
            counted.push((m, signal, within_cap(signal, &mut topics)));
        }
    }
    counted
}

/// The points left of a topic's cap, which holds both ways.
fn within_cap<'a>(signal: &'a Signal, topics: &mut Vec<(&'a str, Points)>) -> Points {
    let Some(cap) = signal.cap else { return signal.points };
    if !topics.iter().any(|(topic, _)| *topic == signal.topic) {
        topics.push((&signal.topic, Points::ZERO));
    }
    let sum = &mut topics.iter_mut().find(|(topic, _)| *topic == signal.topic).expect("pushed above").1;
    let cap = cap.max(-cap);
    let capped = (*sum + signal.points).clamp(-cap, cap);
    let added = capped + -*sum;
    *sum = capped;
    added
}

/// The reasons these points give.
pub fn reasons(post: &Post, points: &[(&Match, &Signal, Points)]) -> Vec<Reason> {
    points
        .iter()
        .filter(|(_, _, points)| *points != Points::ZERO)
        .map(|(m, signal, points)| Reason {
            signal: signal.id.clone(),
            span: m.span,
            text: m.span.of(&post.text).to_owned(),
            points: *points,
            rule: Some(m.place.to_string()),
        })
        .collect()
}
