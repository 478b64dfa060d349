//! A transport that holds back what it took until it is flushed, as TLS may.

use std::time::Duration;

use futures_util::SinkExt;
use tokio::io::{AsyncWriteExt, BufStream, DuplexStream, duplex};
use tokio::time::timeout;
use wirelet_tokio::{
    Acceptor, CloseCode, Config, Connector, Kind, Message, Prepared, Role, WebSocket,
};

/// Never reached: the clock only goes on when everybody waits, and then it is too late.
const NEVER: Duration = Duration::from_secs(1);

type Socket = WebSocket<BufStream<DuplexStream>>;

fn pair() -> (Socket, Socket) {
    let (client, server) = duplex(1 << 20);
    let of = |io, role| {
        let io = BufStream::with_capacity(1 << 18, 1 << 18, io);
        WebSocket::from_upgraded(io, role, &Config::default(), &[])
    };
    (of(client, Role::Client), of(server, Role::Server))
}

async fn expect(ws: &mut Socket, message: &[u8]) {
    let got = timeout(NEVER, ws.recv()).await.expect("it left").unwrap();
    assert_eq!(got, Some(Message::Binary(message)));
}

#[tokio::test(start_paused = true)]
async fn whatever_flushes_flushes_the_transport() {
    let (mut client, mut server) = pair();
    for payload in [vec![5; 3], vec![5; 100_000]] {
        client.send(&payload).await.unwrap();
        expect(&mut server, &payload).await;

        // Waiting for a message flushes what was fed.
        server.feed(&payload).await.unwrap();
        let (received, ()) = tokio::join!(timeout(NEVER, server.recv()), async {
            expect(&mut client, &payload).await;
            client.feed(&payload).await.unwrap();
            client.flush().await.unwrap();
        });
        let received = received.expect("it left").unwrap();
        assert_eq!(received, Some(Message::from(&payload)));

        let prepared = Prepared::binary(payload.clone());
        SinkExt::send(&mut server, prepared.clone()).await.unwrap();
        expect(&mut client, &payload).await;
        server.send_prepared(&prepared).await.unwrap();
        expect(&mut client, &payload).await;

        let mut writer = client.send_pieces(Kind::Binary, None).await.unwrap();
        writer.write_all(&payload).await.unwrap();
        writer.finish().await.unwrap();
        expect(&mut server, &payload).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pongs_and_closes_are_flushed() {
    let (mut client, mut server) = pair();
    let pinging = async {
        client.ping(b"are you there").await.unwrap();
        let closed = client.close(CloseCode::NORMAL, "").await;
        closed.unwrap();
    };
    let (received, ()) = timeout(NEVER, async { tokio::join!(server.recv(), pinging) })
        .await
        .expect("the Close frames left");
    assert_eq!(received.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn handshakes_are_flushed() {
    let (client, server) = duplex(1 << 20);
    let (acceptor, connector) = (Acceptor::new(), Connector::new());
    let accepting = acceptor.accept(BufStream::new(server));
    let connecting = connector.handshake(BufStream::new(client), "ws://example.com/");
    let both = async { tokio::join!(accepting, connecting) };
    let (server, client) = timeout(NEVER, both).await.expect("the heads left");
    assert!(server.is_ok() && client.is_ok());
}
