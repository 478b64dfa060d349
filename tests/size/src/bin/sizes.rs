//! The sizes of what a connection holds, as symbols of these sizes, for the symbol table.
#![no_std]
#![allow(non_upper_case_globals, reason = "they are names of rows")]
#![no_main]

use cortex_m_rt::entry;
use wirelet::handshake::{client, server};
use wirelet::{Connection, Inbox, Outbox, Receiver, Sender, Unmasked};
use wirelet_size::exit;

macro_rules! size {
    ($name:ident, $($type:ty),+) => {
        #[used]
        #[unsafe(no_mangle)]
        static $name: [u8; 0 $(+ size_of::<$type>())+] = [0; 0 $(+ size_of::<$type>())+];
    };
}

size!(size_of_receiver, Receiver);
size!(size_of_sender, Sender<Unmasked>);
size!(size_of_receiver_and_sender, Receiver, Sender<Unmasked>);
size!(size_of_connection, Connection);
size!(size_of_inbox, Inbox<[u8; 0]>);
size!(size_of_outbox, Outbox<[u8; 0], Unmasked>);
size!(
    size_of_receiver_sender_and_connection,
    Receiver,
    Sender<Unmasked>,
    Connection
);
size!(size_of_inbox_outbox_and_connection, Inbox<[u8; 0]>, Outbox<[u8; 0], Unmasked>, Connection);
size!(
    size_of_server_handshake,
    server::Handshake<'static, [u8; 0]>
);
size!(
    size_of_client_handshake,
    client::Handshake<'static, [u8; 0]>
);

#[entry]
fn main() -> ! {
    exit(true)
}
