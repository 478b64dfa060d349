//! `fastwebsockets`. It writes once a message and has no way to hold back; the best it can do is a
//! socket that collects.

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket, upgrade};
use http_body_util::Empty;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use peers::{Collecting, MESSAGE, Mode, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

fn main() -> Result<()> {
    peers::serve(connection)
}

async fn connection(mut tcp: TcpStream, mode: Mode) -> Result<()> {
    match mode {
        Mode::Best => {
            peers::upgrade(&mut tcp).await?;
            let mut ws = WebSocket::after_handshake(Collecting::new(tcp), Role::Server);
            ws.set_max_message_size(MESSAGE);
            ws.set_auto_close(true);
            ws.set_auto_pong(true);
            echo(ws).await
        }
        Mode::Readme => {
            let upgraded = service_fn(upgraded);
            let served = http1::Builder::new().serve_connection(TokioIo::new(tcp), upgraded);
            Ok(served.with_upgrades().await?)
        }
    }
}

async fn upgraded(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>> {
    let (response, socket) = upgrade::upgrade(&mut request)?;
    tokio::spawn(async move { echo(socket.await?).await });
    Ok(response)
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(ws: WebSocket<S>) -> Result<()> {
    let mut ws = FragmentCollector::new(ws);
    loop {
        let frame = ws.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
            _ => {}
        }
    }
}
