//! `headwater app`: the apps of a server.

use model::App;

use super::all_apps;
use crate::ambient::SystemEntropy;
use crate::cli::AppVerb;
use crate::config::{Place, no_credentials};
use crate::control;
use crate::credentials::{Credentials, random_secret};
use crate::failure::{Failure, print};
use crate::operator::{Outcome, Request};

/// Does `verb` to the apps of a server.
///
/// # Errors
/// When it is refused, or the data cannot be reached.
pub(crate) fn run(place: &Place, verb: AppVerb) -> Result<(), Failure> {
    match verb {
        AppVerb::List => list(place),
        AppVerb::Create { name, credentials } => {
            let credentials = match credentials {
                Some(text) => Credentials::parse(&text).ok_or_else(|| no_credentials("the argument"))?,
                None => Credentials::random(&SystemEntropy),
            };
            create(place, name, credentials)
        }
        AppVerb::Rotate { api_key, finish: false } => rotate(place, api_key),
        AppVerb::Rotate { api_key, finish: true } => {
            let done = format!("The app {api_key} has one valid secret, the one of its last rotation.");
            control::perform(place, &Request::FinishRotation { api_key })?;
            print(done)
        }
        AppVerb::Suspend { api_key, explanation, lift: false } => {
            let done = format!("The app {api_key} is suspended. This ends with --lift.");
            control::perform(place, &Request::Suspend { api_key, explanation })?;
            print(done)
        }
        AppVerb::Suspend { api_key, lift: true, .. } => {
            let done = format!("The app {api_key} can be used.");
            control::perform(place, &Request::Resume { api_key })?;
            print(done)
        }
    }
}

fn list(place: &Place) -> Result<(), Failure> {
    let apps = all_apps(place)?;
    let longest = apps.iter().map(|app| app.api_key.len()).max().unwrap_or(0).max(3);
    print(format_args!("{:longest$}  {:20}  {:9}  NAME", "KEY", "CREATED", "STATE"))?;
    for app in apps {
        let state = state(&app);
        let created = jiff::Timestamp::from_second(app.created_at.seconds()).unwrap_or_default();
        print(format_args!("{:longest$}  {created:20}  {state:9}  {}", app.api_key, app.name))?;
    }
    Ok(())
}

fn state(app: &App) -> &'static str {
    match (&app.suspension, &app.previous_secret) {
        (Some(_), _) => "suspended",
        (None, Some(_)) => "rotating",
        (None, None) => "active",
    }
}

fn create(place: &Place, name: Option<String>, app: Credentials) -> Result<(), Failure> {
    let Credentials { api_key, secret } = app;
    let name = name.unwrap_or_else(|| api_key.clone());
    let request = Request::Create { api_key: api_key.clone(), name, secret: secret.clone() };
    match control::perform(place, &request)? {
        Outcome::Unchanged => print(format_args!("The app {api_key} exists already with this secret.")),
        Outcome::Done => print(format_args!("API key:    {api_key}\nAPI secret: {}", secret.reveal())),
    }
}

fn rotate(place: &Place, api_key: String) -> Result<(), Failure> {
    let secret = random_secret(&SystemEntropy);
    let finish = format!("headwater app rotate {api_key} --finish");
    control::perform(place, &Request::Rotate { api_key, secret: secret.clone() })?;
    print(format_args!("API secret: {}\n\nThe secret before stays valid until `{finish}`.", secret.reveal()))
}
