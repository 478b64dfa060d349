//! One person in the room: what they say is told to all, what all say is pushed to them.

use embassy_futures::select::{Either, select};
use embassy_sync::pubsub::WaitResult;
use embassy_time::{Duration, with_timeout};
use heapless::String;
use serde::Serialize;
use wirelet_embassy::{CloseCode, Error, Message, Transport, WebSocket};

use crate::Board;
use crate::room::{Line, Room, Seat};
use crate::serve::{JSON, json};

/// From the upgrade to the end.
pub async fn talk<T: Transport, B: Board>(room: &Room<B>, ws: &mut WebSocket<'_, T>) {
    let entered = with_timeout(JOINING, enter(room, ws)).await;
    let ending = match entered {
        Ok(Ok(mut seat)) => converse(room, ws, &mut seat).await,
        Ok(Err(ending)) => ending,
        Err(_) => Ending::Bye(CloseCode::POLICY, "no name in time"),
    };
    if let Ending::Bye(code, why) = ending {
        let _ = ws.close(code, why).await;
    }
}

/// How it ends.
enum Ending {
    /// They are told why.
    Bye(CloseCode, &'static str),
    /// They have gone.
    Gone,
}

impl<E> From<Error<E>> for Ending {
    fn from(_: Error<E>) -> Self {
        Self::Gone
    }
}

/// The first message is the name.
async fn enter<'r, T: Transport, B: Board>(
    room: &'r Room<B>,
    ws: &mut WebSocket<'_, T>,
) -> Result<Seat<'r, B>, Ending> {
    loop {
        let refusal = match ws.recv().await?.ok_or(Ending::Gone)? {
            Message::Text(name) => match room.enter(name) {
                Ok(seat) => return Ok(seat),
                Err(refusal) => refusal,
            },
            Message::Binary(_) => return Err(TEXT_ONLY),
        };
        let mut line = String::<64>::new();
        let error = refusal.message();
        json(&Trouble { error }, line.as_mut_view());
        ws.send(line.as_str()).await?;
    }
}

/// Tells them what all say, and all what they say, until they go.
async fn converse<T: Transport, B: Board>(
    room: &Room<B>,
    ws: &mut WebSocket<'_, T>,
    seat: &mut Seat<'_, B>,
) -> Ending {
    let mut line = String::<JSON>::new();
    loop {
        let out = line.as_mut_view();
        match select(ws.recv(), seat.news.next_message()).await {
            Either::First(Ok(Some(Message::Text(text)))) => match obey(room, text) {
                Some(Ok(())) => continue,
                Some(Err(error)) => json(&Trouble { error }, out),
                None => {
                    seat.say(text);
                    continue;
                }
            },
            Either::First(Ok(Some(Message::Binary(_)))) => return TEXT_ONLY,
            Either::First(_) => return Ending::Gone,
            Either::Second(WaitResult::Lagged(missed)) => json(&Missed { missed }, out),
            Either::Second(WaitResult::Message(news)) => match news {
                Line::Here(entry) | Line::There(entry) => json(&entry, out),
                Line::Reading(reading) => json(&reading, out),
            },
        }
        if ws.send(line.as_str()).await.is_err() {
            return Ending::Gone;
        }
    }
}

/// What is not said but done; `None`: it is said.
fn obey<B: Board>(room: &Room<B>, text: &str) -> Option<Result<(), &'static str>> {
    if text == "/leave" {
        room.desktop.signal(None);
        return Some(Ok(()));
    }
    let url = text.strip_prefix("/join ")?;
    Some(room.join_desktop(url.trim_ascii()))
}

#[derive(Serialize)]
struct Trouble<'e> {
    error: &'e str,
}

#[derive(Serialize)]
struct Missed {
    missed: u64,
}

const TEXT_ONLY: Ending = Ending::Bye(CloseCode::UNSUPPORTED, "text only");

/// How long somebody may take to say a name.
const JOINING: Duration = Duration::from_secs(10);
