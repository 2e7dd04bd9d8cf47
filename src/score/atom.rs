//! One piece of a feature's name with its hash, so that names need not be built to be looked up.

/// A piece of a name: a masked word or a fixed word of ours. Holds no blank.
#[derive(Debug, Clone, Copy)]
pub struct Atom<'a> {
    pub text: &'a str,
    hash: u64,
}

impl<'a> Atom<'a> {
    /// The judged provider.
    pub const TARGET: Atom<'static> = Atom::new("TARGET");
    /// Another provider.
    pub const OTHER: Atom<'static> = Atom::new("OTHER");
    /// A handle that is no provider's.
    pub const SOMEBODY: Atom<'static> = Atom::new("@somebody");
    /// A web address.
    pub const LINK: Atom<'static> = Atom::new("LINK");
    /// A signature such as `^AB`.
    pub const SIGNATURE: Atom<'static> = Atom::new("^SIGNED");
    /// A number.
    pub const NUMBER: Atom<'static> = Atom::new("0");
    /// A sum of money.
    pub const MONEY: Atom<'static> = Atom::new("£0");
    /// `?`
    pub const QUESTION: Atom<'static> = Atom::new("?");
    /// `!`
    pub const EXCLAIM: Atom<'static> = Atom::new("!");
    /// `.`
    pub const STOP: Atom<'static> = Atom::new(".");
    /// `,`
    pub const COMMA: Atom<'static> = Atom::new(",");

    /// The piece of that text.
    pub const fn new(text: &'a str) -> Self {
        Self { text, hash: hash(text.as_bytes()) }
    }

    /// Whether the two are the same piece.
    pub fn is(self, other: Atom<'_>) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

/// The key under which a feature of these pieces is looked up.
pub fn key(family: u64, pieces: &[Atom<'_>]) -> u64 {
    pieces.iter().fold(mix(0x9E37_79B9_7F4A_7C15, family), |key, piece| mix(key, piece.hash))
}

const fn mix(key: u64, more: u64) -> u64 {
    let mixed = (key.rotate_left(23) ^ more).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed ^ (mixed >> 32)
}

/// FNV-1a: short, and the same on every machine.
const fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01B3);
        at += 1;
    }
    hash
}
