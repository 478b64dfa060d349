//! `tokio-tungstenite`.

use futures_util::{FutureExt, SinkExt, StreamExt, TryStreamExt, future};
use peers::{BUFFER, MESSAGE, Mode, Result};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{accept_async, accept_async_with_config};

fn main() -> Result<()> {
    peers::serve(connection)
}

async fn connection(tcp: TcpStream, mode: Mode) -> Result<()> {
    match mode {
        Mode::Best => batched(tcp).await,
        Mode::Readme => {
            let (write, read) = accept_async(tcp).await?.split();
            let messages =
                read.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
            Ok(messages.forward(write).await?)
        }
    }
}

async fn batched(tcp: TcpStream) -> Result<()> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MESSAGE));
    let mut ws = accept_async_with_config(tcp, Some(config)).await?;
    while let Some(message) = ws.next().await {
        let mut message = message?;
        loop {
            if message.is_text() || message.is_binary() {
                ws.feed(message).await?;
            }
            match ws.next().now_or_never() {
                Some(Some(next)) => message = next?,
                Some(None) => return Ok(()),
                None => break,
            }
        }
        ws.flush().await?;
    }
    Ok(())
}

/// Bytes. Its default of 128 KiB is cleared before each read.
const READ: usize = 16 << 10;
