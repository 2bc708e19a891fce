//! `headwater token`: a token for whoever wants to try something.

use std::time::Duration;

use model::{Clock, Timestamp, UserId};
use serde_json::{Map, Value};

use super::{all_apps, choose};
use crate::ambient::SystemClock;
use crate::cli::TokenRequest;
use crate::config::Place;
use crate::failure::{Failure, print};

/// How long a token that names calls or channels is valid by default: it gives more than the user has.
const CALL_TOKEN: Duration = Duration::from_hours(1);

/// Prints the token that `request` asks for, and nothing else.
///
/// # Errors
/// When the app does not exist, or is not named where there are several.
pub(crate) fn run(place: &Place, request: &TokenRequest) -> Result<(), Failure> {
    let app = choose(all_apps(place)?, request.app.as_deref())?;
    print(wire::token::sign(&app.secret, &claims(request, SystemClock::new().now())))
}

/// What the token says (v2 1.5). Only a user token tells when it was issued, as with the SDKs.
fn claims(request: &TokenRequest, now: Timestamp) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut say = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    let anonymous = request.anonymous.then(UserId::anonymous);
    match request.user.as_ref().or(anonymous.as_ref()) {
        Some(user) => {
            say("user_id", user.as_str().into());
            say("iat", now.seconds().into());
        }
        None => say("server", true.into()),
    }
    let gives_more = !(request.call.is_empty() && request.channel.is_empty());
    let expires = request.expires.or(gives_more.then_some(CALL_TOKEN));
    if let Some(expires) = expires {
        say("exp", now.seconds().saturating_add_unsigned(expires.as_secs()).into());
    }
    if let Some(role) = &request.role {
        say("role", role.as_str().into());
    }
    if !request.call.is_empty() {
        say("call_cids", request.call.clone().into());
    }
    if !request.channel.is_empty() {
        say("channel_cids", request.channel.clone().into());
    }
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Verb};
    use clap::Parser;

    #[track_caller]
    fn check(line: &str, expected: Value) {
        let line = ["headwater", "token"].into_iter().chain(line.split(' '));
        let Verb::Token(arguments) = Cli::try_parse_from(line).unwrap().verb else { panic!("another verb") };
        assert_eq!(Value::from(claims(&arguments.token, Timestamp::from_seconds(1000))), expected);
    }

    #[test]
    fn tokens_say_what_was_asked_for() {
        check("--server", json!({"server": true}));
        check("--server --expires 24h", json!({"server": true, "exp": 87_400}));
        check("--user alice", json!({"user_id": "alice", "iat": 1000}));
        check(
            "--user alice --call default:a --call default:b",
            json!({"user_id": "alice", "iat": 1000, "exp": 4600, "call_cids": ["default:a", "default:b"]}),
        );
        check("--anonymous", json!({"user_id": "!anon", "iat": 1000}));
        check(
            "--anonymous --call livestream:a --expires 60",
            json!({"user_id": "!anon", "iat": 1000, "exp": 1060, "call_cids": ["livestream:a"]}),
        );
        check(
            "--user alice --channel messaging:a",
            json!({"user_id": "alice", "iat": 1000, "exp": 4600, "channel_cids": ["messaging:a"]}),
        );
        check(
            "--user alice --call default:a --expires 60 --role host",
            json!({"user_id": "alice", "iat": 1000, "exp": 1060, "role": "host", "call_cids": ["default:a"]}),
        );
    }
}
