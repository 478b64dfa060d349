//! The adapters, in the order in which the README names them; embassy's in each of its ways.

use std::cell::RefCell;
use std::fmt::Debug;

use wirelet::{Kind, Role};
use wirelet_embassy::{Buffered, MIN_ROOM, Transport};
use wirelet_tests::case::Subject;
use wirelet_tests::outcome::{Outcome, Rules};
use wirelet_tokio::Config;

use crate::bridge::Io;
use crate::clock;
use crate::line::{Line, Log, Pieces};
use crate::peer::{BINARY, TEXT};
use crate::ring::Rings;
use crate::said::{Said, check};

pub(crate) const ADAPTERS: [Subject; 5] = [
    |rules, input, cuts, want| judge("tokio", rules, input, cuts, want, on_tokio),
    |rules, input, cuts, want| judge("buffered", rules, input, cuts, want, on_buffered::<false>),
    |rules, input, cuts, want| {
        judge(
            "buffered pieces",
            rules,
            input,
            cuts,
            want,
            on_buffered::<true>,
        )
    },
    |rules, input, cuts, want| judge("rings", rules, input, cuts, want, on_rings::<false>),
    |rules, input, cuts, want| judge("ring pieces", rules, input, cuts, want, on_rings::<true>),
];

fn judge(
    name: &str,
    rules: &Rules,
    input: &[u8],
    cuts: &[usize],
    want: &Outcome,
    run: impl Fn(&Rules, &[u8], &[usize], &RefCell<Log>) -> Said,
) {
    // No adapter negotiates an extension in this way.
    if rules.rsv1 {
        return;
    }
    let log = RefCell::default();
    let said = run(rules, input, cuts, &log);
    let log = log.into_inner();
    let about = (name, rules, cuts);
    check(input, rules.role, want, false, &said, &log.wire, &about);
    log.assert_in_time(input, cuts, want);
}

fn config(rules: &Rules) -> Config {
    Config::default().limits(rules.limits)
}

fn on_tokio(rules: &Rules, input: &[u8], cuts: &[usize], log: &RefCell<Log>) -> Said {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    let line = Line::new(input, cuts, log);
    let receive = async {
        let mut ws = wirelet_tokio::WebSocket::from_upgraded(line, rules.role, &config(rules), &[]);
        let mut said = Said::default();
        let end = loop {
            match ws.recv().await {
                Ok(Some(wirelet_tokio::Message::Text(text))) => {
                    said.messages.push((TEXT, text.as_bytes().to_vec()));
                }
                Ok(Some(wirelet_tokio::Message::Binary(bytes))) => {
                    said.messages.push((BINARY, bytes.to_vec()));
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match end {
            Ok(()) => {}
            Err(wirelet_tokio::Error::Protocol(rule)) => said.rule = Some(rule),
            Err(wirelet_tokio::Error::Disconnected) => said.disconnected = true,
            Err(error) => panic!("{error:?}"),
        }
        said.closed = ws.closed().is_some();
        said
    };
    RUNTIME.with(|runtime| runtime.block_on(receive))
}

fn on_buffered<const PIECES: bool>(
    rules: &Rules,
    input: &[u8],
    cuts: &[usize],
    log: &RefCell<Log>,
) -> Said {
    let (mut rx, mut tx) = ([0; 300], [0; MIN_ROOM]);
    let line = Line::new(input, cuts, log);
    let io = Buffered::new(Io(line), &mut rx, &mut tx);
    clock::run(on_embassy(io, rules, PIECES, input.len()))
}

fn on_rings<const PIECES: bool>(
    rules: &Rules,
    input: &[u8],
    cuts: &[usize],
    log: &RefCell<Log>,
) -> Said {
    // A size for each cut, so that the rings wrap anywhere in the input.
    let sizes = (1 + cuts.first().map_or(0, |cut| cut % 13), MIN_ROOM);
    let sizes = if input.len() > 1_000 {
        (100 + sizes.0, sizes.1)
    } else {
        sizes
    };
    let io = Rings::new(Pieces::new(input, cuts), sizes, log);
    clock::run(on_embassy(io, rules, PIECES, input.len()))
}

async fn on_embassy<T: Transport<Error: Debug>>(
    io: T,
    rules: &Rules,
    pieces: bool,
    largest: usize,
) -> Said {
    let (mut buffer, mut random) = (vec![0; largest], || [1, 2, 3, 4]);
    let config = config(rules);
    let mut ws = match rules.role {
        Role::Server => wirelet_embassy::WebSocket::server(io, &config, &mut buffer),
        Role::Client => wirelet_embassy::WebSocket::client(io, &config, &mut buffer, &mut random),
    };
    let mut said = Said::default();
    let mut open = Vec::new();
    let end = loop {
        let next = if pieces {
            ws.recv_piece(|piece| {
                assert_eq!(piece.start, open.is_empty(), "the first piece, or no piece");
                // A byte in front, so that a message that has begun is not empty.
                if piece.start {
                    open.push(opcode(piece.kind));
                }
                open.extend_from_slice(piece.payload);
                piece.end
            })
            .await
        } else {
            let take = |message: wirelet_embassy::Message<'_>| {
                open.push(opcode(message.kind()));
                open.extend_from_slice(message.as_bytes());
                true
            };
            ws.recv().await.map(|message| message.map(take))
        };
        match next {
            Ok(Some(true)) => {
                said.messages.push((open[0], open[1..].to_vec()));
                open.clear();
            }
            Ok(Some(false)) => {}
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match end {
        Ok(()) => {}
        Err(wirelet_embassy::Error::Protocol(rule)) => said.rule = Some(rule),
        Err(wirelet_embassy::Error::Disconnected) => said.disconnected = true,
        Err(error) => panic!("{error:?}"),
    }
    said.closed = ws.closed().is_some();
    said
}

fn opcode(kind: Kind) -> u8 {
    match kind {
        Kind::Text => TEXT,
        Kind::Binary => BINARY,
    }
}
