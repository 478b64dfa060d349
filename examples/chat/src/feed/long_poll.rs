//! Long polling: the client asks, and the answer waits until there is something to tell.
//!
//! **How.** The server keeps a queue for each client. A request that finds something in it is
//! answered at once; one that finds it empty is held until something comes, or for 30 seconds,
//! and the client asks again. What is in the queue leaves it when the next request says it
//! arrived, so an answer that gets lost on the way is simply given again.
//!
//! **Cost.** Prompt, but each message still pays for a request and an answer with all their
//! header fields; a message that comes right after an answer waits for the next request; and the
//! server holds a connection and a queue for every client, which is all that a WebSocket needs.
//!
//! **Right when** messages are few and have to be prompt, and something on the path lets nothing
//! but plain HTTP through.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use tokio::time::{Instant, timeout_at};

use crate::feed::{After, Token};
use crate::history::Entry;
use crate::refusal::Refusal;
use crate::room::{Batch, Inside, Link, Room};

/// `GET /long-poll?after=ID`: what came after that entry, as soon as there is something.
pub(crate) async fn long_poll(
    State(room): State<Arc<Room>>,
    Token(token): Token,
    Query(After { after }): Query<After>,
) -> Result<Json<Batch>, Refusal> {
    let patience = Instant::now() + HOLD;
    // Before the first look: what comes between the look and the wait rings already.
    let mut bell = room.lock().bell();
    room.lock().hear(&token)?;
    loop {
        let batch = take(&mut room.lock(), &token, after)?;
        if !batch.entries.is_empty() {
            return Ok(Json(batch));
        }
        if timeout_at(patience, bell.changed()).await.is_err() {
            return Ok(Json(batch));
        }
    }
}

fn take(room: &mut Inside, token: &str, after: u64) -> Result<Batch, Refusal> {
    if room.stopping {
        return Err(Refusal::Stopping);
    }
    let Link::LongPoll(queue) = room.link(token)? else {
        return Err(Refusal::Way);
    };
    let entries = queue.acknowledge(after);
    // With nothing to give, nothing is missed either: the client is told with the next entry.
    Ok(room.batch(after, entries))
}

/// What a client has not acknowledged, oldest first, in a row without gaps up to the newest entry.
#[derive(Debug, Default)]
pub(crate) struct Queue(VecDeque<Arc<Entry>>);

impl Queue {
    /// Adds the newest entry. A full queue skips to it: who is this far behind is better served
    /// with what is said now, and told how many it missed, than with an ever older past.
    pub(crate) fn push(&mut self, entry: Arc<Entry>) {
        if self.0.len() == QUEUE {
            self.0.clear();
        }
        self.0.push_back(entry);
    }

    /// Drops what the client has, and gives the rest.
    fn acknowledge(&mut self, after: u64) -> Vec<Arc<Entry>> {
        while self.0.front().is_some_and(|entry| entry.id <= after) {
            self.0.pop_front();
        }
        self.0.iter().cloned().collect()
    }
}

/// Entries in the queue of one client.
pub(crate) const QUEUE: usize = 64;
/// How long a request waits for something to tell. Proxies tend to give up after a minute.
pub(crate) const HOLD: Duration = Duration::from_secs(30);
/// A client that did not ask for this long has left: the time a request is held, and half of it.
pub(crate) const SILENCE: Duration = Duration::from_secs(45);
