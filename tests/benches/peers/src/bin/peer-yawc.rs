//! `yawc`.

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use peers::{BUFFER, MESSAGE, Mode, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use yawc::{CompressionLevel, DeflatePool, OpCode, Options, Role, WebSocket};

fn main() -> Result<()> {
    match peers::takeover() {
        Some(takeover) => {
            let options = compressing(takeover);
            peers::listen(move |tcp| compressed(tcp, options.clone()))
        }
        None => peers::serve(connection),
    }
}

async fn connection(tcp: TcpStream, mode: Mode) -> Result<()> {
    match mode {
        Mode::Best => batched(tcp).await,
        Mode::Readme => {
            let upgraded = service_fn(upgraded);
            let served = http1::Builder::new().serve_connection(TokioIo::new(tcp), upgraded);
            Ok(served.with_upgrades().await?)
        }
    }
}

/// Both modes check text, as the standard demands.
fn options() -> Options {
    Options::default()
        .without_compression()
        .with_utf8()
        .with_limits(MESSAGE, 2 * MESSAGE)
}

fn batching(options: Options) -> Options {
    options
        .with_read_buffer_capacity(BUFFER)
        .with_backpressure_boundary(BUFFER)
}

/// As ours: level 1, and whole windows, which it gives a client only if told so. Without takeover
/// connections share what compresses, as its documentation advises.
fn compressing(takeover: bool) -> Options {
    let options = batching(options())
        .with_compression_level(CompressionLevel::fast())
        .with_client_max_window_bits(15);
    if takeover {
        return options;
    }
    options
        .server_no_context_takeover()
        .client_no_context_takeover()
        .with_deflate_pool(DeflatePool::new(POOL))
}

/// The library negotiates only where hyper does the handshake.
async fn compressed(tcp: TcpStream, options: Options) -> Result<()> {
    let upgraded = service_fn(|request| upgraded_compressed(request, options.clone()));
    let served = http1::Builder::new().serve_connection(TokioIo::new(tcp), upgraded);
    Ok(served.with_upgrades().await?)
}

async fn upgraded_compressed(
    mut request: Request<Incoming>,
    options: Options,
) -> Result<Response<Empty<Bytes>>> {
    let (response, socket) = WebSocket::upgrade_with_options(&mut request, options)?;
    tokio::spawn(async move { echo(socket.await?).await });
    Ok(response)
}

async fn upgraded(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>> {
    let (response, socket) = WebSocket::upgrade_with_options(&mut request, options())?;
    tokio::spawn(async move {
        let mut ws = socket.await?;
        while let Some(frame) = ws.next().await {
            if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
                ws.send(frame).await?;
            }
        }
        Result::Ok(())
    });
    Ok(response)
}

async fn batched(mut tcp: TcpStream) -> Result<()> {
    peers::upgrade(&mut tcp).await?;
    let options = batching(options());
    echo(WebSocket::from_stream(tcp, Role::Server, options)?).await
}

async fn echo<S>(mut ws: WebSocket<S>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    loop {
        let mut frame = ws.next_frame().await?;
        loop {
            if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
                ws.feed(frame).await?;
            }
            match ws.next_frame().now_or_never() {
                Some(next) => frame = next?,
                None => break,
            }
        }
        ws.flush().await?;
    }
}

/// Compressors and decompressors kept. One thread has one message under way.
const POOL: usize = 1;
