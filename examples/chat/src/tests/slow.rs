//! A client that does not keep up is dropped or told what it missed; the others do not notice.

use super::client::Member;
use super::{Server, messages};
use crate::feed::long_poll::QUEUE;
use crate::feed::websocket::BEHIND;
use crate::room::MAX_TEXT;

#[tokio::test]
async fn a_websocket_may_be_64_behind_but_not_65() {
    for (behind, kept) in [(BEHIND, true), (BEHIND + 1, false)] {
        let server = Server::start().await;
        let talker = Member::join(server.address, "talker", "poll").await;
        let mut ann = Member::join(server.address, "ann", "websocket").await;
        {
            // All at once: the connection cannot take anything in between.
            let mut room = server.room.lock();
            for number in 0..behind {
                room.say(&talker.token, &number.to_string()).unwrap();
            }
        }
        if kept {
            ann.until(behind as usize).await;
        } else {
            assert_eq!(
                ann.closed().await,
                (1013, "too slow: 65 messages behind".into())
            );
            assert_eq!(messages(&ann.entries), [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_websocket_that_is_not_read_is_dropped_and_holds_up_nobody() {
    let server = Server::start().await;
    let mut talker = Member::join(server.address, "talker", "websocket").await;
    let mut stuck = Member::join(server.address, "stuck", "websocket").await;
    talker.next().await;
    let long = "\u{1F600}".repeat(MAX_TEXT);
    let mut said = 0;
    // Until all buffers on the way are full, and 64 more. The talker sees each message at once.
    while server.room.lock().link(&stuck.token).is_ok() {
        talker.say(&long).await;
        said += 1;
        talker.until(said).await;
        assert!(
            said < 20_000,
            "the one that does not read has to be dropped at some time"
        );
    }
    let (code, reason) = stuck.closed().await;
    assert_eq!(code, 1013);
    assert!(
        reason.starts_with("too slow: ") && reason.ends_with(" messages behind"),
        "{reason}"
    );
    let got = messages(&stuck.entries).len();
    assert!(got < said, "{got} of {said}");
}

#[tokio::test]
async fn a_long_poll_queue_that_overflows_skips_to_the_newest_and_says_how_many() {
    let server = Server::start().await;
    let talker = Member::join(server.address, "talker", "poll").await;
    let mut ann = Member::join(server.address, "ann", "long-poll").await;
    for number in 0..QUEUE {
        server.say(&talker.token, &number.to_string());
    }
    ann.next().await;
    assert_eq!(
        (messages(&ann.entries).len(), ann.missed),
        (QUEUE, 0),
        "full is not too full"
    );

    for number in 0..=QUEUE {
        server.say(&talker.token, &format!("again {number}"));
    }
    ann.people.clear();
    ann.next().await;
    assert_eq!(messages(&ann.entries).len(), QUEUE + 1);
    assert_eq!(
        messages(&ann.entries).last().unwrap(),
        &format!("talker: again {QUEUE}")
    );
    assert_eq!(ann.missed, QUEUE as u64);
    assert_eq!(
        ann.people,
        ["ann", "talker"],
        "who missed entries cannot know who is here"
    );

    server.say(&talker.token, "and on");
    ann.next().await;
    assert_eq!(messages(&ann.entries).last().unwrap(), "talker: and on");
    assert_eq!(ann.missed, QUEUE as u64);
}

#[tokio::test]
async fn a_poll_that_comes_too_late_is_told_how_many_it_missed() {
    let server = Server::start().await;
    let talker = Member::join(server.address, "talker", "poll").await;
    let mut ann = Member::join(server.address, "ann", "poll").await;
    for number in 0..203 {
        server.say(&talker.token, &number.to_string());
    }
    ann.next().await;
    assert_eq!((messages(&ann.entries).len(), ann.missed), (200, 3));
    assert_eq!(ann.people, ["ann", "talker"]);
}
