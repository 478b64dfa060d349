//! From the traits of tokio to those of embedded Rust.

use std::future::poll_fn;
use std::pin::Pin;

use embedded_io_async::{ErrorType, Read, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A transport of the tests of the tokio adapter, in the traits of embedded Rust.
pub(crate) struct Io<S>(pub(crate) S);

impl<S> ErrorType for Io<S> {
    type Error = embedded_io_async::ErrorKind;
}

impl<S: AsyncRead + Unpin> Read for Io<S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        poll_fn(|cx| {
            let mut buf = ReadBuf::new(buf);
            let read = Pin::new(&mut self.0).poll_read(cx, &mut buf);
            read.map(|result| result.map(|()| buf.filled().len()))
        })
        .await
        .map_err(|error| error.kind().into())
    }
}

impl<S: AsyncWrite + Unpin> Write for Io<S> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        let written = poll_fn(|cx| Pin::new(&mut self.0).poll_write(cx, buf)).await;
        written.map_err(|error| error.kind().into())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        let flushed = poll_fn(|cx| Pin::new(&mut self.0).poll_flush(cx)).await;
        flushed.map_err(|error| error.kind().into())
    }
}
