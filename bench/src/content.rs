//! What a user has written, stored through the API of a server: messages in channels, as many in each.

use std::net::SocketAddr;

use serde_json::json;

use crate::api::Api;
use crate::failure::Failure;
use crate::load::{self, Until};
use crate::people::{Person, mix};

/// Messages stored between two lines about it.
const STORED_AT_ONCE: u64 = 50_000;

const CONNECTIONS: usize = 64;

/// Messages that somebody wrote in each of some channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    /// Who is in every channel. More than two, so that none of them is a conversation of one with another, which would go with
    /// its messages as a whole.
    pub(crate) members: [Person; 3],
    /// How many channels there are.
    pub(crate) channels: u64,
}

impl Content {
    /// Makes the channels; the first member owns them.
    pub(crate) fn make_channels(&self, server: SocketAddr, api: &Api) -> Result<(), Failure> {
        let members: Vec<_> = self.members.iter().map(|member| json!({"user_id": member.id()})).collect();
        let body = json!({"data": {"created_by_id": self.members[0].id(), "members": members}});
        let request = |channel| api.post(&format!("{}/query", path(channel)), &body);
        let requests: Vec<Vec<u8>> = (0..self.channels).map(request).collect();
        load::run(server, CONNECTIONS, &requests, Until::AllSent).map(drop)
    }

    /// Has `author` write `count` messages, in the channels in turn: those of one channel lie apart, as they would.
    pub(crate) fn write(
        &self,
        server: SocketAddr,
        api: &Api,
        author: Person,
        count: u64,
    ) -> Result<(), Failure> {
        let request = |number: u64| {
            let body = json!({"message": {"text": text(number), "user_id": author.id()}});
            api.post(&format!("{}/message", path(number % self.channels)), &body)
        };
        for first in (0..count).step_by(usize::try_from(STORED_AT_ONCE)?) {
            let last = count.min(first + STORED_AT_ONCE);
            let requests: Vec<Vec<u8>> = (first..last).map(request).collect();
            let outcome = load::run(server, CONNECTIONS, &requests, Until::AllSent)?;
            eprintln!("stored {last} of {count} messages, {:.0}/s", outcome.rate());
        }
        Ok(())
    }
}

fn path(channel: u64) -> String {
    format!("/api/v2/chat/channels/messaging/room-{channel}")
}

/// Some words that no other message has.
fn text(number: u64) -> String {
    format!("message {number}, which says {:x} and no more", mix(number))
}
