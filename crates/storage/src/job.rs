//! A closure on its way through the store: queued by a caller, run by a thread, perhaps more than once, and answered
//! when it is known what became of its transaction.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::answer::{Answer, Ticket};
use crate::cache::Changed;
use crate::{Error, Tx};

/// A closure without its types, so that one queue holds all of them.
pub(crate) trait Job: Send {
    /// Takes the job for this thread. `false`: its caller has withdrawn it, and it must be dropped without running.
    fn claim(&self) -> bool;

    /// Whether it needs no snapshot, since it runs one statement only.
    fn is_look_up(&self) -> bool;

    /// Runs the closure, keeps its result, and says what has to become of what it wrote. May be called again, after
    /// a rollback; the last result counts.
    fn run(&mut self, tx: Tx<'_>) -> Ran;

    /// Sends the result that was kept.
    fn answer(self: Box<Self>);

    /// Sends `failure` in place of the result.
    fn fail(self: Box<Self>, failure: Error);
}

/// What has to become of what a closure wrote.
#[derive(Debug)]
pub(crate) enum Ran {
    /// It succeeded: its writes are to be committed.
    Keep {
        /// What it changed, of which kept copies must go.
        changed: Changed,
    },
    /// It refused, failed or panicked: its writes are to be rolled back.
    RollBack {
        /// The first failure of a statement, even if the closure hid it.
        failure: Option<Error>,
        /// Whether there is anything to roll back.
        wrote: bool,
    },
}

/// Makes a job of a closure, and the answer its caller waits for.
pub(crate) fn queue_up<T, E, F>(work: F, is_look_up: bool, budget: Duration) -> (Box<dyn Job>, Answer<T, E>)
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let ticket = Arc::new(Ticket::default());
    let (sender, receiver) = oneshot::channel();
    let answer = Answer::waiting(receiver, Arc::clone(&ticket), budget);
    (Box::new(Closure { work, is_look_up, ticket, reply: sender, kept: None }), answer)
}

/// Runs a closure, and says what has to become of what it wrote.
pub(crate) fn run<T, E: From<Error>>(
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    mut tx: Tx<'_>,
) -> (Result<T, E>, Ran) {
    // Whatever a panic leaves half done is undone: the transaction is rolled back and the closure is not run again in
    // it. A closure has no side effects but through `tx`.
    let result = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
    let wrote = tx.wrote();
    match (result, tx.end()) {
        (Ok(Ok(value)), Ok(changed)) => (Ok(value), Ran::Keep { changed }),
        (Ok(Ok(_)), Err(failure)) => {
            (Err(E::from(failure.clone())), Ran::RollBack { failure: Some(failure), wrote })
        }
        (Ok(Err(refusal)), end) => (Err(refusal), Ran::RollBack { failure: end.err(), wrote }),
        (Err(panic), end) => {
            tracing::error!(panic = message_of(panic.as_ref()), "a closure of the store panicked");
            (Err(E::from(Error::Panicked)), Ran::RollBack { failure: end.err(), wrote })
        }
    }
}

struct Closure<T, E, F> {
    work: F,
    is_look_up: bool,
    ticket: Arc<Ticket>,
    reply: oneshot::Sender<Result<T, E>>,
    kept: Option<Result<T, E>>,
}

impl<T, E, F> Job for Closure<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn claim(&self) -> bool {
        self.ticket.claim()
    }

    fn is_look_up(&self) -> bool {
        self.is_look_up
    }

    fn run(&mut self, tx: Tx<'_>) -> Ran {
        let (kept, ran) = run(&self.work, tx);
        self.kept = Some(kept);
        ran
    }

    fn answer(mut self: Box<Self>) {
        if let Some(kept) = self.kept.take() {
            self.send(kept);
        }
    }

    fn fail(self: Box<Self>, failure: Error) {
        self.send(Err(E::from(failure)));
    }
}

impl<T, E, F> Closure<T, E, F> {
    /// Ends the job. What nobody waits for any more is dropped here, and so is the closure: should one of them panic
    /// at that, the others of its batch must still have their answers.
    fn send(self: Box<Self>, result: Result<T, E>) {
        let sent = catch_unwind(AssertUnwindSafe(move || drop(self.reply.send(result))));
        if let Err(panic) = sent {
            tracing::error!(
                panic = message_of(panic.as_ref()),
                "the result of a closure panicked when dropped"
            );
        }
    }
}

/// The text of a panic, when it has one.
fn message_of(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no message",
    }
}
