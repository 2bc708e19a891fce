//! The table "mode x kind of data -> effect" of `docs/deletion.md`, made of [`DeletionPlan::effect_on`].

use crate::{ConversationDeletion, Data, DeletionPlan, MessageDeletion, UserDeletion};

/// `docs/deletion.md`, the part that follows from [`DeletionPlan::effect_on`].
#[must_use]
pub fn page() -> String {
    let plain = |user| DeletionPlan { user, ..DeletionPlan::default() };
    let governed_by_user = |data: &Data| {
        !matches!(
            data,
            Data::Conversations
                | Data::ConversationMessages
                | Data::Calls
                | Data::Messages
                | Data::Attachments
                | Data::ReactionsReceived
        )
    };
    let mut page = "| what | `user: soft` | `user: pruning` | `user: hard` |\n|---|---|---|---|\n".to_owned();
    for data in Data::ALL.iter().copied().filter(governed_by_user) {
        page += &row(data, UserDeletion::ALL.iter().map(|user| plain(*user)));
    }
    let message = |messages| DeletionPlan { messages, ..DeletionPlan::default() };
    page += "\n| what | `messages` not given | `messages: soft` | `messages: pruning` | `messages: hard` |\n|---|---|---|---|---|\n";
    for data in [Data::Messages, Data::ReactionsReceived, Data::Attachments] {
        let modes = MessageDeletion::ALL.iter().copied().map(Some);
        page += &row(data, std::iter::once(None).chain(modes).map(message));
    }
    page += "\n| what | not given | `soft` | `hard` | decided by |\n|---|---|---|---|---|\n";
    for (data, by) in [
        (Data::Conversations, "conversations"),
        (Data::ConversationMessages, "conversations"),
        (Data::Calls, "calls"),
    ] {
        // Each decides about its own kind alone.
        let deletion = |mode| DeletionPlan { conversations: mode, calls: mode, ..DeletionPlan::default() };
        let modes = ConversationDeletion::ALL.iter().copied().map(Some);
        let row = row(data, std::iter::once(None).chain(modes).map(deletion));
        page += &format!("{} `{by}` |\n", row.trim_end());
    }
    let files = DeletionPlan { files: true, ..DeletionPlan::default() };
    page += "\n| what | `files: true`, whatever `messages` is |\n|---|---|\n";
    page + &row(Data::Attachments, std::iter::once(files))
}

fn row(data: Data, deletions: impl Iterator<Item = DeletionPlan>) -> String {
    let effects: Vec<&str> = deletions.map(|deletion| deletion.effect_on(data).name()).collect();
    format!("| `{}`: {} | {} |\n", data.name(), uncapitalized(data.description()), effects.join(" | "))
}

fn uncapitalized(sentence: &str) -> String {
    let sentence = sentence.trim().trim_end_matches('.');
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
