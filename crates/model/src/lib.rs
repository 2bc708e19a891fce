//! What a user is and the rules about it. No I/O, no async, no SQL and no field name of the wire.

mod action;
mod app;
mod ban;
mod batch;
mod block_list;
mod caller;
mod catalogue;
mod channel;
mod clock;
mod criteria;
mod custom;
mod deletion;
mod deletion_page;
mod deletion_plan;
mod device;
mod event;
mod export;
mod field;
pub mod filter;
mod flag;
mod id;
mod invalid;
pub mod leaf;
mod lifecycle;
mod message;
mod operation;
mod patch;
mod permission;
mod profile;
mod push;
mod push_level;
mod query;
mod reaction;
mod relation;
mod role;
mod rules;
pub mod sort;
mod standing;
mod task;
mod user;
mod user_group;
pub mod words;

pub use action::Action;
pub use app::{App, AppSettings, Secret, SettingsPatch, Suspension, TeamFilter, UniqueNames};
pub use ban::{
    BanField, BanQuery, BanRecord, LONGEST_REASON, LetIn, MOST_BAN_MINUTES, ShutOut, check_reason,
};
pub use batch::Batch;
pub use block_list::{
    BlockList, BlockListKind, BlockListPage, BlockListPatch, BlockListPlace, MOST_BLOCK_LIST_WORDS,
    MOST_BLOCK_LISTS, WordCheck, Words, check_block_list_name,
};
pub use caller::{Bearer, Caller, Cid, TokenAccess};
pub use catalogue::{CATALOGUE, Level, Permission, is_decided_in_app, permission};
pub use channel::{
    CHANNEL_MEMBER, CHANNEL_MODERATOR, CHANNEL_TYPES, Channel, ChannelKey, ChannelMember, ChannelMemberView,
    ChannelState, ChannelView, Extent, MOST_CHANNEL_CUSTOM_BYTES, MOST_CHANNEL_MEMBERS,
    MOST_CHANNEL_MEMBERS_A_CALL, MOST_MEMBERS_SHOWN, NewMember, StoredChannel, check_new_cid, check_type,
    distinct_id, grants_of_type,
};
pub use clock::{Clock, Entropy, Timestamp};
pub use criteria::Criterion;
pub use custom::{Custom, CustomPath, CustomText};
pub use deletion::{Deletion, DeletionCause};
pub use deletion_page::page as deletion_page;
pub use deletion_plan::{
    ConversationDeletion, Data, DeleteUsers, DeletionPlan, DeletionStage, DeletionWork, Departing, Effect,
    MessageDeletion, UserDeletion, owner_id, tombstone,
};
pub use device::{
    Device, LONGEST_DEVICE_ID, LONGEST_DEVICE_TEXT, MOST_DEVICES, PushProvider, Registration, check_device_id,
};
pub use event::{BlockListEvent, Event, ReactionEvent, Report};
pub use export::{
    DELETED_MEANWHILE, EXPORT_KEPT, ExportKey, ExportLine, ExportPlace, ExportWork, ExportedMessage,
    MOST_CHUNK_BYTES, MOST_EXPORTED, MOST_EXPORTED_BYTES, export_name, is_export_name,
};
pub use field::BUILT_IN;
pub use filter::{Filter, Test};
pub use flag::{
    Attached, EntityKind, Flag, FlagPage, FlagPlace, FlagQuery, FlagRecord, FlagRecordField, FlagStart,
    LONGEST_ENTITY, MOST_FLAG_CUSTOM_BYTES, MOST_FLAG_PAYLOAD_BYTES, MOST_FLAGS, check_entity,
};
pub use id::{AppKey, UserId, UserKey};
pub use invalid::{Invalid, Shown};
pub use lifecycle::{ContentWork, MOST_USER_IDS, UserContent, check_user_ids};
pub use message::{
    LONGEST_TEXT, MESSAGES_SHOWN, MOST_ATTACHMENT_BYTES, MOST_ATTACHMENTS, MOST_MESSAGE_CUSTOM_BYTES,
    MOST_MESSAGES_SHOWN, Message, MessageKey, MessageKind, MessageView, NewMessage,
};
pub use operation::Operation;
pub use patch::{Assignment, Field, Patch};
pub use permission::{
    ANONYMOUS_ROLE, Allowed, Denied, GUEST_ROLE, GrantedBy, Grants, Lack, Place, Resource, Subject, Teams,
    permit, permitted_teams, reaches_beyond_teams,
};
pub use profile::{Absent, Profile};
pub use push::{
    ChatSwitches, Choice, FeedsSwitches, LONGEST_ACTIVITY_TYPE, MOST_ACTIVITY_TYPES, MOST_PUSH_ENTRIES,
    PushChange, PushEntry, PushPreferences, Snooze,
};
pub use push_level::{ChatCategory, ChatLevel, Delivery, FeedsCategory};
pub use query::{DEEPEST_FILTER, MOST_OPERANDS, MOST_QUERY_WORDS, MOST_TESTS, Page, UserQuery};
pub use reaction::{
    LATEST_REACTIONS, MOST_REACTION_CUSTOM_BYTES, MOST_REACTIONS, MOST_REACTIONS_SHOWN, NewReaction,
    REACTIONS_SHOWN, Reaction, ReactionGroup, ReactionView, Reactions, check_reaction_type,
};
pub use relation::{Block, LONGEST_MUTE, MOST_MUTES, MOST_TARGETS, Mute, Targets};
pub use role::{
    CustomRole, DEFAULT_ROLE, Holder, MOST_CUSTOM_ROLES, Role, RoleSearch, Scope, check_role_name,
    is_built_in,
};
pub use rules::{Limits, check_team};
pub use sort::{Direction, MOST_SORT_KEYS, Sort, SortField, SortKey};
pub use standing::{Exclusion, Standing};
pub use task::{
    MOST_ATTEMPTS, MOST_TASKS, Outcome, TASK_KEPT, Task, TaskError, TaskId, TaskResult, TaskStatus,
    USERS_RESULT_KEPT, Work, retry_at,
};
pub use user::{
    Ban, ChannelMute, Parts, Privacy, PrivacySwitch, StoredUser, Unread, User, UserMute, UserView,
};
pub use user_group::{
    GroupMember, GroupOrder, MOST_MEMBERS, MOST_MEMBERS_A_CALL, MOST_USER_GROUPS, UserGroup, UserGroupPage,
    UserGroupPatch, UserGroupView, check_member_count, folded_name,
};
