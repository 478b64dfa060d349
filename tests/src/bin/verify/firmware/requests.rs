//! Opening requests, good and hostile, from the tables of the core's own tests.

use std::net::SocketAddrV4;

use anyhow::{Context, Result, ensure};
use wirelet_tests::requests::{Case, KEY, Want, accepted, browsers, malformed, refused};

use super::board::Board;
use super::peer::{self, CLOSED, Peer, again, close_frame};
use crate::job::{Job, Tally};

/// Each case is sent whole and byte by byte.
pub(super) fn run(_: &Job, board: &mut Board) -> Result<Tally> {
    let address = board.address();
    let mut tally = Tally::default();
    for case in cases() {
        for (at_once, how) in [(usize::MAX, "whole"), (1, "byte by byte")] {
            let result = ask(address, &case, at_once);
            tally.check(result.with_context(|| format!("{}, {how}", case.name)));
        }
    }
    ensure!(
        tally.passed + tally.failures.len() > 2 * CASES_AT_LEAST,
        "the tables of requests lost most of their cases"
    );
    for (path, status) in [
        ("/", 200),
        ("/status", 200),
        ("/chat", 426),
        ("/echo", 426),
        ("/chat/", 404),
    ] {
        let answer = peer::get(address, path).and_then(|(head, _)| says(&head, status));
        tally.check(answer.with_context(|| format!("a plain GET of {path}")));
    }
    Ok(tally)
}

/// The cases about a path that the board has a WebSocket at, and those of which nothing can be read.
fn cases() -> impl Iterator<Item = Case> {
    let asks = |case: &Case| case.head.trim_start().split(' ').nth(1) == Some("/chat");
    let sound = accepted().into_iter().chain(refused()).filter(asks);
    // Pages of another host, and pages of the board.
    let browsers = browsers().into_iter().flat_map(|mut case| {
        // The board keeps no cookies: they pass by.
        case.want = Want::Key(KEY, &[]);
        case.head = case.head.replace("/chat?room=1", "/chat");
        let mut own = case.clone();
        own.head = own
            .head
            .replace("http://127.0.0.1:8080", "http://127.0.0.1:9001");
        [case, own]
    });
    sound.chain(browsers).chain(malformed())
}

/// The answer, from a board that then ends the connection: of a WebSocket because of a Close that
/// comes right behind the request.
fn ask(address: SocketAddrV4, case: &Case, at_once: usize) -> Result<()> {
    let mut bytes: Vec<u8> = case.head.chars().map(|one| one as u8).collect();
    bytes.extend(close_frame());
    let answer = again(|| {
        let mut peer = Peer::connect(address)?;
        // A board that has seen enough need not take the rest.
        let _ = peer.send_in(&bytes, at_once);
        peer.read_unless_refused()
    })?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, rest) = answer.split_at(head.context("no head of an answer")? + 4);
    let head = String::from_utf8_lossy(head);
    match case.want {
        Want::Key(..) if is_foreign(&case.head) => says(&head, 403),
        Want::Key(..) => {
            says(&head, 101)?;
            ensure!(head.contains(KEY), "another accept key: {head}");
            ensure!(rest == CLOSED, "the Close was answered by {rest:?}");
            Ok(())
        }
        Want::Refusal(_, status) | Want::Head(_, status) => says(&head, status),
        Want::More => unreachable!("such cases are left out"),
    }
}

/// Whether the page that asks is one of another host than it asks.
fn is_foreign(head: &str) -> bool {
    let field = |name| head.lines().find_map(|line: &str| line.strip_prefix(name));
    field("Origin: ").is_some_and(|origin| origin.strip_prefix("http://") != field("Host: "))
}

fn says(head: &str, status: u16) -> Result<()> {
    let line = head.lines().next().unwrap_or_default();
    let said = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..4));
    ensure!(
        said == Some(&format!("{status} ")),
        "`{line}` instead of {status}"
    );
    Ok(())
}

/// How many cases must be left of the tables.
const CASES_AT_LEAST: usize = 150;
