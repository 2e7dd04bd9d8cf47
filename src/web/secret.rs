//! A password or token: read from a file or the environment, never shown.

use std::fmt;
use std::path::Path;

/// The longest secret that is read, in bytes.
const SECRET_BYTES_MAX: usize = 16_384;

/// Something that must not appear in a log, an error or the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret in a file, without the line end.
    ///
    /// # Errors
    /// What is wrong with the file and what to do.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            format!("{} cannot be read: {e}. Put the secret there, readable by us alone.", path.display())
        })?;
        Self::checked(&text).ok_or_else(|| format!("{} holds no secret. Put one line there.", path.display()))
    }

    /// The secret in an environment variable.
    ///
    /// # Errors
    /// It is not set.
    pub fn from_env(name: &str) -> Result<Self, String> {
        let text = std::env::var(name).unwrap_or_default();
        Self::checked(&text)
            .ok_or_else(|| format!("the environment variable {name} is not set. Set it, or name a file."))
    }

    fn checked(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text.len() <= SECRET_BYTES_MAX).then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the one call that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "  open sesame\n").unwrap();
        let secret = Secret::from_file(&path).unwrap();
        assert_eq!((secret.reveal(), format!("{secret:?}").as_str()), ("open sesame", "Secret(...)"));
        std::fs::write(&path, "\n").unwrap();
        assert!(Secret::from_file(&path).unwrap_err().contains("holds no secret"));
        assert!(Secret::from_file(&dir.path().join("none")).unwrap_err().contains("cannot be read"));
        assert!(Secret::from_env("JUMPSHIP_NO_SUCH_VARIABLE").is_err());
    }
}
