//! Why something could not be measured: a text for whoever runs the bench, with the cause in it.

use std::error::Error;
use std::fmt::Display;

/// A failure in words.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Puts what was tried before the cause of a failure.
pub(crate) fn because<E: Display>(what: impl Display) -> impl FnOnce(E) -> Failure {
    move |cause| format!("{what}: {cause}").into()
}
