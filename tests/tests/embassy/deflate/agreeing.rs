//! What is agreed to, in both roles, and when a decoder is taken.

use wirelet::deflate::Context;
use wirelet::handshake::client::{self, DeflateError};
use wirelet::{Config, Role};
use wirelet_embassy::{
    AcceptError, Acceptor, Buffered, ConnectError, Connector, Deflate, DeflatePool, Error,
    WindowBits,
};
use wirelet_tests::frames::{Frame, wire};

use crate::clock::run;
use crate::io::{Io, cut, open};
use crate::steps::{End, Steps};

use super::{HELLO, SMALL, agreement, context};

const CHROMIUM: &str = "permessage-deflate; client_max_window_bits";
const FIREFOX: &str = "permessage-deflate";

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

fn request(offer: &str) -> Vec<u8> {
    let line = match offer {
        "" => String::new(),
        offer => format!("Sec-WebSocket-Extensions: {offer}\r\n"),
    };
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{line}\r\n"
    );
    head.into_bytes()
}

/// The line of the answer, or of the request, that is about extensions; all of them.
fn extensions(head: &[u8]) -> Vec<String> {
    let head = String::from_utf8_lossy(head);
    let head = head.split("\r\n\r\n").next().unwrap();
    let lines = head.lines();
    lines
        .filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "))
        .map(str::to_owned)
        .collect()
}

/// What a server with this option and a buffer of so many bytes answers, and what comes of a
/// compressed "Hello" behind the request.
fn ask(
    deflate: Option<Deflate<'_>>,
    offer: &str,
    room: usize,
) -> (Vec<String>, Option<Context>, Result<String, wirelet::Error>) {
    let behind = wire(Role::Server, &[Frame::new(0xc1, HELLO)]);
    let (mut io, log) = Steps::new([request(offer), behind].concat(), 50);
    io.reader.end = End::Eof;
    let (context, heard) = run(async {
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], vec![0; room]);
        let mut acceptor = Acceptor::new();
        if let Some(deflate) = deflate {
            acceptor = acceptor.deflate(deflate);
        }
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let mut ws = acceptor.accept(io, &mut buffer).await.unwrap();
        let context = ws.agreement().map(|agreed| agreed.client);
        let heard = match ws.recv().await {
            Ok(message) => Ok(message.unwrap().as_text().unwrap().to_owned()),
            Err(Error::Protocol(rule)) => Err(rule),
            Err(error) => panic!("{error:?}"),
        };
        (context, heard)
    });
    (extensions(&log.bytes()), context, heard)
}

#[test]
fn what_a_server_answers() {
    let pool = DeflatePool::<1>::new();
    let new = Deflate::new(&pool);
    let nine = new.window(bits(9));
    let small = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let limited = &format!("{small}; client_max_window_bits=9");
    let over = "permessage-deflate; server_no_context_takeover; client_max_window_bits=9";
    let none = (&[][..], None);
    for (name, deflate, offer, room, (answer, agreed)) in [
        ("no option", None, CHROMIUM, 512, none),
        ("no offer", Some(new), "", 512, none),
        (
            "another extension",
            Some(new),
            "x-webkit-deflate-frame",
            512,
            none,
        ),
        (
            "a bad offer",
            Some(new),
            "permessage-deflate; what",
            512,
            none,
        ),
        (
            "Chromium",
            Some(new),
            CHROMIUM,
            512,
            (&[small][..], Some(SMALL)),
        ),
        ("Firefox", Some(new), FIREFOX, 512, (&[small], Some(SMALL))),
        (
            "limited",
            Some(nine),
            CHROMIUM,
            512,
            (&[limited], Some(context(false, 9))),
        ),
        (
            "not limited",
            Some(nine),
            FIREFOX,
            512,
            (&[small], Some(SMALL)),
        ),
        (
            "takeover",
            Some(nine.takeover(true)),
            CHROMIUM,
            520,
            (&[over], Some(context(true, 9))),
        ),
        (
            "no room",
            Some(nine.takeover(true)),
            CHROMIUM,
            512,
            (&[limited], Some(context(false, 9))),
        ),
        (
            "not limited",
            Some(nine.takeover(true)),
            FIREFOX,
            520,
            (&[small], Some(SMALL)),
        ),
        (
            "32 KiB",
            Some(new.takeover(true)),
            FIREFOX,
            33_000,
            (
                &["permessage-deflate; server_no_context_takeover"],
                Some(context(true, 15)),
            ),
        ),
    ] {
        let (said, context, heard) = ask(deflate, offer, room);
        assert_eq!(
            (&said[..], context),
            (
                &answer.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                agreed
            ),
            "{name}"
        );
        // Without an agreement RSV1 means nothing (RFC 6455 section 5.2).
        let want = match agreed {
            Some(_) => Ok("Hello".to_owned()),
            None => Err(wirelet::Error::ReservedBit),
        };
        assert_eq!(heard, want, "{name}");
        assert_eq!(pool.free(), 1, "{name}");
    }
}

/// Whoever comes when no decoder is free goes without; one that is refused takes none; whenever the
/// handshake is dropped, it is given back.
#[test]
fn a_decoder_is_taken_in_the_handshake_and_comes_back() {
    let pool = DeflatePool::<1>::new();
    let acceptor = Acceptor::new().deflate(Deflate::new(&pool));
    run(async {
        let (one, log_one) = Steps::new(request(CHROMIUM), 100);
        let (two, log_two) = Steps::new(request(CHROMIUM), 100);
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], [0; 512]);
        let io = Buffered::new(Io(one), &mut rx, &mut tx);
        let first = acceptor.accept(io, &mut buffer).await.unwrap();
        assert_eq!(pool.free(), 0);
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], [0; 512]);
        let io = Buffered::new(Io(two), &mut rx, &mut tx);
        let second = acceptor.accept(io, &mut buffer).await.unwrap();
        assert!(first.agreement().is_some() && second.agreement().is_none());
        assert_eq!(extensions(&log_one.bytes()).len(), 1);
        assert_eq!(extensions(&log_two.bytes()).len(), 0);
        drop(first);
        assert_eq!(pool.free(), 1);
    });
    for polls in 0.. {
        let (io, _) = Steps::new(request(CHROMIUM), 30);
        let open = run(async {
            let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], [0; 512]);
            let io = Buffered::new(Io(io), &mut rx, &mut tx);
            let ws = cut(polls, acceptor.accept(io, &mut buffer)).await;
            assert!(pool.free() == usize::from(ws.is_none()));
            ws.is_some()
        });
        assert_eq!(pool.free(), 1);
        if open {
            assert!(polls > 8);
            break;
        }
    }
    let foreign = String::from_utf8(request(CHROMIUM)).unwrap();
    let foreign = foreign.replace("Host: a", "Host: a\r\nOrigin: http://evil.example");
    let (io, log) = Steps::new(foreign.into_bytes(), 100);
    run(async {
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], [0; 512]);
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let refused = acceptor.accept(io, &mut buffer).await;
        assert_eq!(refused.err(), Some(AcceptError::Origin));
    });
    assert_eq!((extensions(&log.bytes()).len(), pool.free()), (0, 1));
}

/// For one path and not for another.
#[test]
fn an_upgrade_decides_for_itself() {
    let pool = DeflatePool::<1>::new();
    let (io, log) = Steps::new(request(CHROMIUM), 100);
    run(async {
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], [0; 512]);
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let upgrade = Acceptor::new().request(io, &mut buffer).await.unwrap();
        let upgrade = upgrade.deflate(Deflate::new(&pool));
        let ws = upgrade.accept(&[]).await.unwrap();
        assert_eq!(ws.agreement().map(|agreed| agreed.client), Some(SMALL));
    });
    assert_eq!(extensions(&log.bytes()).len(), 1);
}

type Connected = Result<(Option<Context>, Result<String, wirelet::Error>), client::Error>;

/// What a client with this option asks for, and what comes of a server that answers with `lines`
/// and a compressed "Hello".
fn dial(deflate: Option<Deflate<'_>>, room: usize, lines: &str) -> (Vec<String>, Connected) {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{lines}\r\n"
    );
    let behind = wire(Role::Client, &[Frame::new(0xc1, HELLO)]);
    let (mut io, log) = Steps::new([head.as_bytes(), &behind].concat(), 40);
    io.reader.end = End::Eof;
    let connected = run(async {
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], vec![0; room]);
        // The nonce of RFC 6455 section 1.3.
        let mut nonce = b"the sample nonce".as_chunks::<4>().0.iter().cycle();
        let mut random = || *nonce.next().unwrap();
        let mut connector = Connector::new();
        if let Some(deflate) = deflate {
            connector = connector.deflate(deflate);
        }
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let ws = connector.handshake(io, "ws://a/", &mut buffer, &mut random);
        let mut ws = match ws.await {
            Ok(ws) => ws,
            Err(ConnectError::Handshake(error)) => return Err(error),
            Err(error) => panic!("{error:?}"),
        };
        let context = ws.agreement().map(|agreed| agreed.server);
        let heard = match ws.recv().await {
            Ok(message) => Ok(message.unwrap().as_text().unwrap().to_owned()),
            Err(Error::Protocol(rule)) => Err(rule),
            Err(error) => panic!("{error:?}"),
        };
        Ok((context, heard))
    });
    (extensions(&log.bytes()), connected)
}

#[test]
fn what_a_client_offers_and_which_answers_it_takes() {
    let pool = DeflatePool::<1>::new();
    let new = Deflate::new(&pool);
    let nine = new.window(bits(9));
    let least = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let limited = &format!("{least}; server_max_window_bits=9");
    let over = "permessage-deflate; client_no_context_takeover; server_max_window_bits=9";
    let (server, both) = ("server_no_context_takeover", "server_max_window_bits=9");
    let hello = |context| Ok((Some(context), Ok("Hello".to_owned())));
    let without = || Ok((None, Err(wirelet::Error::ReservedBit)));
    let refused = || Err(client::Error::Deflate(DeflateError::NotOffered));
    let answers = [
        (None, 512, &[][..], "", without()),
        (
            None,
            512,
            &[],
            "permessage-deflate",
            Err(client::Error::Extensions),
        ),
        (Some(new), 512, &[least], "", without()),
        (
            Some(new),
            512,
            &[least],
            &format!("permessage-deflate; {server}"),
            hello(SMALL),
        ),
        // It may compress with takeover: section 7.1.1.1 does not let it answer so.
        (Some(new), 512, &[least], "permessage-deflate", refused()),
        (Some(nine), 512, &[limited, least], "", without()),
        (
            Some(nine),
            512,
            &[limited, least],
            &format!("permessage-deflate; {server}"),
            hello(SMALL),
        ),
        (
            Some(nine),
            512,
            &[limited, least],
            &format!("permessage-deflate; {server}; {both}"),
            hello(context(false, 9)),
        ),
        (
            Some(nine),
            512,
            &[limited, least],
            &format!("permessage-deflate; {both}"),
            refused(),
        ),
        (
            Some(nine.takeover(true)),
            520,
            &[over, least],
            &format!("permessage-deflate; {both}"),
            hello(context(true, 9)),
        ),
        (
            Some(nine.takeover(true)),
            520,
            &[over, least],
            &format!("permessage-deflate; {server}"),
            hello(SMALL),
        ),
        (
            Some(nine.takeover(true)),
            520,
            &[over, least],
            "permessage-deflate",
            refused(),
        ),
        (
            Some(nine.takeover(true)),
            520,
            &[over, least],
            "permessage-deflate; server_max_window_bits=10",
            refused(),
        ),
        (
            Some(nine.takeover(true)),
            512,
            &[limited, least],
            &format!("permessage-deflate; {both}"),
            refused(),
        ),
    ];
    for (deflate, room, offers, answer, want) in answers {
        let line = match answer {
            "" => String::new(),
            answer => format!("Sec-WebSocket-Extensions: {answer}\r\n"),
        };
        let (offered, connected) = dial(deflate, room, &line);
        assert_eq!(offered, offers, "{answer}");
        assert_eq!(connected, want, "{offered:?} {answer}");
        assert_eq!(pool.free(), 1, "{answer}");
    }
    // No decoder is free: nothing is offered.
    let taken = new.window(bits(15));
    let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 139], [0; 64]);
    let io = Buffered::new(Io(Steps::new(vec![], 1).0), &mut rx, &mut tx);
    let ws = open(
        io,
        Role::Server,
        &Config::default(),
        &mut buffer,
        Box::leak(Box::new(|| [0; 4])),
    );
    let ws = ws.deflate(agreement(SMALL), &taken).unwrap();
    assert_eq!(dial(Some(new), 512, ""), (vec![], without()));
    drop(ws);
}

/// What the documentation says of the size of a request.
#[test]
fn the_bytes_of_the_offers() {
    let pool = DeflatePool::<1>::new();
    let offers = |deflate| {
        let lines = dial(Some(deflate), 512, "").0.into_iter();
        lines
            .map(|line| line.len() + "Sec-WebSocket-Extensions: \r\n".len())
            .sum::<usize>()
    };
    assert_eq!(offers(Deflate::new(&pool)), 102);
    assert_eq!(offers(Deflate::new(&pool).window(bits(10))), 231);
}
