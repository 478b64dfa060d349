//! A chat whose every window chooses how it is fed: by polling, by long polling or by WebSocket;
//! and which shows what each way costs.
//!
//! To be read in this order: this file wires; `room` is what all share; then, one file each,
//! `feed::poll`, `feed::long_poll` and `feed::websocket`.

use std::convert::Infallible;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::Listener;
use tokio::time::{interval, sleep};

use crate::room::Room;

mod costs;
mod feed;
mod history;
mod page;
mod refusal;
mod room;
#[cfg(test)]
mod tests;

/// Serves a new room until `stop` is over, then ends everything in good order: long polls are
/// answered, WebSockets closed with 1001. Whoever does not take part in that has 5 seconds.
///
/// # Errors
/// The listener's.
pub async fn run(
    listener: impl Listener<Addr: Debug>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve(listener, Room::new(), stop).await
}

/// Whoever does not take part in the end has [`GOODBYE`].
async fn serve(
    listener: impl Listener<Addr: Debug>,
    room: Arc<Room>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stopping = Arc::clone(&room);
    let stop = async move {
        stop.await;
        stopping.lock().stop();
    };
    let server = axum::serve(listener, routes(Arc::clone(&room))).with_graceful_shutdown(stop);
    let all_closed = async {
        server.await?;
        // A connection that became a WebSocket is none of the HTTP server's any more.
        room.until(|room| room.connections == 0).await;
        Ok(())
    };
    let patience_is_over = async {
        room.until(|room| room.stopping).await;
        sleep(GOODBYE).await;
    };
    tokio::select! {
        done = all_closed => done,
        () = patience_is_over => Ok(()),
        never = sweep(&room) => match never {},
    }
}

fn routes(room: Arc<Room>) -> Router {
    let feeds = Router::new()
        .route("/join", post(feed::join))
        .route("/say", post(feed::say))
        .route("/leave", post(feed::leave))
        .route("/poll", get(feed::poll::poll))
        .route("/long-poll", get(feed::long_poll::long_poll))
        .route_layer(from_fn(costs::tell));
    Router::new()
        .route("/", get(page::page))
        .route("/ws", get(feed::websocket::websocket))
        .merge(feeds)
        .fallback((StatusCode::NOT_FOUND, "nothing here; the chat is at /\n"))
        .layer(DefaultBodyLimit::max(feed::MAX_BODY))
        .layer(map_response(harden))
        .with_state(room)
}

/// No answer here is worth keeping, and each is of the type it says.
async fn harden(mut response: Response) -> Response {
    // This one has no content.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Looks once a second for clients that vanished.
async fn sweep(room: &Room) -> Infallible {
    let mut tick = interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        room.lock().sweep();
    }
}

/// How long clients have to take the last answers and to close, once the server stops.
const GOODBYE: Duration = Duration::from_secs(5);
