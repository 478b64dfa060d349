//! The chat over real sockets, without a browser. Where time matters the clock stands still and
//! is moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::room::Room;

mod client;
mod costs;
mod delivery;
mod limits;
mod shutdown;
mod slow;
mod time;

/// A server in this process.
struct Server {
    address: SocketAddr,
    room: Arc<Room>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let room = Room::new();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let done = tokio::spawn(crate::serve(listener, Arc::clone(&room), stopped));
        Self {
            address,
            room,
            stop,
            done,
        }
    }

    /// Posts for a member without a request.
    fn say(&self, token: &str, text: &str) {
        self.room.lock().say(token, text).unwrap();
    }
}

/// Who and what of the messages among these entries.
fn messages(entries: &[Value]) -> Vec<String> {
    let messages = entries.iter().filter(|entry| entry["kind"] == "message");
    messages
        .map(|entry| format!("{}: {}", text(&entry["who"]), text(&entry["what"])))
        .collect()
}

fn ids(entries: &[Value]) -> Vec<u64> {
    entries
        .iter()
        .map(|entry| entry["id"].as_u64().unwrap())
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
