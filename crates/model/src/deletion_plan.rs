//! What deleting a user does to everything that is the user's (semantics 10).
//!
//! One table decides: what is asked for, and what is asked about. The deletion, its preview and the page `docs/deletion.md` read it.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{Invalid, Outcome, Secret, Timestamp, UserId, UserKey, check_user_ids};

/// How a user is deleted. A later one takes more away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserDeletion {
    /// The user is marked as deleted and can be restored.
    #[default]
    Soft,
    /// The user is marked as deleted, and what is known of it is emptied.
    Pruning,
    /// Nothing stays but that the id is taken.
    Hard,
}

/// How messages are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageDeletion {
    /// They are marked as deleted.
    Soft,
    /// They are marked as deleted, and emptied; reactions to them go.
    Pruning,
    /// They go, with what hangs on them.
    Hard,
}

/// How conversations, which are channels of two members, and calls are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConversationDeletion {
    /// They are marked as deleted.
    Soft,
    /// They go, with all messages in them.
    Hard,
}

macro_rules! modes {
    ($($mode:ident { $($variant:ident $name:literal)+ })+) => {
        $(impl $mode {
            /// Every mode, mildest first.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name as clients know it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// The mode with this name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|mode| mode.name() == name)
            }
        })+
    };
}

modes! {
    UserDeletion { Soft "soft" Pruning "pruning" Hard "hard" }
    MessageDeletion { Soft "soft" Pruning "pruning" Hard "hard" }
    ConversationDeletion { Soft "soft" Hard "hard" }
}

/// What is to be deleted of users, and how. What is `None` stays as it is (semantics 10.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionPlan {
    /// The users themselves.
    pub user: UserDeletion,
    /// What they have written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<MessageDeletion>,
    /// The channels of exactly two members, one of whom is the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversations: Option<ConversationDeletion>,
    /// The calls of exactly two members, one of whom is the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<ConversationDeletion>,
    /// Whether what they have attached to messages goes.
    pub files: bool,
}

impl DeletionPlan {
    /// Checks that the modes go together (semantics 10.8, 10.10): a message has an author, so that it cannot stay when
    /// nothing stays of the author.
    ///
    /// # Errors
    /// When they do not; the refusal says what would be accepted.
    pub fn check(&self) -> Result<(), Invalid> {
        let messages = self.messages == Some(MessageDeletion::Hard);
        let conversations = self.conversations == Some(ConversationDeletion::Hard);
        if self.user != UserDeletion::Hard || (messages && conversations) {
            return Ok(());
        }
        let field = if messages { "conversations" } else { "messages" };
        let why = "must be 'hard': hard deleting users requires hard deleting messages and conversations; \
                   'pruning' for user goes with any messages and conversations";
        Err(Invalid::new(field, why))
    }

    /// What becomes of `data`.
    #[must_use]
    pub fn effect_on(&self, data: Data) -> Effect {
        use Effect::{Emptied, Kept, Marked, PassedOn, Removed, Unnamed};
        use UserDeletion::{Hard, Pruning, Soft};
        let by_user = |soft, pruning, hard| match self.user {
            Soft => soft,
            Pruning => pruning,
            Hard => hard,
        };
        let by_conversation = |mode: Option<ConversationDeletion>| match mode {
            None => Kept,
            Some(ConversationDeletion::Soft) => Marked,
            Some(ConversationDeletion::Hard) => Removed,
        };
        let removed_if = |condition| if condition { Removed } else { Kept };
        match data {
            Data::Conversations => by_conversation(self.conversations),
            // Also what others have written (10.9); of what the user has, `messages` may take more.
            Data::ConversationMessages => removed_if(self.conversations == Some(ConversationDeletion::Hard)),
            Data::Calls => by_conversation(self.calls),
            Data::Messages => match self.messages {
                None => Kept,
                Some(MessageDeletion::Soft) => Marked,
                Some(MessageDeletion::Pruning) => Emptied,
                Some(MessageDeletion::Hard) => Removed,
            },
            Data::Attachments => removed_if(self.files || self.messages >= Some(MessageDeletion::Pruning)),
            Data::ReactionsReceived => removed_if(self.messages >= Some(MessageDeletion::Pruning)),
            // Whoever leaves is no member any more, whatever else stays (10.18).
            Data::Memberships => Removed,
            Data::ChannelsMade => by_user(Kept, Kept, PassedOn),
            Data::BansGiven | Data::GroupsMade => by_user(Kept, Kept, Unnamed),
            Data::Profile => by_user(Marked, Emptied, Removed),
            Data::Log => by_user(Kept, Emptied, Emptied),
            Data::Devices
            | Data::PushPreferences
            | Data::Mutes
            | Data::Blocks
            | Data::FlagsReceived
            | Data::GroupMemberships
            | Data::Exports => by_user(Kept, Removed, Removed),
            Data::Reactions | Data::Bans | Data::FlagsMade | Data::MutesReceived | Data::BlocksReceived => {
                by_user(Kept, Kept, Removed)
            }
        }
    }
}

/// What becomes of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It stays as it is.
    Kept,
    /// It stays, and is marked as deleted.
    Marked,
    /// It stays, with nothing in it that is of the user.
    Emptied,
    /// It stays, and is somebody else's from now on.
    PassedOn,
    /// It stays, and names the user no more.
    Unnamed,
    /// It goes.
    Removed,
}

impl Effect {
    /// The effect in a word or two.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Marked => "marked as deleted",
            Self::Emptied => "emptied",
            Self::PassedOn => "passed on",
            Self::Unnamed => "no longer names the user",
            Self::Removed => "removed",
        }
    }
}

macro_rules! kinds_of_data {
    ($($(#[doc = $doc:literal])+ $name:ident $label:literal,)+) => {
        /// A kind of data that is of a user. In the order in which a deletion goes through them: what others see first, and
        /// the user itself, by whose key all is found, last.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Data {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Data {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in previews.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }

            /// What it is.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc,)+),)+
                }
            }
        }
    };
}

kinds_of_data! {
    /// Channels with exactly two members, one of whom is the user.
    Conversations "conversations",
    /// What is written in these channels, by whomever.
    ConversationMessages "conversation_messages",
    /// Messages that the user has written.
    Messages "messages",
    /// What others have answered these messages with.
    ReactionsReceived "reactions_received",
    /// What the user has attached to them.
    Attachments "attachments",
    /// What the user has answered messages with.
    Reactions "reactions",
    /// Channels that the user is a member of.
    Memberships "memberships",
    /// Channels that the user has made.
    ChannelsMade "channels_made",
    /// Calls with exactly two members, one of whom is the user.
    Calls "calls",
    /// Files made by exports, as far as they are of the user.
    Exports "exports",
    /// Push devices.
    Devices "devices",
    /// What the user wants pushed.
    PushPreferences "push_preferences",
    /// Whom the user has muted.
    Mutes "mutes",
    /// Who has muted the user.
    MutesReceived "mutes_received",
    /// Whom the user has blocked.
    Blocks "blocks",
    /// Who has blocked the user.
    BlocksReceived "blocks_received",
    /// Bans of the user.
    Bans "bans",
    /// Bans of others that name the user as their author.
    BansGiven "bans_given",
    /// Reports by the user.
    FlagsMade "flags_made",
    /// Reports of the user, or of what the user has made.
    FlagsReceived "flags_received",
    /// Groups of users that the user is in.
    GroupMemberships "group_memberships",
    /// Groups of users that the user has made.
    GroupsMade "groups_made",
    /// The user itself.
    Profile "profile",
    /// What the log holds of the user.
    Log "log",
}

/// A wish to delete users.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteUsers {
    /// Whom, each once.
    pub ids: Vec<UserId>,
    /// What of them, and how.
    pub plan: DeletionPlan,
    /// Who gets the channels that they have made, when they go without a trace; nobody who is real when not given.
    pub new_channel_owner: Option<UserId>,
    /// Who gets their calls.
    pub new_call_owner: Option<UserId>,
}

impl DeleteUsers {
    /// Checks what can be told without looking anything up.
    ///
    /// # Errors
    /// When the users are not as [`check_user_ids`] wants them, the modes do not go together, or a new owner is to be deleted.
    pub fn check(&self) -> Result<(), Invalid> {
        check_user_ids(&self.ids)?;
        self.plan.check()?;
        let owners =
            [("new_channel_owner_id", &self.new_channel_owner), ("new_call_owner_id", &self.new_call_owner)];
        for (field, owner) in owners {
            if let Some(owner) = owner
                && self.ids.contains(owner)
            {
                return Err(Invalid::new(
                    field,
                    format!("must be somebody who stays, '{owner}' is in user_ids"),
                ));
            }
        }
        Ok(())
    }
}

/// A user whom a deletion goes through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departing {
    /// The id.
    pub id: UserId,
    /// The key.
    pub key: UserKey,
    /// Since when the user is deleted: who was restored meanwhile, and then deleted by another call, is deleted since later.
    pub deleted_at: Timestamp,
}

/// A deletion that is under way: what its steps need to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionWork {
    /// What is deleted, and how.
    pub plan: DeletionPlan,
    /// Who gets the channels of users who are deleted for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_channel_owner: Option<UserId>,
    /// Who is still to be gone through; the last one first.
    pub left: Vec<Departing>,
    /// How many of those left have had their conversations closed, from the last one on. Nobody is gone through before that is
    /// so of all: whoever leaves a channel of three would make a conversation of it.
    #[serde(default)]
    pub closed: usize,
    /// What the last of them is gone through for.
    #[serde(default)]
    pub stage: DeletionStage,
    /// Where to go on with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<i64>,
    /// What came of it for those who have been gone through.
    pub outcomes: BTreeMap<UserId, Outcome>,
}

impl DeletionWork {
    /// Goes on to the next user: this one has been gone through.
    pub fn finish_one(&mut self, outcome: Outcome) {
        if let Some(departing) = self.left.pop() {
            self.outcomes.insert(departing.id, outcome);
            self.closed = self.closed.saturating_sub(1);
        }
        (self.stage, self.cursor) = (DeletionStage::default(), None);
    }

    /// Whose conversations are closed next.
    #[must_use]
    pub fn to_close(&self) -> Option<&Departing> {
        self.left.iter().rev().nth(self.closed)
    }

    /// Goes on to the conversations of the next user.
    pub fn close_one(&mut self) {
        self.closed += 1;
        self.cursor = None;
    }

    /// Goes on to the next stage, from its beginning.
    pub fn go_to(&mut self, stage: DeletionStage) {
        (self.stage, self.cursor) = (stage, None);
    }
}

/// What a user who is deleted is gone through for, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionStage {
    /// The conversations of the user, which were closed before.
    #[default]
    Conversations,
    /// What the user has written.
    Messages,
    /// What is attached to it.
    Attachments,
    /// What the user has answered others with.
    Reactions,
    /// The channels that the user is still in.
    Memberships,
    /// The channels that the user has made.
    ChannelsMade,
    /// Everything else, and the user itself.
    Rest,
}

/// What stays of a user who was deleted for good, so that nobody gets its id again (semantics 10.17): only who holds `key` and knows
/// the id can tell whose it is.
#[must_use]
pub fn tombstone(key: &Secret, id: &UserId) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).expect("a key");
    hmac.update(id.as_str().as_bytes());
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id of nobody, who owns from now on what the user with this `tombstone` has made (semantics 10.13).
#[must_use]
pub fn owner_id(tombstone: &str) -> String {
    format!("delete-user-{}", tombstone.get(..16).unwrap_or(tombstone))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every wish, legal or not.
    fn all() -> Vec<DeletionPlan> {
        fn given<M: Copy>(modes: &[M]) -> Vec<Option<M>> {
            std::iter::once(None).chain(modes.iter().copied().map(Some)).collect()
        }
        let mut all = Vec::new();
        for user in UserDeletion::ALL.iter().copied() {
            for messages in given(MessageDeletion::ALL) {
                for conversations in given(ConversationDeletion::ALL) {
                    for calls in given(ConversationDeletion::ALL) {
                        for files in [false, true] {
                            all.push(DeletionPlan { user, messages, conversations, calls, files });
                        }
                    }
                }
            }
        }
        all
    }

    #[test]
    fn only_a_hard_deletion_makes_demands() {
        for deletion in all() {
            let hard = deletion.messages == Some(MessageDeletion::Hard)
                && deletion.conversations == Some(ConversationDeletion::Hard);
            assert_eq!(deletion.check().is_ok(), deletion.user != UserDeletion::Hard || hard, "{deletion:?}");
        }
        let refused = |messages, conversations| {
            let deletion =
                DeletionPlan { user: UserDeletion::Hard, messages, conversations, ..DeletionPlan::default() };
            deletion.check().unwrap_err()
        };
        let (hard, soft) = (Some(MessageDeletion::Hard), Some(ConversationDeletion::Soft));
        assert_eq!(refused(hard, soft).field, "conversations");
        assert_eq!(refused(None, soft).field, "messages");
        let told = refused(None, None).to_string();
        assert!(
            told.contains("hard deleting users requires hard deleting messages and conversations"),
            "{told}"
        );
    }

    #[test]
    fn after_a_hard_deletion_nothing_names_the_user() {
        for deletion in all()
            .into_iter()
            .filter(|deletion| deletion.user == UserDeletion::Hard && deletion.check().is_ok())
        {
            for data in Data::ALL.iter().copied().filter(|data| *data != Data::Calls) {
                let effect = deletion.effect_on(data);
                assert!(
                    !matches!(effect, Effect::Kept | Effect::Marked),
                    "{data:?} is {effect:?}: {deletion:?}"
                );
            }
        }
    }

    #[test]
    fn a_stronger_deletion_takes_no_less() {
        let strength = |effect| match effect {
            Effect::Kept => 0,
            Effect::Marked => 1,
            Effect::Unnamed | Effect::PassedOn => 2,
            Effect::Emptied => 3,
            Effect::Removed => 4,
        };
        for milder in all() {
            for stronger in all().into_iter().filter(|stronger| {
                stronger.user >= milder.user
                    && stronger.messages >= milder.messages
                    && stronger.conversations >= milder.conversations
                    && stronger.calls >= milder.calls
                    && stronger.files >= milder.files
            }) {
                for data in Data::ALL.iter().copied() {
                    let (less, more) = (milder.effect_on(data), stronger.effect_on(data));
                    assert!(strength(less) <= strength(more), "{data:?}: {milder:?}, {stronger:?}");
                }
            }
        }
    }

    #[test]
    fn a_soft_deletion_alone_only_marks_and_leaves() {
        let changed =
            Data::ALL.iter().filter(|data| DeletionPlan::default().effect_on(**data) != Effect::Kept);
        assert_eq!(changed.collect::<Vec<_>>(), [&Data::Memberships, &Data::Profile]);
    }

    #[test]
    fn names_are_found_again_and_differ() {
        for mode in UserDeletion::ALL {
            assert_eq!(UserDeletion::by_name(mode.name()), Some(*mode));
        }
        assert_eq!(
            (MessageDeletion::by_name("gone"), ConversationDeletion::by_name("pruning")),
            (None, None)
        );
        let names: BTreeSet<&str> = Data::ALL.iter().map(|data| data.name()).collect();
        assert_eq!(names.len(), Data::ALL.len());
    }

    #[test]
    fn wishes_are_checked() {
        let ids =
            |count: usize| (0..count).map(|number| UserId::parse(&format!("u{number}")).unwrap()).collect();
        let wish = |count, owner: Option<&str>| DeleteUsers {
            ids: ids(count),
            plan: DeletionPlan::default(),
            new_channel_owner: owner.map(|id| UserId::parse(id).unwrap()),
            new_call_owner: None,
        };
        assert_eq!(wish(100, Some("stays")).check(), Ok(()));
        for (wish, field) in [
            (wish(0, None), "user_ids"),
            (wish(101, None), "user_ids"),
            (wish(2, Some("u1")), "new_channel_owner_id"),
            (
                DeleteUsers { new_call_owner: Some(UserId::parse("u0").unwrap()), ..wish(1, None) },
                "new_call_owner_id",
            ),
        ] {
            assert_eq!(wish.check().unwrap_err().field, field);
        }
    }
}
