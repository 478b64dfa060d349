//! What is posted arrives: everywhere, in order, once.

use axum::http::StatusCode;
use serde_json::json;

use super::client::Member;
use super::{Server, ids, messages, text};
use crate::history::HISTORY;

const WAYS: [&str; 3] = ["poll", "long-poll", "websocket"];

#[tokio::test]
async fn each_way_brings_what_each_way_posted_in_order_and_once() {
    let server = Server::start().await;
    let mut members = Vec::new();
    for way in WAYS {
        members.push(Member::join(server.address, way, way).await);
    }
    for round in 0..5 {
        for member in &mut members {
            member.say(&format!("number {round}")).await;
        }
    }
    let mut seen = Vec::new();
    for member in &mut members {
        member.until(15).await;
        let ids = ids(&member.entries);
        assert!(ids.is_sorted_by(|a, b| a < b), "{}: {ids:?}", member.name);
        assert_eq!(member.missed, 0);
        seen.push(messages(&member.entries));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
    for way in WAYS {
        let own: Vec<_> = seen[0]
            .iter()
            .filter(|line| line.starts_with(&format!("{way}:")))
            .collect();
        let expected: Vec<_> = (0..5)
            .map(|round| format!("{way}: number {round}"))
            .collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn who_joins_late_gets_the_last_200_messages() {
    let server = Server::start().await;
    let early = Member::join(server.address, "early", "poll").await;
    for number in 0..HISTORY + 5 {
        server.say(&early.token, &number.to_string());
        if number % 10 == 0 {
            // Comings and goings push no message out.
            let passer = Member::join(server.address, "passer", "poll").await;
            server.room.lock().leave(&passer.token);
        }
    }
    let expected: Vec<_> = (5..HISTORY + 5)
        .map(|number| format!("early: {number}"))
        .collect();
    for way in WAYS {
        let late = Member::join(server.address, &format!("late {way}"), way).await;
        assert_eq!(messages(&late.entries), expected, "{way}");
        assert_eq!(late.missed, 0, "who was not here missed nothing");
    }
}

#[tokio::test]
async fn joins_and_leaves_are_shown_and_people_are_listed() {
    let server = Server::start().await;
    let mut ann = Member::join(server.address, "ann", "websocket").await;
    let mut bob = Member::join(server.address, " Bob ", "long-poll").await;
    assert_eq!(ann.people, ["ann"]);
    assert_eq!(bob.people, ["ann", "Bob"]);
    ann.next().await;
    ann.vanish();
    bob.next().await;
    let told = |member: &Member| {
        let entries = member.entries.iter();
        entries
            .map(|entry| format!("{} {}", text(&entry["who"]), text(&entry["what"])))
            .collect()
    };
    let (told_ann, told_bob): (Vec<String>, Vec<String>) = (told(&ann), told(&bob));
    assert_eq!(told_ann, ["ann joined", "Bob joined"]);
    assert_eq!(told_bob, ["ann joined", "Bob joined", "ann left"]);
}

#[tokio::test]
async fn switching_the_way_loses_nothing_and_nobody_sees_it() {
    let server = Server::start().await;
    let talker = Member::join(server.address, "talker", "poll").await;
    let mut ann = Member::join(server.address, "ann", "poll").await;
    let token = ann.token.clone();
    let route = [
        "websocket",
        "long-poll",
        "websocket",
        "websocket",
        "poll",
        "long-poll",
        "poll",
    ];
    for (step, way) in route.into_iter().enumerate() {
        server.say(&talker.token, &format!("before {step}"));
        ann.be_fed_by(way).await;
        server.say(&talker.token, &format!("after {step}"));
        ann.until(2 * (step + 1)).await;
        assert_eq!(ann.token, token);
    }
    let expected = (0..route.len()).flat_map(|step| {
        [
            format!("talker: before {step}"),
            format!("talker: after {step}"),
        ]
    });
    assert_eq!(messages(&ann.entries), expected.collect::<Vec<_>>());
    assert!(ids(&ann.entries).is_sorted_by(|a, b| a < b));
    let comings = ann
        .entries
        .iter()
        .filter(|entry| entry["kind"] != "message")
        .count();
    assert_eq!(
        comings, 2,
        "both joined once, nobody left: {:?}",
        ann.entries
    );
}

#[tokio::test]
async fn an_answer_that_got_lost_is_given_again() {
    let server = Server::start().await;
    for way in ["poll", "long-poll"] {
        let mut ann = Member::join(server.address, way, way).await;
        server.say(&ann.token, "once");
        let http = super::client::Http::new(server.address);
        let path = format!("/{way}?after={}", ann.after());
        let (_, lost) = http.get(&path, &ann.token).await;
        ann.next().await;
        assert!(lost.contains("once"));
        assert_eq!(
            messages(&ann.entries).last().unwrap(),
            &format!("{way}: once")
        );
    }
}

#[tokio::test]
async fn a_second_connection_with_the_token_takes_over() {
    let server = Server::start().await;
    let mut ann = Member::join(server.address, "ann", "websocket").await;
    let mut again = Member::join(server.address, "bob", "websocket").await;
    again.token = ann.token.clone();
    again.name = "somebody else".into();
    again.vanish();
    again.be_fed_by("websocket").await;
    assert_eq!(ann.closed().await, (1000, "fed in another way now".into()));
    again.say("still here").await;
    again.until(1).await;
    assert_eq!(messages(&again.entries), ["ann: still here"]);
}

#[tokio::test]
async fn ids_of_another_run_of_the_server_do_not_confuse() {
    let first = Server::start().await;
    let mut ann = Member::join(first.address, "ann", "poll").await;
    first.say(&ann.token, "before");
    ann.next().await;
    let second = loop {
        // Ids start at the time: this run begins in a later millisecond, as any restart does.
        let server = Server::start().await;
        if server.room.lock().history.newest() > ann.after() {
            break server;
        }
    };
    let other = Member::join(second.address, "other", "poll").await;
    second.say(&other.token, "after");
    // The id is of the run before, the token of nobody: a new member, with all that was said.
    let http = super::client::Http::new(second.address);
    for after in [ann.after(), u64::MAX] {
        let wish = json!({ "name": after.to_string(), "feed": "poll", "token": ann.token, "after": after });
        let (status, body) = http.join(wish).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("\"after\""), "{body}");
        assert!(!body.contains("missed"), "{body}");
    }
}

/// A browser offers to compress. A long message is packed once for all who do.
#[tokio::test]
async fn long_messages_come_to_clients_that_compress() {
    use wirelet_tokio::{Connector, Deflate};
    let server = Server::start().await;
    let url = format!("ws://{}/ws", server.address);
    let connector = Connector::new().deflate(Deflate::new().takeover(true));
    let mut clients = Vec::new();
    for name in ["ann", "bob"] {
        let mut client = connector.connect(&url).await.unwrap();
        assert!(client.agreement().is_some());
        let join = json!({ "join": { "name": name } }).to_string();
        client.send(&join).await.unwrap();
        clients.push(client);
    }
    let plain = Member::join(server.address, "cleo", "websocket").await;
    let long = "again and again, ".repeat(20);
    let said = [long.trim_end(), "short", long.trim_end()];
    for line in said {
        server.say(&plain.token, line);
    }
    for client in &mut clients {
        let mut lines = said.iter();
        let mut wanted = lines.next();
        while let Some(line) = wanted {
            let message = client.recv().await.unwrap().unwrap();
            if message.as_text().unwrap().contains(&format!("{line:?}")) {
                wanted = lines.next();
            }
        }
    }
}
