//! Secrets that a browser or an integration carries: made at random, stored only as a hash.

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

/// 256 bits, twice what is asked for.
const TOKEN_BYTES: usize = 32;

/// A fresh token, as it is handed out.
pub fn token() -> Option<String> {
    let mut bytes = [0; TOKEN_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// What is stored of a token.
pub fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (a, b) = (token().unwrap(), token().unwrap());
        assert_eq!(a.len(), 2 * TOKEN_BYTES);
        assert_ne!(a, b);
        assert_ne!(hash(&a), hash(&b));
    }
}
