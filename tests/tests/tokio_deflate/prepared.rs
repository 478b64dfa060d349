//! One message for many connections.

use wirelet_tests::hostile::{Habits, pair};
use wirelet_tokio::{Deflate, Message, Prepared};

use crate::{both, open};

/// Between messages of their own, some of which refer to those before them.
#[tokio::test]
async fn goes_to_connections_of_every_kind() {
    let news = Prepared::text("what is new is news, and news is what is new. ".repeat(30));
    let own = "messages of its own refer to messages of its own. ".repeat(20);
    for (seed, (takeover, window)) in [false, true]
        .into_iter()
        .flat_map(|takeover| [8, 9, 12, 15].map(|window| (takeover, window)))
        .enumerate()
    {
        let io = pair(seed as u64, Habits::kind());
        let deflate = Deflate::new().threshold(0);
        let [mut client, mut server] = open(io, deflate, both(takeover, window));
        for _ in 0..3 {
            server.send(&own).await.unwrap();
            server.send_prepared(&news).await.unwrap();
            server.send_prepared(&news).await.unwrap();
            let sent = client.get_mut().unread();
            assert!(sent < own.len(), "compressed: {sent}");
            server.send(&own).await.unwrap();
            assert_eq!(client.recv().await.unwrap(), Some(Message::Text(&own)));
            for _ in 0..2 {
                assert_eq!(client.recv().await.unwrap(), Some(news.message()));
            }
            assert_eq!(client.recv().await.unwrap(), Some(Message::Text(&own)));
        }
    }
}

/// Equal is what says the same, whatever became of it.
#[tokio::test]
async fn equality_is_that_of_the_message() {
    let (one, other) = (
        Prepared::text("a".repeat(999)),
        Prepared::text("a".repeat(999)),
    );
    let [mut client, mut server] = open(pair(1, Habits::kind()), Deflate::new(), both(false, 15));
    server.send_prepared(&one).await.unwrap();
    assert_eq!(one, other);
    assert_ne!(one, Prepared::binary("a".repeat(999)));
    assert_eq!(client.recv().await.unwrap(), Some(other.message()));
}
