//! The room that all share: who is here, what is said, and what the board reads.
//!
//! Nobody waits for anybody: what is said goes into a ring of the newest lines, and each member
//! takes from it at its own pace. One that is too slow misses lines, and is told how many.

use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::fmt;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::pubsub::{PubSubChannel, Subscriber};
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Instant, Ticker};
use heapless::String;
use serde::Serialize;
use wirelet_embassy::Url;

use crate::Board;

/// Bytes of a name.
pub const NAME: usize = 32;

/// Bytes of what is said at once; more is cut off.
pub const TEXT: usize = 200;

/// Bytes of an address to join.
const ADDRESS: usize = 96;

/// People in the room at one time.
pub const PEOPLE: usize = 4;

/// Lines that a slow member may fall behind.
const BEHIND: usize = 8;

/// A line that all in the room get.
#[derive(Clone, Debug)]
pub enum Line {
    /// Somebody in this room spoke, came or went.
    Here(Entry),
    /// Somebody in the desktop's chat did.
    There(Entry),
    /// What the board reads.
    Reading(Reading),
}

/// What happened, as the desktop's chat has it too.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its kind.
    pub kind: Kind,
    /// Who did it.
    pub who: String<NAME>,
    /// What was said.
    pub what: String<TEXT>,
}

/// What an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody said something.
    Message,
    /// Somebody came.
    Joined,
    /// Somebody went.
    Left,
}

/// What the board reads.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reading {
    /// Seconds since it was switched on.
    pub uptime: u64,
    /// Tenths of a degree Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<i16>,
}

/// Why somebody cannot come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There are [`PEOPLE`] here.
    Full,
    /// The name is empty, longer than [`NAME`] bytes, or has control characters in it.
    Name,
    /// Somebody here has that name.
    Taken,
}

impl Refusal {
    /// What to tell them.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Full => "the room is full",
            Self::Name => "a name has 1 to 32 bytes",
            Self::Taken => "somebody here has that name",
        }
    }
}

/// What members wait at for news.
pub type News<'r> = Subscriber<'r, NoopRawMutex, Line, BEHIND, { PEOPLE + 1 }, 0>;

/// The shared room.
pub struct Room<B> {
    board: RefCell<B>,
    lines: PubSubChannel<NoopRawMutex, Line, BEHIND, { PEOPLE + 1 }, 0>,
    people: RefCell<[Option<String<NAME>>; PEOPLE]>,
    /// Connections that are being served.
    pub(crate) connections: Cell<usize>,
    /// The desktop's chat to join from now on; `None` to leave it.
    pub(crate) desktop: Signal<NoopRawMutex, Option<String<ADDRESS>>>,
}

impl<B: Board> Room<B> {
    /// An empty room.
    pub const fn new(board: B) -> Self {
        Self {
            board: RefCell::new(board),
            lines: PubSubChannel::new(),
            people: RefCell::new([const { None }; PEOPLE]),
            connections: Cell::new(0),
            desktop: Signal::new(),
        }
    }

    /// Lets somebody in, until the seat is dropped.
    ///
    /// # Errors
    /// Why not.
    pub fn enter(&self, name: &str) -> Result<Seat<'_, B>, Refusal> {
        let name = name.trim_ascii();
        let owned = String::try_from(name).map_err(|_| Refusal::Name)?;
        if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(Refusal::Name);
        }
        let people = &mut *self.people.borrow_mut();
        if people.iter().flatten().any(|one| *one == owned) {
            return Err(Refusal::Taken);
        }
        let free = people.iter().position(Option::is_none);
        let at = free.ok_or(Refusal::Full)?;
        // As many places at the ring as there are people, and one for the link to the desktop.
        let news = self.lines.subscriber().map_err(|_| Refusal::Full)?;
        people[at] = Some(owned.clone());
        self.tell(Line::Here(Entry {
            kind: Kind::Joined,
            who: owned.clone(),
            what: String::new(),
        }));
        Ok(Seat {
            room: self,
            at,
            name: owned,
            news,
        })
    }

    /// Something to wait at for news, for the link to the desktop.
    pub(crate) fn listen(&self) -> Option<News<'_>> {
        self.lines.subscriber().ok()
    }

    /// Tells all.
    pub(crate) fn tell(&self, line: Line) {
        self.lines.immediate_publisher().publish_immediate(line);
    }

    /// Makes the board a member of the desktop's chat at this address.
    ///
    /// # Errors
    /// What is wrong with the address, in one line.
    pub fn join_desktop(&self, url: &str) -> Result<(), &'static str> {
        if Url::parse(url).is_err() {
            return Err("say /join ws://HOST:PORT/ws");
        }
        let url = String::try_from(url).map_err(|_| "the address is longer than 96 bytes")?;
        self.desktop.signal(Some(url));
        Ok(())
    }

    /// Pushes a reading to all, each second.
    pub async fn tell_readings(&self) -> Infallible {
        let mut ticker = Ticker::every(Duration::from_secs(1));
        loop {
            ticker.next().await;
            self.tell(Line::Reading(self.read()));
        }
    }

    /// What the board reads now.
    pub fn read(&self) -> Reading {
        Reading {
            uptime: Instant::now().as_secs(),
            temperature: self.board.borrow_mut().temperature(),
        }
    }

    /// Four random bytes.
    pub(crate) fn random(&self) -> [u8; 4] {
        self.board.borrow_mut().random()
    }

    pub(crate) fn name(&self) -> &'static str {
        self.board.borrow().name()
    }

    pub(crate) fn stack_free(&self) -> Option<usize> {
        self.board.borrow().stack_free()
    }

    pub(crate) fn count(&self) -> usize {
        self.people.borrow().iter().flatten().count()
    }
}

impl<B> fmt::Debug for Room<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}

/// Somebody in the room.
pub struct Seat<'r, B: Board> {
    room: &'r Room<B>,
    at: usize,
    name: String<NAME>,
    pub(crate) news: News<'r>,
}

impl<B: Board> Seat<'_, B> {
    /// Says something to all, those who are in the desktop's chat too.
    pub fn say(&self, text: &str) {
        self.room.tell(Line::Here(Entry {
            kind: Kind::Message,
            who: self.name.clone(),
            what: cut(text),
        }));
    }
}

impl<B: Board> Drop for Seat<'_, B> {
    fn drop(&mut self) {
        self.room.people.borrow_mut()[self.at] = None;
        self.room.tell(Line::Here(Entry {
            kind: Kind::Left,
            who: self.name.clone(),
            what: String::new(),
        }));
    }
}

impl<B: Board> fmt::Debug for Seat<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("name", &self.name).finish()
    }
}

/// As much of a text as fits, whole characters.
pub(crate) fn cut<const N: usize>(text: &str) -> String<N> {
    let mut out = String::new();
    let end = text.floor_char_boundary(N);
    let _ = out.push_str(text.get(..end).unwrap_or_default());
    out
}
