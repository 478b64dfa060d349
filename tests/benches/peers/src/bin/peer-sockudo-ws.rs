//! `sockudo-ws`.

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use peers::{BUFFER, MESSAGE, Mode, Result};
use sockudo_ws::deflate::negotiate_server_deflate;
use sockudo_ws::{
    CompressedWebSocketStream, Config, DeflateConfig, Error, Message, WebSocketStream,
};
use tokio::net::TcpStream;

fn main() -> Result<()> {
    match peers::takeover() {
        Some(takeover) => peers::listen(move |tcp| compressed(tcp, takeover)),
        None => peers::serve(connection),
    }
}

async fn connection(mut tcp: TcpStream, mode: Mode) -> Result<()> {
    peers::upgrade(&mut tcp).await?;
    match mode {
        Mode::Best => batched(WebSocketStream::server(tcp, config())).await,
        Mode::Readme => plain(WebSocketStream::server(tcp, Config::default())).await,
    }
}

/// As ours: level 1. The library compresses only in streams of this type, which hold a compressor
/// each: its `Compression::Shared` does not reach them.
async fn compressed(mut tcp: TcpStream, takeover: bool) -> Result<()> {
    let policy = DeflateConfig {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        compression_level: 1,
        ..DeflateConfig::default()
    };
    let mut agreed = None;
    peers::upgrade_extended(&mut tcp, |offers| {
        let negotiated = negotiate_server_deflate(offers, &policy)?;
        let answer = negotiated.to_response_header();
        agreed = Some(negotiated.config);
        Some(answer)
    })
    .await?;
    let agreed = agreed.ok_or("compression was not offered")?;
    batched(CompressedWebSocketStream::server(tcp, config(), agreed)).await
}

fn config() -> Config {
    Config::builder()
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .write_buffer_size(BUFFER)
        .build()
}

async fn plain(mut ws: WebSocketStream<TcpStream>) -> Result<()> {
    while let Some(message) = ws.next().await {
        match message? {
            message @ (Message::Text(_) | Message::Binary(_)) => ws.send(message).await?,
            Message::Close(_) => break,
            _ => {}
        }
    }
    Ok(())
}

async fn batched<S>(mut ws: S) -> Result<()>
where
    S: Stream<Item = sockudo_ws::Result<Message>> + Sink<Message, Error = Error> + Unpin,
{
    while let Some(message) = ws.next().await {
        let mut message = message?;
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
