//! A TCP echo server on every socket: what exercises the drivers.

use board_rp2040::uart;
use embassy_futures::join::join_array;
use embassy_net::Stack;
use embassy_net::tcp::{Error, TcpSocket};
use embassy_time::Duration;

/// Memory of the sockets.
pub(crate) struct Resources([Socket; SOCKETS]);

struct Socket {
    receive: [u8; BUFFER],
    send: [u8; BUFFER],
}

impl Resources {
    pub(crate) const fn new() -> Resources {
        Resources(
            [const {
                Socket {
                    receive: [0; BUFFER],
                    send: [0; BUFFER],
                }
            }; SOCKETS],
        )
    }
}

/// Serves for ever.
pub(crate) async fn run(stack: Stack<'_>, resources: &mut Resources) -> ! {
    join_array(resources.0.each_mut().map(|socket| serve(stack, socket))).await;
    unreachable!("serving never ends")
}

async fn serve(stack: Stack<'_>, memory: &mut Socket) -> ! {
    let mut socket = TcpSocket::new(stack, &mut memory.receive, &mut memory.send);
    socket.set_timeout(Some(Duration::from_secs(10)));
    loop {
        if let Err(error) = socket.accept(PORT).await {
            uart::line(format_args!("accept: {error:?}"));
        } else if echo(&mut socket).await.is_ok() {
            socket.close();
            // An error is a reset by the peer: it ends the connection as well.
            let _ = socket.flush().await;
        }
        // Whatever is left of the connection, the socket can listen again.
        socket.abort();
        let _ = socket.flush().await;
    }
}

/// Sends back what comes, until the peer sends no more.
async fn echo(socket: &mut TcpSocket<'_>) -> Result<(), Error> {
    let mut bytes = [0; 512];
    loop {
        let length = socket.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        let mut rest = &bytes[..length];
        while !rest.is_empty() {
            let written = socket.write(rest).await?;
            rest = &rest[written..];
        }
    }
}

/// Where it listens.
pub(crate) const PORT: u16 = 80;

/// Connections at once.
pub(crate) const SOCKETS: usize = 4;

/// Bytes of each socket's buffers.
const BUFFER: usize = 2048;
