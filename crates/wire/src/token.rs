//! Tokens: JSON Web Tokens signed with HS256 by a secret of the app (semantics 7).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use model::{Cid, Secret, Timestamp, TokenAccess, UserId};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::json::{kind, parse_object};

/// How far the clock of a token's maker may be ahead of ours, in seconds (semantics 7.7).
const SKEW: i64 = 10;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claims {
    /// The app's own back end.
    Server,
    /// One user.
    User(UserClaims),
    /// Whoever has no user (semantics 6.4).
    Anonymous(UserClaims),
}

/// What the token of a user says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserClaims {
    /// Who.
    pub id: UserId,
    /// When it was issued, in seconds since 1970, if it says so.
    pub issued_at: Option<i64>,
    /// What it adds to the rights of the user.
    pub access: TokenAccess,
}

/// What stands in place of the signature of a developer token (semantics 7.16).
const DEVELOPER: &str = "devtoken";

/// Why a token was refused. Each kind has a code of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no token of ours in form or content.
    #[error("JWTAuth error: {0}")]
    Malformed(String),
    /// No secret of the app signed it.
    #[error("Token signature is invalid")]
    Signature,
    /// Its `exp` is over.
    #[error("JWTAuth error: token is expired (exp)")]
    Expired,
    /// Its `nbf` is to come.
    #[error("JWTAuth error: token is not valid yet (nbf)")]
    NotYetValid,
    /// Its `iat` is to come.
    #[error("JWTAuth error: token used before issue at (iat)")]
    BeforeIssued,
}

fn malformed<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Malformed(why.into()))
}

/// Checks `token` against the secrets of its app at `now`. With `developer`, that of a user needs no signature but the
/// word `devtoken`.
///
/// # Errors
/// The first check that fails: form, algorithm, signature, types of the claims, times.
pub fn verify<'a>(
    token: &str,
    secrets: impl Iterator<Item = &'a Secret>,
    now: Timestamp,
    developer: bool,
) -> Result<Claims, Refusal> {
    let mut segments = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return malformed("a token has three segments separated by dots, sent without 'Bearer'");
    };
    let header = decode_object("header", header)?;
    if header.get("alg").and_then(Value::as_str) != Some("HS256") {
        return malformed("the token must be signed with HS256");
    }
    // What a header calls critical and nobody understands must not be passed over (RFC 7515 4.1.11).
    if header.contains_key("crit") {
        return malformed("the header has critical extensions, and none is known here");
    }
    let unsigned = signature == DEVELOPER;
    if unsigned && !developer {
        return malformed("developer tokens are taken only while the app setting disable_auth_checks is on");
    }
    if !unsigned {
        check_signature(token, signature, secrets)?;
    }
    let claims = decode_object("payload", payload)?;
    let issued_at = check_times(&claims, now.seconds())?;
    match (claims.get("user_id"), claims.get("server")) {
        (Some(Value::String(id)), _) => {
            let access = access(&claims)?;
            if *id == *UserId::anonymous().as_str() {
                return Ok(Claims::Anonymous(UserClaims { id: UserId::anonymous(), issued_at, access }));
            }
            let id = UserId::parse(id).or_else(|invalid| malformed(format!("user_id {}", invalid.why)))?;
            Ok(Claims::User(UserClaims { id, issued_at, access }))
        }
        (Some(other), _) => malformed(format!("user_id must be a string, got {}", kind(other))),
        (None, Some(Value::Bool(true))) if !unsigned => Ok(Claims::Server),
        (None, _) if unsigned => malformed("a developer token needs the claim user_id"),
        (None, _) => malformed("the token needs the claim user_id, or server: true"),
    }
}

fn check_signature<'a>(
    token: &str,
    signature: &str,
    secrets: impl Iterator<Item = &'a Secret>,
) -> Result<(), Refusal> {
    let Ok(given) = URL_SAFE_NO_PAD.decode(signature) else {
        return malformed("the signature is not base64url");
    };
    // The length of what was signed: everything before the second dot.
    let signed = &token[..token.len() - signature.len() - 1];
    // `verify_slice` compares in constant time; the number of secrets is no secret.
    if !secrets.into_iter().any(|secret| authenticator(secret, signed).verify_slice(&given).is_ok()) {
        return Err(Refusal::Signature);
    }
    Ok(())
}

/// Calls and channels, and the role in them (v2 1.5).
fn access(claims: &Map<String, Value>) -> Result<TokenAccess, Refusal> {
    let cids = |name: &str| -> Result<Vec<Cid>, Refusal> {
        let each = |cid: &Value| match cid.as_str().map(Cid::parse) {
            Some(Ok(cid)) => Ok(cid),
            _ => malformed(format!("{name} must hold strings like 'type:id', holds {cid}")),
        };
        match claims.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(cids)) => cids.iter().map(each).collect(),
            Some(other) => malformed(format!("{name} must be an array, got {}", kind(other))),
        }
    };
    let role = match claims.get("role") {
        None | Some(Value::Null) => None,
        Some(Value::String(role)) => Some(role.clone()),
        Some(other) => return malformed(format!("role must be a string, got {}", kind(other))),
    };
    Ok(TokenAccess { calls: cids("call_cids")?, channels: cids("channel_cids")?, role })
}

/// A token for the user `id`, issued at `now`, without an end (semantics 6.8, 7.5).
#[must_use]
pub fn for_user(secret: &Secret, id: &UserId, now: Timestamp) -> String {
    let mut claims = Map::new();
    claims.insert("user_id".to_owned(), id.as_str().into());
    // Rounded up: a token that is made after a revocation, in the same second, is not revoked by it.
    claims.insert("iat".to_owned(), now.before(Duration::from_nanos(1)).seconds().saturating_add(1).into());
    sign(secret, &claims)
}

/// A token with `claims`, signed with `secret`.
#[must_use]
pub fn sign(secret: &Secret, claims: &Map<String, Value>) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(&json!({"alg": "HS256", "typ": "JWT"}));
    let signed = format!("{header}.{}", encode(&Value::Object(claims.clone())));
    let signature = URL_SAFE_NO_PAD.encode(authenticator(secret, &signed).finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// A number that only the holder of `secret` can tell from any other: for what must not be read out of a cursor.
pub(crate) fn digest(secret: &Secret, text: &str) -> u64 {
    let bytes = authenticator(secret, text).finalize().into_bytes();
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn authenticator(secret: &Secret, signed: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("a key");
    hmac.update(signed.as_bytes());
    hmac
}

fn decode_object(part: &str, segment: &str) -> Result<Map<String, Value>, Refusal> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(segment) else {
        return malformed(format!("the {part} is not base64url"));
    };
    parse_object(&bytes)
        .or_else(|invalid| malformed(format!("the {part} is not a JSON object: {}", invalid.why)))
}

/// Answers when the token was issued.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<Option<i64>, Refusal> {
    let seconds = |name: &str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(seconds) => Ok(Some(seconds)),
            None => malformed(format!("{name} must be whole seconds since 1970, got {value}")),
        },
    };
    let (expires, not_before, issued) = (seconds("exp")?, seconds("nbf")?, seconds("iat")?);
    if expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::Expired);
    }
    if not_before.is_some_and(|begin| begin > now + SKEW) {
        return Err(Refusal::NotYetValid);
    }
    if issued.is_some_and(|issued| issued > now + SKEW) {
        return Err(Refusal::BeforeIssued);
    }
    Ok(issued)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn check(token: &str) -> Result<Claims, Refusal> {
        let secrets = [Secret::new("new".to_owned()), Secret::new("old".to_owned())];
        verify(token, secrets.iter(), Timestamp::from_seconds(NOW), false)
    }

    fn signed(secret: &str, claims: Value) -> String {
        let Value::Object(claims) = claims else { panic!("not an object") };
        sign(&Secret::new(secret.to_owned()), &claims)
    }

    #[test]
    fn a_token_made_with_openssl_is_known() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXJ2ZXIiOnRydWV9.1FHWDQmTKLjyKpul3hZUA4pPXS13R2kRf3fmrLi1oI4";
        assert_eq!(signed("new", json!({"server": true})), token);
        assert_eq!(check(token), Ok(Claims::Server));
    }

    #[test]
    fn both_secrets_of_a_rotation_sign() {
        for secret in ["new", "old"] {
            let token = signed(secret, json!({"user_id": "alice"}));
            let alice = UserClaims {
                id: UserId::parse("alice").unwrap(),
                issued_at: None,
                access: TokenAccess::default(),
            };
            assert_eq!(check(&token), Ok(Claims::User(alice)));
        }
        assert_eq!(check(&signed("other", json!({"server": true}))), Err(Refusal::Signature));
    }

    #[test]
    fn times_are_checked_with_ten_seconds_of_skew() {
        for (claims, refusal) in [
            (json!({"server": true, "exp": NOW + 1}), None),
            (json!({"server": true, "exp": NOW}), Some(Refusal::Expired)),
            (json!({"server": true, "nbf": NOW + 10}), None),
            (json!({"server": true, "nbf": NOW + 11}), Some(Refusal::NotYetValid)),
            (json!({"server": true, "iat": NOW + 10}), None),
            (json!({"server": true, "iat": NOW + 11}), Some(Refusal::BeforeIssued)),
            (json!({"server": true, "exp": null}), None),
        ] {
            assert_eq!(check(&signed("new", claims.clone())).err(), refusal, "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        let good = signed("new", json!({"server": true}));
        let unsigned =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
        for token in [
            "",
            "x",
            "a.b",
            "a.b.c.d",
            "..",
            &unsigned,
            &good.replace('.', ":"),
            &format!("Bearer {good}"),
            &format!("{good}!"),
            &signed("new", json!({})),
            &signed("new", json!({"server": "true"})),
            &signed("new", json!({"server": false})),
            &signed("new", json!({"user_id": 7})),
            &signed("new", json!({"user_id": null})),
            &signed("new", json!({"server": true, "exp": "1800000000"})),
            &signed("new", json!({"server": true, "exp": 1.5})),
        ] {
            assert!(matches!(check(token), Err(Refusal::Malformed(_))), "{token}");
        }
    }
}
