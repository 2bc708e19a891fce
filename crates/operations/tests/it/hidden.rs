//! What a deactivation hides comes back with the user, and nothing else does (semantics 9.3 to 9.5).

use headwater_operations::lifecycle::{self, Deactivate, DeactivateMany, Reactivate, ReactivateMany};
use headwater_testkit::{Engine, on_each_engine};
use model::{Action, Outcome, UserContent, UserView};

use crate::chat::{refusal, text, written};
use crate::stage::{Stage, id};

const NOTHING: UserContent = UserContent { messages: false, channels: false };
const MESSAGES: UserContent = UserContent { messages: true, channels: false };
const CHANNELS: UserContent = UserContent { messages: false, channels: true };
const BOTH: UserContent = UserContent { messages: true, channels: true };

/// The two ways to the same end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    One,
    Many,
}

const WAYS: [Way; 2] = [Way::One, Way::Many];

impl Stage {
    async fn shut_out_by(&self, way: Way, content: UserContent) {
        let created_by = Some(id("mod"));
        match way {
            Way::One => {
                let command = Deactivate { id: id("alice"), created_by, content };
                let done = self
                    .write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate(tx, ctx, &command));
                assert!(done.await.unwrap().user.deactivated_at.is_some());
            }
            Way::Many => {
                let command = DeactivateMany { ids: vec![id("alice")], created_by, content };
                let done = self.write(Action::DeactivateUser, move |tx, ctx| {
                    lifecycle::deactivate_many(tx, ctx, &command)
                });
                done.await.unwrap();
            }
        }
        self.store.run_tasks().await;
    }

    async fn let_in_by(&self, way: Way, name: Option<&str>, content: UserContent) {
        let created_by = Some(id("mod"));
        match way {
            Way::One => {
                let command =
                    Reactivate { id: id("alice"), name: name.map(str::to_owned), created_by, content };
                let done = self
                    .write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate(tx, ctx, &command));
                let view: UserView = done.await.unwrap();
                assert_eq!((view.user.deactivated_at, view.user.name.as_deref()), (None, name));
            }
            Way::Many => {
                let command = ReactivateMany { ids: vec![id("alice")], created_by, content };
                let done = self.write(Action::DeactivateUser, move |tx, ctx| {
                    lifecycle::reactivate_many(tx, ctx, &command)
                });
                done.await.unwrap();
            }
        }
        self.store.run_tasks().await;
    }

    /// A room that bob has made, and three channels that alice has made, one of which she deletes herself and one a server;
    /// in the room she has written five messages and deleted one of them herself, and a server has deleted another one.
    async fn with_history(engine: Engine) -> Self {
        let stage = Self::set(engine).await;
        stage.create(&["alice", "bob", "mod"]).await;
        stage.channel("room", "bob", &["alice", "bob"]).await;
        for name in ["hers", "by-herself", "by-server"] {
            stage.channel(name, "alice", &["alice", "bob"]).await;
            stage.write_message(name, "bob", &format!("in-{name}")).await;
        }
        for message in ["one", "by-her", "two", "by-admin", "three"] {
            stage.write_message("room", "alice", message).await;
        }
        stage.write_message("room", "bob", "bobs").await;
        stage.delete_message(stage.chat_user("alice"), "by-her", false).await.unwrap();
        stage.delete_message(stage.chat_server(), "by-admin", false).await.unwrap();
        stage.delete_channel(stage.chat_user("alice"), "by-herself", false).await.unwrap();
        stage.delete_channel(stage.chat_server(), "by-server", false).await.unwrap();
        stage
    }

    /// What bob reads in the room.
    async fn room(&self) -> Vec<String> {
        let state = self.read_channel(self.chat_user("bob"), "room").await.unwrap();
        written(&state).into_iter().map(str::to_owned).collect()
    }

    /// Which of the channels of alice bob still finds.
    async fn hers(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        for name in ["hers", "by-herself", "by-server"] {
            if self.read_channel(self.chat_user("bob"), name).await.is_ok() {
                found.push(name);
            }
        }
        found
    }
}

async fn what_is_asked_for_is_hidden_and_comes_back(engine: Engine) {
    for way in WAYS {
        for hidden in [NOTHING, MESSAGES, CHANNELS, BOTH] {
            for back in [NOTHING, MESSAGES, CHANNELS, BOTH] {
                let stage = Stage::with_history(engine).await;
                let (all, hers): (&[_], &[_]) = (&["one", "two", "three", "bobs"], &["hers"]);
                assert_eq!(
                    (stage.room().await, stage.hers().await),
                    (all.iter().map(ToString::to_string).collect(), hers.to_vec())
                );
                let there = |is_there: bool| if is_there { (all, hers) } else { (&["bobs"][..], &[][..]) };
                let check = async |messages: bool, channels: bool, when: &str| {
                    let case = format!("{way:?}, {hidden:?} and {back:?}, {when}");
                    assert_eq!(stage.room().await, there(messages).0, "{case}");
                    assert_eq!(stage.hers().await, there(channels).1, "{case}");
                };
                stage.shut_out_by(way, hidden).await;
                check(!hidden.messages, !hidden.channels, "shut out").await;
                // A server goes on reading what is kept.
                assert!(stage.read_message(stage.chat_server(), "one").await.is_ok());
                stage.let_in_by(way, (way == Way::One).then_some("Ann"), back).await;
                check(!hidden.messages || back.messages, !hidden.channels || back.channels, "back").await;
            }
        }
    }
}

/// What somebody deletes while it is hidden was deleted by hand as well.
async fn what_is_deleted_while_it_is_hidden_stays_so(engine: Engine) {
    let stage = Stage::with_history(engine).await;
    stage.shut_out_by(Way::One, BOTH).await;
    let deleted = stage.delete_message(stage.chat_server(), "two", false).await.unwrap();
    assert_eq!(deleted.message.deletion.map(|known| known.cause), Some(model::DeletionCause::ByHand));
    let logged = "log WHERE event = 'message.deleted'".to_owned();
    assert_eq!(stage.count_of(logged.clone()).await, 3, "two before, and this one");
    stage.delete_message(stage.chat_server(), "two", false).await.unwrap();
    assert_eq!(stage.count_of(logged).await, 3, "once");
    stage.delete_channel(stage.chat_server(), "hers", false).await.unwrap();
    stage.let_in_by(Way::One, Some("Ann"), BOTH).await;
    assert_eq!(
        (stage.room().await, stage.hers().await),
        (["one", "three", "bobs"].map(str::to_owned).to_vec(), Vec::<&str>::new())
    );
}

/// Nothing is brought back twice, or by somebody who did not hide it.
async fn a_second_deactivation_hides_what_came_meanwhile(engine: Engine) {
    for way in WAYS {
        let stage = Stage::with_history(engine).await;
        stage.shut_out_by(way, MESSAGES).await;
        let refused = stage.send(stage.chat_server(), "room", text("alice", "late", "x")).await;
        assert_eq!(refusal(refused), "the user alice was deactivated");
        stage.let_in_by(way, (way == Way::One).then_some("Ann"), NOTHING).await;
        assert_eq!(stage.room().await, ["bobs"], "{way:?}: not asked for");
        stage.write_message("room", "alice", "new").await;
        stage.shut_out_by(way, NOTHING).await;
        assert_eq!(stage.room().await, ["bobs", "new"], "{way:?}: not asked for either");
        stage.let_in_by(way, (way == Way::One).then_some("Ann"), MESSAGES).await;
        assert_eq!(
            stage.room().await,
            ["one", "two", "three", "bobs", "new"],
            "{way:?}: hidden once is hidden"
        );
        // A deletion keeps what was hidden from ever coming back.
        stage.shut_out_by(way, MESSAGES).await;
        let plan =
            model::DeletionPlan { messages: Some(model::MessageDeletion::Soft), ..crate::deletion::SOFT };
        stage.delete_users(crate::deletion::wish(&["alice"], plan)).await.unwrap();
        stage.store.run_tasks().await;
        stage.restore(&["alice"]).await.unwrap();
        stage.let_in_by(way, (way == Way::One).then_some("Ann"), MESSAGES).await;
        assert_eq!(stage.room().await, ["bobs"], "{way:?}");
    }
}

/// What has to be done for one deactivation, or the end of one, is not done for another one that came after it.
async fn an_old_task_does_nothing_for_what_came_after_it(engine: Engine) {
    let stage = Stage::with_history(engine).await;
    let shut_out = async |content| {
        let command = DeactivateMany { ids: vec![id("alice"), id("mod")], created_by: None, content };
        let done =
            stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::deactivate_many(tx, ctx, &command));
        done.await.unwrap()
    };
    let let_in = async |content| {
        let command = ReactivateMany { ids: vec![id("mod"), id("alice")], created_by: None, content };
        let done =
            stage.write(Action::DeactivateUser, move |tx, ctx| lifecycle::reactivate_many(tx, ctx, &command));
        done.await.unwrap()
    };
    let told = async |task| {
        let users = stage.outcomes(task).await;
        assert_eq!(users.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["alice", "mod"]);
        users[0].1.clone()
    };
    let failed = |why: &str| Outcome::Failed(why.to_owned());
    // Shut out, let in, and shut out again in order to hide nothing: before the first task has had its turn.
    let first = shut_out(BOTH).await;
    let_in(NOTHING).await;
    shut_out(NOTHING).await;
    stage.store.run_tasks().await;
    assert_eq!(told(&first).await, failed("the user was reactivated meanwhile"));
    assert_eq!((stage.room().await.len(), stage.hers().await), (4, vec!["hers"]));
    // The other way round: let in, shut out in order to hide everything, and let in again to show nothing.
    let second = let_in(BOTH).await;
    shut_out(BOTH).await;
    let_in(NOTHING).await;
    shut_out(BOTH).await;
    let third = let_in(NOTHING).await;
    stage.store.run_tasks().await;
    assert_eq!(told(&second).await, failed("the user was deactivated meanwhile"));
    assert_eq!(told(&third).await, Outcome::Ok);
    // Who is let in already is asked to be so once more: this is about the same return.
    shut_out(BOTH).await;
    stage.store.run_tasks().await;
    let_in(NOTHING).await;
    let again = let_in(BOTH).await;
    stage.store.run_tasks().await;
    assert_eq!(told(&again).await, Outcome::Ok);
    assert_eq!((stage.room().await.len(), stage.hers().await), (4, vec!["hers"]));
}

async fn the_author_is_named_and_may_be_anybody_who_ever_was(engine: Engine) {
    for way in WAYS {
        let stage = Stage::with_history(engine).await;
        stage.take_log().await;
        stage.shut_out_by(way, BOTH).await;
        stage.let_in_by(way, (way == Way::One).then_some("Ann"), BOTH).await;
        assert_eq!(
            stage.take_log().await,
            [
                "user.deactivated of alice by server: alice mod",
                "user.reactivated of alice by server: alice mod"
            ],
            "{way:?}"
        );
        stage.delete_user("mod").await;
        stage.shut_out_by(way, NOTHING).await;
    }
}

on_each_engine!(
    what_is_asked_for_is_hidden_and_comes_back,
    what_is_deleted_while_it_is_hidden_stays_so,
    a_second_deactivation_hides_what_came_meanwhile,
    an_old_task_does_nothing_for_what_came_after_it,
    the_author_is_named_and_may_be_anybody_who_ever_was,
);
