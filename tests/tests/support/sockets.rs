//! Connections whose handshake is done, over memory and over real sockets.

use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpStream};
use wirelet_tokio::{Config, Role, WebSocket};

/// A connection in `role`, and the other end as bytes.
pub(crate) fn half_open(role: Role, config: Config) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 10);
    (WebSocket::from_upgraded(ours, role, &config, &[]), theirs)
}

/// Two ends of a real socket.
pub(crate) async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
    (one.unwrap(), other.unwrap().0)
}
