//! Clients that upsert until they are told to rest or the server is gone, and what they send.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use model::Custom;
use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::ledger::{Ledger, Mark, User};
use crate::connection::Connection;

/// How many clients write at a time.
const CLIENTS: usize = 6;

/// The users that all clients write again and again; further ones are new.
const COMMON_USERS: u64 = 100;

/// The larger of the two sizes of a batch.
const MANY: u64 = 20;

/// What it means that a client is told to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// Nothing happens to an embedded database.
    IsADefect,
    /// The server of the database is gone: the client gives up.
    EndsTheClient,
}

/// The threads of the clients.
pub(super) struct Clients {
    threads: Vec<JoinHandle<()>>,
    acknowledged: Receiver<()>,
    resting: Arc<AtomicBool>,
}

impl Clients {
    pub(super) fn start(
        server: SocketAddr,
        ledger: &Arc<Ledger>,
        chance: &mut Chance,
        unavailable: Unavailable,
    ) -> Self {
        let (sender, acknowledged) = channel();
        let resting = Arc::new(AtomicBool::new(false));
        let threads = (0..CLIENTS).map(|_| {
            let client = Client {
                ledger: Arc::clone(ledger),
                chance: chance.branch(),
                acknowledged: sender.clone(),
                resting: Arc::clone(&resting),
                unavailable,
            };
            thread::spawn(move || client.write(server))
        });
        Self { threads: threads.collect(), acknowledged, resting }
    }

    /// Waits until this many batches are acknowledged.
    pub(super) fn wait_for(&self, batches: u64) {
        for _ in 0..batches {
            self.acknowledged.recv().expect("a client that still writes");
        }
    }

    /// Lets the clients finish what they do, and waits for that.
    pub(super) fn rest(&mut self) {
        self.resting.store(true, Ordering::Relaxed);
        self.wait();
    }

    /// Waits until the clients have ended, which they do when the server is gone.
    pub(super) fn wait(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

struct Client {
    ledger: Arc<Ledger>,
    chance: Chance,
    acknowledged: Sender<()>,
    resting: Arc<AtomicBool>,
    unavailable: Unavailable,
}

impl Client {
    fn write(mut self, server: SocketAddr) {
        let Some(mut connection) = Connection::open(server) else { return };
        while !self.resting.load(Ordering::Relaxed) {
            let users = self.choose();
            let mark = self.ledger.send(users.clone());
            let Some((status, body)) = connection.send("POST", "/api/v2/users", &request(mark, &users))
            else {
                return;
            };
            if status == 503 && self.unavailable == Unavailable::EndsTheClient {
                return;
            }
            assert!(status == 200 || status == 201, "{status} {body}");
            self.ledger.acknowledge(mark);
            // Nobody counts any more once the server is to be killed.
            let _counted = self.acknowledged.send(());
        }
    }

    /// One user or many; known ones, a few new ones among them, or new ones only.
    fn choose(&mut self) -> BTreeSet<User> {
        let size = if self.chance.below(4) == 0 { MANY } else { 1 };
        // Seldom, since all users are read after each of a thousand rounds.
        let new = match self.chance.below(64) {
            0 => size,
            1..8 => size.div_ceil(10),
            _ => 0,
        };
        let mut users: BTreeSet<User> = (0..new).map(|_| COMMON_USERS + self.ledger.new_user()).collect();
        while (users.len() as u64) < size {
            users.insert(self.chance.below(COMMON_USERS));
        }
        users
    }
}

/// The id of a user.
pub(super) fn id(user: User) -> String {
    format!("user-{user}")
}

/// The user of an id.
pub(super) fn user_of(id: &str) -> User {
    id.strip_prefix("user-").unwrap().parse().unwrap()
}

/// The batch that custom data is from.
pub(super) fn mark_of(custom: &Custom) -> Mark {
    custom.fields()["batch"].as_u64().and_then(|mark| mark.try_into().ok()).unwrap()
}

fn request(mark: Mark, users: &BTreeSet<User>) -> Value {
    let profile = |user: &User| {
        let name = format!("Member {user} of batch {mark}");
        let teams = if mark.is_multiple_of(2) { vec!["red", "blue"] } else { vec!["red"] };
        (id(*user), json!({"name": name, "teams": teams, "custom": custom(mark)}))
    };
    json!({"users": users.iter().map(profile).collect::<Map<_, _>>()})
}

/// Values of every kind. From batch to batch some leaves stay, some change, some come and go.
fn custom(mark: Mark) -> Value {
    let mut custom = json!({
        "batch": mark,
        "constant": "the same in every batch",
        "label": format!("batch {mark}"),
        "share": mark as f64 + 0.5,
        "tags": [format!("tag {mark}"), "common"],
        "deep": {"odd": mark % 2 == 1, "nothing": null},
    });
    if mark.is_multiple_of(3) {
        custom["username"] = json!(format!("name{mark}"));
        custom["long"] = json!(format!("{} {mark}", "long text ".repeat(30)));
    }
    custom
}
