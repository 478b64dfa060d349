//! Writes the seeds of the fuzz targets: `cargo run --example seeds`, in `tests/fuzz`.

use std::fs;
use std::io::Result;
use std::path::Path;

use wirelet::Role;
use wirelet::deflate::{Context, WindowBits};
use wirelet_tests::deflate::Deflater;
use wirelet_tests::frames::{Frame, Length, wire};
use wirelet_tests::rng::Rng;
use wirelet_tests::traffic;

fn main() -> Result<()> {
    let frames = frames();
    write("receiver", &frames)?;
    write("differential", &frames)?;
    write("server_handshake", &requests())?;
    write("client_handshake", &responses())?;
    write("inflate", &payloads())?;
    write("inflater", &compressed())?;
    write("extensions", &extensions())
}

fn write(target: &str, seeds: &[(String, Vec<u8>)]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Flags, two limits, room, seed, wire: see `Frames::read`.
fn frames() -> Vec<(String, Vec<u8>)> {
    let each = [
        ("text", vec![Frame::new(0x81, "\u{e4}\u{20ac}\u{1f30d}")]),
        (
            "fragments",
            vec![
                Frame::new(1, b"\xe2"),
                Frame::new(0x89, b"!"),
                Frame::new(0x80, b"\x82\xac"),
            ],
        ),
        ("close", vec![Frame::new(0x88, b"\x03\xe8bye")]),
        ("long", vec![Frame::new(0x82, vec![7; 126])]),
        (
            "huge",
            vec![Frame::new(2, b"ab").declares(Length::Longest(1 << 40))],
        ),
        (
            "not-minimal",
            vec![Frame::new(0x82, b"ab").declares(Length::Long(2))],
        ),
        (
            "compressed",
            vec![Frame::new(0x41, b"\xff"), Frame::new(0x80, b"\xfe")],
        ),
        (
            "empty",
            vec![
                Frame::new(1, b""),
                Frame::new(0, b""),
                Frame::new(0x80, b""),
            ],
        ),
    ];
    let mut seeds = Vec::new();
    for (role, flags) in [(Role::Server, 0), (Role::Client, 1)] {
        for (i, (name, frames)) in each.iter().enumerate() {
            let flags = flags | (i as u8 & 3) << 2 | if *name == "compressed" { 2 } else { 0 };
            let input = [&[flags, 200, 220, 9, i as u8][..], &wire(role, frames)].concat();
            seeds.push((format!("{name}-{role:?}").to_lowercase(), input));
        }
        for seed in 0..3 {
            let wire = traffic::valid(&mut Rng::new(seed), role);
            let input = [&[flags, 0, 0, 60, seed as u8][..], &wire].concat();
            seeds.push((format!("traffic-{seed}-{role:?}").to_lowercase(), input));
        }
    }
    seeds
}

/// A seed, and a compressed message: stored, fixed and dynamic blocks.
fn payloads() -> Vec<(String, Vec<u8>)> {
    let text = "{\"temperature\": 21.5, \"humidity\": 40, \"unit\": \"C\"}, ".repeat(8);
    let mut seeds = vec![(
        "final".to_owned(),
        b"\x01\xf3\x48\xcd\xc9\xc9\x07\0\0".to_vec(),
    )];
    for (name, level, message) in [
        ("stored", 0, &text[..40]),
        ("fixed", 9, "Hello, Hello"),
        ("dynamic", 9, &text),
        ("fast", 1, &text),
    ] {
        let payload = Deflater::new(level, Context::NO_TAKEOVER).message(message.as_bytes(), &[5]);
        seeds.push((name.to_owned(), [&[level as u8], &payload[..]].concat()));
    }
    seeds
}

/// Flags, room, limit, seed, wire: two messages of a client that listens, or of a server.
fn compressed() -> Vec<(String, Vec<u8>)> {
    let text = "{\"temperature\": 21.5, \"humidity\": 40, \"unit\": \"C\"}, ".repeat(4);
    let mut seeds = Vec::new();
    for flags in [0, 1, 2, 3, 0x71, 0x73] {
        let context = Context {
            takeover: flags & 1 == 1,
            window: WindowBits::new(8 + (flags >> 4)).expect("8 to 15"),
        };
        let mut deflater = Deflater::new(9, context);
        let [one, two] = [(); 2].map(|()| deflater.message(text.as_bytes(), &[]));
        let frames = [
            Frame::new(0xc1, one),
            Frame::new(0x81, b"plain"),
            Frame::new(0x42, &two[..5]),
            Frame::new(0x89, b"!"),
            Frame::new(0x80, &two[5..]),
        ];
        let role = if flags & 2 == 0 {
            Role::Client
        } else {
            Role::Server
        };
        let input = [&[flags, 200, 5, flags][..], &wire(role, &frames)].concat();
        seeds.push((format!("{flags:02x}"), input));
    }
    seeds
}

/// What the server wants of the client and of itself, then the value of the header.
fn extensions() -> Vec<(String, Vec<u8>)> {
    [
        ("chromium", "permessage-deflate; client_max_window_bits"),
        ("firefox", "permessage-deflate"),
        (
            "all",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=10; client_max_window_bits=\"1\\0\"",
        ),
        (
            "two",
            "permessage-deflate; x=1, permessage-deflate; server_max_window_bits=8",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), [b"\x21\x70", value.as_bytes()].concat()))
    .to_vec()
}

/// Storage in units of four bytes, limits, seed, head.
fn requests() -> Vec<(String, Vec<u8>)> {
    let base = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com:80\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n";
    let with = |lines: &str| [b"\x80\x00\x05", base.as_bytes(), lines.as_bytes(), b"\r\n"].concat();
    let mut seeds = vec![
        ("plain".to_owned(), with("")),
        (
            "cookie".to_owned(),
            with("Cookie: a=b; c=d\r\nOrigin: http://example.com\r\n"),
        ),
        (
            "lists".to_owned(),
            with("Sec-WebSocket-Protocol: chat, v2\r\nSec-WebSocket-Protocol: v3\r\n"),
        ),
        (
            "extensions".to_owned(),
            with("Sec-WebSocket-Extensions: permessage-deflate; x=\"1\"\r\n"),
        ),
        ("body".to_owned(), with("Content-Length: 5\r\n")),
        (
            "pipelined".to_owned(),
            [with(""), b"\x81\x80abcd".to_vec()].concat(),
        ),
        (
            "absolute".to_owned(),
            b"\x40\0\x01GET http://a/b HTTP/1.0\r\nHost: a\r\n\r\n".to_vec(),
        ),
    ];
    let mut small = with("X-Asked: yes\r\n");
    small[..2].copy_from_slice(&[20, 0xc4]);
    seeds.push(("small".to_owned(), small));
    seeds
}

/// Mode, storage, limits, seed, head; or a mode of 128 and strings apart by NUL.
fn responses() -> Vec<(String, Vec<u8>)> {
    let base = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let with = |lines: &str| [b"\0\x80\0\x05", base.as_bytes(), lines.as_bytes(), b"\r\n"].concat();
    let strings = b"\x80\0\0\0example.com\0/chat\0http://a\0chat\0v2\0Authorization\0Basic YTpi";
    vec![
        ("plain".to_owned(), with("")),
        (
            "protocol".to_owned(),
            with("Sec-WebSocket-Protocol: chat\r\nServer: x\r\n"),
        ),
        (
            "extension".to_owned(),
            with("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        ),
        (
            "frames".to_owned(),
            [with(""), b"\x81\x01a".to_vec()].concat(),
        ),
        (
            "early".to_owned(),
            [
                &b"\0\x80\0\x01HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"[..],
                &with("")[4..],
            ]
            .concat(),
        ),
        (
            "refused".to_owned(),
            b"\0\x80\0\x02HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n".to_vec(),
        ),
        (
            "moved".to_owned(),
            b"\0\x20\x90\x02HTTP/1.0 302 Found\r\nLocation: /b\r\n\r\n".to_vec(),
        ),
        ("request".to_owned(), strings.to_vec()),
    ]
}
