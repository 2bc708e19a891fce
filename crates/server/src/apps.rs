//! The apps that a server has when it starts: those it was told of, or one that it makes up for a first start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Map, Value};

use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::operator::{Operator, Outcome, Request};

/// Makes sure that the apps in `wanted` exist. When none is wanted and there is none at all, makes one and answers its
/// key and secret.
///
/// # Errors
/// When an app exists with another secret, has a key that no app can have, or the store fails.
pub(crate) async fn ensure(
    operator: &Operator,
    wanted: &[Credentials],
) -> Result<Option<Credentials>, Failure> {
    for app in wanted {
        operator.perform(creation(app, app.api_key.clone())).await?;
    }
    if !wanted.is_empty() {
        return Ok(None);
    }
    let app = Credentials::random(&*operator.entropy);
    match operator.perform_on_empty(creation(&app, "Headwater".to_owned())).await? {
        Outcome::Done => Ok(Some(app)),
        Outcome::Unchanged => Ok(None),
    }
}

fn creation(app: &Credentials, name: String) -> Request {
    Request::Create { api_key: app.api_key.clone(), name, secret: app.secret.clone() }
}

/// What the owner of a first app is told: how to use it at `url`.
pub(crate) fn welcome(app: &Credentials, url: &str) -> String {
    let Credentials { api_key, secret } = app;
    let claims = Map::from_iter([("server".to_owned(), Value::Bool(true))]);
    let token = wire::token::sign(secret, &claims);
    let secret = secret.reveal();
    format!(
        "
This is the first start: here is an app. Its secret is shown only now.

  API key:    {api_key}
  API secret: {secret}

This creates a user:

  curl -X POST '{url}/api/v2/users?api_key={api_key}' \
-H 'Authorization: {token}' -H 'Stream-Auth-Type: jwt' -H 'Content-Type: application/json' \
-d '{{\"users\":{{\"alice\":{{\"id\":\"alice\",\"name\":\"Alice\"}}}}}}'
"
    )
}

/// A URL under which a server that listens on `address` can be reached from the same machine.
pub(crate) fn url_of(address: SocketAddr) -> String {
    let host = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, url: &str) {
        assert_eq!(url_of(address.parse().unwrap()), url);
    }

    #[test]
    fn urls_lead_to_the_server() {
        check("10.1.2.3:80", "http://10.1.2.3:80");
        check("0.0.0.0:3030", "http://127.0.0.1:3030");
        check("[::]:3030", "http://[::1]:3030");
        check("[fd00::1]:3030", "http://[fd00::1]:3030");
    }
}
