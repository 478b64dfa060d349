//! Sends each message to every connection: ours. A message is made ready once, and the halves that
//! send stand in one list.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use wirelet_tokio::{OwnedSendHalf, Prepared};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
type SendHalf = OwnedSendHalf<tokio::net::tcp::OwnedWriteHalf>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let hub = hub();
    loop {
        let (tcp, _) = listener.accept().await?;
        tokio::spawn(subscribe(tcp, hub.clone()));
    }
}

/// What the hub is told.
enum News {
    Joined(SendHalf),
    Message(Prepared),
}

fn hub() -> mpsc::UnboundedSender<News> {
    let (sender, mut news) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut members: Vec<SendHalf> = Vec::new();
        while let Some(news) = news.recv().await {
            match news {
                News::Joined(member) => members.push(member),
                News::Message(message) => {
                    for member in &mut members {
                        let _ = member.send_prepared(&message).await;
                    }
                }
            }
        }
    });
    sender
}

async fn subscribe(tcp: TcpStream, hub: mpsc::UnboundedSender<News>) -> Result<()> {
    tcp.set_nodelay(true)?;
    let (mut rx, tx) = wirelet_tokio::accept(tcp).await?.split();
    hub.send(News::Joined(tx))?;
    while let Some(message) = rx.recv().await? {
        hub.send(News::Message(message.into()))?;
    }
    Ok(())
}
