use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use wirelet_tokio::Acceptor;

use crate::Result;

/// Serves until the process ends.
pub(crate) async fn run(port: u16, acceptor: Acceptor) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    println!("listening on ws://{}", listener.local_addr()?);
    let acceptor = Arc::new(acceptor);
    loop {
        let (tcp, _) = listener.accept().await?;
        // One client that fails is no reason to stop, or to fill a log.
        tokio::spawn(echo(tcp, acceptor.clone()));
    }
}

async fn echo(tcp: TcpStream, acceptor: Arc<Acceptor>) -> Result<()> {
    tcp.set_nodelay(true)?;
    let mut ws = acceptor.accept(tcp).await?;
    let (mut rx, mut tx) = ws.halves();
    while let Some(message) = rx.recv().await? {
        // Staged: it leaves when `recv` has nothing more to hand out, with all others of its batch.
        tx.feed(message).await?;
    }
    Ok(())
}
