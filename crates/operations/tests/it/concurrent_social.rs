//! Blocks, mutes, devices and push preferences at the same time: bounds hold, nobody is left waiting, nothing is doubled.

use headwater_operations::{Ctx, Error, blocks, devices, mutes, push_preferences};
use headwater_testkit::Engine;
use model::{
    Action, AppSettings, Block, Choice, Delivery, MOST_DEVICES, Mute, PushChange, PushEntry, PushProvider,
    Registration, Targets,
};
use storage::{Answer, Tx};

use crate::stage::{Stage, id};

const WRITERS: usize = 8;

impl Stage {
    /// Begins a write, which goes on whether or not it is waited for.
    fn begin(
        &self,
        action: Action,
        operation: impl Fn(&mut Tx<'_>, &Ctx) -> Result<(), Error> + Send + 'static,
    ) -> Answer<(), Error> {
        let ctx = self.ctx(action);
        self.store.write(move |tx| operation(tx, &ctx))
    }

    fn begin_block(&self, user: &str, target: &str) -> Answer<(), Error> {
        let command = Block { user: Some(id(user)), target: id(target) };
        self.begin(Action::BlockUser, move |tx, ctx| blocks::block(tx, ctx, &command).map(drop))
    }

    fn begin_register(&self, user: &str, token: &str) -> Answer<(), Error> {
        let command = Registration {
            user: Some(id(user)),
            id: token.to_owned(),
            provider: PushProvider::Apn,
            provider_name: None,
            hardware_id: None,
            voip: false,
        };
        self.begin(Action::ManageDevices, move |tx, ctx| devices::register(tx, ctx, &command).map(drop))
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user-{number:02}")).collect()
}

async fn stage_with(names: &[String]) -> Option<Stage> {
    if !Engine::Postgres.is_here() {
        return None;
    }
    let settings = AppSettings { blocks: Some(5), ..AppSettings::default() };
    let stage = Stage::set_with(WRITERS).await.with_settings(settings).await;
    stage.create(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    Some(stage)
}

#[tokio::test]
async fn nobody_blocks_more_than_so_many_however_many_ask_at_once() {
    let names = names(31);
    let Some(stage) = stage_with(&names).await else { return };
    let asked: Vec<_> = names[1..].iter().map(|target| stage.begin_block(&names[0], target)).collect();
    let mut made = 0;
    for block in asked {
        made += usize::from(block.await.is_ok());
    }
    assert_eq!((made, stage.count("SELECT COUNT(*) FROM user_blocks").await), (5, 5));
}

#[tokio::test]
async fn two_can_do_the_same_to_each_other() {
    let names = names(10);
    let Some(stage) = stage_with(&names).await else { return };
    let mut asked = Vec::new();
    for (place, one) in names.iter().enumerate() {
        let other = &names[names.len() - 1 - place];
        asked.push(stage.begin_block(one, other));
        asked.push(stage.begin_block(one, other));
        let targets = names.iter().rev().filter(|name| *name != one).map(|name| id(name)).collect();
        let command = Mute { whom: Targets { user: Some(id(one)), targets }, minutes: None };
        asked.push(stage.begin(Action::MuteUser, move |tx, ctx| mutes::mute(tx, ctx, &command).map(drop)));
        let change = PushChange { calls: Some(Choice::Level(Delivery::Nothing)), ..PushChange::default() };
        let entry = |name: &String| PushEntry { user: Some(id(name)), channel: None, change: change.clone() };
        let entries: Vec<PushEntry> = names.iter().skip(place).chain(&names[..place]).map(entry).collect();
        asked.push(stage.begin(Action::ManagePushPreferences, move |tx, ctx| {
            push_preferences::update(tx, ctx, &entries).map(drop)
        }));
    }
    for done in asked {
        done.await.unwrap();
    }
    let count = async |sql| stage.count(sql).await;
    assert_eq!(count("SELECT COUNT(*) FROM user_blocks").await, 10);
    assert_eq!(count("SELECT COUNT(*) FROM user_mutes").await, 90);
    assert_eq!(count("SELECT COUNT(*) FROM push_preferences").await, 10);
    assert_eq!(count("SELECT COUNT(*) FROM log WHERE event = 'user.blocked'").await, 10);
    assert_eq!(count("SELECT COUNT(*) FROM log WHERE event = 'push_preferences.updated'").await, 10);
}

#[tokio::test]
async fn a_device_has_one_user_whoever_asks_at_once() {
    let names = names(20);
    let Some(stage) = stage_with(&names).await else { return };
    let asked: Vec<_> = names.iter().map(|user| stage.begin_register(user, "token")).collect();
    for registered in asked {
        registered.await.unwrap();
    }
    assert_eq!(stage.count("SELECT COUNT(*) FROM devices").await, 1);
    assert_eq!(stage.count("SELECT COUNT(*) FROM log WHERE event = 'device.created'").await, 20);
    assert_eq!(stage.count("SELECT COUNT(*) FROM log WHERE event = 'device.deleted'").await, 19);
    let tokens: Vec<String> = (0..40).map(|number| format!("token-{number}")).collect();
    let asked: Vec<_> = tokens.iter().map(|token| stage.begin_register(&names[0], token)).collect();
    for registered in asked {
        registered.await.unwrap();
    }
    let devices = stage.count("SELECT COUNT(*) FROM devices WHERE id LIKE 'token-%'").await;
    assert_eq!(usize::try_from(devices).unwrap(), MOST_DEVICES);
}
