//! Bodies, answers and files of exports (v2 2.2, 3.5, semantics 11.5).

use model::{ExportLine, ExportedMessage, Invalid, Reaction, Reactions, User, UserId, UserView};
use serde_json::{Map, Value};

use super::chat;
use super::lifecycle::decode_user_ids;
use super::user;
use crate::body::Object;
use crate::print::Printer;

/// Where files of exports are found: in front of their names.
pub const PLACE: &str = "/exports/users/";

/// What follows their names.
pub const ENDING: &str = ".jsonl";

/// Room for a message or a reaction: most take less, beside the user.
const ROOM: usize = 768;

/// `ExportUsersRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_many(body: Map<String, Value>) -> Result<Vec<UserId>, Invalid> {
    decode_user_ids(&mut Object::root(body))
}

/// The address of the file with this name, on a server that clients reach at `public_url`.
#[must_use]
pub fn url(public_url: &str, name: &str) -> String {
    format!("{}{PLACE}{name}{ENDING}", public_url.trim_end_matches('/'))
}

/// `ExportUserResponse`. The user is the author of everything, and shown without its custom data there.
#[must_use]
pub fn encode_one(
    view: &UserView,
    messages: &[ExportedMessage],
    reactions: &[Reaction],
    duration: &str,
) -> Vec<u8> {
    let owner = Owner::Whole(&view.user);
    let parts = messages.len() + reactions.len() + 1;
    let mut printer = Printer::with_capacity(parts * (ROOM + user::ROOM));
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","user":"#);
    user::print(&mut printer, view);
    printer.raw(r#","messages":"#).list(messages, |printer, message| print_message(printer, message, &owner));
    printer
        .raw(r#","reactions":"#)
        .list(reactions, |printer, reaction| print_reaction(printer, reaction, &owner))
        .raw("}");
    printer.into_bytes()
}

/// Lines of a file, printed from the form in which they are kept: each is an object with the `type` of what its `data` is.
///
/// # Errors
/// When a line is none that was kept.
pub fn encode_lines(kept: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut printer = Printer::with_capacity(kept.len() + kept.len() / 2);
    for line in kept.lines() {
        match ExportLine::from_stored(line)? {
            ExportLine::User { user, blocks } => {
                printer.raw(r#"{"type":"user","data":"#);
                user::print(&mut printer, &UserView { blocks, ..UserView::bare(*user) });
            }
            ExportLine::Message(message) => {
                printer.raw(r#"{"type":"message","data":"#);
                print_message(&mut printer, &message, &Owner::Named);
            }
            ExportLine::Reaction(reaction) => {
                printer.raw(r#"{"type":"reaction","data":"#);
                print_reaction(&mut printer, &reaction, &Owner::Named);
            }
        }
        printer.raw("}\n");
    }
    Ok(printer.into_bytes())
}

/// How the user is shown in what it has made.
enum Owner<'a> {
    /// As an owner is.
    Whole(&'a User),
    /// By its id: the line with the user stands before.
    Named,
}

impl Owner<'_> {
    fn print(&self, printer: &mut Printer, id: &UserId) {
        match self {
            Self::Whole(user) => user::print_owner(printer, user),
            Self::Named => {
                printer.raw(r#"{"id":"#).text(id.as_str()).raw("}");
            }
        }
    }
}

/// Prints a `MessageResponse`, without what others have made: of reactions, how many there are.
fn print_message(printer: &mut Printer, exported: &ExportedMessage, owner: &Owner<'_>) {
    let reactions = Reactions { groups: exported.reactions.clone(), ..Reactions::default() };
    let author = &exported.message.user;
    chat::print_message_by(printer, &exported.message, &reactions, |printer| owner.print(printer, author));
    printer.raw("}");
}

fn print_reaction(printer: &mut Printer, reaction: &Reaction, owner: &Owner<'_>) {
    chat::print_reaction_by(printer, reaction, |printer| owner.print(printer, &reaction.user));
}

#[cfg(test)]
mod tests {
    use model::{Attached, Cid, Deletion, DeletionCause, Message, MessageKind, ReactionGroup, Timestamp};
    use serde_json::json;

    use super::*;

    fn at(nanoseconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(nanoseconds)
    }

    fn message() -> ExportedMessage {
        let image = json!({"type": "image"}).as_object().cloned().unwrap();
        let message = Message {
            id: "m".to_owned(),
            cid: Cid::parse("messaging:general").unwrap(),
            user: UserId::parse("alice").unwrap(),
            kind: MessageKind::Regular,
            text: "hi".to_owned(),
            attachments: vec![Attached::parse("", image, usize::MAX).unwrap()],
            custom: Attached::default(),
            shadowed: false,
            created_at: at(1),
            updated_at: at(2),
            deletion: Some(Deletion { at: at(3), cause: DeletionCause::ByHand }),
        };
        let kind = "love".to_owned();
        let group = ReactionGroup { kind, count: 2, score: 3, first: at(4), last: at(5) };
        ExportedMessage { message, reactions: vec![group] }
    }

    fn reaction() -> Reaction {
        Reaction {
            message: "n".to_owned(),
            user: UserId::parse("alice").unwrap(),
            kind: "like".to_owned(),
            score: 1,
            custom: Attached::default(),
            created_at: at(6),
            updated_at: at(7),
        }
    }

    #[test]
    fn lines_are_printed_as_answers_are() {
        let lines = [ExportLine::Message(Box::new(message())), ExportLine::Reaction(Box::new(reaction()))];
        let kept: String = lines.iter().map(|line| line.to_stored().unwrap() + "\n").collect();
        let printed = String::from_utf8(encode_lines(&kept).unwrap()).unwrap();
        let expected = concat!(
            r#"{"type":"message","data":{"id":"m","cid":"messaging:general","type":"deleted","text":"hi","html":"","#,
            r#""user":{"id":"alice"},"attachments":[{"type":"image","custom":{}}],"custom":{},"#,
            r#""latest_reactions":[],"own_reactions":[],"reaction_counts":{"love":2},"reaction_scores":{"love":3},"#,
            r#""reaction_groups":{"love":{"count":2,"sum_scores":3,"first_reaction_at":4,"last_reaction_at":5,"#,
            r#""latest_reactions_by":[]}},"mentioned_users":[],"restricted_visibility":[],"mentioned_channel":false,"#,
            r#""mentioned_here":false,"pinned":false,"silent":false,"reply_count":0,"deleted_reply_count":0,"#,
            r#""shadowed":false,"created_at":1,"updated_at":2,"deleted_at":3}}"#,
            "\n",
            r#"{"type":"reaction","data":{"message_id":"n","type":"like","score":1,"user_id":"alice","#,
            r#""user":{"id":"alice"},"custom":{},"created_at":6,"updated_at":7}}"#,
            "\n",
        );
        assert_eq!(printed, expected);
        assert!(encode_lines("nothing\n").is_err());
        assert!(encode_lines("").unwrap().is_empty());
    }

    #[test]
    fn the_address_has_one_slash_after_the_host() {
        for public in ["https://chat.example", "https://chat.example/"] {
            assert_eq!(url(public, "abc"), "https://chat.example/exports/users/abc.jsonl");
        }
    }
}
