//! `wtx`. It writes once a message; its transports are those it names, so a socket that collects
//! has to be one of them.

use std::io::IoSlice;

use peers::{Collecting, MESSAGE, Mode, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wtx::collection::Vector;
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::{OpCode, WebSocketAcceptor, WebSocketBuffer, WebSocketPayloadOrigin};

fn main() -> Result<()> {
    peers::serve(connection)
}

/// The same loop over two kinds of transport. As a generic function its future could not be sent to
/// the runtime: the traits of the transport do not promise it.
macro_rules! echo {
    ($stream:expr) => {{
        let acceptor = WebSocketAcceptor::default().wsb(WebSocketBuffer::new());
        let mut ws = acceptor.accept($stream).await?;
        ws.set_max_payload_len(MESSAGE);
        let mut pieces = Vector::new();
        let (mut common, mut reader, mut writer) = ws.split_mut();
        loop {
            let origin = WebSocketPayloadOrigin::Adaptive;
            let mut frame = reader.read_frame(&mut pieces, &mut common, origin).await?;
            match frame.op_code() {
                OpCode::Close => return Ok(()),
                OpCode::Text | OpCode::Binary => {
                    writer.write_frame(&mut common, &mut frame).await?
                }
                _ => {}
            }
            pieces.clear();
        }
    }};
}

async fn connection(tcp: TcpStream, mode: Mode) -> Result<()> {
    match mode {
        Mode::Best => echo!(Transport(Collecting::new(tcp))),
        Mode::Readme => echo!(tcp),
    }
}

struct Transport(Collecting);

impl StreamReader for Transport {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.0.read(bytes).await?)
    }
}

impl StreamWriter for Transport {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(self.0.write_all(bytes).await?)
    }

    async fn write_all_vectored(&mut self, bytes: &[&[u8]]) -> wtx::Result<()> {
        let mut slices = [IoSlice::new(&[]); 8];
        for (slice, bytes) in slices.iter_mut().zip(bytes) {
            *slice = IoSlice::new(bytes);
        }
        let mut rest = &mut slices[..bytes.len().min(8)];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let n = self.0.write_vectored(rest).await?;
            IoSlice::advance_slices(&mut rest, n);
        }
        Ok(())
    }
}
