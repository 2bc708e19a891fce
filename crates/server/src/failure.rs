//! Why a verb of the command line failed: one line that says what, one that says what to do about it.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

/// The end of a verb without its result. Shown on standard error; the exit status is 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    error: String,
    hint: String,
}

impl Failure {
    /// A failure that says all by itself.
    pub(crate) fn new(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { error: one_line(&error.into()), hint: one_line(&hint.into()) }
    }

    /// A failure with the causes of `error`, outermost first.
    pub(crate) fn of(error: &dyn Error, hint: impl Into<String>) -> Self {
        Self::new(chain(error), hint)
    }

    /// `what` could not be done because of `cause`.
    pub(crate) fn because(what: impl Display, cause: &dyn Error, hint: impl Into<String>) -> Self {
        Self::new(format!("{what}: {}", chain(cause)), hint)
    }

    /// What went wrong.
    pub(crate) fn error(&self) -> &str {
        &self.error
    }

    /// What can be done about it.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }

    /// Shows the failure to whoever runs the program.
    pub(crate) fn report(&self) {
        let Self { error, hint } = self;
        // With standard error closed there is nobody left to tell; the exit status still says it.
        let _ = writeln!(io::stderr(), "error: {error}\nhint: {hint}");
    }
}

/// Prints a result of a verb on standard output.
///
/// # Errors
/// When it cannot be written, so that nobody takes a secret that went nowhere for printed.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|error| {
        Failure::because("cannot write to standard output", &error, "keep standard output open")
    })
}

/// An error and its causes in one line. `Display` never repeats a source (DESIGN 5).
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_are_joined_in_one_line() {
        let error = Outer(io::Error::other("inner\n  with two lines\n"));
        let failure = Failure::because("what", &error, "do this");
        assert_eq!(failure, Failure::new("what: outer: inner with two lines", "do this"));
    }
}
