//! Compressed frames that break the rules, and some that only look as if they did, on real sockets.
//!
//! The server answers without compressing, so what comes back is judged by the naive receiver of the
//! tests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use wirelet::{Limits, Role};
use wirelet_tests::deflate_cases::{Case, LIMIT, all};
use wirelet_tests::frames::wire;
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Rules};

use crate::cargo;
use crate::job::{Job, Tally};

/// Each case is sent whole and in small pieces, to a server that lets messages refer to those
/// before, and to one that does not.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let echo = cargo::release_example(job, "echo")?;
    let mut tally = Tally::default();
    for takeover in [true, false] {
        let option = if takeover {
            "--deflate=takeover,threshold=1000000"
        } else {
            "--deflate=threshold=1000000"
        };
        let mut command = job.command(&echo);
        let limit = LIMIT.to_string();
        command.args(["0", "--max-message", &limit, option]);
        let (server, address) = job.serve(&mut command, "listening on ws://")?;
        for case in all(takeover) {
            for (at_once, how) in [(usize::MAX, "whole"), (PIECE, "in pieces")] {
                let result = send(&case, &address, at_once);
                let about = || format!("{}, {how}, {option}", case.name);
                tally.check(result.with_context(about));
            }
        }
        if let Err(error) = server.stop() {
            tally.failures.push(format!("{error:#}"));
        }
    }
    Ok(tally)
}

/// All that comes back until the server ends the connection: echoes, and one Close.
fn send(case: &Case, address: &str, at_once: usize) -> Result<()> {
    let mut stream = open(address, case.agreed)?;
    let bytes = wire(Role::Server, &case.frames);
    for piece in bytes.chunks(at_once) {
        // The server may have ended the connection before the last byte.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let mut came = Vec::new();
    let read = stream.read_to_end(&mut came);
    read.with_context(|| format!("no clean end behind byte {}", came.len()))?;
    let mut came = oracle::read(&CLIENT, &came);
    ensure!(
        came.end == End::Closed,
        "the server ends with {:?}",
        came.end
    );
    let code = match came.items.pop().map(|close| close.payload).as_deref() {
        Some([high, low, ..]) => u16::from_be_bytes([*high, *low]),
        _ => bail!("a Close without a code"),
    };
    let messages = came.items.into_iter().filter(|item| item.opcode < 8);
    let messages: Vec<_> = messages.map(|item| (item.opcode, item.payload)).collect();
    ensure!(
        messages == case.received,
        "{} echoes, or other ones; Close with {code}",
        messages.len()
    );
    ensure!(code == case.code, "Close with {code}, not {}", case.code);
    Ok(())
}

/// A WebSocket, with compression if it is `offered`.
fn open(address: &str, offered: bool) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).context("the server is gone")?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    let offer = if offered { OFFER } else { "" };
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    )?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).context("no answer")?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let agreed = head.contains("permessage-deflate");
    ensure!(head.starts_with("http/1.1 101 ") && agreed == offered);
    Ok(stream)
}

/// Bytes that are sent at once, when not all are.
const PIECE: usize = 5;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// What the client of these cases makes of what comes.
const CLIENT: Rules = Rules {
    role: Role::Client,
    limits: Limits::NONE,
    rsv1: false,
    room: None,
};

/// How long the server may be silent until a case fails.
const SILENCE: Duration = Duration::from_secs(20);
