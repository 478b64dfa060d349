//! A chat whose every window chooses how it is fed: by polling, by long polling or by WebSocket;
//! and which shows what each way costs.
//!
//! To be read in this order: this file wires; [`room`] is what all share; then, one file each,
//! [`feed::poll`], [`feed::long_poll`] and [`feed::websocket`].

use std::convert::Infallible;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::time::{interval, sleep};

use crate::room::Room;

mod costs;
mod feed;
mod history;
mod options;
mod page;
mod refusal;
mod room;
#[cfg(test)]
mod tests;

#[tokio::main]
async fn main() -> ExitCode {
    let listen = match options::listen() {
        Ok(Some(listen)) => listen,
        // Help was asked for, and given.
        Ok(None) => return ExitCode::SUCCESS,
        Err(fault) => return fail(2, &format!("{fault}; see --help")),
    };
    match run(&listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let line =
                format!("cannot serve on {listen}: {fault}; --listen chooses another address");
            fail(1, &line)
        }
    }
}

async fn run(listen: &str) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    // Before the address is out: whoever knows it may send a signal already.
    let stop = stop_signal()?;
    let greeting = format!(
        "http://{}\n\
         Open it in three windows, choose a different way in each, type, and look at the costs table.\n\
         Ctrl-C stops the server.\n",
        listener.local_addr()?
    );
    // Nobody who reads it is no reason not to serve.
    let _ = io::stdout().write_all(greeting.as_bytes());
    serve(listener, Room::new(), stop).await
}

/// Serves the room until `stop` is over, then ends everything in good order: long polls are
/// answered, WebSockets closed with 1001. Whoever does not take part in that has [`GOODBYE`].
async fn serve(
    listener: TcpListener,
    room: Arc<Room>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Messages are small and have to be there now: no waiting for more to fill a packet.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
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

/// Ends with Ctrl-C or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn fail(status: u8, line: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "chat: {line}");
    ExitCode::from(status)
}

/// How long clients have to take the last answers and to close, once the server stops.
const GOODBYE: Duration = Duration::from_secs(5);
