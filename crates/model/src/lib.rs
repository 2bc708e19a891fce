//! What a user is and the rules about it. No I/O, no async, no SQL and no field name of the wire.

mod app;
mod clock;
mod custom;
mod event;
mod field;
mod id;
mod invalid;
pub mod leaf;
mod operation;
mod patch;
mod permission;
mod profile;
mod query;
mod role;
mod rules;
mod standing;
mod user;
pub mod words;

pub use app::{App, AppSettings, Secret, SettingsPatch, Suspension};
pub use clock::{Clock, Entropy, Timestamp};
pub use custom::{Custom, CustomPath};
pub use event::Event;
pub use field::BUILT_IN;
pub use id::{AppKey, LONGEST_USER_ID, UserId, UserKey};
pub use invalid::Invalid;
pub use operation::Operation;
pub use patch::{Assignment, Field, Patch};
pub use permission::{Action, Caller, permit};
pub use profile::{Absent, Profile};
pub use query::{Filter, MOST_OPERANDS, Page, UserQuery};
pub use role::{BUILT_IN_ROLES, DEFAULT_ROLE};
pub use rules::Limits;
pub use user::{
    Ban, ChannelMute, Device, Privacy, PrivacySwitch, StoredUser, Unread, User, UserMute, UserView,
};
