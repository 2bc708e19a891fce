//! What users leave behind in chat, taken away a batch at a time (semantics 10.9).
//!
//! Every function here handles at most `most` rows in a constant number of statements, and may be run again after it was
//! broken off. One with a cursor goes through rows that stay, by the key of the user and then their own, and answers after
//! which to go on; one without takes away what it finds, and has found everything when it answers fewer than `most`. What is
//! changed is locked on an engine with concurrent writers.

mod channels;
mod counts;
mod messages;
mod rows;

pub use channels::{
    ChannelsSwept, Closing, NewOwner, Removed, close_conversations, hide_channels, leave_channels,
    reassign_channels, remove_channel, remove_conversations, restore_channels,
};
pub use counts::{ChatCounts, counts, has_left};
pub use messages::{
    mark_messages, prune_messages, remove_message, remove_messages, remove_reactions, restore_messages,
    strip_attachments,
};

/// How far a batch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept<K> {
    /// How many rows were changed.
    pub rows: usize,
    /// After which row to go on; `None` when there is nothing more.
    pub next: Option<K>,
}
