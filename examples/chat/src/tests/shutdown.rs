//! The end: everyone is told, nobody can delay it.

use axum::http::StatusCode;

use super::Server;
use super::client::{Http, Member, connect, read_to_end};
use crate::room::MAX_TEXT;

#[tokio::test]
async fn long_polls_are_answered_and_websockets_closed_with_1001() {
    let server = Server::start().await;
    let mut ann = Member::join(server.address, "ann", "websocket").await;
    let bob = Member::join(server.address, "bob", "long-poll").await;
    let _cat = Member::join(server.address, "cat", "poll").await;
    let mut stranger = connect(server.address).await;
    let http = Http::new(server.address);
    let path = format!("/long-poll?after={}", server.room.lock().history.newest());
    let held = tokio::spawn(async move { http.get(&path, &bob.token).await });
    // Held: it waits at the bell, with the server's end and the connections.
    let waiting = server.room.lock().waiting();
    while server.room.lock().waiting() == waiting {
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    let (status, line) = held.await.unwrap();
    assert_eq!(
        (status, line.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n")
    );
    assert_eq!(ann.closed().await, (1001, "going away".into()));
    assert_eq!(
        u16::from(read_to_end(&mut stranger).await.1.unwrap().code),
        1001
    );
    server.done.await.unwrap().unwrap();
    assert_eq!(server.room.lock().connections, 0);
    tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_does_not_hold_up_the_end() {
    let server = Server::start().await;
    let talker = Member::join(server.address, "talker", "poll").await;
    let mut stuck = Member::join(server.address, "stuck", "websocket").await;
    let long = "\u{1F600}".repeat(MAX_TEXT);
    while server.room.lock().link(&stuck.token).is_ok() {
        server.room.lock().say(&talker.token, &long).unwrap();
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    server.done.await.unwrap().unwrap();
    stuck.vanish();
}
