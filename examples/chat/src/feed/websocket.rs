//! WebSocket: one connection that stays open, on which both sides speak when they have something
//! to say. This is push.
//!
//! **How.** The page opens `/ws` and sends `{"join":{"name":..}}`; from then on the server sends
//! each entry the moment it happens, and the page sends `{"say":..}`. A frame header is 2 to 8
//! bytes here, where a request and its answer have hundreds.
//!
//! **Cost.** A connection for each client, open all day, mostly idle; its end has to be noticed
//! and mended by the page; and since nobody asks, somebody has to decide what happens to a client
//! that does not keep up. Here: each entry is encoded once and shared, a connection keeps no queue
//! but a position in the history, and one that falls more than 64 entries behind is closed.
//!
//! Compression is on, for browsers that want it (all do): a long message is packed once, however many
//! are in the room, for every message is packed for itself.
//!
//! **Right when** news is frequent or has to be there at once, or when the client speaks too.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};
use wirelet_tokio::axum::{WebSocket, WebSocketUpgrade};
use wirelet_tokio::{CloseCode, Deflate, Error, Message};

use crate::costs;
use crate::feed::MAX_BODY;
use crate::history::Entry;
use crate::refusal::Refusal;
use crate::room::{Inside, Join, Link, Room, Said, Welcome};

/// `GET /ws`: the opening handshake.
pub(crate) async fn websocket(
    State(room): State<Arc<Room>>,
    (method, uri, headers): (Method, Uri, HeaderMap),
    upgrade: WebSocketUpgrade,
) -> Response {
    let client = match Client::open(room) {
        Ok(client) => client,
        Err(refusal) => return refusal.into_response(),
    };
    let (tell, costs) = oneshot::channel();
    let upgrade = upgrade.max_message(MAX_BODY as u64).deflate(Deflate::new());
    let response = upgrade.on_upgrade(move |socket| attend(socket, client, costs));
    let sent = costs::request_head(&method, &uri, &headers);
    let received = costs::switching_head(response.headers());
    // Nobody to tell if the upgrade was refused.
    let _ = tell.send(Handshake { sent, received });
    response
}

/// What a client says.
#[derive(Deserialize)]
struct Request {
    join: Option<Join>,
    say: Option<String>,
}

/// What the server says, besides the entries themselves.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    /// Always first: what the handshake cost, which a page cannot see.
    Handshake(Handshake),
    Welcome(Welcome),
    Said(Said),
    Error {
        /// As HTTP has it.
        status: u16,
        line: String,
    },
}

impl Answer {
    fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are JSON")
    }
}

/// Bytes of the opening handshake, as the client counts.
#[derive(Serialize)]
struct Handshake {
    sent: usize,
    received: usize,
}

/// Why a connection ends.
enum Ending {
    Stopping,
    Replaced,
    TooSlow(u64),
    NoJoin,
    /// The client closed first, or the connection broke, or the client broke the protocol, of
    /// which the codec told it: there is nothing left to say.
    Over,
}

impl Ending {
    /// What the client is told; nothing if it said goodbye itself.
    fn close(&self) -> Option<(CloseCode, String)> {
        match self {
            Self::Stopping => Some((CloseCode::GOING_AWAY, "going away".into())),
            Self::Replaced => Some((CloseCode::NORMAL, "fed in another way now".into())),
            Self::TooSlow(behind) => {
                let reason = format!("too slow: {behind} messages behind");
                Some((CloseCode::TRY_AGAIN_LATER, reason))
            }
            Self::NoJoin => Some((CloseCode::POLICY, "no join in time".into())),
            Self::Over => None,
        }
    }
}

impl From<Error> for Ending {
    fn from(_: Error) -> Self {
        Self::Over
    }
}

/// From the upgrade to the end.
async fn attend(mut socket: WebSocket, mut client: Client, costs: oneshot::Receiver<Handshake>) {
    let Ok(costs) = costs.await else { return };
    let Err(ending) = client.converse(&mut socket, costs).await;
    client.leave();
    if let Some((code, reason)) = ending.close() {
        // Waits for the client's Close too; one that does not even read has 5 seconds.
        let _ = socket.close(code, &reason).await;
    }
}

/// One connection, counted while it is open.
struct Client {
    room: Arc<Room>,
    bell: watch::Receiver<()>,
    number: u64,
    /// Set by the join.
    seat: Option<Seat>,
}

/// Which member the connection feeds, and where it stands.
struct Seat {
    token: String,
    /// The id of the newest entry that the socket took.
    after: u64,
}

impl Client {
    fn open(room: Arc<Room>) -> Result<Self, Refusal> {
        let (number, bell) = room.lock().connect()?;
        Ok(Self {
            room,
            bell,
            number,
            seat: None,
        })
    }

    /// Takes what the client says and gives it what is new, in turns, until one of them ends it.
    async fn converse(
        &mut self,
        socket: &mut WebSocket,
        costs: Handshake,
    ) -> Result<Infallible, Ending> {
        let joining = Instant::now() + JOINING;
        let mut answer = Some(Answer::Handshake(costs));
        loop {
            let news = self.news()?;
            self.write(socket, answer.take(), &news).await?;
            tokio::select! {
                message = socket.recv() => match message? {
                    Some(message) => answer = Some(self.hear(message)),
                    None => return Err(Ending::Over),
                },
                _ = self.bell.changed() => {}
                () = sleep_until(joining), if self.seat.is_none() => return Err(Ending::NoJoin),
            }
        }
    }

    /// Writes to the socket, for as long as the client keeps up.
    async fn write(
        &mut self,
        socket: &mut WebSocket,
        answer: Option<Answer>,
        news: &[Arc<Entry>],
    ) -> Result<(), Ending> {
        let writing = async {
            if let Some(answer) = answer {
                socket.feed(&answer.json()).await?;
            }
            for entry in news {
                socket.feed_prepared(&entry.frame).await?;
            }
            // All of it leaves together: one system call, not one for each entry.
            socket.flush().await
        };
        tokio::select! {
            written = writing => written?,
            ending = self.ended() => return Err(ending),
        }
        if let (Some(seat), Some(newest)) = (&mut self.seat, news.last()) {
            seat.after = newest.id;
        }
        Ok(())
    }

    /// Waits until the connection has to end, whatever it is doing.
    async fn ended(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.may_go_on(&mut self.room.lock()) {
                return ending;
            }
            // Rings until the room is gone, and `self.room` is the room.
            let _ = self.bell.changed().await;
        }
    }

    /// What the client does not have yet.
    fn news(&self) -> Result<Vec<Arc<Entry>>, Ending> {
        let room = &mut self.room.lock();
        self.may_go_on(room)?;
        let seat = self.seat.as_ref();
        Ok(seat.map_or_else(Vec::new, |seat| room.history.since(seat.after)))
    }

    fn may_go_on(&self, room: &mut Inside) -> Result<(), Ending> {
        if room.stopping {
            return Err(Ending::Stopping);
        }
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        if !self.feeds(room, &seat.token) {
            return Err(Ending::Replaced);
        }
        match room.history.newest() - seat.after {
            behind if behind > BEHIND => Err(Ending::TooSlow(behind)),
            _ => Ok(()),
        }
    }

    /// Whether the member is fed by this connection still.
    fn feeds(&self, room: &mut Inside, token: &str) -> bool {
        matches!(room.link(token), Ok(Link::WebSocket(number)) if *number == self.number)
    }

    fn hear(&mut self, message: Message<'_>) -> Answer {
        let done = match message {
            Message::Text(text) => self.obey(text),
            Message::Binary(_) => Err(Refusal::Malformed("a binary message".into())),
        };
        done.unwrap_or_else(|refusal| Answer::Error {
            status: refusal.status().as_u16(),
            line: refusal.to_string(),
        })
    }

    fn obey(&mut self, text: &str) -> Result<Answer, Refusal> {
        let request: Request =
            serde_json::from_str(text).map_err(|fault| Refusal::Malformed(fault.to_string()))?;
        let mut room = self.room.lock();
        match (request, &self.seat) {
            (
                Request {
                    join: Some(join), ..
                },
                None,
            ) => {
                let welcome = room.join(join, Link::WebSocket(self.number))?;
                let after = room.history.newest();
                self.seat = Some(Seat {
                    token: welcome.token.clone(),
                    after,
                });
                Ok(Answer::Welcome(welcome))
            }
            (
                Request {
                    say: Some(text), ..
                },
                Some(seat),
            ) => room.say(&seat.token, &text).map(Answer::Said),
            (_, None) => Err(Refusal::Malformed("the first message is a join".into())),
            (_, Some(_)) => Err(Refusal::Malformed("after the join, say something".into())),
        }
    }

    /// Leaves the room, unless another connection or way feeds the member now.
    fn leave(&mut self) {
        let Some(seat) = self.seat.take() else { return };
        let room = &mut self.room.lock();
        if self.feeds(room, &seat.token) {
            room.leave(&seat.token);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.leave();
        self.room.lock().disconnected();
    }
}

/// A connection that falls behind by more entries than this is closed.
pub(crate) const BEHIND: u64 = 64;
/// How long a connection may stay open without a join.
pub(crate) const JOINING: Duration = Duration::from_secs(10);
