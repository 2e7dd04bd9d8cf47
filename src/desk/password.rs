//! Passwords and second factors: Argon2id, no rules but length and the commonest ones, time codes with one step of grace.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use totp_rs::{Builder, Secret};

/// Long enough to resist guessing without rules about its letters.
const CHARS_MIN: usize = 12;
/// Longer ones are refused, not cut.
const BYTES_MAX: usize = 256;
/// 160 bits, as RFC 4226 asks for.
const SECRET_BYTES: usize = 20;
/// Words so common that adding to them does not help.
const COMMON: [&str; 12] = [
    "password",
    "passw0rd",
    "12345678",
    "qwertyui",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "jumpship",
    "football",
    "abcdefgh",
    "changeme",
];

/// Why a password may not be used; none when it may.
pub fn refused(password: &str, name: &str) -> Option<&'static str> {
    let lower = password.to_lowercase();
    let distinct: std::collections::HashSet<char> = lower.chars().collect();
    if password.chars().count() < CHARS_MIN {
        Some("Use at least 12 characters: a few words in a row are easy to keep.")
    } else if password.len() > BYTES_MAX {
        Some("Use at most 256 bytes.")
    } else if distinct.len() < 5
        || COMMON.iter().any(|word| lower.contains(word))
        || lower.contains(&name.to_lowercase())
    {
        Some("This is among the first that anybody would guess. Use other words.")
    } else {
        None
    }
}

/// What is stored of a password. Takes a while on purpose: call it where waiting is allowed.
pub fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether a password is the stored one. Without a stored one it takes as long and says no.
pub fn is_right(password: &str, stored: Option<&str>) -> bool {
    let Some(stored) = stored else {
        let _ = hash(password);
        return false;
    };
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A fresh second factor.
pub fn fresh_secret() -> Option<Vec<u8>> {
    let mut secret = vec![0; SECRET_BYTES];
    SystemRandom::new().fill(&mut secret).ok()?;
    Some(secret)
}

/// A second factor as people type it into their app.
pub fn readable(secret: &[u8]) -> String {
    Secret::from(secret).to_base32()
}

/// The second factor that a form carries.
pub fn from_readable(text: &str) -> Option<Vec<u8>> {
    let secret = Secret::try_from_base32(text.trim()).ok()?;
    let bytes: &[u8] = secret.as_ref();
    (bytes.len() == SECRET_BYTES).then(|| bytes.to_vec())
}

/// Whether a code is right at this time, or half a minute to either side.
pub fn code_is_right(secret: &[u8], code: &str, now: Timestamp) -> bool {
    let code: String = code.chars().filter(char::is_ascii_digit).collect();
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    Builder::new().with_secret(Secret::from(secret)).build().is_ok_and(|totp| totp.check(&code, seconds).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_common_passwords_are_refused() {
        for no in ["short", "password12345678", "aaaaaaaaaaaaaaaa", "ana-ana-ana-ana!", &"x1y2z".repeat(60)] {
            assert!(refused(no, "Ana").is_some(), "{no}");
        }
        assert_eq!(refused("four plain words here", "Ana"), None);
    }

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let stored = hash("four plain words here").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(is_right("four plain words here", Some(&stored)));
        assert!(!is_right("four plain words", Some(&stored)));
        assert!(!is_right("four plain words here", None));
    }

    #[test]
    fn a_code_is_good_for_its_half_minute_and_its_neighbours() {
        let secret = b"12345678901234567890";
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(code_is_right(secret, "287 082", at(59)));
        assert!(code_is_right(secret, "287082", at(89)));
        assert!(!code_is_right(secret, "287082", at(300)));
        assert!(!code_is_right(secret, "000000", at(59)));
        assert_eq!(from_readable(&readable(secret)).unwrap(), secret);
    }
}
