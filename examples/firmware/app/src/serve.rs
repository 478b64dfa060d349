//! What a connection wants, and the page.

use core::cell::Cell;
use core::time::Duration;

use heapless::String;
use serde::Serialize;
use wirelet_embassy::handshake::server::Request;
use wirelet_embassy::{Acceptor, Config, Timeouts, Transport, Upgrade};

use crate::room::Room;
use crate::talk;
use crate::{Board, Compression};

/// Serves one connection to its end. One client that fails is no reason to do anything: the next
/// one has the slot.
pub async fn serve<T: Transport>(
    room: &Room<impl Board>,
    #[cfg_attr(not(feature = "deflate"), allow(unused))] compression: Compression<'_>,
    io: T,
    buffer: &mut [u8],
) {
    let _counted = Counted::new(&room.connections);
    let Some((upgrade, wish)) = ask(io, buffer).await else {
        return;
    };
    match wish {
        Wish::Chat => {
            // Not the echo: it passes what is larger than any memory here.
            #[cfg(feature = "deflate")]
            let upgrade = upgrade.deflate(compression);
            let Ok(mut ws) = upgrade.accept(&[]).await else {
                return;
            };
            talk::talk(room, &mut ws).await;
        }
        Wish::Echo => {
            let Ok(mut ws) = upgrade.accept(&[]).await else {
                return;
            };
            let (mut rx, mut tx) = ws.halves();
            while let Ok(Some(())) = rx.forward(&mut tx).await {}
        }
        Wish::Page => {
            let gzip = [("Content-Encoding", "gzip")];
            let html = "text/html; charset=utf-8";
            let _ = upgrade.respond(200, html, &gzip, PAGE).await;
        }
        Wish::Status => {
            let status = status(room);
            let json = "application/json";
            let _ = upgrade.respond(200, json, &[], status.as_bytes()).await;
        }
        Wish::Refused(status, why) => {
            let _ = upgrade.reject(status, why).await;
        }
    }
}

/// Reads a request. Apart from what follows, because what a future borrows it keeps to its end.
async fn ask<'p, 'b, T: Transport>(
    io: T,
    buffer: &'b mut [u8],
) -> Option<(Upgrade<'p, 'b, T>, Wish)> {
    // Few slots: who says nothing does not keep one for as long as a desktop's server would let it.
    let timeouts = Timeouts {
        handshake: Duration::from_secs(5),
        ..Timeouts::default()
    };
    let acceptor = Acceptor::new().config(Config::default().timeouts(timeouts));
    let upgrade = acceptor.request(io, buffer).await.ok()?;
    let wish = Wish::of(&upgrade.request());
    Some((upgrade, wish))
}

/// What a request asks for.
enum Wish {
    Chat,
    Echo,
    Page,
    Status,
    /// Nothing there is, with a status and the reason.
    Refused(u16, &'static str),
}

impl Wish {
    fn of(request: &Request<'_>) -> Self {
        match (request.path(), request.method()) {
            ("/chat", _) => Self::Chat,
            ("/echo", _) => Self::Echo,
            ("/", "GET" | "HEAD") => Self::Page,
            ("/status", "GET" | "HEAD") => Self::Status,
            ("/" | "/status", _) => Self::Refused(405, "this is only read\n"),
            _ => Self::Refused(404, "there are /, /chat, /echo and /status\n"),
        }
    }
}

fn status(room: &Room<impl Board>) -> String<160> {
    #[derive(Serialize)]
    struct Status {
        board: &'static str,
        uptime: u64,
        people: usize,
        connections: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack_free: Option<usize>,
    }
    let mut out = String::new();
    let status = Status {
        board: room.name(),
        uptime: room.read().uptime,
        people: room.count(),
        connections: room.connections.get(),
        stack_free: room.stack_free(),
    };
    json(&status, &mut out);
    out
}

/// Writes JSON; nothing if it does not fit.
pub(crate) fn json<const N: usize>(value: &impl Serialize, out: &mut String<N>) {
    let mut bytes = [0; N];
    out.clear();
    if let Ok(len) = serde_json_core::to_slice(value, &mut bytes)
        && let Ok(text) = core::str::from_utf8(&bytes[..len])
    {
        let _ = out.push_str(text);
    }
}

/// One more, while it lives.
struct Counted<'c>(&'c Cell<usize>);

impl<'c> Counted<'c> {
    fn new(count: &'c Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

const PAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.html.gz"));
