//! A backup as its callers see it: a future that is dropped to end it early, and what it has to say when it is there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::CopyError;

/// What was copied, into a backup or out of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The length of the file that was written.
    pub bytes: u64,
    /// The number of the last migration that the copied database has.
    pub schema: i64,
}

/// Ends a copy before its time. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Has the copy end with [`CopyError::Stopped`] as soon as it looks; what it has written so far goes.
    pub fn stop(&self) {
        // Nothing is handed over with it; that it is seen soon is all that is needed.
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the copy is to end.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error when the copy is to end here.
    pub(crate) fn check(&self) -> Result<(), CopyError> {
        if self.is_wanted() { Err(CopyError::Stopped) } else { Ok(()) }
    }
}

/// A backup under way, made by [`Store::back_up`](crate::Store::back_up). It goes on whether polled or not; dropping it
/// ends it, and nothing is left of it.
#[must_use = "dropping the backup ends it"]
pub struct Backup {
    reply: Reply,
    stop: Stop,
}

enum Reply {
    Coming(oneshot::Receiver<Result<Copied, CopyError>>),
    /// `None` once it was given to the caller. A future may be polled again by mistake; it is never ready twice.
    Settled(Option<CopyError>),
}

impl Backup {
    /// A backup whose result comes over `reply`, and which `stop` ends.
    pub(crate) fn under_way(reply: oneshot::Receiver<Result<Copied, CopyError>>, stop: Stop) -> Self {
        Self { reply: Reply::Coming(reply), stop }
    }

    /// A backup that was not begun.
    pub(crate) fn refused(refusal: CopyError) -> Self {
        Self { reply: Reply::Settled(Some(refusal)), stop: Stop::default() }
    }
}

impl Future for Backup {
    type Output = Result<Copied, CopyError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.reply {
            Reply::Settled(refusal) => {
                refusal.take().map_or(Poll::Pending, |refusal| Poll::Ready(Err(refusal)))
            }
            Reply::Coming(reply) => Pin::new(reply).poll(context).map(|reply| {
                self.reply = Reply::Settled(None);
                // Its thread broke down before it had a result, and what it had written went with it.
                reply.unwrap_or(Err(CopyError::Stopped))
            }),
        }
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Backup").field("stopped", &self.stop.is_wanted()).finish_non_exhaustive()
    }
}
