//! Guests: users that clients make for themselves (semantics 6).

use model::{Absent, Action, Event, GUEST_ROLE, Invalid, Profile, UserId, UserView};
use storage::Tx;
use storage::log::Entry;
use storage::users::{self, Change};

use crate::names::{self, Names};
use crate::{Ctx, Error};

/// A guest to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The id that is asked for; the guest gets one that ends with it.
    pub id: UserId,
    /// What the guest shows. Role and teams are not its to choose.
    pub profile: Profile,
}

/// Makes a guest (6.7 to 6.12): a user with the role of guests, and an id of its own whatever is asked for.
///
/// # Errors
/// When the app has no guests, or a rule about users is broken.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, command: &Create) -> Result<UserView, Error> {
    let caller = ctx.admit(tx)?;
    caller.permit(Action::CreateGuest)?;
    let app = caller.current_app(tx)?;
    if app.settings.refuses_guests() {
        return Err(Error::GuestsRefused("the app setting guest_user_creation_disabled is on"));
    }
    if app.settings.is_multi_tenant() {
        return Err(Error::GuestsRefused("an app with teams has none"));
    }
    let id = UserId::parse(&format!("guest-{}-{}", ctx.uuid(0), command.id));
    let id =
        id.map_err(|_| Invalid::new("user.id", "is too long: the id of a guest has 43 bytes in front"))?;
    let Profile { name, image, custom, .. } = command.profile.clone();
    let profile = Profile { name, image, custom, role: Some(GUEST_ROLE.to_owned()), ..Profile::default() };
    let after = profile
        .apply(&id, None, ctx.now, Absent::Keep, &app.settings.limits())
        .map_err(|invalid| invalid.within("user"))?;
    let profiles = [(id, profile)];
    let mut names = Names::load(tx, &app, names::of_profiles(&profiles))?;
    names.take(None, &after).map_err(|taken| taken.at("user.name".to_owned()))?;
    let stored = users::put(tx, app.key, vec![Change { before: None, after }])?;
    let entry = |stored: &model::StoredUser| Entry {
        event: Event::UserCreated { user: Box::new(stored.user.clone()) },
        person: Some(stored.key),
        others: Vec::new(),
    };
    caller.record(tx, stored.iter().map(entry).collect())?;
    // One change was stored, so there is one view.
    caller.views(tx, stored)?.pop().ok_or(Error::Storage(storage::Error::Unreadable("user")))
}
