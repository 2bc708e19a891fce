//! A request that has been let in: what a handler works with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use model::{App, Invalid, UserId};
use operations::Ctx;
use serde_json::{Map, Value};
use storage::Tx;
use wire::form::{self, Query};

use crate::front::State;
use crate::refusal::Refusal;

/// A request whose caller is known and whose body has been read.
pub(crate) struct Call {
    pub(crate) state: Arc<State>,
    pub(crate) app: Arc<App>,
    pub(crate) ctx: Arc<Ctx>,
    pub(crate) query: Query,
    pub(crate) parameters: Vec<String>,
    pub(crate) body: Bytes,
    /// The clock's reading when the request arrived.
    pub(crate) arrived: Duration,
    /// Where the statements of the operation are counted, whether it succeeds or is refused.
    pub(crate) statements: Arc<AtomicU32>,
}

impl Call {
    /// Runs a writing operation in a transaction of its own.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.ctx.refuse_hopeless()?;
        let (ctx, statements) = (Arc::clone(&self.ctx), Arc::clone(&self.statements));
        Ok(self.state.store.write(move |tx| counted(tx, &ctx, &statements, &operation)).await?)
    }

    /// Runs a reading operation in a transaction of its own.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.ctx.refuse_hopeless()?;
        let (ctx, statements) = (Arc::clone(&self.ctx), Arc::clone(&self.statements));
        Ok(self.state.store.read(move |tx| counted(tx, &ctx, &statements, &operation)).await?)
    }

    /// As [`Call::read`], for an operation that runs one statement.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.ctx.refuse_hopeless()?;
        let (ctx, statements) = (Arc::clone(&self.ctx), Arc::clone(&self.statements));
        Ok(self.state.store.look_up(move |tx| counted(tx, &ctx, &statements, &operation)).await?)
    }

    /// The fields of the body; nothing and `null` are no fields (v2 1.3).
    pub(crate) fn fields(&self) -> Result<Map<String, Value>, Invalid> {
        wire::parse_object(&self.body).map_err(|invalid| placed(invalid, "the body"))
    }

    /// The fields of the query parameter `payload`; when it is missing there are none (v2 1.4).
    pub(crate) fn payload(&self) -> Result<Map<String, Value>, Invalid> {
        let payload = self.query.get("payload").unwrap_or_default();
        wire::parse_object(payload.as_bytes()).map_err(|invalid| placed(invalid, "payload"))
    }

    /// The user id that the path names.
    pub(crate) fn user_id(&self) -> Result<UserId, Invalid> {
        UserId::parse(&self.parameter("user_id")?).map_err(|invalid| invalid.within("user_id"))
    }

    /// The first parameter of the path, which refusals call `name`.
    pub(crate) fn parameter(&self, name: &str) -> Result<String, Invalid> {
        self.nth_parameter(0, name)
    }

    /// The parameter of the path that stands behind so many others, which refusals call `name`.
    pub(crate) fn nth_parameter(&self, place: usize, name: &str) -> Result<String, Invalid> {
        let text = self.parameters.get(place).and_then(|segment| form::decode(segment));
        text.ok_or_else(|| Invalid::new(name, "must be UTF-8 without U+0000, percent-encoded"))
    }

    /// How long the request has taken so far, as answers say it.
    pub(crate) fn duration(&self) -> String {
        wire::duration(self.state.clock.elapsed().saturating_sub(self.arrived))
    }
}

/// A refusal of the whole gets the name of the whole.
fn placed(invalid: Invalid, whole: &str) -> Invalid {
    if invalid.field.is_empty() { invalid.within(whole) } else { invalid }
}

/// Runs an operation and counts its statements. A second run, after its batch was undone, counts anew.
fn counted<T>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    statements: &AtomicU32,
    operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error>,
) -> Result<T, operations::Error> {
    let result = operation(tx, ctx);
    statements.store(tx.statements(), Ordering::Relaxed);
    result
}
