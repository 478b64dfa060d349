//! Heads of opening handshakes, of either side, on their way.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wirelet::handshake::Progress;

/// Bytes of one read. A head mostly comes in one; a peer that does not go on with it costs no more than
/// this and the storage.
const READ: usize = 4 << 10;

/// Reads until `feed` has a complete head; what came behind it goes to `behind`.
pub(crate) async fn read<S, E>(
    io: &mut S,
    behind: &mut Vec<u8>,
    mut feed: impl FnMut(&[u8]) -> Result<Progress, E>,
) -> Result<(), E>
where
    S: AsyncRead + Unpin,
    E: From<io::Error>,
{
    let mut buffer = vec![0; READ];
    loop {
        let n = match io.read(&mut buffer).await {
            Ok(0) => break Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(n) => n,
            Err(error) => break Err(error.into()),
        };
        match feed(&buffer[..n]) {
            Ok(Progress {
                complete: false, ..
            }) => {}
            Ok(Progress { consumed, .. }) => {
                behind.extend_from_slice(&buffer[consumed..n]);
                break Ok(());
            }
            Err(error) => break Err(error),
        }
    }
}

pub(crate) async fn write<S: AsyncWrite + Unpin>(io: &mut S, bytes: &[u8]) -> io::Result<()> {
    io.write_all(bytes).await?;
    io.flush().await
}
