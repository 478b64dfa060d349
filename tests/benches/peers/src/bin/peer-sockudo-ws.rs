//! `sockudo-ws`.

use futures_util::{FutureExt, SinkExt, StreamExt};
use peers::{BUFFER, MESSAGE, Mode, Result};
use sockudo_ws::{Config, Message, WebSocketStream};
use tokio::net::TcpStream;

fn main() -> Result<()> {
    peers::serve(connection)
}

async fn connection(mut tcp: TcpStream, mode: Mode) -> Result<()> {
    peers::upgrade(&mut tcp).await?;
    let config = match mode {
        Mode::Best => Config::builder()
            .max_message_size(MESSAGE)
            .max_frame_size(MESSAGE)
            .write_buffer_size(BUFFER)
            .build(),
        Mode::Readme => Config::default(),
    };
    let mut ws = WebSocketStream::server(tcp, config);
    while let Some(message) = ws.next().await {
        let mut message = message?;
        if mode == Mode::Readme {
            match message {
                Message::Text(_) | Message::Binary(_) => ws.send(message).await?,
                Message::Close(_) => break,
                _ => {}
            }
            continue;
        }
        loop {
            match message {
                Message::Text(_) | Message::Binary(_) => ws.feed(message).await?,
                Message::Close(_) => return Ok(()),
                _ => {}
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
