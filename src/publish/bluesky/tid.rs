//! The record key of a reply: made from the reply alone, so that every try writes to the same place.

use jiff::Timestamp;

use crate::queue::Approved;

/// The sortable base 32 of the AT protocol.
const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
/// Characters of a TID.
const LENGTH: usize = 13;
/// The moments a TID of ours may carry: no earlier than the network, no later than its 53 bits.
const SECONDS: (i64, i64) = (1_670_000_000, 4_102_444_800);

/// The TID for this reply. Its time is that of the post it answers, its fraction and clock id come from the
/// reply's key: the same for every try, different for two replies.
pub(super) fn tid_of(reply: &Approved) -> String {
    tid(reply.post().created_at, reply.key())
}

fn tid(post_at: Option<Timestamp>, key: &str) -> String {
    let second = post_at.map_or(SECONDS.0, Timestamp::as_second).clamp(SECONDS.0, SECONDS.1);
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let micros = second.unsigned_abs() * 1_000_000 + hash % 1_000_000;
    encode((micros << 10) | (hash >> 54))
}

fn encode(value: u64) -> String {
    let digit = |place: usize| char::from(ALPHABET[usize::try_from((value >> (5 * place)) & 31).unwrap_or_default()]);
    (0..LENGTH).rev().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn numbers_are_written_as_the_protocol_does() {
        assert_eq!(encode(0), "2222222222222");
        assert_eq!(encode(31), "222222222222z");
        assert_eq!(encode(u64::MAX), "jzzzzzzzzzzzz");
    }

    #[test]
    fn the_same_reply_has_the_same_key_and_another_has_another() {
        let post = at("2026-11-22T10:00:00Z");
        assert_eq!(tid(post, "ab12"), tid(post, "ab12"));
        assert_ne!(tid(post, "ab12"), tid(post, "ab13"));
        let many: std::collections::BTreeSet<String> = (0..2_000).map(|i| tid(post, &format!("{i:032x}"))).collect();
        assert_eq!(many.len(), 2_000);
    }

    #[test]
    fn whatever_time_an_author_claims_the_key_is_well_formed() {
        for post in [None, at("0001-01-01T00:00:00Z"), at("9999-01-01T00:00:00Z"), at("2026-11-22T10:00:00Z")] {
            let tid = tid(post, "00ff");
            assert_eq!(tid.len(), LENGTH);
            assert!(tid.bytes().all(|b| ALPHABET.contains(&b)) && tid.as_bytes()[0] < b'k', "{tid}");
        }
    }
}
