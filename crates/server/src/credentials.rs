//! The key and the secret of an app: as an operator writes them, and made up.

use model::{Entropy, Secret};

/// What identifies an app and what its tokens are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The public key.
    pub(crate) api_key: String,
    /// The secret.
    pub(crate) secret: Secret,
}

impl Credentials {
    /// Takes `KEY:SECRET` apart. Which characters each may have is a rule of `operations`.
    ///
    /// `None` when it has another form; a message about it must not quote the text, which may be a secret.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        let (api_key, secret) = text.reveal().split_once(':')?;
        Some(Self { api_key: api_key.to_owned(), secret: Secret::new(secret.to_owned()) })
    }

    /// A key and a secret that nobody can guess.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        const KEY: usize = 12;
        Self { api_key: letters(entropy, KEY), secret: random_secret(entropy) }
    }
}

/// A secret that nobody can guess: 320 bits, more than the 256 that HS256 can use.
pub(crate) fn random_secret(entropy: &dyn Entropy) -> Secret {
    const SECRET: usize = 64;
    Secret::new(letters(entropy, SECRET))
}

/// Random lower-case letters and digits, five bits each.
fn letters(entropy: &dyn Entropy, count: usize) -> String {
    /// Without `l`, `o`, `0` and `1`, which people take for one another.
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = vec![0; count];
    entropy.fill(&mut bytes);
    bytes.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn the_first_colon_divides() {
        let parse = |text: &str| Credentials::parse(&Secret::new(text.to_owned()));
        let found = parse("key:se:cret").unwrap();
        assert_eq!((found.api_key.as_str(), found.secret.reveal()), ("key", "se:cret"));
        assert_eq!(parse("key"), None);
    }

    #[test]
    fn random_ones_differ() {
        let (one, other) = (Credentials::random(&SystemEntropy), Credentials::random(&SystemEntropy));
        assert_ne!(one.api_key, other.api_key);
        assert_ne!(one.secret.reveal(), other.secret.reveal());
        assert_eq!((one.api_key.len(), one.secret.reveal().len()), (12, 64));
    }
}
