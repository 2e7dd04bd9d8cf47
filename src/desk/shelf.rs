//! The shelves that leads lie on, each with its address, its title and the states it holds.

use crate::queue::State;

/// One list of leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Waits for a decision.
    Queue,
    /// Claimed by or assigned to the one who asks.
    Mine,
    /// Put off.
    Snoozed,
    /// Approved, not yet out.
    Approved,
    /// Out.
    Sent,
    /// Went wrong, or nobody knows how it went.
    Attention,
    /// Declined.
    Dismissed,
    /// Nobody decided in time.
    Expired,
    /// The post or its author's consent is gone.
    Withdrawn,
}

impl Shelf {
    /// Every shelf, in the order of the rail.
    pub const ALL: [Self; 9] = [
        Self::Queue,
        Self::Mine,
        Self::Snoozed,
        Self::Approved,
        Self::Attention,
        Self::Sent,
        Self::Dismissed,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// Its address below `/`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Mine => "mine",
            Self::Snoozed => "snoozed",
            Self::Approved => "approved",
            Self::Sent => "sent",
            Self::Attention => "attention",
            Self::Dismissed => "dismissed",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Queue => "Queue",
            Self::Mine => "Mine",
            Self::Snoozed => "Snoozed",
            Self::Approved => "Approved",
            Self::Sent => "Sent",
            Self::Attention => "Needs attention",
            Self::Dismissed => "Dismissed",
            Self::Expired => "Expired",
            Self::Withdrawn => "Withdrawn",
        }
    }

    /// The states of its leads.
    pub const fn states(self) -> &'static [State] {
        match self {
            Self::Queue | Self::Mine => &[State::New],
            Self::Snoozed => &[State::Snoozed],
            Self::Approved => &[State::Approved, State::Sending, State::HandedOff],
            Self::Sent => &[State::Sent, State::Removed],
            Self::Attention => &[State::Failed, State::Unknown],
            Self::Dismissed => &[State::Dismissed],
            Self::Expired => &[State::Expired],
            Self::Withdrawn => &[State::Withdrawn],
        }
    }

    /// The shelf at an address.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shelf| shelf.path() == path)
    }

    /// The shelf that a lead in this state lies on.
    pub fn of(state: State) -> Self {
        Self::ALL.into_iter().find(|shelf| shelf.states().contains(&state)).unwrap_or(Self::Queue)
    }

    /// The second key after `g`, where there is one.
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Queue => Some("gq"),
            Self::Mine => Some("gm"),
            Self::Snoozed => Some("gs"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_lies_on_a_shelf() {
        for state in State::ALL {
            assert!(Shelf::of(state).states().contains(&state), "{state}");
        }
        for shelf in Shelf::ALL {
            assert_eq!(Shelf::at(shelf.path()), Some(shelf));
        }
    }
}
