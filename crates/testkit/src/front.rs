//! The HTTP front in the test's own process, with a clock that the test moves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use headwater_http::{Front, Options};
use model::{Action, Caller, Operation, Secret, Timestamp};
use operations::apps::{self, Create};
use operations::{Ctx, Error};
use serde_json::{Map, Value, json};
use storage::Tx;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::client::{Reply, Request};
use crate::{Engine, FixedEntropy, TestClock, TestStore};

/// The key of the app that every test has.
pub const KEY: &str = "test-key";

/// Its secret.
pub const SECRET: &str = "test-secret";

/// A served store with one app.
#[derive(Debug)]
pub struct TestFront {
    address: SocketAddr,
    store: TestStore,
    drain: watch::Sender<bool>,
}

impl TestFront {
    /// Serves with the default options.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// As [`TestFront::start`], on an engine that [`Engine::is_here`].
    pub async fn start_on(engine: Engine) -> Self {
        Self::serve(TestStore::open_on(engine), |_| ()).await
    }

    /// Serves with options that `change` has changed.
    ///
    /// # Panics
    /// When there is no port: no test can go on.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::serve(TestStore::open(), change).await
    }

    #[expect(clippy::expect_used, reason = "a test without a server has failed")]
    async fn serve(store: TestStore, change: impl FnOnce(&mut Options)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut options =
            Options::new(store.clone(), store.shared_clock(), Arc::new(FixedEntropy::default()));
        change(&mut options);
        let (drain, draining) = watch::channel(false);
        let front = Front::new(options);
        tokio::spawn(async move { front.serve(listener, draining, Duration::from_secs(5)).await });
        let started = Self { address, store, drain };
        started.create_app(KEY, SECRET).await;
        started
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        self.store.clock()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &TestStore {
        &self.store
    }

    /// Does steps of tasks until none is due, see [`TestStore::run_tasks`].
    pub async fn run_tasks(&self) -> usize {
        self.store.run_tasks().await
    }

    /// Makes another app.
    ///
    /// # Panics
    /// When there is one.
    #[expect(clippy::expect_used, reason = "a test without its app has failed")]
    pub async fn create_app(&self, api_key: &str, secret: &str) {
        let secret = Secret::new(secret.to_owned());
        let command = Create { api_key: api_key.to_owned(), name: api_key.to_owned(), secret };
        let made = self.operate(move |tx, ctx| apps::create(tx, ctx, &command)).await;
        assert!(made.expect("an app"), "the app exists");
    }

    /// Runs a verb of the operator.
    ///
    /// # Errors
    /// What the verb refuses.
    pub async fn operate<T: Send + 'static>(
        &self,
        verb: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let ctx = Ctx {
            caller: Caller::Operator,
            operation: Operation::CreateApp,
            actions: Action::ManageApps.alone(),
            now: self.now(),
            seed: 1,
            request: "operator".to_owned(),
            standing: None,
        };
        self.store.write(move |tx| verb(tx, &ctx)).await
    }

    /// The time of the clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        model::Clock::now(self.clock())
    }

    /// A request of the app's back end: `path` gets the key, the headers the token.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request {
        let separator = if path.contains('?') { '&' } else { '?' };
        Request::new(method, &format!("{path}{separator}api_key={KEY}"))
            .header("Authorization", &server_token(SECRET))
            .header("Stream-Auth-Type", "jwt")
    }

    /// Sends a request without blocking the server, which shares the runtime.
    ///
    /// # Panics
    /// When there is no reply.
    #[expect(clippy::expect_used, reason = "a test without a reply has failed")]
    pub async fn send(&self, request: Request) -> Reply {
        let address = self.address;
        tokio::task::spawn_blocking(move || request.send(address)).await.expect("a reply")
    }

    /// Sends JSON as the app's back end.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.send(self.request(method, path).body(body.to_string())).await
    }

    /// Sends JSON with any token of the app.
    pub async fn call_with(&self, token: &str, method: &str, path: &str, body: &Value) -> Reply {
        let separator = if path.contains('?') { '&' } else { '?' };
        let request = Request::new(method, &format!("{path}{separator}api_key={KEY}"));
        let request = request.header("Authorization", token).header("Stream-Auth-Type", "jwt");
        self.send(if method == "GET" { request } else { request.body(body.to_string()) }).await
    }

    /// Sends JSON as the user `id`, by a token that is issued now.
    pub async fn call_as(&self, id: &str, method: &str, path: &str, body: &Value) -> Reply {
        self.call_with(&self.user_token(id), method, path, body).await
    }

    /// A token of the user `id` that is issued now.
    #[must_use]
    pub fn user_token(&self, id: &str) -> String {
        token(SECRET, json!({"user_id": id, "iat": self.now().seconds()}))
    }

    /// Reads as the app's back end.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }
}

impl Drop for TestFront {
    fn drop(&mut self) {
        // Nobody listens any more when the runtime has gone first.
        let _gone = self.drain.send(true);
    }
}

/// A token with these claims.
///
/// # Panics
/// When `claims` is not an object.
#[must_use]
#[expect(clippy::panic, reason = "a test without its token has failed")]
pub fn token(secret: &str, claims: Value) -> String {
    let Value::Object(claims) = claims else { panic!("claims are an object") };
    sign(secret, &claims)
}

/// A server token.
#[must_use]
pub fn server_token(secret: &str) -> String {
    token(secret, json!({"server": true}))
}

fn sign(secret: &str, claims: &Map<String, Value>) -> String {
    wire::token::sign(&Secret::new(secret.to_owned()), claims)
}
