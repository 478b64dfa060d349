//! `tokio-websockets`.

use futures_util::{FutureExt, SinkExt, StreamExt};
use peers::{BUFFER, MESSAGE, Mode, Result};
use tokio::net::TcpStream;
use tokio_websockets::{Config, Limits, ServerBuilder};

fn main() -> Result<()> {
    peers::serve(connection)
}

async fn connection(tcp: TcpStream, mode: Mode) -> Result<()> {
    let builder = match mode {
        Mode::Best => ServerBuilder::new()
            .config(Config::default().flush_threshold(BUFFER))
            .limits(Limits::default().max_payload_len(Some(MESSAGE))),
        Mode::Readme => ServerBuilder::new(),
    };
    let (_, mut ws) = builder.accept(tcp).await?;
    let mut batch = Vec::new();
    while let Some(message) = ws.next().await {
        let mut message = message?;
        if mode == Mode::Readme {
            if message.is_text() || message.is_binary() {
                ws.send(message).await?;
            }
            continue;
        }
        // A poll for the next message writes what is staged, so all are collected first.
        loop {
            if message.is_text() || message.is_binary() {
                batch.push(message);
            }
            match ws.next().now_or_never() {
                Some(Some(next)) => message = next?,
                Some(None) => return Ok(()),
                None => break,
            }
        }
        for message in batch.drain(..) {
            ws.feed(message).await?;
        }
        ws.flush().await?;
    }
    Ok(())
}
