//! `headwater user`: users of an app, as far as an operator sees to them.

use super::{all_apps, choose};
use crate::cli::UserVerb;
use crate::config::Place;
use crate::control;
use crate::failure::{Failure, print};
use crate::operator::{Outcome, Request};

/// Does `verb` to a user.
///
/// # Errors
/// When it is refused, or the data cannot be reached.
pub(crate) fn run(place: &Place, verb: UserVerb) -> Result<(), Failure> {
    let UserVerb::PurgeTombstone { app, id } = verb;
    let api_key = choose(all_apps(place)?, app.as_deref())?.api_key;
    let request = Request::PurgeTombstone { api_key: api_key.clone(), id: id.clone() };
    match control::perform(place, &request)? {
        Outcome::Done => print(format_args!("The id {id} can be given again in the app {api_key}.")),
        Outcome::Unchanged => {
            print(format_args!("Nobody with the id {id} was deleted for good in the app {api_key}."))
        }
    }
}
