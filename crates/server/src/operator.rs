//! What an operator may have done: to apps, as a request that `serve` takes over its control socket and that a verb
//! carries out by itself when no server runs; and a backup.

use std::path::Path;
use std::sync::Arc;

use model::{Action, Caller, Clock, Entropy, Operation, Secret, UserId};
use operations::{Ctx, apps, deletion};
use serde::{Deserialize, Serialize};
use storage::{Copied, Store, Tx};

use crate::failure::{Failure, chain};

/// A change that an operator wants. Secrets are made by who asks, so that asking twice is no different.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Make sure that there is this app.
    Create {
        api_key: String,
        name: String,
        #[serde(with = "revealed")]
        secret: Secret,
    },
    /// Give the app this secret beside the one that it has.
    Rotate {
        api_key: String,
        #[serde(with = "revealed")]
        secret: Secret,
    },
    /// Let the secret before expire.
    FinishRotation { api_key: String },
    /// Let nobody use the app.
    Suspend { api_key: String, explanation: String },
    /// Let the app be used again.
    Resume { api_key: String },
    /// Let the id of a user who was deleted for good be given again.
    PurgeTombstone { api_key: String, id: UserId },
}

/// A secret on its way through a socket that only its owner can open.
mod revealed {
    use model::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// It was so before.
    Unchanged,
}

impl Request {
    /// The app that the request is about.
    pub(crate) fn api_key(&self) -> &str {
        match self {
            Self::Create { api_key, .. }
            | Self::Rotate { api_key, .. }
            | Self::FinishRotation { api_key }
            | Self::Suspend { api_key, .. }
            | Self::Resume { api_key }
            | Self::PurgeTombstone { api_key, .. } => api_key,
        }
    }

    /// The operation that the request asks for.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Create { .. } => Operation::CreateApp,
            Self::Rotate { .. } => Operation::RotateSecret,
            Self::FinishRotation { .. } => Operation::FinishRotation,
            Self::Suspend { .. } => Operation::SuspendApp,
            Self::Resume { .. } => Operation::ResumeApp,
            Self::PurgeTombstone { .. } => Operation::PurgeTombstone,
        }
    }

    fn apply(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Outcome, operations::Error> {
        match self {
            Self::Create { api_key, name, secret } => {
                let (api_key, name, secret) = (api_key.clone(), name.clone(), secret.clone());
                let made = apps::create(tx, ctx, &apps::Create { api_key, name, secret })?;
                return Ok(if made { Outcome::Done } else { Outcome::Unchanged });
            }
            Self::Rotate { api_key, secret } => apps::rotate(tx, ctx, api_key, secret)?,
            Self::FinishRotation { api_key } => apps::finish_rotation(tx, ctx, api_key)?,
            Self::Suspend { api_key, explanation } => apps::suspend(tx, ctx, api_key, explanation)?,
            Self::Resume { api_key } => apps::resume(tx, ctx, api_key)?,
            Self::PurgeTombstone { api_key, id } => {
                let purged = deletion::purge_tombstone(tx, ctx, api_key, id)?;
                return Ok(if purged { Outcome::Done } else { Outcome::Unchanged });
            }
        }
        Ok(Outcome::Done)
    }
}

/// Carries out what an operator wants.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Operator {
    /// Does what `request` asks for.
    ///
    /// # Errors
    /// When it is refused or the store fails; then nothing has changed.
    pub(crate) async fn perform(&self, request: Request) -> Result<Outcome, Failure> {
        self.perform_if(request, |_, _| Ok(true)).await
    }

    /// Does what `request` asks for if there is no app at all.
    ///
    /// # Errors
    /// See [`Operator::perform`].
    pub(crate) async fn perform_on_empty(&self, request: Request) -> Result<Outcome, Failure> {
        self.perform_if(request, |tx, ctx| Ok(apps::list(tx, ctx)?.is_empty())).await
    }

    async fn perform_if(
        &self,
        request: Request,
        wanted: fn(&mut Tx<'_>, &Ctx) -> Result<bool, operations::Error>,
    ) -> Result<Outcome, Failure> {
        let ctx = self.ctx(request.operation());
        let (operation, app, id) = (ctx.operation.name(), request.api_key().to_owned(), ctx.request.clone());
        let performed = self.store.write(move |tx| {
            if wanted(tx, &ctx)? { request.apply(tx, &ctx) } else { Ok(Outcome::Unchanged) }
        });
        match performed.await {
            Ok(outcome) => {
                if outcome == Outcome::Done {
                    tracing::info!(operation, app, request = id, "done for the operator");
                }
                Ok(outcome)
            }
            Err(error) => {
                let cause = chain(&error);
                tracing::warn!(operation, app, request = id, cause, "refused to the operator");
                Err(refusal(&error))
            }
        }
    }

    /// Backs the database up in the new file `file`, which is absolute. Answers its length. Dropping this ends it.
    ///
    /// # Errors
    /// When there is no backup.
    pub(crate) async fn back_up(&self, file: &Path) -> Result<u64, Failure> {
        match self.store.back_up(file).await {
            Ok(Copied { bytes, schema }) => {
                tracing::info!(file = %file.display(), bytes, schema, "a backup is written");
                Ok(bytes)
            }
            Err(error) => {
                tracing::warn!(file = %file.display(), cause = chain(&error), "a backup failed");
                Err(Failure::of(&error, error.hint()))
            }
        }
    }

    fn ctx(&self, operation: Operation) -> Ctx {
        context(operation, &*self.clock, &*self.entropy)
    }
}

/// The context of a request by the operator.
pub(crate) fn context(operation: Operation, clock: &dyn Clock, entropy: &dyn Entropy) -> Ctx {
    let seed = entropy.seed();
    Ctx {
        caller: Caller::Operator,
        operation,
        actions: Action::ManageApps.alone(),
        now: clock.now(),
        seed,
        request: format!("{seed:032x}"),
        standing: None,
    }
}

/// A refused operation, with what an operator can do about it.
pub(crate) fn refusal(error: &operations::Error) -> Failure {
    use operations::Error;
    let hint = match error {
        Error::Invalid(_) => "an app is written KEY:SECRET".to_owned(),
        Error::NoApp(_) => "`headwater app list` shows the keys of all apps".to_owned(),
        Error::AppExists(key) => {
            format!("use another key, or give this app a new secret: `headwater app rotate {key}`")
        }
        Error::Rotating(key) => {
            format!("when nobody uses the previous secret, run `headwater app rotate {key} --finish` first")
        }
        Error::NotRotating(key) => format!("`headwater app rotate {key}` begins one"),
        Error::Storage(storage::Error::Busy | storage::Error::Timeout(_)) => {
            "try again in a moment".to_owned()
        }
        Error::Storage(_) => {
            "check that the disk has free space and works, and look into the server's log".to_owned()
        }
        _ => "report this as a defect".to_owned(),
    };
    Failure::of(error, hint)
}
