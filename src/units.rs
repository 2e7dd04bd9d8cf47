//! The units of judgement: points of evidence and the five stances.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg};

use serde::{Deserialize, Serialize};

/// Evidence for "the author is about to leave this provider", in hundredths of a deciban.
///
/// Ten points make leaving ten times as likely in odds, three points double it (I. J. Good's and Alan
/// Turing's *deciban*, ten times the decimal logarithm of an odds ratio). Whole hundredths, so that the
/// shown reasons add up exactly to the shown score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Points(i32);

impl Points {
    /// No evidence either way.
    pub const ZERO: Self = Self(0);

    /// From hundredths of a point.
    #[must_use]
    pub const fn from_hundredths(hundredths: i32) -> Self {
        Self(hundredths)
    }

    /// From points as people write them, rounded to hundredths.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "clamped first")]
    pub fn from_f64(points: f64) -> Self {
        Self((points * 100.0).round().clamp(-1e6, 1e6) as i32)
    }

    /// Hundredths of a point.
    #[must_use]
    pub const fn hundredths(self) -> i32 {
        self.0
    }

    /// Points as people read them.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The probability whose odds these points are: `1 / (1 + 10^(-points/10))`.
    #[must_use]
    pub fn probability(self) -> f64 {
        1.0 / (1.0 + 10f64.powf(-self.as_f64() / 10.0))
    }
}

impl Add for Points {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Points {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Points {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}", self.as_f64())
    }
}

impl Serialize for Points {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::from_f64)
    }
}

/// What the author is doing with a provider, as far as this post tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// A customer who says, threatens, plans or asks about leaving.
    Leaving,
    /// Has already left.
    Left,
    /// Moving to, considering or just arrived.
    Joining,
    /// Complains and shows no intent to leave.
    Complaint,
    /// All else: neutral, praise, news, an advert, somebody else's story, merely named.
    Other,
}

impl Stance {
    /// Every stance, in the order the model and the tables use.
    pub const ALL: [Self; 5] = [Self::Leaving, Self::Left, Self::Joining, Self::Complaint, Self::Other];

    /// The lower-case word used in JSON, rules and the desk.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Joining => "joining",
            Self::Complaint => "complaint",
            Self::Other => "other",
        }
    }

    /// The stance of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

impl fmt::Display for Stance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
