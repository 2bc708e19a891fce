//! Who asks: key, suspension, token, in that order (DESIGN 1).

use std::sync::Arc;

use hyper::{HeaderMap, StatusCode};
use model::{App, Caller, Timestamp};
use wire::error::Code;
use wire::form::Query;
use wire::token::{Claims, verify};

use crate::front::State;
use crate::refusal::Refusal;
use crate::routes::Credential;

/// The app of the request.
///
/// A key that is not cached is looked up if `look_up`, and otherwise as good as unknown.
pub(crate) async fn app(state: &State, query: &Query, look_up: bool) -> Result<Arc<App>, Refusal> {
    let unknown = |reason: &str| Refusal::new(StatusCode::UNAUTHORIZED, Code::AccessKey, reason);
    let api_key = query.get("api_key").ok_or_else(|| unknown("the query parameter api_key is required"))?;
    let app = match state.store.apps().get(api_key) {
        Ok(app) => app,
        // Where nothing is kept, every good key would be refused as well.
        Err(_) if !look_up && state.store.apps().keeps() => return Err(unknown("api_key not valid")),
        Err(epoch) => {
            let wanted = api_key.to_owned();
            let read = state.store.look_up(move |tx| storage::apps::by_api_key(tx, &wanted)).await;
            let app = read.map_err(operations::Error::from)?.ok_or_else(|| unknown("api_key not valid"))?;
            let app = Arc::new(app);
            state.store.apps().remember(epoch, Arc::clone(&app));
            app
        }
    };
    match &app.suspension {
        None => Ok(app),
        Some(suspension) => {
            let explained = if suspension.explanation.is_empty() { "" } else { ": " };
            let reason = format!("the app is suspended{explained}{}", suspension.explanation);
            Err(Refusal::new(StatusCode::FORBIDDEN, Code::AppSuspended, reason))
        }
    }
}

/// The caller, by its token.
pub(crate) fn caller(
    app: &Arc<App>,
    headers: &HeaderMap,
    credential: Credential,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let refuse = |code: Code, reason: String| Err(Refusal::new(StatusCode::UNAUTHORIZED, code, reason));
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(kind) = header("stream-auth-type").filter(|kind| !kind.eq_ignore_ascii_case("jwt")) {
        return refuse(
            Code::Authentication,
            format!("the header Stream-Auth-Type must be jwt, got '{kind}'"),
        );
    }
    let Some(token) = header("authorization").filter(|token| !token.is_empty()) else {
        return refuse(Code::Authentication, "the header Authorization with a token is required".to_owned());
    };
    match (verify(token, app.secrets(), now), credential) {
        (Ok(Claims::Server), Credential::Server) => Ok(Caller::Server(Arc::clone(app))),
        (Ok(Claims::User(_)), Credential::Server) => {
            let reason = "this is for server-side calls only: sign the token with the claim server: true";
            Err(Refusal::new(StatusCode::FORBIDDEN, Code::NotAllowed, reason))
        }
        (Err(refusal), _) => refuse(code(&refusal), refusal.to_string()),
    }
}

fn code(refusal: &wire::token::Refusal) -> Code {
    use wire::token::Refusal;
    match refusal {
        Refusal::Malformed(_) => Code::Authentication,
        Refusal::Signature => Code::TokenSignature,
        Refusal::Expired => Code::TokenExpired,
        Refusal::NotYetValid => Code::TokenNotYetValid,
        Refusal::BeforeIssued => Code::TokenBeforeIssued,
    }
}
