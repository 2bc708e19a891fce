//! A request that has been let in: what a handler works with.

use std::sync::Arc;
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
}

/// What an operation answered, and how many statements that took.
pub(crate) struct Done<T> {
    pub(crate) value: T,
    pub(crate) statements: u32,
}

impl Call {
    /// Runs a writing operation in a transaction of its own.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error> + Send + 'static,
    ) -> Result<Done<T>, Refusal> {
        let ctx = Arc::clone(&self.ctx);
        Ok(self.state.store.write(move |tx| counted(tx, &ctx, &operation)).await?)
    }

    /// Runs a reading operation in a transaction of its own.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error> + Send + 'static,
    ) -> Result<Done<T>, Refusal> {
        let ctx = Arc::clone(&self.ctx);
        Ok(self.state.store.read(move |tx| counted(tx, &ctx, &operation)).await?)
    }

    /// The fields of the body; nothing and `null` are no fields (v2 1.3).
    pub(crate) fn fields(&self) -> Result<Map<String, Value>, Invalid> {
        wire::parse_object(&self.body)
    }

    /// The fields of the query parameter `payload`; when it is missing there are none (v2 1.4).
    pub(crate) fn payload(&self) -> Result<Map<String, Value>, Invalid> {
        let payload = self.query.get("payload").unwrap_or_default();
        wire::parse_object(payload.as_bytes()).map_err(|invalid| match invalid.field.as_str() {
            "" => Invalid::new("payload", invalid.why),
            _ => invalid,
        })
    }

    /// The user id that the path names.
    pub(crate) fn user_id(&self) -> Result<UserId, Invalid> {
        let text = self.parameters.first().and_then(|segment| form::decode(segment));
        let refuse = || Invalid::new("user_id", "must be UTF-8 without U+0000, percent-encoded");
        UserId::parse(&text.ok_or_else(refuse)?).map_err(|invalid| invalid.within("user_id"))
    }

    /// How long the request has taken so far, as answers say it.
    pub(crate) fn duration(&self) -> String {
        wire::duration(self.state.clock.elapsed().saturating_sub(self.arrived))
    }
}

fn counted<T>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<T, operations::Error>,
) -> Result<Done<T>, operations::Error> {
    let value = operation(tx, ctx)?;
    Ok(Done { value, statements: tx.statements() })
}
