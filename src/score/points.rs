//! The points model: adds up what staff signals say about one provider, with direction.

use super::{Assessment, Points, Reason, Stance};
use crate::post::{Post, Span};
use crate::rules::{Role, Rules, Signal, Status};
use crate::scan::{Match, Scan};

/// Where every score starts: one in five posts that name a provider and pass the gate speaks of leaving.
const BASE: Points = Points::from_hundredths(-600);
/// What it takes from a provider's score when the author says they are going there.
const GOING_THERE: Points = Points::from_hundredths(-2000);

/// What the post says about one provider.
pub fn assess(post: &Post, scan: &Scan, rules: &Rules, provider: usize) -> Assessment {
    let toward = joined(scan, rules);
    let mut reasons = vec![Reason {
        signal: "base".to_owned(),
        span: Span::default(),
        text: String::new(),
        points: BASE,
        rule: None,
    }];
    reasons.extend(signal_reasons(post, scan, rules, provider, &toward));
    if let Some((_, m)) = toward.iter().find(|(p, _)| *p == provider) {
        reasons.push(reason("direction.toward", m, post, GOING_THERE, None));
    }
    let score: Points = reasons.iter().map(|r| r.points).sum();
    let intent = score.probability();
    let stance = stance(scan, rules, provider, intent, &toward);
    Assessment {
        provider: rules.providers()[provider].id.clone(),
        stance,
        stances: spread(stance, intent),
        intent,
        toward: toward.iter().find(|(p, _)| *p != provider).map(|(p, _)| rules.providers()[*p].id.clone()),
        score,
        reasons,
    }
}

/// The providers that the author says they are going to, with the match that says so.
fn joined<'a>(scan: &'a Scan, rules: &'a Rules) -> Vec<(usize, &'a Match)> {
    live(scan, rules)
        .filter(|(_, s)| s.speaks_for == Stance::Joining)
        .filter_map(|(m, _)| m.provider.map(|p| (p, m)))
        .collect()
}

fn live<'a>(scan: &'a Scan, rules: &'a Rules) -> impl Iterator<Item = (&'a Match, &'a Signal)> {
    scan.matches
        .iter()
        .filter_map(|m| match m.role {
            Role::Signal(i) => Some((m, &rules.signals()[i])),
            _ => None,
        })
        .filter(|(_, s)| s.status == Status::Live)
}

/// Signals said of this provider, or of none in particular unless the author is going to it; capped by topic.
fn signal_reasons(post: &Post, scan: &Scan, rules: &Rules, provider: usize, toward: &[(usize, &Match)]) -> Vec<Reason> {
    let going_there = toward.iter().any(|(p, _)| *p == provider);
    let mut left_of_cap: Vec<(&str, Points)> = Vec::new();
    let mut counted: Vec<&str> = Vec::new();
    let mut reasons = Vec::new();
    for (m, signal) in live(scan, rules).filter(|(_, s)| s.speaks_for != Stance::Joining) {
        let about_us = m.provider.map_or(!going_there, |p| p == provider);
        if !about_us || counted.contains(&signal.id.as_str()) {
            continue;
        }
        counted.push(&signal.id);
        let points = within_cap(signal, &mut left_of_cap);
        reasons.push(reason(&signal.id, m, post, points, Some(m.place.to_string())));
    }
    reasons
}

fn within_cap<'a>(signal: &'a Signal, left: &mut Vec<(&'a str, Points)>) -> Points {
    let Some(cap) = signal.cap else { return signal.points };
    if !left.iter().any(|(topic, _)| *topic == signal.topic) {
        left.push((&signal.topic, cap));
    }
    let rest = &mut left.iter_mut().find(|(topic, _)| *topic == signal.topic).expect("pushed above").1;
    let points = signal.points.min(*rest);
    *rest += -points.max(Points::ZERO);
    points
}

fn reason(signal: &str, m: &Match, post: &Post, points: Points, rule: Option<String>) -> Reason {
    Reason { signal: signal.to_owned(), span: m.span, text: m.span.of(&post.text).to_owned(), points, rule }
}

fn stance(scan: &Scan, rules: &Rules, provider: usize, intent: f64, toward: &[(usize, &Match)]) -> Stance {
    let says =
        |stance| live(scan, rules).any(|(m, s)| s.speaks_for == stance && m.provider.is_none_or(|p| p == provider));
    if intent >= 0.5 {
        Stance::Leaving
    } else if toward.iter().any(|(p, _)| *p == provider) {
        Stance::Joining
    } else if says(Stance::Left) {
        Stance::Left
    } else if says(Stance::Complaint) {
        Stance::Complaint
    } else {
        Stance::Other
    }
}

/// Intent goes to leaving; the stance named gets most of the rest.
fn spread(stance: Stance, intent: f64) -> [f64; 5] {
    let rest = 1.0 - intent;
    let mut stances = Stance::ALL.map(|s| if s == stance { 0.7 * rest } else { 0.1 * rest });
    if stance == Stance::Leaving {
        stances = [0.25 * rest; 5];
    }
    stances[0] = intent;
    stances
}
