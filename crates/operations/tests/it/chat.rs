//! What the tests of channels, messages and reactions share: requests of servers and of users, and channels to write in.

use headwater_operations::channels::{self, Delete, Get, GetOrCreate, UpdateMembers};
use headwater_operations::{Ctx, Error, messages, reactions};
use model::{
    Action, Attached, ChannelMemberView, ChannelState, ChannelView, Cid, Extent, MessageView, NewMember,
    NewMessage, NewReaction,
};

use crate::stage::{Stage, id};

/// Everything that operations of chat ask for.
const ACTIONS: &[Action] = &[
    Action::CreateChannel,
    Action::CreateMessage,
    Action::CreateReaction,
    Action::DeleteChannel,
    Action::DeleteMessage,
    Action::DeleteReaction,
    Action::LeaveChannel,
    Action::ReadChannel,
    Action::UpdateChannelMembers,
];

/// The name of a channel for messages.
pub(crate) fn cid(name: &str) -> Cid {
    Cid { kind: "messaging".to_owned(), id: name.to_owned() }
}

pub(crate) fn member(name: &str) -> NewMember {
    NewMember { user: id(name), role: "channel_member".to_owned(), custom: Attached::default() }
}

pub(crate) fn moderator(name: &str) -> NewMember {
    NewMember { role: "channel_moderator".to_owned(), ..member(name) }
}

/// A channel of this name with these members, which `creator` makes.
pub(crate) fn channel(name: &str, creator: &str, members: &[&str]) -> GetOrCreate {
    GetOrCreate {
        kind: "messaging".to_owned(),
        id: Some(name.to_owned()),
        created_by: Some(id(creator)),
        team: None,
        custom: Attached::default(),
        members: members.iter().map(|name| member(name)).collect(),
        extent: Extent::default(),
    }
}

pub(crate) fn text(author: &str, id_: &str, text: &str) -> NewMessage {
    NewMessage {
        id: Some(id_.to_owned()),
        user: Some(id(author)),
        text: text.to_owned(),
        ..NewMessage::default()
    }
}

pub(crate) fn reaction(author: &str, kind: &str, score: i64) -> NewReaction {
    NewReaction { user: Some(id(author)), kind: kind.to_owned(), score, custom: Attached::default() }
}

/// What refuses.
pub(crate) fn refusal<T>(result: Result<T, Error>) -> String {
    result.err().expect("refused").to_string()
}

/// The ids of members, in their order.
pub(crate) fn names(members: &[ChannelMemberView]) -> Vec<&str> {
    members.iter().map(|view| view.member.user.as_str()).collect()
}

/// The ids of messages, in their order.
pub(crate) fn written(state: &ChannelState) -> Vec<&str> {
    state.messages.iter().map(|view| view.message.id.as_str()).collect()
}

impl Stage {
    pub(crate) fn chat_server(&self) -> Ctx {
        Ctx { actions: ACTIONS, ..self.ctx(Action::ReadChannel) }
    }

    pub(crate) fn chat_user(&self, user: &str) -> Ctx {
        Ctx { actions: ACTIONS, ..self.ctx_of(user, Action::ReadChannel) }
    }

    pub(crate) fn chat_nobody(&self) -> Ctx {
        Ctx {
            actions: ACTIONS,
            operation: model::Operation::GetChannel,
            ..self.ctx_of_nobody(Action::ReadChannel)
        }
    }

    /// Demands that what is counted of reactions is what there is of them.
    pub(crate) async fn check_reactions(&self) {
        let counted = "SELECT message, type, count, score, first_at, last_at FROM reaction_groups \
             ORDER BY message, type";
        let there = "SELECT message, type, COUNT(*), CAST(SUM(score) AS BIGINT), MIN(created_at), MAX(updated_at) \
             FROM reactions GROUP BY message, type ORDER BY message, type";
        let read = |sql: &'static str| {
            self.store.read(move |tx| {
                tx.query(storage::Sql::new(sql), &[], |row| {
                    let numbers =
                        [row.integer(0)?, row.integer(2)?, row.integer(3)?, row.integer(4)?, row.integer(5)?];
                    Ok((numbers, row.text(1)?))
                })
            })
        };
        let counted: Result<Vec<_>, storage::Error> = read(counted).await;
        let there: Result<Vec<_>, storage::Error> = read(there).await;
        assert_eq!(counted.unwrap(), there.unwrap());
    }

    pub(crate) async fn open(&self, ctx: Ctx, command: GetOrCreate) -> Result<(ChannelState, bool), Error> {
        // As a request does: it looks first, and what it finds is what the one that writes would answer.
        let (looking, asking) = (command.clone(), ctx.clone());
        let found = self.store.read(move |tx| channels::find(tx, &asking, &looking)).await;
        let opened = self.run(ctx, move |tx, ctx| channels::get_or_create(tx, ctx, &command)).await;
        match (found, &opened) {
            (Ok(Some(found)), Ok((state, is_new))) => assert_eq!((&found, false), (state, *is_new)),
            (Ok(None), Ok((_, is_new))) => assert!(is_new),
            (Ok(None), Err(_)) => {}
            (Err(found), Err(opened)) => assert_eq!(found.to_string(), opened.to_string()),
            (found, _) => panic!("{found:?} and then {opened:?}"),
        }
        opened
    }

    /// A channel that a server makes.
    pub(crate) async fn channel(&self, name: &str, creator: &str, members: &[&str]) -> ChannelState {
        self.open(self.chat_server(), channel(name, creator, members)).await.unwrap().0
    }

    pub(crate) async fn read_channel(&self, ctx: Ctx, name: &str) -> Result<ChannelState, Error> {
        let command = Get { cid: cid(name), user: None, extent: Extent::default() };
        self.run(ctx, move |tx, ctx| channels::get(tx, ctx, &command)).await
    }

    pub(crate) async fn update_members(
        &self,
        ctx: Ctx,
        name: &str,
        add: Vec<NewMember>,
        remove: &[&str],
    ) -> Result<(ChannelView, Vec<ChannelMemberView>), Error> {
        let remove = remove.iter().map(|name| id(name)).collect();
        let command = UpdateMembers { cid: cid(name), user: None, add, remove };
        self.run(ctx, move |tx, ctx| channels::update_members(tx, ctx, &command)).await
    }

    pub(crate) async fn delete_channel(
        &self,
        ctx: Ctx,
        name: &str,
        hard: bool,
    ) -> Result<ChannelView, Error> {
        let command = Delete { cid: cid(name), hard };
        self.run(ctx, move |tx, ctx| channels::delete(tx, ctx, &command)).await
    }

    pub(crate) async fn send(&self, ctx: Ctx, name: &str, message: NewMessage) -> Result<MessageView, Error> {
        let command = messages::Send { cid: cid(name), message };
        self.run(ctx, move |tx, ctx| messages::send(tx, ctx, &command)).await
    }

    /// A message that a server sends for `author`.
    pub(crate) async fn write_message(&self, name: &str, author: &str, message: &str) -> MessageView {
        self.send(self.chat_server(), name, text(author, message, "hello")).await.unwrap()
    }

    pub(crate) async fn read_message(&self, ctx: Ctx, message: &str) -> Result<MessageView, Error> {
        let message = message.to_owned();
        Ok(self.run(ctx, move |tx, ctx| messages::get(tx, ctx, &message)).await?.0)
    }

    pub(crate) async fn delete_message(
        &self,
        ctx: Ctx,
        message: &str,
        hard: bool,
    ) -> Result<MessageView, Error> {
        let command = messages::Delete { id: message.to_owned(), hard, deleted_by: None };
        self.run(ctx, move |tx, ctx| messages::delete(tx, ctx, &command)).await
    }

    pub(crate) async fn react(
        &self,
        ctx: Ctx,
        message: &str,
        reaction: NewReaction,
        enforce_unique: bool,
    ) -> Result<reactions::Reacted, Error> {
        let command = reactions::Send { message: message.to_owned(), reaction, enforce_unique };
        self.run(ctx, move |tx, ctx| reactions::send(tx, ctx, &command)).await
    }
}
