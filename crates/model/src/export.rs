//! What an app gets of everything that is known of users (semantics 11.1 to 11.7).
//!
//! The file of an export is made of lines, and lines of one user make a chunk. A line is kept as the model has it and printed
//! when the file is read, so that its shape is that of answers.

use std::collections::BTreeMap;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::rules::written;
use crate::{App, MessageKey, Outcome, Reaction, ReactionGroup, TaskId, User, UserId, UserKey};

/// The most messages of a user that are exported by a call that waits for them, and the most reactions (semantics 11.1).
pub const MOST_EXPORTED: usize = 10_000;

/// The most bytes of messages and reactions that are exported by a call that waits for them, as they are kept.
pub const MOST_EXPORTED_BYTES: usize = 32 << 20;

/// The most bytes of a chunk of the file of an export. A single line has as many only when its message was reacted to in
/// thousands of ways; then the chunk is that line.
pub const MOST_CHUNK_BYTES: usize = 1 << 20;

/// How long the file of an export is there after the end of its task (semantics 11.4).
pub const EXPORT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What is said of a user who was deleted while the export ran.
pub const DELETED_MEANWHILE: &str = "the user was deleted meanwhile";

/// A message of a user whose data is exported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportedMessage {
    /// The message.
    pub message: crate::Message,
    /// How it was reacted to; not by whom, which is of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionGroup>,
}

impl ExportedMessage {
    /// How many bytes it has as JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        written(self)
    }
}

/// A line of the file of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportLine {
    /// The user; the first of its lines.
    User {
        /// The user.
        user: Box<User>,
        /// Whom it has blocked.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        blocks: Vec<UserId>,
    },
    /// What the user has written.
    Message(Box<ExportedMessage>),
    /// What the user has answered a message with.
    Reaction(Box<Reaction>),
}

impl ExportLine {
    /// The form in which the line is kept: compact JSON, without an end of line.
    ///
    /// # Errors
    /// When a value has no JSON form, which no value of the model does.
    pub fn to_stored(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The line that is kept as `text`.
    ///
    /// # Errors
    /// When the text is no line. Files go after a day, so that there are no versions of the form.
    pub fn from_stored(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The key of the file of an export within one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExportKey(pub i64);

/// An export that is under way: what its steps need to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportWork {
    /// The file.
    pub file: ExportKey,
    /// Its name.
    pub name: String,
    /// Who is still to be exported; the last one first.
    pub left: Vec<(UserId, UserKey)>,
    /// Where to go on with the last of them.
    #[serde(default)]
    pub place: ExportPlace,
    /// How many chunks were begun: none that is made later has a smaller number.
    pub chunks: i64,
    /// Who was exported, for a look at the end whether they are still there.
    pub exported: Vec<(UserId, UserKey)>,
    /// What came of it for those who were deleted meanwhile.
    pub outcomes: BTreeMap<UserId, Outcome>,
}

impl ExportWork {
    /// The export of these users into this file.
    #[must_use]
    pub fn new(file: ExportKey, name: String, users: Vec<(UserId, UserKey)>) -> Self {
        let left = users.into_iter().rev().collect();
        let (exported, outcomes) = (Vec::new(), BTreeMap::new());
        Self { file, name, left, place: ExportPlace::default(), chunks: 0, exported, outcomes }
    }

    /// Goes on to the next user: this one has been exported, as far as anybody knows.
    pub fn finish_one(&mut self) {
        self.exported.extend(self.left.pop());
        self.place = ExportPlace::default();
    }

    /// Notes that this user was deleted. What the file has of it has to be removed.
    pub fn give_up(&mut self, user: UserId) {
        self.outcomes.insert(user, Outcome::Failed(DELETED_MEANWHILE.to_owned()));
    }

    /// Whether this user was deleted at some time, even if it is back.
    #[must_use]
    pub fn is_given_up(&self, user: &UserId) -> bool {
        self.outcomes.contains_key(user)
    }

    /// Goes on to the next user: of this one, which was given up, the file has nothing any more.
    pub fn leave_out_one(&mut self) {
        self.left.pop();
        self.place = ExportPlace::default();
    }
}

/// How far the export of a user is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPlace {
    /// At the user itself.
    #[default]
    User,
    /// After this message of the user.
    Messages(i64),
    /// After the reaction of the user to this message and of this type.
    Reactions(i64, String),
}

impl ExportPlace {
    /// The place before every message.
    pub const MESSAGES: Self = Self::Messages(0);

    /// The place before every reaction.
    #[must_use]
    pub const fn reactions() -> Self {
        Self::Reactions(0, String::new())
    }

    /// The place after this message.
    #[must_use]
    pub const fn after_message(key: MessageKey) -> Self {
        Self::Messages(key.0)
    }
}

/// The name of the file of an export: 256 bits that nobody can guess. The seed of a request shows in ids, the secret of the
/// app nowhere: together they are known to nobody else.
#[must_use]
pub fn export_name(app: &App, seed: u128, task: &TaskId) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut hmac = Hmac::<Sha256>::new_from_slice(app.secret.reveal().as_bytes()).expect("a key");
    hmac.update(b"export");
    hmac.update(&seed.to_be_bytes());
    hmac.update(task.as_str().as_bytes());
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this can be the name of a file of an export.
#[must_use]
pub fn is_export_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppKey, AppSettings, Attached, Secret, Timestamp};

    fn app(secret: &str) -> App {
        let now = Timestamp::from_seconds(1);
        App {
            key: AppKey(1),
            api_key: "key".to_owned(),
            name: "app".to_owned(),
            secret: Secret::new(secret.to_owned()),
            previous_secret: None,
            suspension: None,
            settings: AppSettings::default(),
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn a_name_depends_on_all_that_is_secret_or_differs() {
        let task = |id: &str| TaskId::from_uuid(id.to_owned());
        let name = export_name(&app("s"), 1, &task("t"));
        assert!(is_export_name(&name), "{name}");
        assert_eq!(name, export_name(&app("s"), 1, &task("t")));
        for other in [
            export_name(&app("other"), 1, &task("t")),
            export_name(&app("s"), 2, &task("t")),
            export_name(&app("s"), 1, &task("u")),
        ] {
            assert_ne!(name, other);
        }
    }

    #[test]
    fn names_are_hexadecimal() {
        let good = "0123456789abcdef".repeat(4);
        assert!(is_export_name(&good));
        for bad in ["", "a", &good[1..], &good.to_uppercase(), &good.replace('a', "/"), &format!("{good}0")] {
            assert!(!is_export_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_line_reads_back_as_it_was_stored() {
        let id = UserId::parse("alice").unwrap();
        let now = Timestamp::from_seconds(1);
        let reaction = Reaction {
            message: "m".to_owned(),
            user: id,
            kind: "love".to_owned(),
            score: 2,
            custom: Attached::default(),
            created_at: now,
            updated_at: now,
        };
        let line = ExportLine::Reaction(Box::new(reaction));
        let stored = line.to_stored().unwrap();
        assert!(!stored.contains('\n'));
        assert_eq!(ExportLine::from_stored(&stored).unwrap(), line);
    }

    #[test]
    fn a_user_is_done_with_in_one_of_two_ways() {
        let [alice, bob] = ["alice", "bob"].map(|id| UserId::parse(id).unwrap());
        let users = vec![(alice.clone(), UserKey(1)), (bob.clone(), UserKey(2))];
        let mut work = ExportWork::new(ExportKey(1), "name".to_owned(), users);
        work.place = ExportPlace::MESSAGES;
        work.finish_one();
        assert_eq!(
            (work.place.clone(), work.left.clone()),
            (ExportPlace::User, vec![(bob.clone(), UserKey(2))])
        );
        work.give_up(bob.clone());
        assert!(work.is_given_up(&bob) && !work.is_given_up(&alice));
        work.leave_out_one();
        assert!(work.left.is_empty());
        assert_eq!(work.exported, [(alice, UserKey(1))]);
        assert_eq!(work.outcomes, [(bob, Outcome::Failed(DELETED_MEANWHILE.to_owned()))].into());
    }
}
