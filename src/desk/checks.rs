//! Should we enter? Each reason to speak or not, green, amber or red; a red one blocks approval.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::say;
use crate::decide::History;
use crate::queue::{Lead, Queue, QueueError, State};
use crate::rules::{Policy, Rules};

/// How a check turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Nothing speaks against it.
    Good,
    /// Look twice.
    Warn,
    /// Approval is off.
    Bad,
}

/// One reason to speak or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// How it turned out.
    pub light: Light,
    /// In a sentence.
    pub says: String,
}

/// What the checks look at.
#[derive(Debug, Clone)]
pub struct Facts {
    history: History,
    replies_last_hour: u32,
    replies_last_day: u32,
    paused: bool,
}

impl Facts {
    /// Reads them from the queue.
    pub fn read(queue: &Queue, lead: &Lead, now: Timestamp) -> Result<Self, QueueError> {
        let since = |hours| now - SignedDuration::from_hours(hours);
        Ok(Self {
            history: lead.post.as_ref().map_or(Ok(History::default()), |post| queue.history(post))?,
            replies_last_hour: queue.replies_since(lead.network, since(1))?,
            replies_last_day: queue.replies_since(lead.network, since(24))?,
            paused: queue.is_paused()?,
        })
    }
}

/// All checks of a lead, in the order they are read.
pub fn checks(lead: &Lead, facts: &Facts, rules: &Rules, me: &str, now: Timestamp) -> Vec<Check> {
    let policy = rules.policy();
    [
        Some(post(lead)),
        Some(opted_out(facts)),
        Some(contacted(facts, policy, now)),
        Some(conversation(facts)),
        hold(lead, rules),
        Some(offer(lead, rules, now)),
        Some(cap(facts, policy)),
        quiet(policy, now),
        claim(lead, me, now),
        Some(time(lead, now)),
        facts.paused.then(|| warn("Sending is paused for everybody: an approval waits.")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The checks that block approval.
pub fn blocking(checks: &[Check]) -> Vec<&Check> {
    checks.iter().filter(|check| check.light == Light::Bad).collect()
}

/// The list of checks.
pub fn shown(checks: &[Check]) -> Markup {
    let blocking = blocking(checks).len();
    html! {
        section.card aria-labelledby="enter" {
            h2 #enter {
                "Should we enter? "
                span.soft {
                    @match blocking {
                        0 => "Nothing stands in the way.",
                        1 => "No: one check is red.",
                        n => { "No: " (n) " checks are red." }
                    }
                }
            }
            ul.checks {
                @for check in checks {
                    li class=(match check.light { Light::Good => "good", Light::Warn => "warn", Light::Bad => "bad" }) {
                        span {
                            span.unseen { (match check.light { Light::Good => "Fine: ", Light::Warn => "Look twice: ", Light::Bad => "Blocked: " }) }
                            (check.says)
                        }
                    }
                }
            }
        }
    }
}

fn good(says: impl Into<String>) -> Check {
    Check { light: Light::Good, says: says.into() }
}

fn warn(says: impl Into<String>) -> Check {
    Check { light: Light::Warn, says: says.into() }
}

fn bad(says: impl Into<String>) -> Check {
    Check { light: Light::Bad, says: says.into() }
}

fn post(lead: &Lead) -> Check {
    if lead.post.is_some() { good("The post is still there, as far as we heard.") } else { bad("The post is gone.") }
}

fn opted_out(facts: &Facts) -> Check {
    if facts.history.opted_out {
        bad("The author asked to be left alone.")
    } else {
        good("The author has not opted out.")
    }
}

fn contacted(facts: &Facts, policy: &Policy, now: Timestamp) -> Check {
    let days = policy.contact_window_days;
    match facts.history.contacted_at {
        Some(at) if now.duration_since(at) < SignedDuration::from_hours(24 * i64::from(days)) => {
            bad(format!("We spoke to this person on {}.", at.strftime("%-d %B %Y")))
        }
        _ => good(format!("Not contacted in the last {days} days.")),
    }
}

fn conversation(facts: &Facts) -> Check {
    if facts.history.conversation_taken {
        warn("There is another lead in this conversation.")
    } else {
        good("We are not in this conversation yet.")
    }
}

/// A lead that an operator took from the watch list over a hold.
fn hold(lead: &Lead, rules: &Rules) -> Option<Check> {
    let code = lead.hold.as_ref()?;
    let why = rules.holds().iter().find(|hold| hold.id == *code).map_or(code.as_str(), |hold| &hold.why);
    Some(warn(format!("It was held back and promoted by hand: {why}")))
}

fn offer(lead: &Lead, rules: &Rules, now: Timestamp) -> Check {
    let Some(id) = lead.offer.as_ref().or_else(|| lead.drafts.first().map(|draft| &draft.offer)) else {
        return warn("No offer fits; you write on your own.");
    };
    let Some(offer) = rules.offers().iter().find(|offer| offer.id == *id) else {
        return bad(format!("The offer {id} is no longer in the rules."));
    };
    match (offer.blocked(now, 0), offer.ends) {
        (Some(why), _) => bad(format!("{id}: {why}")),
        (None, Some(ends)) => good(format!("The offer {id} is in date, until {}.", ends.strftime("%-d %B %Y"))),
        (None, None) => good(format!("The offer {id} is in date.")),
    }
}

fn cap(facts: &Facts, policy: &Policy) -> Check {
    let (day, day_max) = (facts.replies_last_day, policy.replies_per_day_max);
    if day >= day_max {
        return bad(format!("All {day_max} replies of the day are used on this network."));
    }
    if facts.replies_last_hour >= policy.replies_per_hour_max {
        return warn(format!("All {} replies of the hour are used: an approval waits.", policy.replies_per_hour_max));
    }
    good(format!("{} of {day_max} replies are left today.", day_max - day))
}

fn quiet(policy: &Policy, now: Timestamp) -> Option<Check> {
    let quiet = policy.quiet_hours.as_ref()?;
    Some(if quiet.holds_at(now) {
        warn(format!("Quiet hours until {}: an approval waits.", quiet.to.strftime("%H:%M")))
    } else {
        good("It is not a quiet hour.")
    })
}

fn claim(lead: &Lead, me: &str, now: Timestamp) -> Option<Check> {
    let claim = lead.claim.as_ref().filter(|claim| claim.until > now && claim.by != me)?;
    Some(bad(format!("{} is replying, until {} at the latest.", claim.by, say::clock(claim.until))))
}

fn time(lead: &Lead, now: Timestamp) -> Check {
    let left = lead.expires_at.as_second() - now.as_second();
    match lead.state {
        State::New | State::Snoozed if left < 30 * 60 => warn(format!("Expires in {}.", say::span(left.max(0)))),
        _ => good("There is time to decide."),
    }
}
