//! What servers do with input that RFC 6455 forbids, and what a header that promises much makes them
//! hold.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::client::handshake;
use crate::contender::Contender;
use crate::process::{Cores, Server};
use crate::topic::thousands;

/// Input behind the handshake, and what the RFC wants said to it.
struct Case {
    name: &'static str,
    right: &'static str,
    frames: &'static [Frame],
}

/// First byte, the seven bits of the length and what stands behind them, the masking key, the payload.
type Frame = (u8, &'static [u8], bool, &'static [u8]);

static CASES: [Case; 13] = [
    case(
        "a frame that is not masked",
        "1002",
        &[(0x81, &[5], false, b"Hello")],
    ),
    case(
        "RSV1 without an extension",
        "1002",
        &[(0xc2, &[5], true, b"Hello")],
    ),
    case(
        "an opcode that means nothing",
        "1002",
        &[(0x83, &[5], true, b"Hello")],
    ),
    case(
        "a length not in its shortest form",
        "1002",
        &[(0x82, &[126, 0, 5], true, b"Hello")],
    ),
    case(
        "a length of 2^63",
        "1002",
        &[(0x82, &[127, 128, 0, 0, 0, 0, 0, 0, 0], true, b"Hello")],
    ),
    case(
        "a length of 17 MiB where 16 are the most",
        "1009",
        &[(0x82, &[127, 0, 0, 0, 0, 1, 0x10, 0, 0], true, b"Hello")],
    ),
    case(
        "a Ping of 126 bytes",
        "1002",
        &[(0x89, &[126, 0, 126], true, &[b'p'; 126])],
    ),
    case(
        "a Ping in fragments",
        "1002",
        &[(0x09, &[2], true, b"pi"), (0x80, &[2], true, b"ng")],
    ),
    case(
        "a continuation of nothing",
        "1002",
        &[(0x80, &[5], true, b"Hello")],
    ),
    case(
        "a message inside a message",
        "1002",
        &[(0x01, &[2], true, b"He"), (0x81, &[3], true, b"llo")],
    ),
    case(
        "text that is not UTF-8",
        "1007",
        &[(0x81, &[2], true, b"\xc3\x28")],
    ),
    case(
        "a Close with code 1005",
        "1002",
        &[(0x88, &[2], true, b"\x03\xed")],
    ),
    case(
        "a Ping between fragments, which is legal",
        "taken",
        &[
            (0x01, &[2], true, b"He"),
            (0x89, &[2], true, b"hi"),
            (0x80, &[3], true, b"llo"),
        ],
    ),
];

const fn case(name: &'static str, right: &'static str, frames: &'static [Frame]) -> Case {
    Case {
        name,
        right,
        frames,
    }
}

/// The table, cases down and servers across.
///
/// # Errors
/// A server does not start, or does not open a connection.
pub fn table(cores: &Cores, contenders: &[&Contender]) -> Result<String> {
    let servers = contenders
        .iter()
        .filter_map(|contender| contender.echo())
        .map(|mut echo| Server::start(cores, &mut echo))
        .collect::<Result<Vec<_>>>()?;
    let mut text =
        String::from("\n## What breaks a rule, and what is said to it\n\n| input | RFC 6455 |");
    for contender in contenders {
        let _ = write!(text, " {} |", contender.name);
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(contenders.len()));
    for case in &CASES {
        let _ = write!(text, "\n| {} | {} |", case.name, case.right);
        for (server, contender) in servers.iter().zip(contenders) {
            let said = case
                .try_on(server)
                .with_context(|| contender.name.clone())?;
            // Section 7.1.7: an endpoint should say why, and may just go.
            let fine = said == case.right || (case.right != "taken" && said == "cut off");
            let marks = if fine { "" } else { "**" };
            let _ = write!(text, " {marks}{said}{marks} |");
        }
    }
    let _ = write!(
        text,
        "\n| a header that declares 16 MiB less a byte, and 2 bytes: held, bytes | |"
    );
    for server in &servers {
        let _ = write!(text, " {} |", thousands(promised(server)?));
    }
    text.push('\n');
    Ok(text)
}

impl Case {
    fn try_on(&self, server: &Server) -> Result<String> {
        let mut tcp = handshake(server.port)?;
        for &(first, length, masked, payload) in self.frames {
            // One may be refused while the next is written.
            let _ = tcp.write_all(&frame(first, length, masked, payload));
        }
        answer(&mut tcp)
    }
}

fn frame(first: u8, length: &[u8], masked: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    bytes.extend(length);
    if !masked {
        bytes.extend(payload);
        return bytes;
    }
    bytes[1] |= 0x80;
    bytes.extend(KEY);
    bytes.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

/// The close code; `taken` if a message came back; `cut off` if the connection ended without a Close;
/// `silence` if nothing came.
fn answer(tcp: &mut TcpStream) -> Result<String> {
    tcp.set_read_timeout(Some(PATIENCE))?;
    let (mut bytes, mut ended) = (Vec::new(), false);
    let mut buffer = [0; 4096];
    loop {
        match tcp.read(&mut buffer) {
            Ok(0) => ended = true,
            Ok(n) => bytes.extend(&buffer[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            Err(_) => ended = true,
        }
        if ended {
            break;
        }
    }
    let mut rest = &bytes[..];
    let mut taken = false;
    while let [first, len, behind @ ..] = rest {
        let Some((payload, next)) = behind.split_at_checked(usize::from(*len)) else {
            break;
        };
        rest = next;
        match (first & 15, payload) {
            (8, [high, low, ..]) => return Ok(u16::from_be_bytes([*high, *low]).to_string()),
            (8, _) => return Ok("a Close without a code".to_owned()),
            (0..=2, _) => taken = true,
            _ => {}
        }
    }
    Ok(match (taken, ended) {
        (true, _) => "taken",
        (false, true) => "cut off",
        (false, false) => "silence",
    }
    .to_owned())
}

/// Private memory of the server for a connection whose peer declares a large frame and sends 2 bytes.
fn promised(server: &Server) -> Result<f64> {
    const CONNECTIONS: usize = 50;
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(handshake(server.port)?);
    }
    server.cpu_at_rest()?;
    let before = server.private_bytes()?;
    for tcp in &mut open {
        tcp.write_all(&frame(
            0x82,
            &[127, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff],
            true,
            b"..",
        ))
        .ok();
    }
    server.cpu_at_rest()?;
    let after = server.private_bytes()?;
    Ok(after.saturating_sub(before) as f64 / CONNECTIONS as f64)
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(300);
