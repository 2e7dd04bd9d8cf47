//! Walks the runs of letters and digits in an ASCII text, 64 bytes at a time, and looks each one up.

use super::keys::{ALONE, FIRST, Keys, PAIR};

/// How many zero bytes must stand behind a text, so that whole blocks can be read.
pub const PADDING: usize = 80;

/// What a walk over a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No name starts here, for certain.
    Nothing,
    /// One might.
    Maybe,
}

/// Looks for the keys among the runs of `text`, of which `len` bytes count and [`PADDING`] zeros follow.
pub fn find(text: &[u8], len: usize, keys: &Keys) -> Found {
    let mut walk = Walk { text, keys, end: text.len(), before: [0; 2], firsts: [0; 2], joined: false };
    let mut start = 0;
    let (mut inside, mut carry) = (false, 0);
    for block in (0..=len).step_by(64) {
        let letters = letters(text, block);
        // A bit where a run starts, and one where it ends.
        let mut edges = letters ^ (letters << 1 | carry);
        carry = letters >> 63;
        while edges != 0 {
            let edge = block + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            if inside && walk.run(start, edge) == Found::Maybe {
                return Found::Maybe;
            }
            inside = !inside;
            start = edge;
        }
    }
    Found::Nothing
}

struct Walk<'t> {
    text: &'t [u8],
    keys: &'t Keys,
    /// Where the run before ended.
    end: usize,
    /// Runs that may start a name and stand two before this one; zero for none.
    before: [u64; 2],
    /// The same of the run before this one: alone, and joined over an apostrophe.
    firsts: [u64; 2],
    /// Whether the run before was joined to the one before it.
    joined: bool,
}

impl Walk<'_> {
    #[inline]
    fn run(&mut self, start: usize, end: usize) -> Found {
        let hash = hash(self.text, start, end);
        let flags = self.keys.flags(hash);
        if flags & ALONE != 0 || self.follows(self.firsts, hash) {
            return Found::Maybe;
        }
        let joins = self.end.wrapping_add(1) == start && matches!(self.text[self.end], b'\'' | b'`');
        let mut whole = 0;
        if joins {
            match self.join(start, end) {
                None => return Found::Maybe,
                Some(first) => whole = first,
            }
        }
        self.before = self.firsts;
        self.firsts = [if flags & FIRST != 0 { hash } else { 0 }, whole];
        (self.end, self.joined) = (end, joins);
        Found::Nothing
    }

    /// Whether a name starts with one of `firsts` and this run.
    #[inline]
    fn follows(&self, firsts: [u64; 2], hash: u64) -> bool {
        firsts != [0; 2] && firsts.iter().any(|&first| first != 0 && self.keys.flags(pair(first, hash)) & PAIR == PAIR)
    }

    /// Reads the last run and this one as one word (`don't`): `None` when that could be a name, else
    /// its hash if a name may start with it.
    #[cold]
    fn join(&self, start: usize, end: usize) -> Option<u64> {
        let from = self.text[..self.end].iter().rposition(|b| !b.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let mut whole = [&self.text[from..self.end], &self.text[start..end]].concat();
        if self.joined || has_stretch(&whole) {
            return None;
        }
        let len = whole.len();
        whole.resize(len + PADDING, 0);
        let hash = self::hash(&whole, 0, len);
        let flags = self.keys.flags(hash);
        let named = flags & ALONE != 0 || self.follows(self.before, hash);
        (!named).then_some(if flags & FIRST != 0 { hash } else { 0 })
    }
}

/// The hash of a run whatever its case: of its first sixteen bytes and its length.
#[inline]
pub fn hash(text: &[u8], start: usize, end: usize) -> u64 {
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let len = end - start;
    let low = (eight(text, start) | LOWER) & first_bytes(len);
    let high = (eight(text, start + 8) | LOWER) & first_bytes(len.saturating_sub(8));
    let mixed = (low ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ high.wrapping_mul(0xD1B5_4A32_D192_ED03);
    (mixed ^ mixed >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 << 2
}

/// The hash of two runs in a row.
#[inline]
pub const fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(0xD1B5_4A32_D192_ED03) | 1 << 2
}

#[inline]
fn eight(text: &[u8], at: usize) -> u64 {
    let bytes = text[at..at + 8].try_into().expect("eight bytes");
    u64::from_le_bytes(bytes)
}

/// A mask for the first `count` of eight bytes.
#[inline]
const fn first_bytes(count: usize) -> u64 {
    if count >= 8 { u64::MAX } else { (1 << (8 * count)) - 1 }
}

/// A bit for each of the 64 bytes from `at` on that is an ASCII letter or digit.
#[inline]
fn letters(text: &[u8], at: usize) -> u64 {
    let block: &[u8; 64] = text[at..at + 64].try_into().expect("the padding covers a block");
    let mut bits = 0;
    for (i, chunk) in block.chunks_exact(8).enumerate() {
        let eight = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        bits |= top_bits(letters_of_eight(eight)) << (8 * i);
    }
    bits
}

/// The top bit of each byte that is a letter or digit; all bytes must be ASCII.
#[inline]
const fn letters_of_eight(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Adding carries a byte's value past 127 exactly when it is at least the bound; no carry leaves a byte.
    let lower = eight | (0x20 * ONES);
    let letter = (lower + (128 - b'a' as u64) * ONES) & !(lower + (127 - b'z' as u64) * ONES);
    let digit = (eight + (128 - b'0' as u64) * ONES) & !(eight + (127 - b'9' as u64) * ONES);
    (letter | digit) & (0x80 * ONES)
}

/// Gathers the top bits of eight bytes into one.
#[inline]
const fn top_bits(eight: u64) -> u64 {
    (eight >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Whether some letter stands three times in a row.
pub fn has_stretch(text: &[u8]) -> bool {
    // Plain arithmetic over three equal slices: the compiler makes vector code of it.
    let [a, b, c] = [0, 1, 2].map(|skip| text.get(skip..).unwrap_or_default());
    let thrice = |((a, b), c): ((&u8, &u8), &u8)| {
        let (a, b, c) = (a | 0x20, b | 0x20, c | 0x20);
        u8::from(a == b) & u8::from(b == c) & u8::from(a.wrapping_sub(b'a') < 26)
    };
    a.iter().zip(b).zip(c).map(thrice).fold(0, |any, this| any | this) != 0
}

/// Copies the text with every letter that stands three or more times in a row written `keep` times.
/// No when one word stretches several letters: then neither of both ways need be the right one.
pub fn relax(text: &[u8], keep: usize, out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut in_word = 0;
    for same in text.chunk_by(u8::eq_ignore_ascii_case) {
        let letter = same[0];
        let stretched = same.len() > 2 && letter.is_ascii_alphabetic();
        in_word = if letter.is_ascii_alphanumeric() { in_word + usize::from(stretched) } else { 0 };
        if in_word > 1 {
            return false;
        }
        out.extend_from_slice(if stretched { &same[..keep] } else { same });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_are_told_from_the_rest() {
        for byte in 0..128u8 {
            let eight = u64::from_le_bytes([byte, 0, byte, 127, byte, b' ', byte, byte]);
            let wanted = if byte.is_ascii_alphanumeric() { 0b1101_0101 } else { 0 };
            assert_eq!(top_bits(letters_of_eight(eight)), wanted, "{byte}");
        }
    }

    #[test]
    fn stretched_letters_are_relaxed() {
        for (text, one, two) in
            [("soooo good", "so good", "soo good"), ("5000...", "5000...", "5000..."), ("EeE", "E", "Ee")]
        {
            let mut out = Vec::new();
            assert!(relax(text.as_bytes(), 1, &mut out));
            assert_eq!(out, one.as_bytes());
            assert!(relax(text.as_bytes(), 2, &mut out));
            assert_eq!(out, two.as_bytes());
        }
        assert!(!relax(b"sooogooood", 1, &mut Vec::new()));
        assert!(has_stretch(b"a sooo b") && !has_stretch(b"book 5000 ...") && !has_stretch(b"aa"));
    }
}
