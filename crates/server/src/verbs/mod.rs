//! The verbs of the command line beside `serve`: each reads or changes the data of a server, and ends.

pub(crate) mod app;
pub(crate) mod backup;
pub(crate) mod token;

use std::path::Path;

use model::{App, Operation};
use operations::apps;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::failure::Failure;
use crate::operator;

/// Every app in a data directory, whether a server runs there or not.
fn all_apps(directory: &Path) -> Result<Vec<App>, Failure> {
    let ctx = operator::context(Operation::GetApp, &SystemClock::new(), &SystemEntropy);
    match storage::peek(directory, |tx| Ok(apps::list(tx, &ctx))) {
        Ok(apps) => apps.map_err(|error| operator::refusal(&error)),
        Err(storage::PeekError::Open(error)) => Err(Failure::of(&error, error.hint())),
        Err(error @ storage::PeekError::Read(_)) => {
            Err(Failure::of(&error, "check that the disk works, and try again"))
        }
    }
}
