//! The front: everything that requests share, and the straight line that each of them passes.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use model::{App, Caller, Clock, Entropy, Operation, Timestamp};
use operations::Ctx;
use storage::Store;
use tokio::sync::Semaphore;
use wire::error::Code;
use wire::form::Query;
use wire::v2::rate_limits::LimitInfo;

use crate::address::{self, Network};
use crate::call::Call;
use crate::download::MOST_DOWNLOADS;
use crate::limits::{self, Limits, Platform};
use crate::metrics::Metrics;
use crate::openapi::Documents;
use crate::refusal::Refusal;
use crate::reply::{self, Answer};
use crate::routes::{self, Found, Route};
use crate::{auth, body};

/// Bodies larger than this wait for a turn.
const LARGE_BODY: usize = 128 << 10;

/// Characters of what is logged of a failure: it may hold a statement, as long as what was asked.
const LONGEST_CAUSE: usize = 2000;

/// After so long, what a caller may do is looked up again before its request is carried out.
const STALE: Duration = Duration::from_millis(250);

/// Large bodies that are worked on at once.
const LARGE_BODIES: usize = 8;

/// Exports of single users that are worked on at once: each can be of many megabytes.
const EXPORTS: usize = 2;

/// What a front is made of.
#[derive(Debug)]
pub struct Options {
    /// Where everything is kept.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives request ids and seeds.
    pub entropy: Arc<dyn Entropy>,
    /// Calls a minute, for each app and platform, by operation name; what is not named is not limited. Settings of
    /// an app go before these.
    pub rate_limits: BTreeMap<String, u32>,
    /// Refused tokens a minute for each address, before the answer is 429.
    pub refused_tokens: u32,
    /// Guests a minute that clients at one address can make, before the answer is 429.
    pub guests: u32,
    /// How long the body of a request may take to arrive, and a client that keeps the server waiting to take 64 KiB of an
    /// answer.
    pub request_timeout: Duration,
    /// The most bytes of a body, packed or unpacked.
    pub body_bytes: usize,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Where clients reach the server, as in `https://chat.example`: the addresses of files begin with it.
    pub public_url: String,
}

impl Options {
    /// The defaults: no rate limits, 1000 refused tokens, 100 guests, 30 s, 2 MiB, no proxy, reached at the usual address of
    /// the machine itself.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            store,
            clock,
            entropy,
            rate_limits: BTreeMap::new(),
            refused_tokens: 1000,
            guests: 100,
            request_timeout: Duration::from_secs(30),
            body_bytes: 2 << 20,
            trusted_proxies: Vec::new(),
            public_url: "http://127.0.0.1:3030".to_owned(),
        }
    }
}

/// Answers requests. Clones share everything.
#[derive(Clone, Debug)]
pub struct Front(pub(crate) Arc<State>);

/// What requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limits: Limits,
    rate_limits: BTreeMap<String, u32>,
    pub(crate) refused_tokens: u32,
    guests: u32,
    pub(crate) request_timeout: Duration,
    body_bytes: usize,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) public_url: String,
    large_bodies: Semaphore,
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) downloads: Arc<Semaphore>,
    pub(crate) draining: AtomicBool,
    pub(crate) metrics: Metrics,
    pub(crate) documents: Documents,
}

impl State {
    /// The calls a minute that `app` has for `operation` on each platform.
    pub(crate) fn limit(&self, app: &App, operation: Operation) -> Option<u32> {
        let name = operation.name();
        app.settings.rate_limits.get(name).or_else(|| self.rate_limits.get(name)).copied()
    }
}

impl Front {
    /// A front over a store.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(Arc::new(State {
            metrics: Metrics::new(options.store.clone()),
            store: options.store,
            clock: options.clock,
            entropy: options.entropy,
            limits: Limits::default(),
            rate_limits: options.rate_limits,
            refused_tokens: options.refused_tokens,
            guests: options.guests,
            request_timeout: options.request_timeout,
            body_bytes: options.body_bytes,
            trusted_proxies: options.trusted_proxies,
            public_url: options.public_url,
            large_bodies: Semaphore::new(LARGE_BODIES),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            downloads: Arc::new(Semaphore::new(MOST_DOWNLOADS)),
            draining: AtomicBool::new(false),
            documents: Documents::default(),
        }))
    }

    /// The answer to one request from `peer`.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Full<Bytes>> {
        let state = &self.0;
        let mut visit = Visit {
            arrived: state.clock.elapsed(),
            now: state.clock.now(),
            seed: state.entropy.seed(),
            route: None,
            limit: None,
            statements: Arc::default(),
        };
        let id = format!("{:032x}", visit.seed);
        let packing = reply::takes_packed(request.headers());
        let answered = if request.method() == Method::OPTIONS {
            Ok(None)
        } else {
            unpanicked(handle(state, &mut visit, &id, request, peer)).await.map(Some)
        };
        let taken = state.clock.elapsed().saturating_sub(visit.arrived);
        let operation = visit.route.map(|route| route.operation.name());
        let mut response = match answered {
            Ok(None) => reply::preflight(),
            Ok(Some(Answer { status, body })) => {
                let (body, packed) = reply::pack(body, packing);
                let mut response = reply::json(status, body);
                if packed {
                    reply::mark_packed(&mut response);
                }
                response
            }
            Err(refused) => {
                report(&refused.refusal, operation, &id);
                let mut response = reply::refuse(&refused.refusal, operation, &id, &wire::duration(taken));
                if !refused.allowed.is_empty() {
                    reply::allow(&mut response, &refused.allowed);
                }
                response
            }
        };
        reply::complete(&mut response, &id, visit.limit.unwrap_or_else(|| limits::off(visit.now)));
        state.metrics.count(operation.unwrap_or("Request"), response.status(), taken);
        tracing::debug!(
            request = id,
            operation,
            status = response.status().as_u16(),
            statements = visit.statements.load(Ordering::Relaxed),
            microseconds = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
}

/// One request on its way.
struct Visit {
    arrived: Duration,
    now: Timestamp,
    seed: u128,
    route: Option<&'static Route>,
    limit: Option<LimitInfo>,
    statements: Arc<AtomicU32>,
}

/// A refusal, with the methods that the path knows when that is what was wrong.
struct Refused {
    refusal: Refusal,
    allowed: Vec<&'static str>,
}

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(refusal: R) -> Self {
        Self { refusal: refusal.into(), allowed: Vec::new() }
    }
}

/// A defect that panics costs its request an answer 500, not the connection.
async fn unpanicked(handled: impl Future<Output = Result<Answer, Refused>>) -> Result<Answer, Refused> {
    let mut handled = pin!(handled);
    poll_fn(|context| {
        // What a panic leaves half done belongs to this request alone: state that requests share is changed by calls
        // that are whole.
        let polled = catch_unwind(AssertUnwindSafe(|| handled.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Refusal::undecided().into())))
    })
    .await
}

/// The straight line: route, key, suspension, token, rate limit, body, operation.
async fn handle(
    state: &Arc<State>,
    visit: &mut Visit,
    id: &str,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Result<Answer, Refused> {
    let (head, incoming) = request.into_parts();
    let (route, parameters) = find(&head.method, head.uri.path())?;
    visit.route = Some(route);
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let address = address::counted(address::client(peer, &head.headers, &state.trusted_proxies));
    let mut entry = let_in(state, visit, route, &query, &head.headers, address, id).await?;
    let platform = Platform::of(&entry.ctx.caller, &head.headers);
    if route.operation == Operation::CreateGuest && platform != Platform::Server {
        limit_guests(state, visit, address)?;
    }
    let key = (entry.app.key, route.operation, platform);
    match state.limits.count(key, state.limit(&entry.app, route.operation), visit.now) {
        Ok(info) => visit.limit = Some(info),
        Err(info) => {
            visit.limit = Some(info);
            let reason = format!("Too many requests: {} a minute are allowed", info.limit);
            return Err(too_many(&reason, info, visit.now).into());
        }
    }
    query.check()?;
    let body = body::read(incoming, &head.headers, state.body_bytes, state.request_timeout).await?;
    // What is read of a large body takes many times its size: only so many at once.
    let _turn = if body.len() > LARGE_BODY { state.large_bodies.acquire().await.ok() } else { None };
    if state.clock.elapsed().saturating_sub(visit.arrived) > STALE {
        // Whoever sends a body slowly, or waits for a turn, must not keep what it may do from when it began.
        visit.now = state.clock.now();
        entry = let_in(state, visit, route, &query, &head.headers, address, id).await?;
    }
    let Entry { app, ctx, unknown } = entry;
    let call = Call {
        state: Arc::clone(state),
        app,
        ctx: Arc::clone(&ctx),
        query,
        parameters,
        body,
        arrived: visit.arrived,
        statements: Arc::clone(&visit.statements),
    };
    match (route.handler)(call).await {
        // Whoever is not let in is told that, and nothing of the request.
        Err(refusal) if unknown && refusal.status.is_client_error() => {
            state.store.look_up(move |tx| ctx.admit(tx).map(drop)).await.map_err(Refusal::from)?;
            Err(refusal.into())
        }
        answered => Ok(answered?),
    }
}

/// A caller that was let in.
struct Entry {
    app: Arc<App>,
    ctx: Arc<Ctx>,
    /// Whether it is a user whose standing only the operation will see.
    unknown: bool,
}

/// Key, suspension, token, revocation and standing; and that routes for servers are for servers.
async fn let_in(
    state: &State,
    visit: &mut Visit,
    route: &Route,
    query: &Query,
    headers: &HeaderMap,
    address: IpAddr,
    id: &str,
) -> Result<Entry, Refusal> {
    let (app, caller) = admit(state, visit, route, query, headers, address).await?;
    let ctx = Arc::new(Ctx {
        standing: auth::standing(state, &caller).await?,
        caller,
        operation: route.operation,
        actions: route.actions,
        now: visit.now,
        seed: visit.seed,
        request: id.to_owned(),
    });
    let unknown = ctx.caller.user().is_some() && ctx.standing.is_none();
    let credential = auth::credential(&ctx.caller, route.credential);
    if !unknown {
        ctx.admit_known()?;
    } else if credential.is_err() || state.limit(&app, route.operation).is_some() {
        // It comes before what is decided here.
        let asking = Arc::clone(&ctx);
        state.store.look_up(move |tx| asking.admit(tx).map(drop)).await?;
    }
    credential?;
    Ok(Entry { app, ctx, unknown })
}

/// The app and the caller. Refused keys and tokens are counted by address: beyond the limit an address is told to wait,
/// and its unknown keys are not looked up any more; good tokens are not held up.
async fn admit(
    state: &State,
    visit: &mut Visit,
    route: &Route,
    query: &Query,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<(Arc<App>, Caller), Refusal> {
    let over = state.limits.is_over(address, state.refused_tokens, visit.now);
    let admitted = match auth::app(state, query, !over).await {
        Ok(app) => auth::caller(&app, headers, route.credential, visit.now).map(|caller| (app, caller)),
        Err(refusal) => Err(refusal),
    };
    let refusal = match admitted {
        Ok(admitted) => return Ok(admitted),
        Err(refusal) => refusal,
    };
    let unknown = refusal.status == StatusCode::UNAUTHORIZED;
    if !unknown || !state.limits.refused(address, state.refused_tokens, visit.now) {
        return Err(refusal);
    }
    let info = LimitInfo { limit: state.refused_tokens, remaining: 0, ..limits::off(visit.now) };
    visit.limit = Some(info);
    Err(too_many("Too many requests with refused keys or tokens from this address", info, visit.now))
}

/// Whoever can reach the server can make guests: not more than so many from one address.
fn limit_guests(state: &State, visit: &mut Visit, address: IpAddr) -> Result<(), Refusal> {
    if !state.limits.guest(address, state.guests, visit.now) {
        return Ok(());
    }
    let info = LimitInfo { limit: state.guests, remaining: 0, ..limits::off(visit.now) };
    visit.limit = Some(info);
    Err(too_many("Too many requests for guests from this address", info, visit.now))
}

fn find(method: &Method, path: &str) -> Result<(&'static Route, Vec<String>), Refused> {
    match routes::find(method, path) {
        Found::Route(route, parameters) => Ok((route, parameters)),
        Found::Nothing => Err(Refusal::new(StatusCode::NOT_FOUND, Code::DoesNotExist, "Not Found").into()),
        Found::OtherMethods(allowed) => {
            let reason = format!("the method must be one of {}, got {method}", allowed.join(", "));
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::NotAllowed, reason);
            Err(Refused { refusal, allowed })
        }
    }
}

fn too_many(reason: &str, info: LimitInfo, now: Timestamp) -> Refusal {
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimit, reason);
    Refusal { retry_after: u32::try_from(info.reset - now.seconds()).ok(), ..refusal }
}

/// Tells the log what a client is not told.
pub(crate) fn report(refusal: &Refusal, operation: Option<&str>, request: &str) {
    let Some(cause) = &refusal.cause else { return };
    let cause = chain(cause.as_ref());
    tracing::error!(request, operation, status = refusal.status.as_u16(), cause, "failed");
}

/// An error with its sources, at a length that is fit for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        chain = format!("{chain}: {source}");
        next = source.source();
    }
    if let Some((end, _)) = chain.char_indices().nth(LONGEST_CAUSE) {
        chain.truncate(end);
    }
    chain
}
