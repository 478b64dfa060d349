use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use wirelet_tokio::{Acceptor, WebSocket};

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
        let acceptor = acceptor.clone();
        // One client that fails is no reason to stop, or to fill a log.
        tokio::spawn(async move {
            tcp.set_nodelay(true)?;
            let ws = acceptor.accept(tcp).await?;
            echo(ws).await
        });
    }
}

async fn echo(mut ws: WebSocket<TcpStream>) -> Result<()> {
    let (mut rx, mut tx) = ws.halves();
    while let Some(message) = rx.recv().await? {
        // Staged: it leaves when `recv` has nothing more to hand out, with all others of its batch.
        tx.feed(message).await?;
    }
    Ok(())
}
