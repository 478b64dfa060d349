//! What a connection wants, and the page.

use core::cell::Cell;
use core::time::Duration;

use heapless::String;
use heapless::string::StringView;
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
    let now;
    let (status, content_type, headers, body) = match wish {
        Wish::Chat | Wish::Echo => {
            let chats = matches!(wish, Wish::Chat);
            // Not the echo: it passes what is larger than any memory here.
            #[cfg(feature = "deflate")]
            let upgrade = if chats {
                upgrade.deflate(compression)
            } else {
                upgrade
            };
            let Ok(mut ws) = upgrade.accept(&[]).await else {
                return;
            };
            if chats {
                talk::talk(room, &mut ws).await;
            } else {
                let (mut rx, mut tx) = ws.halves();
                while let Ok(Some(())) = rx.forward(&mut tx).await {}
            }
            return;
        }
        Wish::Page => (200, "text/html; charset=utf-8", GZIP, PAGE),
        Wish::Status => {
            now = status_of(room);
            (200, "application/json", &[][..], now.as_bytes())
        }
        Wish::Refused(status, why) => (status, TEXT, &[][..], why.as_bytes()),
    };
    let _ = upgrade.respond(status, content_type, headers, body).await;
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

fn status_of(room: &Room<impl Board>) -> String<160> {
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
    json(&status, out.as_mut_view());
    out
}

/// Writes JSON; nothing if it does not fit.
pub(crate) fn json(value: &impl Serialize, out: &mut StringView) {
    let mut bytes = [0; JSON];
    out.clear();
    let most = out.capacity().min(JSON);
    if let Ok(len) = serde_json_core::to_slice(value, &mut bytes[..most])
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

const GZIP: &[(&str, &str)] = &[("Content-Encoding", "gzip")];

const TEXT: &str = "text/plain; charset=utf-8";

/// Bytes of JSON at most: a name and a text in which hardly anything is escaped. What is longer is not
/// sent.
pub(crate) const JSON: usize = 384;

const PAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.html.gz"));
