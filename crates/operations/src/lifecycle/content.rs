//! What users who are shut out or let in have made: hidden, or brought back, a piece at a time (semantics 9.3 to 9.5).

use model::{ChannelKey, DeletionCause, MessageKey, Timestamp, UserContent, UserKey};
use storage::{Tx, erase_chat};

use crate::Error;
use crate::tasks::ROWS_A_STEP;

/// Hides at most [`ROWS_A_STEP`] messages or channels of a user who is deactivated, marked so that
/// [`restore`] finds them again (semantics 9.3, 9.5): those after `cursor`. Answers where to go on, or `None` when
/// everything is hidden.
pub(super) fn hide(
    tx: &mut Tx<'_>,
    at: Timestamp,
    user: UserKey,
    content: UserContent,
    cursor: Option<i64>,
) -> Result<Option<i64>, Error> {
    let cause = DeletionCause::UserDeactivated;
    let messages =
        |tx: &mut Tx<'_>, after| Ok(erase_chat::mark_messages(tx, user, cause, at, after, ROWS_A_STEP)?.next);
    let channels =
        |tx: &mut Tx<'_>, after| Ok(erase_chat::hide_channels(tx, user, cause, at, after, ROWS_A_STEP)?.next);
    go_through(tx, content, cursor, messages, channels)
}

/// Brings back at most [`ROWS_A_STEP`] messages or channels that the deactivation of a user hid, and nothing that was
/// deleted by hand (semantics 9.5): those after `cursor`. Answers where to go on, or `None` when everything is back.
pub(super) fn restore(
    tx: &mut Tx<'_>,
    _at: Timestamp,
    user: UserKey,
    content: UserContent,
    cursor: Option<i64>,
) -> Result<Option<i64>, Error> {
    let messages =
        |tx: &mut Tx<'_>, after| Ok(erase_chat::restore_messages(tx, user, after, ROWS_A_STEP)?.next);
    let channels =
        |tx: &mut Tx<'_>, after| Ok(erase_chat::restore_channels(tx, user, after, ROWS_A_STEP)?.next);
    go_through(tx, content, cursor, messages, channels)
}

/// Goes through messages, whose cursors are as they are, and then through channels, whose cursors are negative: keys begin at 1.
fn go_through(
    tx: &mut Tx<'_>,
    content: UserContent,
    cursor: Option<i64>,
    messages: impl Fn(&mut Tx<'_>, Option<MessageKey>) -> Result<Option<MessageKey>, Error>,
    channels: impl Fn(&mut Tx<'_>, Option<ChannelKey>) -> Result<Option<ChannelKey>, Error>,
) -> Result<Option<i64>, Error> {
    let (message, channel) = match cursor {
        Some(place) if place < 0 => (None, Some(ChannelKey(-place))),
        place => (place.map(MessageKey), None),
    };
    if content.messages
        && channel.is_none()
        && let Some(MessageKey(place)) = messages(tx, message)?
    {
        return Ok(Some(place));
    }
    if !content.channels {
        return Ok(None);
    }
    Ok(channels(tx, channel)?.map(|ChannelKey(place)| -place))
}
