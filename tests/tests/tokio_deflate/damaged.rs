//! Compressed frames that break the rules: a client is no more patient with them than a server.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wirelet::deflate::Agreement;
use wirelet::{Kind, Limits, Role, Timeouts};
use wirelet_tests::deflate_cases::{Case, LIMIT, all};
use wirelet_tests::frames::wire;
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Rules};
use wirelet_tokio::{Config, Deflate, Error, WebSocket};

use crate::both;

#[tokio::test]
async fn each_case_has_its_code_at_either_end() {
    for takeover in [false, true] {
        for (seed, case) in all(takeover).iter().enumerate() {
            for (role, other) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
                for habits in [Habits::default(), smooth()] {
                    let at = format!("{}, takeover {takeover}, {role:?}, {habits:?}", case.name);
                    let agreement = case.agreed.then(|| both(takeover, 15));
                    let talk = talk(case, role, agreement, seed as u64, habits);
                    let (received, error, came) = talk.await;
                    assert_eq!(received, case.received, "{at}");
                    let code = error.map_or(1000, |error| match error {
                        Error::Protocol(error) => error.close_code().get(),
                        other => panic!("{at}: {other}"),
                    });
                    assert_eq!(code, case.code, "{at}");
                    assert_eq!(close_code(other, &came, &at), case.code, "{at}");
                }
            }
        }
    }
}

/// What the application gets, how that ends, and what the peer reads.
async fn talk(
    case: &Case,
    role: Role,
    agreement: Option<Agreement>,
    seed: u64,
    habits: Habits,
) -> (Vec<(u8, Vec<u8>)>, Option<Error>, Vec<u8>) {
    let (peer, io) = pair(seed, habits);
    let timeouts = Timeouts::default().patient();
    let config = Config::default()
        .timeouts(timeouts)
        .max_message(LIMIT as u64);
    let mut ws = WebSocket::from_upgraded(io, role, &config, &[]);
    if let Some(agreement) = agreement {
        ws = ws.deflate(agreement, &Deflate::new());
    }
    let receive = async move {
        let mut received = Vec::new();
        loop {
            match ws.recv().await {
                Ok(Some(message)) => {
                    let opcode = match message.kind() {
                        Kind::Text => 1,
                        Kind::Binary => 2,
                    };
                    received.push((opcode, message.as_bytes().to_vec()));
                }
                Ok(None) => return (received, None),
                Err(error) => return (received, Some(error)),
            }
        }
    };
    let (mut reader, mut writer) = tokio::io::split(peer);
    let say = async {
        // The other end may have ended the connection before the last byte.
        let _ = writer.write_all(&wire(role, &case.frames)).await;
        let _ = writer.shutdown().await;
    };
    let mut came = Vec::new();
    let hear = reader.read_to_end(&mut came);
    let ((received, error), (), heard) = tokio::join!(receive, say, hear);
    heard.expect("a clean end");
    (received, error, came)
}

/// That of the one Close frame that came, behind nothing but Pongs.
fn close_code(role: Role, came: &[u8], at: &str) -> u16 {
    let rules = Rules {
        role,
        limits: Limits::NONE,
        rsv1: false,
        room: None,
    };
    let came = oracle::read(&rules, came);
    assert_eq!(came.end, End::Closed, "{at}");
    let (close, before) = came.items.split_last().expect("a Close");
    assert!(before.iter().all(|item| item.opcode == 10));
    u16::from_be_bytes([close.payload[0], close.payload[1]])
}

/// Everything at once.
fn smooth() -> Habits {
    Habits {
        read: usize::MAX,
        write: usize::MAX,
        pending: 0,
        capacity: 1 << 20,
        vectored: true,
    }
}
