//! What only time tells. The clock stands still and jumps when nothing else is to do.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use tokio::time::{Instant, advance};
use tower::ServiceExt;

use super::Server;
use super::client::{Member, connect, read_to_end};
use crate::feed::{long_poll, poll, websocket};
use crate::room::{Inside, Join, Link, Room};

const MOMENT: Duration = Duration::from_millis(1);

fn join(room: &Room, name: &str, link: Link) -> String {
    let join = Join {
        name: name.to_owned(),
        ..Join::default()
    };
    room.lock().join(join, link).unwrap().token
}

fn ask(path: &str, token: &str) -> Request<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_waits_30_seconds_for_news() {
    let room = Room::new();
    let ann = join(&room, "ann", Link::LongPoll(long_poll::Queue::default()));
    let after = room.lock().history.newest();
    let start = Instant::now();
    let request = ask(&format!("/long-poll?after={after}"), &ann);
    let answer = crate::routes(room).oneshot(request).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), long_poll::HOLD.as_secs());
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "{\"entries\":[]}");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_answered_when_something_comes() {
    let room = Room::new();
    let ann = join(&room, "ann", Link::LongPoll(long_poll::Queue::default()));
    let after = room.lock().history.newest();
    let request = ask(&format!("/long-poll?after={after}"), &ann);
    let answer = tokio::spawn(crate::routes(room.clone()).oneshot(request));
    advance(long_poll::HOLD - MOMENT).await;
    assert!(!answer.is_finished());
    let start = Instant::now();
    room.lock().say(&ann, "now").unwrap();
    let body = answer
        .await
        .unwrap()
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(String::from_utf8_lossy(&body).contains("\"what\":\"now\""));
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_leaves() {
    let queue = || Link::LongPoll(long_poll::Queue::default());
    for (link, silence) in [(Link::Poll, poll::SILENCE), (queue(), long_poll::SILENCE)] {
        let room = Room::new();
        let path = if matches!(link, Link::Poll) {
            "/poll"
        } else {
            "/long-poll"
        };
        let ann = join(&room, "ann", link);
        advance(silence).await;
        room.lock().sweep();
        // A request starts the time anew; this one has an answer at once, the join itself.
        let request = || ask(&format!("{path}?after=0"), &ann);
        let answer = crate::routes(room.clone())
            .oneshot(request())
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        room.lock().say(&ann, "so does a message").unwrap();
        advance(silence).await;
        room.lock().sweep();
        assert!(room.lock().link(&ann).is_ok());
        advance(MOMENT).await;
        room.lock().sweep();
        let answer = crate::routes(room.clone())
            .oneshot(request())
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        // The name is free again.
        join(&room, "ann", Link::Poll);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_finds_the_silent_by_itself() {
    let server = Server::start().await;
    let ann = join(&server.room, "ann", Link::Poll);
    let mut bell = server.room.lock().bell();
    while server.room.lock().link(&ann).is_ok() {
        bell.changed().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_that_does_not_join_is_closed() {
    let server = Server::start().await;
    let start = Instant::now();
    let mut socket = connect(server.address).await;
    let close = read_to_end(&mut socket).await.1.unwrap();
    assert_eq!(
        (u16::from(close.code), close.reason.as_str()),
        (1008, "no join in time")
    );
    assert!(start.elapsed() >= websocket::JOINING);
}

#[tokio::test(start_paused = true)]
async fn a_websocket_client_that_vanished_leaves() {
    let server = Server::start().await;
    // It is not read from any more, so no Ping is answered.
    let ann = Member::join(server.address, "ann", "websocket").await;
    let here = |room: &mut Inside| room.link(&ann.token).is_ok();
    let mut bell = server.room.lock().bell();
    while here(&mut server.room.lock()) {
        bell.changed().await.unwrap();
    }
    server.room.until(|room| room.connections == 0).await;
}
