//! What a connection wants, and the page.

use core::cell::Cell;

use heapless::String;
use serde::Serialize;
use wirelet_embassy::{AcceptError, Acceptor, Transport, Upgrade};

use crate::Board;
use crate::room::Room;
use crate::talk;

/// Serves one connection to its end.
pub async fn serve<T: Transport>(room: &Room<impl Board>, io: T, buffer: &mut [u8]) {
    let _counted = Counted::new(&room.connections);
    let acceptor = Acceptor::new();
    let Ok(upgrade) = acceptor.request(io, buffer).await else {
        return;
    };
    // One client that fails is no reason to do anything: the next one has the slot.
    let _ = route(room, upgrade).await;
}

async fn route<'b, T: Transport>(
    room: &Room<impl Board>,
    upgrade: Upgrade<'b, 'b, T>,
) -> Result<(), AcceptError<T::Error>> {
    let (path, method) = (upgrade.request().path(), upgrade.request().method());
    let reads = matches!(method, "GET" | "HEAD");
    match path {
        "/chat" => {
            let ws = upgrade.accept(&[]).await?;
            talk::talk(room, ws).await;
            Ok(())
        }
        "/echo" => {
            let mut ws = upgrade.accept(&[]).await?;
            let (mut rx, mut tx) = ws.halves();
            while let Ok(Some(())) = rx.forward(&mut tx).await {}
            Ok(())
        }
        "/" if reads => {
            let gzip = [("Content-Encoding", "gzip")];
            let html = "text/html; charset=utf-8";
            upgrade.respond(200, html, &gzip, PAGE).await
        }
        "/status" if reads => {
            let status = status(room);
            let json = "application/json";
            upgrade.respond(200, json, &[], status.as_bytes()).await
        }
        "/" | "/status" => upgrade.reject(405, "this is only read\n").await,
        _ => {
            let paths = "there are /, /chat, /echo and /status\n";
            upgrade.reject(404, paths).await
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
