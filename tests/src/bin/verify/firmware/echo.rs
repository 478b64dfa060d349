//! The board sends back what it gets, on as many connections as it has sockets, whatever happened
//! on them before.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddrV4, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::board::Board;
use crate::job::{Job, Tally};

/// Each line of the list is one check.
pub(crate) fn run(_: &Job, board: &mut Board) -> Result<Tally> {
    let address = board.address();
    let mut tally = Tally::default();
    let mut check = |name: &str, result: Result<()>| match result {
        Ok(()) => tally.passed += 1,
        Err(error) => tally.failures.push(format!("{name}: {error:#}")),
    };
    check("a large amount", echo_once(address, 0, LARGE));
    check("all sockets at once", all_at_once(address));
    check(
        "connections in turn",
        (0..IN_TURN).try_for_each(|seed| echo_once(address, seed, SMALL)),
    );
    check(
        "resets in the middle",
        (0..RESETS).try_for_each(|_| reset(address)),
    );
    check("all sockets after the resets", all_at_once(address));
    Ok(tally)
}

fn echo_once(address: SocketAddrV4, seed: u32, length: usize) -> Result<()> {
    echo(connect(address)?, seed, length)
}

/// Each socket has a connection before the first of them is used.
fn all_at_once(address: SocketAddrV4) -> Result<()> {
    let streams = (0..SOCKETS)
        .map(|_| connect_again(address))
        .collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let echoes: Vec<_> = (0..)
            .zip(streams)
            .map(|(seed, stream)| scope.spawn(move || echo(stream, seed, LARGE)))
            .collect();
        echoes.into_iter().try_for_each(|echo| {
            echo.join()
                .unwrap_or_else(|_| Err(anyhow!("a connection panicked")))
        })
    })
}

/// Sends `length` bytes and reads them back, while they are sent. Then both sides close.
fn echo(mut stream: TcpStream, seed: u32, length: usize) -> Result<()> {
    let sent = pattern(seed, length);
    let mut received = Vec::new();
    thread::scope(|scope| {
        let mut writer = stream.try_clone()?;
        let writing = scope.spawn(move || {
            writer.write_all(&sent)?;
            writer.shutdown(Shutdown::Write)?;
            Ok::<_, std::io::Error>(sent)
        });
        let reading = stream.read_to_end(&mut received);
        let sent = writing
            .join()
            .map_err(|_| anyhow!("the writer panicked"))?
            .context("cannot write")?;
        reading.with_context(|| format!("cannot read behind byte {}", received.len()))?;
        if received != sent {
            bail!(
                "{} of {length} bytes came back, or other ones",
                received.len()
            );
        }
        Ok(())
    })
}

/// Goes away while bytes are under way. A socket that closes with bytes unread sends a reset.
fn reset(address: SocketAddrV4) -> Result<()> {
    let mut stream = connect(address)?;
    stream
        .write_all(&pattern(0, SMALL))
        .context("cannot write")?;
    // One byte was read, so the board is in the middle of it.
    stream.read_exact(&mut [0]).context("cannot read")
}

/// A connection that has sent back a byte. The board's network stack has no queue of connections:
/// who comes between the end of one and the next listening is refused, and has to come again.
fn connect_again(address: SocketAddrV4) -> Result<TcpStream> {
    let deadline = Instant::now() + SILENCE;
    loop {
        let mut stream = connect(address)?;
        let answer = stream
            .write_all(&[0])
            .and_then(|()| stream.read_exact(&mut [0]));
        match answer {
            Ok(()) => return Ok(stream),
            Err(error) if is_refusal(&error) && Instant::now() < deadline => {}
            Err(error) => return Err(error).context("no socket is free"),
        }
    }
}

/// The emulator accepts every connection, and ends it when the board refuses.
fn is_refusal(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

fn connect(address: SocketAddrV4) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    Ok(stream)
}

/// Bytes in which no two connections, and no two places, look alike: a multiplicative congruential
/// generator.
fn pattern(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(747_796_405);
            (state >> 24) as u8
        })
        .collect()
}

/// Connections that the board serves at once.
const SOCKETS: u32 = 4;

/// Connections one after another: each socket has many turns.
const IN_TURN: u32 = 200;

/// Connections that end by a reset.
const RESETS: u32 = 50;

/// Bytes: many times what the board has in memory.
const LARGE: usize = 1 << 20;

/// Bytes: less than a socket's buffer on the board, so that writing does not wait for reading.
const SMALL: usize = 2000;

/// How long the board may be silent until a check fails.
const SILENCE: Duration = Duration::from_secs(20);
