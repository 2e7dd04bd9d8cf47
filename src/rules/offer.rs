//! When an offer may be made: live, in date, proven, and not used up.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Offer, Status};
use crate::text::fold;

/// Why an offer may not be made. The sentence is for the operator and says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// It is on trial or retired.
    NotLive,
    /// Its first day is still to come.
    NotYet(Date),
    /// Its last day is over.
    Over(Date),
    /// Nothing proves it.
    NoProof,
    /// It was made as often as it may be.
    UsedUp(u32),
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive => f.write_str("This offer is not live. Set status = \"live\" in offers.toml to use it."),
            Self::NotYet(day) => write!(f, "This offer starts on {day}. Use another one until then."),
            Self::Over(day) => write!(f, "This offer ended on {day}. Use another one, or have its end changed."),
            Self::NoProof => f.write_str("This offer has no proof. Add proof = \"https://...\" to it in offers.toml."),
            Self::UsedUp(most) => {
                write!(f, "This offer was made {most} times, as often as it may be. Use another one.")
            }
        }
    }
}

impl Offer {
    /// Why it may not be made at this time (by UTC days) after so many uses; `None` when it may.
    #[must_use]
    pub fn blocked(&self, now: Timestamp, uses: u32) -> Option<Blocked> {
        let today = now.to_zoned(TimeZone::UTC).date();
        match (self.starts, self.ends, self.max_uses) {
            _ if self.status != Status::Live => Some(Blocked::NotLive),
            (Some(starts), _, _) if today < starts => Some(Blocked::NotYet(starts)),
            (_, Some(ends), _) if ends < today => Some(Blocked::Over(ends)),
            (_, _, Some(most)) if uses >= most => Some(Blocked::UsedUp(most)),
            _ if self.proof.is_none() => Some(Blocked::NoProof),
            _ => None,
        }
    }

    /// Whether a reply says who we are, as this offer requires.
    #[must_use]
    pub fn discloses(&self, reply: &str) -> bool {
        let said = |words: &String| format!(" {} ", fold(reply)).contains(&format!(" {} ", fold(words)));
        self.disclosure.as_ref().is_none_or(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rules, RulesSource};

    #[test]
    fn an_offer_is_blocked_with_a_reason() {
        let rules = Rules::load(&RulesSource::default()).expect("the shipped rules are right");
        let good = rules.offers().iter().find(|o| o.id == "signal-trial").expect("a shipped offer").clone();
        let day = |day: &str| format!("{day}T12:00:00Z").parse::<Timestamp>().expect("a day");
        let most = good.max_uses.expect("it is limited");
        let unproven = Offer { proof: None, ..good.clone() };
        let trial = Offer { status: Status::Trial, ..good.clone() };
        for (offer, now, uses, blocked) in [
            (&good, "2026-06-01", 0, None),
            (&good, "2025-12-31", 0, Some(Blocked::NotYet(good.starts.expect("a start")))),
            (&good, "2027-12-31", 0, None),
            (&good, "2028-01-01", 0, Some(Blocked::Over(good.ends.expect("an end")))),
            (&good, "2026-06-01", most - 1, None),
            (&good, "2026-06-01", most, Some(Blocked::UsedUp(most))),
            (&unproven, "2026-06-01", 0, Some(Blocked::NoProof)),
            (&trial, "2026-06-01", 0, Some(Blocked::NotLive)),
        ] {
            assert_eq!(offer.blocked(day(now), uses), blocked, "{now} {uses}");
        }
        assert!(good.discloses("Hello! NORTHWIND Mobile here, shall we?"));
        assert!(!good.discloses("Hello, shall we?"));
    }
}
