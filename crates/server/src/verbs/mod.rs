//! The verbs of the command line beside `serve`: each reads or changes the data of a server, and ends.

pub(crate) mod app;
pub(crate) mod backup;
pub(crate) mod token;
pub(crate) mod user;

use model::{App, Operation};
use operations::apps;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::Place;
use crate::failure::Failure;
use crate::operator;

/// Every app that is kept in a place, whether a server serves it or not.
fn all_apps(place: &Place) -> Result<Vec<App>, Failure> {
    let ctx = operator::context(Operation::GetApp, &SystemClock::new(), &SystemEntropy);
    let peeked = match place {
        Place::Server(url) => storage::peek_server(url, move |tx| Ok(apps::list(tx, &ctx))),
        Place::Directory(directory) => storage::peek(directory, |tx| Ok(apps::list(tx, &ctx))),
        Place::Memory => return Err(Failure::new("the data is kept in memory", "name its place")),
    };
    match peeked {
        Ok(apps) => apps.map_err(|error| operator::refusal(&error)),
        Err(storage::PeekError::Open(error)) => Err(Failure::of(&error, error.hint())),
        Err(error @ storage::PeekError::Read(_)) => {
            Err(Failure::of(&error, "check that the disk works, and try again"))
        }
    }
}

/// The app with this key, or the only one there is.
fn choose(apps: Vec<App>, api_key: Option<&str>) -> Result<App, Failure> {
    let keys: Vec<String> = apps.iter().map(|app| app.api_key.clone()).collect();
    let hint = match keys.as_slice() {
        [] => "`headwater app create` makes one".to_owned(),
        keys => format!("name one of them with --app: {}", keys.join(", ")),
    };
    let mut fitting = apps.into_iter().filter(|app| api_key.is_none_or(|key| app.api_key == key));
    match (fitting.next(), fitting.next(), api_key) {
        (Some(app), None, _) => Ok(app),
        (Some(_), Some(_), _) => Err(Failure::new("there are several apps", hint)),
        (None, _, Some(key)) => Err(Failure::new(format!("there is no app with the key {key}"), hint)),
        (None, _, None) => Err(Failure::new("there is no app", hint)),
    }
}
