//! Secrets: made from the system's random numbers, kept as hashes only.
//!
//! A secret has 256 random bits, so a plain SHA-256 of it is as good as a slow hash of a
//! password, and finding its row by that hash tells nothing about it by the time it takes.

use std::fmt;

use sha2::{Digest, Sha256};

/// Random bytes of a secret.
const BYTES: usize = 32;

/// Longest text that is taken for a secret; ours have 47 bytes.
const LONGEST: usize = 256;

/// A text that is shown to nobody but whom it is for. It has no `Serialize`, and its
/// `Debug` shows nothing, so that no log and no answer holds one by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Hides a text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new token.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn token() -> Result<Self, getrandom::Error> {
        Self::random("iat_")
    }

    /// A new value for a session's cookie.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn session() -> Result<Self, getrandom::Error> {
        Self::random("ias_")
    }

    fn random(prefix: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{prefix}{}", base64url(&bytes))))
    }

    /// The text, for whom it is.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is kept of a secret, of a text that somebody shows. Of a text that is too long to be one
/// only so much is looked at that it cannot be one.
pub(crate) fn hash(shown: &str) -> [u8; 32] {
    let bytes = shown.as_bytes();
    Sha256::digest(&bytes[..bytes.len().min(LONGEST)]).into()
}

/// Base 64 with the alphabet for URLs and no padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[word >> (18 - 6 * place) & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn base_64_is_that_of_the_standard() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(base64url(bytes), expected);
        check(b"", "");
        check(b"f", "Zg");
        check(b"fo", "Zm8");
        check(b"foo", "Zm9v");
        check(b"foob", "Zm9vYg");
        check(b"foobar", "Zm9vYmFy");
        check(&[0xfb, 0xff, 0xfe], "-__-");
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let tokens: HashSet<String> = (0..1_000)
            .map(|_| Secret::token().unwrap().reveal().to_owned())
            .collect();
        assert_eq!(tokens.len(), 1_000);
        assert!(
            tokens
                .iter()
                .all(|token| token.len() == 47 && token.starts_with("iat_"))
        );
        let session = Secret::session().unwrap();
        assert!(session.reveal().starts_with("ias_"));
    }

    #[test]
    fn the_hash_is_of_the_whole_secret() {
        let secret = Secret::new("iat_abc");
        assert_eq!(secret.hash(), hash("iat_abc"));
        assert_ne!(secret.hash(), hash("iat_abd"));
        assert_ne!(secret.hash(), hash("iat_ab"));
        assert_ne!(hash(&"x".repeat(256)), hash(&"x".repeat(255)));
        assert_eq!(hash(&"x".repeat(256)), hash(&"x".repeat(100_000)));
    }
}
