//! A board that is a chat room of its own, on any network stack of embassy-net.
//!
//! | path | |
//! |---|---|
//! | `/` | the page, compressed in flash |
//! | `/chat` | a WebSocket: the first message is a name, each later one is said to all |
//! | `/echo` | a WebSocket that echoes, whatever the size: the message streams through |
//! | `/status` | who is connected, and how much stack was never used, as JSON |
//!
//! Four people can be in the room at once. Each second all of them are pushed a reading. Whoever
//! says `/join ws://HOST:PORT/ws` makes the board a member of a desktop's chat (`examples/chat`), and
//! what is said in either room is heard in both; after a link was lost it comes back by itself.
//! `/leave` ends that.
//!
//! To be read in this order: this file wires; [`room`] is what all share; [`serve`] answers
//! requests; [`talk`] is one person in the room; [`desktop`] is the board in another room.
#![no_std]
#![forbid(unsafe_code)]

pub mod desktop;
pub mod room;
pub mod serve;
pub mod talk;

use core::convert::Infallible;

use embassy_futures::join::join3;
use embassy_net::{Stack, StackResources};
use wirelet_embassy::Slot;

use crate::desktop::Link;
use crate::room::Room;

/// What a board tells of itself.
pub trait Board {
    /// The name it has in a chat.
    const NAME: &'static str;

    /// Four bytes that nobody can predict, as far as the hardware can do that.
    fn random(&mut self) -> [u8; 4];

    /// The temperature in tenths of a degree Celsius, if it has a sensor.
    fn temperature(&mut self) -> Option<i16>;

    /// Bytes of stack that were never used, if that can be told.
    fn stack_free(&self) -> Option<usize>;
}

/// Connections at once: four people, and two for pages, echoes and whoever just came.
pub const SLOTS: usize = 6;

/// What the network stack of the board needs room for: the slots, the link to a desktop's chat,
/// DHCP and DNS.
pub type Sockets = StackResources<{ SLOTS + 3 }>;

/// The memory of all connections, to be put into a `static`.
#[derive(Debug, Default)]
pub struct Memory {
    slots: [Slot<1024, 1024, 512>; SLOTS],
    link: Link,
}

impl Memory {
    /// Zeros: it takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [const { Slot::new() }; SLOTS],
            link: Link::new(),
        }
    }
}

/// Serves on port 80 for ever. The link to the desktop's chat is that of the environment variable
/// `WIRELET_CHAT` at build time, if it is set, and then whatever somebody in the room joins.
pub async fn run(stack: Stack<'_>, board: impl Board, memory: &mut Memory) -> Infallible {
    let room = Room::new(board);
    if let Some(url) = option_env!("WIRELET_CHAT") {
        let _ = room.join_desktop(url);
    }
    let serve = wirelet_embassy::serve(stack, 80, &mut memory.slots, async |socket, buffer| {
        serve::serve(&room, socket, buffer).await;
    });
    let read = room.tell_readings();
    let link = memory.link.keep(&room, stack);
    let (never, ..) = join3(serve, read, link).await;
    never
}
