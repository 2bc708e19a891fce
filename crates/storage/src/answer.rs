//! What the caller of a store holds: the future of a result, and the ticket by which it takes work back.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::Error;

/// The result of a closure given to a [`Store`](crate::Store), when it is there.
///
/// The closure is queued when the answer is made, polled or not; a short read has been run by then. Dropping the answer
/// withdraws a closure that no thread has begun; one that was begun runs to its end, and what it wrote is stored.
/// Answered with [`Error::Timeout`] when nobody began the closure within its budget; from the moment it is begun, a
/// write is waited for without limit. Polled in a Tokio runtime with its timer on.
#[must_use = "dropping the answer withdraws the work"]
pub struct Answer<T, E>(State<T, E>);

enum State<T, E> {
    /// Known before anything was queued.
    Settled(Result<T, E>),
    Waiting(Waiting<T, E>),
    /// Given to the caller. A future may be polled again by mistake; it is never ready twice.
    Taken,
}

struct Waiting<T, E> {
    reply: oneshot::Receiver<Result<T, E>>,
    ticket: Arc<Ticket>,
    budget: Duration,
    timer: Timer,
}

enum Timer {
    /// Not polled yet, so that an answer can be made outside of a runtime.
    Unset,
    Running(Pin<Box<Sleep>>),
    /// The budget is used up and the work was begun before: only the reply ends the wait.
    Over,
}

// Nothing in an answer is pinned in place: the timer is boxed, and a `T` or `E` is only ever moved out.
impl<T, E> Unpin for Answer<T, E> {}

impl<T, E> Answer<T, E> {
    /// An answer that needs no thread.
    pub(crate) fn settled(result: Result<T, E>) -> Self {
        Self(State::Settled(result))
    }

    /// An answer that comes over `reply`, unless `ticket` can be withdrawn after `budget`.
    pub(crate) fn waiting(
        reply: oneshot::Receiver<Result<T, E>>,
        ticket: Arc<Ticket>,
        budget: Duration,
    ) -> Self {
        Self(State::Waiting(Waiting { reply, ticket, budget, timer: Timer::Unset }))
    }
}

impl<T, E: From<Error>> Future for Answer<T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let state = &mut self.get_mut().0;
        if let State::Waiting(waiting) = state {
            let result = ready!(waiting.poll(context));
            *state = State::Taken;
            return Poll::Ready(result);
        }
        match std::mem::replace(state, State::Taken) {
            State::Settled(result) => Poll::Ready(result),
            State::Waiting(_) | State::Taken => Poll::Pending,
        }
    }
}

impl<T, E: From<Error>> Waiting<T, E> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        if let Poll::Ready(reply) = Pin::new(&mut self.reply).poll(context) {
            return Poll::Ready(reply.unwrap_or_else(|_| Err(E::from(self.lost()))));
        }
        ready!(self.timer.poll(self.budget, context));
        if self.ticket.withdraw() {
            return Poll::Ready(Err(E::from(Error::Timeout(self.budget))));
        }
        self.timer = Timer::Over;
        Poll::Pending
    }

    /// What it means that the job is gone without a reply.
    fn lost(&self) -> Error {
        if self.ticket.withdraw() {
            // It was dropped out of the queue of a store whose threads have ended.
            Error::Closed
        } else {
            // The thread that had claimed it broke down before it could say what became of it.
            Error::OutcomeUnknown(Arc::new(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
                Some("the thread of the database broke down".to_owned()),
            )))
        }
    }
}

impl<T, E> Drop for Waiting<T, E> {
    fn drop(&mut self) {
        self.ticket.withdraw();
    }
}

impl Timer {
    /// Ready when the budget is used up; pending for ever once [`Timer::Over`].
    fn poll(&mut self, budget: Duration, context: &mut Context<'_>) -> Poll<()> {
        if matches!(self, Self::Unset) {
            *self = Self::Running(Box::pin(tokio::time::sleep(budget)));
        }
        match self {
            Self::Running(sleep) => sleep.as_mut().poll(context),
            Self::Unset | Self::Over => Poll::Pending,
        }
    }
}

impl<T, E> fmt::Debug for Answer<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.0 {
            State::Settled(_) => "settled",
            State::Waiting(_) => "waiting",
            State::Taken => "taken",
        };
        formatter.debug_tuple("Answer").field(&state).finish()
    }
}

/// Decides, once, between the thread that begins a job and the caller who takes it back.
#[derive(Debug, Default)]
pub(crate) struct Ticket(AtomicU8);

const WAITING: u8 = 0;
const CLAIMED: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Ticket {
    /// Takes the job for a thread. `false`: the caller has withdrawn it, and it must not run.
    pub(crate) fn claim(&self) -> bool {
        self.leave_waiting_for(CLAIMED)
    }

    /// Takes the job back. `false`: a thread has claimed it, and its result counts.
    fn withdraw(&self) -> bool {
        self.leave_waiting_for(WITHDRAWN)
    }

    fn leave_waiting_for(&self, state: u8) -> bool {
        // The ticket guards no memory: the result travels through the channel. Only who came first matters.
        self.0.compare_exchange(WAITING, state, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
