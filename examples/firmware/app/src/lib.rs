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
//! what is said in either room is heard in both; after a link was lost it comes back by itself, and
//! the room is told when no chat answers. `/leave` ends that.
//!
//! To be read in this order: this file wires; [`mod@room`] is what all share; [`serve`] answers
//! requests; [`talk`] is one person in the room; [`desktop`] is the board in another room.
#![no_std]
#![forbid(unsafe_code)]

pub mod desktop;
pub mod room;
pub mod serve;
pub mod talk;

use core::convert::Infallible;

use embassy_net::{Stack, StackResources};

use crate::room::Room;

/// What a board tells of itself.
pub trait Board {
    /// The name it has in a chat.
    fn name(&self) -> &'static str;

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

/// The memory of one connection: TCP rings of 1 KiB, and 512 bytes for a request or a message. With
/// the feature `deflate`, a decoder for messages that come compressed, too.
#[derive(Debug)]
pub struct Slot {
    tcp: wirelet_embassy::Slot<1024, 1024, 512>,
    #[cfg(feature = "deflate")]
    pool: wirelet_embassy::DeflatePool<1>,
}

impl Default for Slot {
    fn default() -> Self {
        Self::new()
    }
}

impl Slot {
    /// Zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tcp: wirelet_embassy::Slot::new(),
            #[cfg(feature = "deflate")]
            pool: wirelet_embassy::DeflatePool::new(),
        }
    }
}

/// What the room agrees to on compression.
#[cfg(feature = "deflate")]
pub type Compression<'p> = wirelet_embassy::Deflate<'p>;
/// The room agrees to no compression.
#[cfg(not(feature = "deflate"))]
pub type Compression<'p> = core::marker::PhantomData<&'p ()>;

/// The room of this board. The link to the desktop's chat is that of the environment variable
/// `WIRELET_CHAT` at build time, if it is set, and then whatever somebody in the room joins.
pub fn room<B: Board>(board: B) -> Room<B> {
    let room = Room::new(board);
    if let Some(url) = option_env!("WIRELET_CHAT") {
        let _ = room.join_desktop(url);
    }
    room
}

/// Serves port 80 for ever, one connection after another.
pub fn listen<'a>(
    room: &'a Room<impl Board>,
    stack: Stack<'a>,
    slot: &'a mut Slot,
) -> impl Future<Output = Infallible> + 'a {
    #[cfg(feature = "deflate")]
    let compression = Compression::new(&slot.pool);
    #[cfg(not(feature = "deflate"))]
    let compression = core::marker::PhantomData;
    wirelet_embassy::listen(stack, 80, &mut slot.tcp, async move |socket, buffer| {
        serve::serve(room, compression, socket, buffer).await;
    })
}

/// Makes a function `spawn(Spawner, Stack<'static>, Room<BOARD>)` that starts all there is to do:
/// a task for each slot, one for the readings, one for the link. Tasks cannot be generic, so that
/// each board makes its own.
#[macro_export]
macro_rules! tasks {
    ($board:ty) => {
        fn spawn(
            spawner: ::embassy_executor::Spawner,
            stack: ::embassy_net::Stack<'static>,
            room: $crate::room::Room<$board>,
        ) {
            use ::static_cell::{ConstStaticCell, StaticCell};
            static ROOM: StaticCell<$crate::room::Room<$board>> = StaticCell::new();
            static LINK: ConstStaticCell<$crate::desktop::Link> =
                ConstStaticCell::new($crate::desktop::Link::new());
            static SLOTS: ConstStaticCell<[$crate::Slot; $crate::SLOTS]> =
                ConstStaticCell::new([const { $crate::Slot::new() }; $crate::SLOTS]);
            // No task runs before all are spawned, and this is called once.
            const ONCE: &str = "the tasks are spawned once";
            let room = &*ROOM.init(room);
            for slot in SLOTS.take() {
                spawner.spawn(listen(room, stack, slot).expect(ONCE));
            }
            spawner.spawn(read(room).expect(ONCE));
            spawner.spawn(link(room, stack, LINK.take()).expect(ONCE));
        }

        #[::embassy_executor::task(pool_size = $crate::SLOTS)]
        async fn listen(
            room: &'static $crate::room::Room<$board>,
            stack: ::embassy_net::Stack<'static>,
            slot: &'static mut $crate::Slot,
        ) {
            match $crate::listen(room, stack, slot).await {}
        }

        #[::embassy_executor::task]
        async fn read(room: &'static $crate::room::Room<$board>) {
            match room.tell_readings().await {}
        }

        #[::embassy_executor::task]
        async fn link(
            room: &'static $crate::room::Room<$board>,
            stack: ::embassy_net::Stack<'static>,
            link: &'static mut $crate::desktop::Link,
        ) {
            match link.keep(room, stack).await {}
        }
    };
}
