//! The room that all three ways share: who is here, what was said, and a bell.
//!
//! The bell rings when anything changed. Whoever waits (a long poll for its answer, a WebSocket
//! for something to push) wakes, looks at the room, and either has something to do or waits on.
//! The room itself never waits and never writes to a client: a slow one cannot hold it up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::feed::{long_poll, poll};
use crate::history::{Entry, History, Kind};
use crate::refusal::Refusal;

/// The shared room. Everything is done under its lock, in a few microseconds each time.
#[derive(Debug)]
pub(crate) struct Room(Mutex<Inside>);

impl Room {
    /// An empty room.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inside {
            history: History::new(),
            members: HashMap::new(),
            bell: watch::Sender::new(()),
            connections: 0,
            connection: 0,
            stopping: false,
        })))
    }

    /// Enters the room alone. The guard cannot be held across an `await`: the compiler sees to it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inside> {
        // No method of `Inside` leaves it half changed, so a panic elsewhere is no reason to stop.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, so: impl Fn(&Inside) -> bool) {
        let mut bell = self.lock().bell();
        // An error would mean that the room is gone, and `self` is the room.
        while !so(&self.lock()) && bell.changed().await.is_ok() {}
    }
}

/// What is in the room.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) history: History,
    /// By token.
    members: HashMap<String, Member>,
    bell: watch::Sender<()>,
    /// Open WebSocket connections, with those that have not joined yet.
    pub(crate) connections: usize,
    /// The number of the newest connection.
    connection: u64,
    /// Set once, when the server ends.
    pub(crate) stopping: bool,
}

#[derive(Debug)]
struct Member {
    name: String,
    link: Link,
    /// When the last request came.
    heard: Instant,
}

/// How a member is fed, with what that way needs for each client.
#[derive(Debug)]
pub(crate) enum Link {
    /// Nothing: the client says where it stands, the history does the rest.
    Poll,
    /// A queue of what the client has not acknowledged.
    LongPoll(long_poll::Queue),
    /// The number of the connection: a second one with the same token replaces the first.
    WebSocket(u64),
}

/// A wish to join, or to be fed in another way.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Join {
    pub(crate) name: String,
    /// The id of the newest entry the client has; 0 or none: it has nothing.
    #[serde(default)]
    pub(crate) after: u64,
    /// From an earlier welcome. While it is good the client is the member it was.
    #[serde(default)]
    pub(crate) token: Option<String>,
}

/// The answer to a join.
#[derive(Debug, Serialize)]
pub(crate) struct Welcome {
    pub(crate) token: String,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) batch: Batch,
}

/// News for one client.
#[derive(Debug, Serialize)]
pub(crate) struct Batch {
    /// Oldest first; ids rise.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// Entries between the client's last one and these that are gone for it.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) missed: u64,
    /// Everyone here, for those who cannot tell from the entries: the new, and who missed some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<String>,
}

/// The answer to a message: where it stands in the room's order.
#[derive(Debug, Serialize)]
pub(crate) struct Said {
    pub(crate) id: u64,
    pub(crate) at: u64,
}

impl Inside {
    /// Rings after every change from now on.
    pub(crate) fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// How many wait at the bell.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.bell.receiver_count()
    }

    /// Lets a client in; or, if it shows a good token, changes how it is fed. Nothing is lost
    /// on the way: the welcome has every entry behind `join.after`.
    pub(crate) fn join(&mut self, join: Join, link: Link) -> Result<Welcome, Refusal> {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        if let Some(token) = join.token.filter(|token| self.members.contains_key(token)) {
            let member = self.member(&token)?;
            member.link = link;
            let name = member.name.clone();
            // Whatever fed this member until now has to notice.
            self.bell.send_replace(());
            return Ok(self.welcome(token, name, join.after));
        }
        let name = self.free_name(&join.name)?;
        if self.members.len() >= MAX_CLIENTS {
            return Err(Refusal::Full);
        }
        self.publish(Kind::Joined, &name, "joined");
        let token = random_token();
        let member = Member {
            name: name.clone(),
            link,
            heard: Instant::now(),
        };
        self.members.insert(token.clone(), member);
        Ok(self.welcome(token, name, join.after))
    }

    /// Posts a message to everyone, the sender included.
    pub(crate) fn say(&mut self, token: &str, text: &str) -> Result<Said, Refusal> {
        let who = self.member(token)?.name.clone();
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_TEXT {
            return Err(Refusal::Text);
        }
        let entry = self.publish(Kind::Message, &who, text);
        Ok(Said {
            id: entry.id,
            at: entry.at,
        })
    }

    /// Notes that a client was heard of, and gives what its way keeps for it.
    pub(crate) fn hear(&mut self, token: &str) -> Result<&mut Link, Refusal> {
        self.member(token).map(|member| &mut member.link)
    }

    /// The same without a sign of life from the client.
    pub(crate) fn link(&mut self, token: &str) -> Result<&mut Link, Refusal> {
        let member = self.members.get_mut(token).ok_or(Refusal::Token)?;
        Ok(&mut member.link)
    }

    /// What a client that stands at `after` is given next, made from `entries`.
    pub(crate) fn batch(&self, after: u64, entries: Vec<Arc<Entry>>) -> Batch {
        let missed = self.history.missed(after, entries.len());
        let people = if missed > 0 {
            self.people()
        } else {
            Vec::new()
        };
        Batch {
            entries,
            missed,
            people,
        }
    }

    /// Lets a member go. An unknown token is of somebody who left already.
    pub(crate) fn leave(&mut self, token: &str) {
        if let Some(member) = self.members.remove(token) {
            self.publish(Kind::Left, &member.name, "left");
        }
    }

    /// Lets go whoever was not heard of for too long.
    pub(crate) fn sweep(&mut self) {
        let silent = |member: &Member| match member.link {
            Link::Poll => member.heard.elapsed() > poll::SILENCE,
            Link::LongPoll(_) => member.heard.elapsed() > long_poll::SILENCE,
            // Its connection tells when it is gone.
            Link::WebSocket(_) => false,
        };
        let members = self.members.iter().filter(|(_, member)| silent(member));
        let gone: Vec<String> = members.map(|(token, _)| token.clone()).collect();
        for token in gone {
            self.leave(&token);
        }
    }

    /// Tells everyone who waits that the server ends.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        self.bell.send_replace(());
    }

    /// Counts a WebSocket connection, gives it a number and something to wait at.
    pub(crate) fn connect(&mut self) -> Result<(u64, watch::Receiver<()>), Refusal> {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        if self.connections >= MAX_CLIENTS {
            return Err(Refusal::Full);
        }
        self.connections += 1;
        self.connection += 1;
        Ok((self.connection, self.bell()))
    }

    /// Counts a WebSocket connection that ended.
    pub(crate) fn disconnected(&mut self) {
        self.connections -= 1;
        self.bell.send_replace(());
    }

    fn member(&mut self, token: &str) -> Result<&mut Member, Refusal> {
        let member = self.members.get_mut(token).ok_or(Refusal::Token)?;
        member.heard = Instant::now();
        Ok(member)
    }

    fn publish(&mut self, kind: Kind, who: &str, what: &str) -> Arc<Entry> {
        let entry = self.history.add(kind, who, what);
        for member in self.members.values_mut() {
            if let Link::LongPoll(queue) = &mut member.link {
                queue.push(Arc::clone(&entry));
            }
        }
        self.bell.send_replace(());
        entry
    }

    fn welcome(&self, token: String, name: String, after: u64) -> Welcome {
        let mut batch = self.batch(after, self.history.since(after));
        batch.people = self.people();
        Welcome { token, name, batch }
    }

    fn people(&self) -> Vec<String> {
        let mut people: Vec<_> = self
            .members
            .values()
            .map(|member| member.name.clone())
            .collect();
        people.sort_unstable_by_key(|name| name.to_lowercase());
        people
    }

    fn free_name(&self, wish: &str) -> Result<String, Refusal> {
        let name = wish.trim();
        if !(1..=MAX_NAME).contains(&name.chars().count()) || name.contains(char::is_control) {
            return Err(Refusal::Name);
        }
        // "Ann" and "ann" would pass for one another.
        let folded = name.to_lowercase();
        if self
            .members
            .values()
            .any(|member| member.name.to_lowercase() == folded)
        {
            return Err(Refusal::Taken(name.to_owned()));
        }
        Ok(name.to_owned())
    }
}

/// 128 random bits as hexadecimal digits: whoever has it is the member.
pub(crate) fn random_token() -> String {
    let mut bits = [0; 16];
    // A system without random bytes cannot tell members apart: there is no way to go on.
    getrandom::fill(&mut bits).expect("the system's random source works");
    format!("{:032x}", u128::from_be_bytes(bits))
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Members at one time, and as many WebSocket connections.
pub(crate) const MAX_CLIENTS: usize = 500;
/// Characters of a name.
pub(crate) const MAX_NAME: usize = 32;
/// Characters of a message.
pub(crate) const MAX_TEXT: usize = 2_000;
