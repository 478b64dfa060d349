//! `yawc`.

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use peers::{BUFFER, MESSAGE, Mode, Result};
use tokio::net::TcpStream;
use yawc::{OpCode, Options, Role, WebSocket};

fn main() -> Result<()> {
    peers::serve(connection)
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
    let options = options()
        .with_read_buffer_capacity(BUFFER)
        .with_backpressure_boundary(BUFFER);
    let mut ws = WebSocket::from_stream(tcp, Role::Server, options)?;
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
