//! Messages that are larger than the memory for them.

use tokio::io::AsyncWriteExt;
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::Frame;
use wirelet_tokio::{CloseCode, Config, Error, Kind, Prepared, Role, WebSocket};

use crate::forms::{FORMS, Form, in_form};
use crate::peer::{self, BINARY, CLOSE, TEXT, other};
use crate::steps::{End, Steps};

/// A message in pieces that was begun and dropped stays open: nothing can be sent but a Close.
#[tokio::test(start_paused = true)]
async fn after_an_unfinished_message_only_a_close_can_follow() {
    for role in ROLES {
        for form in FORMS {
            for kind in [Kind::Text, Kind::Binary] {
                unfinished(role, form, kind).await;
            }
        }
    }
}

async fn unfinished(role: Role, form: Form, kind: Kind) {
    let answer = Frame::new(0x88, peer::close(1000, "")).to(role).bytes();
    let (mut io, log) = Steps::new(answer, usize::MAX);
    io.reader.end = End::Eof;
    let ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
    let large = vec![b'x'; 20_000];
    macro_rules! body {
        ($rx:ident, $tx:ident) => {{
            let mut writer = $tx.send_pieces(kind, None).await.unwrap();
            writer.write_all(b"begun").await.unwrap();
            writer.flush().await.unwrap();
            drop(writer);
            let refused = [
                $tx.feed("text").await,
                $tx.feed(b"binary").await,
                $tx.send(&large).await,
                $tx.feed_prepared(&Prepared::text("text")).await,
                $tx.send_prepared(&Prepared::binary(large.clone())).await,
                $tx.send_pieces(Kind::Text, None).await.map(drop),
                $tx.send_pieces(Kind::Binary, None).await.map(drop),
                $tx.send_pieces(Kind::Text, Some(3)).await.map(drop),
                $tx.send_pieces(Kind::Binary, Some(3)).await.map(drop),
            ];
            for (i, refused) in refused.iter().enumerate() {
                assert!(matches!(refused, Err(Error::Send(_))), "{i}: {refused:?}");
            }
            $tx.ping(b"control frames may").await.unwrap();
            $tx.close(CloseCode::NORMAL, "").await.unwrap();
            assert!(matches!($rx.recv().await, Ok(None)));
        }};
    }
    in_form!(form, ws, Steps::split, body);
    let wire = peer::read(other(role), &log.bytes());
    let opcode = if kind == Kind::Text { TEXT } else { BINARY };
    assert_eq!(wire.open, Some((opcode, b"begun".to_vec())));
    assert_eq!(wire.items[1..], [(CLOSE, peer::close(1000, ""))]);
}
