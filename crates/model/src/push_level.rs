//! How much is pushed, and of what (v2 3.7).

use serde::{Deserialize, Serialize};

/// How much of chat is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatLevel {
    /// Every message.
    All,
    /// Direct mentions, by the older name, which is given back as it was given (14.7).
    Mentions,
    /// Messages that mention the user itself.
    DirectMentions,
    /// Messages that mention the user in whatever way.
    AllMentions,
    /// Nothing.
    #[serde(rename = "none")]
    Nothing,
}

impl ChatLevel {
    /// Every level.
    pub const ALL: [Self; 5] =
        [Self::All, Self::Mentions, Self::DirectMentions, Self::AllMentions, Self::Nothing];

    /// The name, as it is stored and as clients know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::DirectMentions => "direct_mentions",
            Self::AllMentions => "all_mentions",
            Self::Nothing => "none",
        }
    }
}

/// Whether something is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// All of it.
    All,
    /// Nothing of it.
    #[serde(rename = "none")]
    Nothing,
}

impl Delivery {
    /// Both.
    pub const ALL: [Self; 2] = [Self::All, Self::Nothing];

    /// The name, as it is stored and as clients know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Nothing => "none",
        }
    }
}

/// A kind of messages with a switch of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatCategory {
    /// Those that call on a whole channel.
    ChannelMentions,
    /// Those of no other category.
    DefaultPreference,
    /// Those that mention the user itself.
    DirectMentions,
    /// Those that mention a group of users.
    GroupMentions,
    /// Those that call on whoever is online in a channel.
    HereMentions,
    /// Those that mention a role.
    RoleMentions,
    /// Replies in threads.
    ThreadReplies,
}

impl ChatCategory {
    /// Every category.
    pub const ALL: [Self; 7] = [
        Self::ChannelMentions,
        Self::DefaultPreference,
        Self::DirectMentions,
        Self::GroupMentions,
        Self::HereMentions,
        Self::RoleMentions,
        Self::ThreadReplies,
    ];

    /// The name, as it is stored and as clients know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelMentions => "channel_mentions",
            Self::DefaultPreference => "default_preference",
            Self::DirectMentions => "direct_mentions",
            Self::GroupMentions => "group_mentions",
            Self::HereMentions => "here_mentions",
            Self::RoleMentions => "role_mentions",
            Self::ThreadReplies => "thread_replies",
        }
    }
}

/// A kind of happenings in feeds with a switch of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedsCategory {
    /// Comments.
    Comment,
    /// Mentions in comments.
    CommentMention,
    /// Reactions to comments.
    CommentReaction,
    /// Replies to comments.
    CommentReply,
    /// Follows.
    Follow,
    /// Mentions in activities.
    Mention,
    /// Reactions to activities.
    Reaction,
}

impl FeedsCategory {
    /// Every category.
    pub const ALL: [Self; 7] = [
        Self::Comment,
        Self::CommentMention,
        Self::CommentReaction,
        Self::CommentReply,
        Self::Follow,
        Self::Mention,
        Self::Reaction,
    ];

    /// The name, as it is stored and as clients know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::CommentMention => "comment_mention",
            Self::CommentReaction => "comment_reaction",
            Self::CommentReply => "comment_reply",
            Self::Follow => "follow",
            Self::Mention => "mention",
            Self::Reaction => "reaction",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::to_value;

    use super::*;

    #[test]
    fn names_are_those_that_are_stored() {
        for level in ChatLevel::ALL {
            assert_eq!(to_value(level).unwrap(), level.name());
        }
        for delivery in Delivery::ALL {
            assert_eq!(to_value(delivery).unwrap(), delivery.name());
        }
        for category in ChatCategory::ALL {
            assert_eq!(to_value(category).unwrap(), category.name());
        }
        for category in FeedsCategory::ALL {
            assert_eq!(to_value(category).unwrap(), category.name());
        }
    }
}
