//! What is refused: with a 4xx or 503 and one clear line, and nothing is lost by it.

use axum::http::StatusCode;
use serde_json::json;

use super::client::{Http, Member, connect, read, write};
use super::{Server, messages};
use crate::feed::MAX_BODY;
use crate::refusal::Refusal;
use crate::room::{Join, Link, MAX_CLIENTS, MAX_NAME, MAX_TEXT};

/// One line, with an end.
fn assert_line(body: &str) {
    assert!(
        body.len() > 10 && body.trim_end().lines().count() == 1,
        "{body:?}"
    );
}

#[tokio::test]
async fn names() {
    let server = Server::start().await;
    let http = Http::new(server.address);
    let name = |name: &str| http.join(json!({ "name": name, "feed": "poll" }));
    for bad in ["", "   ", "tab\there", &"x".repeat(MAX_NAME + 1)] {
        let (status, line) = name(bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad:?}");
        assert_line(&line);
    }
    for good in ["x", &format!("  {}  ", "é".repeat(MAX_NAME)), "Ann Lee"] {
        assert_eq!(name(good).await.0, StatusCode::OK, "{good:?}");
    }
    for taken in ["x", "X", " ann lee "] {
        let (status, line) = name(taken).await;
        assert_eq!(status, StatusCode::CONFLICT, "{taken:?}");
        assert!(line.contains("taken"), "{line}");
        assert_line(&line);
    }
}

#[tokio::test]
async fn a_taken_name_is_told_on_a_websocket_which_stays_open_for_another_try() {
    let server = Server::start().await;
    let _ann = Member::join(server.address, "ann", "poll").await;
    let mut socket = connect(server.address).await;
    read(&mut socket).await.unwrap();
    write(&mut socket, &json!({ "join": { "name": "ann" } })).await;
    let answer = read(&mut socket).await.unwrap();
    assert_eq!(answer["error"]["status"], 409);
    assert!(super::text(&answer["error"]["line"]).contains("taken"));
    write(&mut socket, &json!({ "join": { "name": "bob" } })).await;
    assert_eq!(read(&mut socket).await.unwrap()["welcome"]["name"], "bob");
}

#[tokio::test]
async fn messages_have_a_length() {
    let server = Server::start().await;
    let http = Http::new(server.address);
    let mut ann = Member::join(server.address, "ann", "poll").await;
    let say = |text: String| {
        let body = json!({ "text": text }).to_string();
        let (http, token) = (&http, &ann.token);
        async move { http.post("/say", token, &body).await }
    };
    for bad in ["".to_owned(), " \n ".to_owned(), "x".repeat(MAX_TEXT + 1)] {
        let (status, line) = say(bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_line(&line);
    }
    // Four bytes each: it is characters that count.
    let longest = "\u{1F600}".repeat(MAX_TEXT);
    assert_eq!(say(longest.clone()).await.0, StatusCode::OK);
    assert_eq!(
        say("x".repeat(MAX_BODY)).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    ann.next().await;
    assert_eq!(messages(&ann.entries), [format!("ann: {longest}")]);
}

#[tokio::test]
async fn the_longest_message_fits_even_if_all_of_it_is_escaped() {
    let server = Server::start().await;
    let ann = Member::join(server.address, "ann", "poll").await;
    let body = format!("{{\"text\":\"{}\"}}", "\\ud83d\\ude00".repeat(MAX_TEXT));
    let (status, line) = Http::new(server.address)
        .post("/say", &ann.token, &body)
        .await;
    assert_eq!(status, StatusCode::OK, "{line}");
}

#[tokio::test]
async fn bad_requests_get_one_line_and_the_member_stays() {
    let server = Server::start().await;
    let http = Http::new(server.address);
    let mut ann = Member::join(server.address, "ann", "long-poll").await;
    let token = ann.token.as_str();
    let refused = [
        (http.post("/say", token, "{\"text\":").await, 400),
        (http.post("/say", token, "[1]").await, 400),
        (http.post("/say", token, "{}").await, 400),
        (http.post("/say", token, "").await, 400),
        (http.post("/say", "0123", "{\"text\":\"x\"}").await, 401),
        (http.post("/say", "", "{\"text\":\"x\"}").await, 401),
        (
            http.post("/join", "", "{\"name\":\"bob\",\"feed\":\"pigeon\"}")
                .await,
            400,
        ),
        (
            http.post("/join", "", "{\"name\":\"bob\",\"feed\":\"websocket\"}")
                .await,
            400,
        ),
        (http.get("/long-poll?after=-1", token).await, 400),
        (http.get("/long-poll?after=x", token).await, 400),
        (http.get("/long-poll?after=0", "0123").await, 401),
        (http.get("/poll?after=0", token).await, 409),
        (http.get("/poll?after=0", "").await, 401),
        (http.get("/nowhere", token).await, 404),
    ];
    for ((status, line), expected) in refused {
        assert_eq!(status.as_u16(), expected, "{line}");
        assert_line(&line);
    }
    // Fields that nobody knows are no fault.
    let body = "{\"text\":\"still here\",\"colour\":\"blue\"}";
    assert_eq!(http.post("/say", token, body).await.0, StatusCode::OK);
    ann.next().await;
    assert_eq!(messages(&ann.entries), ["ann: still here"]);
}

#[tokio::test]
async fn bad_websocket_messages_get_one_line_and_the_connection_stays() {
    let server = Server::start().await;
    let mut socket = connect(server.address).await;
    read(&mut socket).await.unwrap();
    let bad = [
        json!({ "say": "first" }),
        json!([1]),
        json!({ "join": {} }),
        json!({ "join": 7 }),
    ];
    for message in bad {
        write(&mut socket, &message).await;
        let answer = read(&mut socket).await.unwrap();
        assert_eq!(answer["error"]["status"], 400, "{message}");
        assert_line(super::text(&answer["error"]["line"]));
    }
    write(
        &mut socket,
        &json!({ "join": { "name": "ann", "colour": 1 }, "mood": 2 }),
    )
    .await;
    assert_eq!(read(&mut socket).await.unwrap()["welcome"]["name"], "ann");
    for (message, status) in [
        (json!({ "join": { "name": "bob" } }), 400),
        (json!({ "say": "" }), 422),
        (json!({ "say": "x".repeat(MAX_TEXT + 1) }), 422),
        (json!({ "say": 1 }), 400),
    ] {
        write(&mut socket, &message).await;
        assert_eq!(
            read(&mut socket).await.unwrap()["error"]["status"],
            status,
            "{message}"
        );
    }
    write(&mut socket, &json!({ "say": "still here" })).await;
    assert!(read(&mut socket).await.unwrap()["said"]["id"].is_u64());
    assert_eq!(read(&mut socket).await.unwrap()["what"], "still here");
}

#[tokio::test]
async fn a_websocket_message_over_the_limit_of_a_body_is_1009() {
    let server = Server::start().await;
    let mut ann = Member::join(server.address, "ann", "websocket").await;
    ann.say(&"x".repeat(MAX_BODY)).await;
    assert_eq!(ann.closed().await.0, 1009);
    server.room.until(|room| room.connections == 0).await;
    assert_eq!(
        server.room.lock().say(&ann.token, "x").unwrap_err(),
        Refusal::Token
    );
}

#[tokio::test]
async fn a_full_room_is_503_whichever_way_one_comes() {
    let server = Server::start().await;
    for number in 0..MAX_CLIENTS {
        let join = Join {
            name: number.to_string(),
            ..Join::default()
        };
        server.room.lock().join(join, Link::Poll).unwrap();
    }
    let http = Http::new(server.address);
    for way in ["poll", "long-poll"] {
        let (status, line) = http.join(json!({ "name": "one more", "feed": way })).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(line.contains("full"), "{line}");
        assert_line(&line);
    }
    let mut socket = connect(server.address).await;
    read(&mut socket).await.unwrap();
    write(&mut socket, &json!({ "join": { "name": "one more" } })).await;
    assert_eq!(read(&mut socket).await.unwrap()["error"]["status"], 503);
}

#[tokio::test]
async fn connections_that_do_not_join_are_bounded_too() {
    let server = Server::start().await;
    let mut sockets = Vec::new();
    for _ in 0..MAX_CLIENTS {
        sockets.push(connect(server.address).await);
    }
    let address = format!("ws://{}/ws", server.address);
    let refused = tokio_tungstenite::connect_async(&address)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("503"), "{refused}");
    sockets.pop();
    server
        .room
        .until(|room| room.connections < MAX_CLIENTS)
        .await;
    tokio_tungstenite::connect_async(&address).await.unwrap();
}

#[tokio::test]
async fn the_page_may_run_nothing_but_its_own_script() {
    let server = Server::start().await;
    let http = Http::new(server.address);
    let (status, page) = http.get("/", "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(!page.contains("{{nonce}}"));
    let nonce = page
        .split("<script nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let (_, again) = http.get("/", "").await;
    assert!(
        nonce.len() == 32 && !again.contains(nonce),
        "a new one for each visit"
    );
}
