//! Who asks: key, suspension, token, in that order (DESIGN 1).

use std::sync::Arc;

use hyper::{HeaderMap, StatusCode};
use model::{App, Bearer, Caller, Shown, Standing, Timestamp, TokenAccess, UserId};
use wire::error::Code;
use wire::form::Query;
use wire::token::{Claims, UserClaims, verify};

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
            state.store.apps().remember(epoch, app.api_key.clone(), Arc::clone(&app));
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
    let anonymous = match header("stream-auth-type") {
        None => false,
        Some(kind) if kind.eq_ignore_ascii_case("jwt") => false,
        Some(kind) if kind.eq_ignore_ascii_case("anonymous") => true,
        Some(kind) => {
            let reason = format!("the header Stream-Auth-Type must be jwt or anonymous, got {}", Shown(kind));
            return refuse(Code::Authentication, reason);
        }
    };
    let token = header("authorization").filter(|token| !token.is_empty());
    let claims = match token {
        Some(token) => verify(token, app.secrets(), now, app.settings.takes_developer_tokens()),
        // Whoever has no user needs no token (DESIGN 3), and has none to make itself a user with.
        None if anonymous || credential == Credential::Anyone => {
            let (id, access) = (UserId::anonymous(), TokenAccess::default());
            Ok(Claims::Anonymous(UserClaims { id, issued_at: None, access }))
        }
        None => {
            let reason = "the header Authorization with a token is required";
            return refuse(Code::Authentication, reason.to_owned());
        }
    };
    let bearer = |UserClaims { id, issued_at, access }| {
        Arc::new(Bearer { app: Arc::clone(app), id, has_token: token.is_some(), issued_at, access })
    };
    let caller = match claims {
        Ok(Claims::Anonymous(claims)) => Caller::Anonymous(bearer(claims)),
        Ok(Claims::Server | Claims::User(_)) if anonymous => {
            let reason = "anon auth token must have user_id claim equal to '!anon'";
            return refuse(Code::Authentication, reason.to_owned());
        }
        Ok(Claims::Server) => Caller::Server(Arc::clone(app)),
        Ok(Claims::User(claims)) => Caller::User(bearer(claims)),
        Err(refusal) => return refuse(code(&refusal), refusal.to_string()),
    };
    Ok(caller)
}

/// Refuses whoever is no server on a route for servers; asked when it is known that the caller is let in at all.
pub(crate) fn credential(caller: &Caller, credential: Credential) -> Result<(), Refusal> {
    if matches!(caller, Caller::Server(_) | Caller::Operator) || credential != Credential::Server {
        return Ok(());
    }
    let reason = "this is for server-side calls only: sign the token with the claim server: true";
    Err(Refusal::new(StatusCode::FORBIDDEN, Code::NotAllowed, reason))
}

/// The standing of the user who asks, where it can be known from memory; elsewhere the operation reads it.
pub(crate) async fn standing(state: &State, caller: &Caller) -> Result<Option<Arc<Standing>>, Refusal> {
    let kept = state.store.standings();
    let Some(bearer) = caller.user().filter(|_| kept.keeps()) else { return Ok(None) };
    let key = (bearer.app.key, bearer.id.clone());
    let epoch = match kept.get(&key) {
        Ok(standing) => return Ok(Some(standing)),
        Err(epoch) => epoch,
    };
    let (app, id) = key.clone();
    let read = state.store.look_up(move |tx| storage::standing::of(tx, app, &id)).await;
    let standing = read.map_err(operations::Error::from)?;
    let standing = standing.ok_or_else(|| operations::Error::NoUser(bearer.id.clone()))?;
    let standing = Arc::new(standing);
    kept.remember(epoch, key, Arc::clone(&standing));
    Ok(Some(standing))
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
