//! The board in a desktop's chat: what is said in one room is heard in the other.

use core::convert::Infallible;
use core::fmt::Write;

use embassy_futures::select::{Either, Either3, select, select3};
use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use embassy_sync::pubsub::WaitResult;
use embassy_time::{Duration, Ticker, Timer, with_timeout};
use heapless::String;
use serde::{Deserialize, Serialize};
use wirelet_embassy::{Connector, Piece, Transport, WebSocket};

use crate::Board;
use crate::room::{Entry, Kind, Line, NAME, News, Reading, Room, TEXT, cut};
use crate::serve::{JSON, json};

/// The memory of the link.
#[derive(Debug)]
pub struct Link {
    rx: [u8; 1024],
    tx: [u8; 512],
    buffer: [u8; 512],
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

impl Link {
    /// Zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx: [0; 1024],
            tx: [0; 512],
            buffer: [0; 512],
        }
    }

    /// Keeps the link to the chat that was joined last, and comes back after it was lost.
    pub async fn keep(&mut self, room: &Room<impl Board>, stack: Stack<'_>) -> Infallible {
        let mut socket = TcpSocket::new(stack, &mut self.rx, &mut self.tx);
        let mut news = room.listen().expect("one place is for the link");
        let mut wanted = room.desktop.wait().await;
        loop {
            let Some(url) = &wanted else {
                wanted = room.desktop.wait().await;
                continue;
            };
            let stay = stay(room, stack, &mut socket, url, &mut self.buffer, &mut news);
            match select(stay, room.desktop.wait()).await {
                Either::First(never) => match never {},
                Either::Second(other) => wanted = other,
            }
            // Or the chat would take the board for a member until its patience is over.
            socket.abort();
            let _ = with_timeout(SOON, socket.flush()).await;
        }
    }
}

/// Connects again and again. The first try after a link that worked is soon, so that a restart of
/// the chat is hardly noticed; the later ones are rarer and at random, so that a hundred boards do
/// not come back in the same moment.
async fn stay(
    room: &Room<impl Board>,
    stack: Stack<'_>,
    socket: &mut TcpSocket<'_>,
    url: &str,
    buffer: &mut [u8],
    news: &mut News<'_>,
) -> Infallible {
    let mut wait = SOON;
    let mut told = false;
    loop {
        let random = &mut || room.random();
        let connector = Connector::new();
        let connected = connector.connect(stack, socket, url, buffer, random).await;
        let inside = match connected {
            Ok(ws) => attend(room, ws, news).await,
            Err(_) => false,
        };
        if inside {
            wait = SOON;
        } else if !told {
            room.tell(Line::There(Entry {
                kind: Kind::Message,
                who: cut("the link"),
                what: cut("no chat lets the board in there; it goes on trying until /leave"),
            }));
        }
        // Once for each time that the chat is away, however often it is tried.
        told = !inside;
        // Half of the time to all of it.
        let [a, b, ..] = room.random();
        let part = u64::from(u16::from_le_bytes([a, b]));
        let half = wait.as_millis() / 2;
        Timer::after_millis(half + half * part / u64::from(u16::MAX)).await;
        wait = LATE.min(wait * 2);
    }
}

/// One connection, from the join to its end. Whether the chat let the board in.
pub async fn attend<T: Transport>(
    room: &Room<impl Board>,
    mut ws: WebSocket<'_, T>,
    news: &mut News<'_>,
) -> bool {
    let mut name = String::<NAME>::new();
    let [a, b, ..] = room.random();
    let _ = write!(name.as_mut_view(), "{}-{a:02x}{b:02x}", room.name());
    let mut out = String::<JSON>::new();
    json(
        &Join {
            join: Named { name: &name },
        },
        out.as_mut_view(),
    );
    if ws.send(out.as_str()).await.is_err() {
        return false;
    }
    let mut inside = false;
    let mut heard = Heard::default();
    let mut reading = Ticker::every(READING);
    loop {
        let piece = ws.recv_piece(|piece| heard.take(&piece));
        match select3(piece, news.next_message(), reading.next()).await {
            Either3::First(Ok(Some(false))) => continue,
            Either3::First(Ok(Some(true))) => {
                inside |= hear(room, heard.text(), &name);
                continue;
            }
            Either3::First(_) => return inside,
            Either3::Second(WaitResult::Message(Line::Here(entry))) => retell(&entry, &mut out),
            Either3::Second(_) => continue,
            Either3::Third(()) => report(&room.read(), &mut out),
        }
        if inside && ws.send(out.as_str()).await.is_err() {
            return inside;
        }
    }
}

/// What the chat is told of an entry of this room.
fn retell(entry: &Entry, out: &mut String<JSON>) {
    let mut said = String::<SAID>::new();
    let text = said.as_mut_view();
    let _ = text.push_str(&entry.who);
    let _ = text.push_str(match entry.kind {
        Kind::Message => ": ",
        Kind::Joined => " joined",
        Kind::Left => " left",
    });
    let _ = text.push_str(&entry.what);
    json(&Say { say: &said }, out.as_mut_view());
}

/// What the chat is told of a reading.
fn report(reading: &Reading, out: &mut String<JSON>) {
    let mut said = String::<SAID>::new();
    let text = said.as_mut_view();
    // For 136 years; the code that writes 64 bits is 260 bytes more.
    let uptime = u32::try_from(reading.uptime).unwrap_or(u32::MAX);
    let _ = write!(text, "up {uptime} s");
    if let Some(tenths) = reading.temperature {
        let (sign, tenths) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
        let _ = write!(text, ", {sign}{}.{} °C", tenths / 10, tenths % 10);
    }
    json(&Say { say: &said }, out.as_mut_view());
}

/// Tells the room what was said in the chat. Whether the chat let the board in.
fn hear(room: &Room<impl Board>, text: &[u8], own: &str) -> bool {
    let mut unescaped = [0; TEXT + NAME];
    let Ok((heard, _)) = serde_json_core::from_slice_escaped::<Said<'_>>(text, &mut unescaped)
    else {
        if text.starts_with(b"{\"id\"") {
            room.tell(Line::There(Entry {
                kind: Kind::Message,
                who: cut("the chat"),
                what: cut("somebody said more than this board can hold"),
            }));
        }
        return text.starts_with(b"{\"welcome\"");
    };
    let kind = match heard.kind {
        "message" => Kind::Message,
        "joined" => Kind::Joined,
        "left" => Kind::Left,
        _ => return true,
    };
    // What the board says there was said here already.
    if heard.who != own {
        room.tell(Line::There(Entry {
            kind,
            who: cut(heard.who),
            what: cut(heard.what),
        }));
    }
    true
}

/// A message that comes in pieces, as far as it fits: the beginning of a longer one tells what it
/// is.
#[derive(Debug)]
struct Heard {
    bytes: [u8; 768],
    len: usize,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            bytes: [0; 768],
            len: 0,
        }
    }
}

impl Heard {
    /// Whether the message is all there.
    fn take(&mut self, piece: &Piece<'_>) -> bool {
        if piece.start {
            self.len = 0;
        }
        let room = &mut self.bytes[self.len..];
        let n = room.len().min(piece.payload.len());
        room[..n].copy_from_slice(&piece.payload[..n]);
        self.len += n;
        piece.end
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[derive(Serialize)]
struct Join<'n> {
    join: Named<'n>,
}

#[derive(Serialize)]
struct Named<'n> {
    name: &'n str,
}

#[derive(Serialize)]
struct Say<'s> {
    say: &'s str,
}

#[derive(Deserialize)]
struct Said<'s> {
    kind: &'s str,
    who: &'s str,
    what: &'s str,
}

/// Before the first try to come back.
const SOON: Duration = Duration::from_secs(1);

/// Between the later tries, at most.
const LATE: Duration = Duration::from_secs(60);

/// How often the board says there what it reads.
const READING: Duration = Duration::from_secs(30);

/// Bytes of what the board says: a name, and a text or that somebody came.
const SAID: usize = NAME + TEXT + 2;
