//! The runs and pairs of runs that names start with, as a bitmap in front of a small hash set.

use std::collections::HashMap;

use super::runs::{self, PADDING};

/// A name is this run and nothing more.
pub const ALONE: u32 = 1;
/// A name starts with this run; the run after it tells.
pub const FIRST: u32 = 2;
/// A name starts with these two runs.
pub const PAIR: u32 = 3;
const FLAGS: u32 = 3;

/// Bits of the bitmap for each key: about one probe in sixteen that should fail gets past it.
const BITS_PER_KEY: usize = 16;
/// Slots of the hash set for each key.
const SLOTS_PER_KEY: usize = 2;

/// A set of hashes with two flag bits each. Hashes may collide: then a text goes through for nothing.
#[derive(Debug)]
pub struct Keys {
    bits: Box<[u64]>,
    bit_shift: u32,
    slots: Box<[u32]>,
    slot_shift: u32,
}

impl Keys {
    /// The flags of a hash; zero when it is not in the set.
    #[inline]
    pub fn flags(&self, hash: u64) -> u32 {
        let bit = hash >> self.bit_shift;
        let word = self.bits[(bit >> 6) as usize];
        if word >> (bit & 63) & 1 == 0 { 0 } else { self.slot(hash) & FLAGS }
    }

    /// The entry of a hash, or zero.
    #[expect(clippy::cast_possible_truncation, reason = "an index, and the low half of the hash")]
    fn slot(&self, hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.slot_shift) as usize;
        // Half of the slots are empty: the walk ends soon.
        loop {
            let entry = self.slots[at & mask];
            if entry == 0 || entry & !FLAGS == hash as u32 & !FLAGS {
                return entry;
            }
            at += 1;
        }
    }
}

/// Gathers keys name by name.
#[derive(Debug, Default)]
pub struct Builder {
    flags: HashMap<u64, u32>,
}

impl Builder {
    /// Adds a folded ASCII name; no when it leaves nothing to look for.
    pub fn add(&mut self, name: &str) -> bool {
        let mut runs = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
        let (first, second) = (runs.next(), runs.next());
        // A web address folds to this word, whatever runs stand in it.
        if first == Some("http") || second == Some("http") {
            return false;
        }
        match (first.map(hash_of), second.map(hash_of)) {
            (None, _) => return false,
            (Some(only), None) => self.set(only, ALONE),
            (Some(first), Some(second)) => {
                self.set(first, FIRST);
                self.set(runs::pair(first, second), PAIR);
            }
        }
        true
    }

    fn set(&mut self, hash: u64, flag: u32) {
        *self.flags.entry(hash).or_default() |= flag;
    }

    /// The set.
    pub fn build(self) -> Keys {
        let bits = (self.flags.len() * BITS_PER_KEY).next_power_of_two().max(64);
        let slots = (self.flags.len() * SLOTS_PER_KEY).next_power_of_two().max(2);
        let mut keys = Keys {
            bits: vec![0; bits / 64].into(),
            bit_shift: 64 - bits.trailing_zeros(),
            slots: vec![0; slots].into(),
            slot_shift: 64 - slots.trailing_zeros(),
        };
        self.flags.into_iter().for_each(|(hash, flags)| keys.insert(hash, flags));
        keys
    }
}

impl Keys {
    #[expect(clippy::cast_possible_truncation, reason = "indexes, and the low half of the hash")]
    fn insert(&mut self, hash: u64, flags: u32) {
        let bit = hash >> self.bit_shift;
        self.bits[(bit >> 6) as usize] |= 1 << (bit & 63);
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.slot_shift) as usize & mask;
        while self.slots[at] != 0 && self.slots[at] & !FLAGS != hash as u32 & !FLAGS {
            at = (at + 1) & mask;
        }
        self.slots[at] |= (hash as u32 & !FLAGS) | flags;
    }
}

fn hash_of(run: &str) -> u64 {
    let mut padded = run.as_bytes().to_vec();
    padded.resize(run.len() + PADDING, 0);
    runs::hash(&padded, 0, run.len())
}
