//! What a server answers to offers: the exact header value, or nothing (RFC 7692 section 7.1).

use wirelet::Role;
use wirelet::deflate::{Answer, Context, Offer, ParameterError, Server, WindowBits, agreement};
use wirelet::handshake::server::{Handshake, Response};

use crate::{bits, no_takeover, takeover};

const P: &str = "permessage-deflate";
/// zlib on a desktop.
const LARGE: Server = Server {
    client: Context::DEFAULT,
    server: Context::DEFAULT,
    smallest: WindowBits::MIN,
};

/// Offers, each with its elements apart by commas, and the answers with `P` for the name.
const TABLE: &[(&str, &str, &str)] = &[
    // Offer; answer of `LARGE`; answer of `Server::SMALL`. The short words are spelled out below.
    ("P", "P", "P; SN; CN"),
    ("P; CB", "P", "P; SN; CN"),
    ("P; SN", "P; SN", "P; SN; CN"),
    ("P; CN", "P; CN", "P; SN; CN"),
    ("P; SN; CN", "P; SN; CN", "P; SN; CN"),
    ("P; CN; SN", "P; SN; CN", "P; SN; CN"),
    ("P; CB; SN", "P; SN", "P; SN; CN"),
    ("P; CB; CN", "P; CN", "P; SN; CN"),
    ("P; SB=8", "P; SB=8", "P; SN; CN; SB=8"),
    ("P; SB=9", "P; SB=9", "P; SN; CN; SB=9"),
    ("P; SB=10", "P; SB=10", "P; SN; CN; SB=10"),
    ("P; SB=11", "P; SB=11", "P; SN; CN; SB=11"),
    ("P; SB=14", "P; SB=14", "P; SN; CN; SB=14"),
    ("P; SB=15", "P; SB=15", "P; SN; CN; SB=15"),
    ("P; CB=8", "P; CB=8", "P; SN; CN; CB=8"),
    ("P; CB=9", "P; CB=9", "P; SN; CN; CB=9"),
    ("P; CB=12", "P; CB=12", "P; SN; CN; CB=12"),
    ("P; CB=13", "P; CB=13", "P; SN; CN; CB=13"),
    ("P; CB=15", "P; CB=15", "P; SN; CN; CB=15"),
    (
        "P; SB=10; CB=11; SN; CN",
        "P; SN; CN; SB=10; CB=11",
        "P; SN; CN; SB=10; CB=11",
    ),
    (
        "P; SN; CN; SB=15; CB=15",
        "P; SN; CN; SB=15; CB=15",
        "P; SN; CN; SB=15; CB=15",
    ),
    // White space is free (RFC 9110 section 5.6.3), case is not.
    ("P;CB", "P", "P; SN; CN"),
    ("  P \t;\t CB ; SN  ", "P; SN", "P; SN; CN"),
    ("P ; SB = 10", "", ""),
    ("Permessage-Deflate", "", ""),
    ("P; Client_max_window_bits", "", ""),
    // Quoted values are the token inside (RFC 6455 section 9.1).
    ("P; SB=\"10\"", "P; SB=10", "P; SN; CN; SB=10"),
    ("P; CB=\"9\"", "P; CB=9", "P; SN; CN; CB=9"),
    ("P; CB=\"1\\0\"", "P; CB=10", "P; SN; CN; CB=10"),
    ("P; CB=\"\\1\\0\"", "P; CB=10", "P; SN; CN; CB=10"),
    ("P; CB=\"\"", "", ""),
    ("P; CB=\"10", "", ""),
    ("P; CB=10\"", "", ""),
    ("P; CB=\"10\\\"", "", ""),
    ("P; CB=\"010\"", "", ""),
    ("P; CB=\"1 0\"", "", ""),
    ("P; CB='10'", "", ""),
    // Values out of range, leading zeros, signs, other bases.
    ("P; SB=7", "", ""),
    ("P; SB=16", "", ""),
    ("P; SB=0", "", ""),
    ("P; SB=08", "", ""),
    ("P; SB=010", "", ""),
    ("P; SB=+10", "", ""),
    ("P; SB=-10", "", ""),
    ("P; SB=1e1", "", ""),
    ("P; SB=0xa", "", ""),
    ("P; SB=10.0", "", ""),
    ("P; SB=100", "", ""),
    ("P; SB=266", "", ""),
    ("P; SB=", "", ""),
    ("P; SB", "", ""),
    ("P; CB=", "", ""),
    ("P; CB=7", "", ""),
    ("P; CB=16", "", ""),
    ("P; CB=08", "", ""),
    ("P; CB=+9", "", ""),
    ("P; CB=4294967304", "", ""),
    // Values where there are none.
    ("P; SN=true", "", ""),
    ("P; CN=1", "", ""),
    ("P; SN=\"\"", "", ""),
    ("P; CN=15", "", ""),
    // Twice.
    ("P; SN; SN", "", ""),
    ("P; CN; CN", "", ""),
    ("P; SB=10; SB=10", "", ""),
    ("P; SB=10; SB=11", "", ""),
    ("P; CB; CB", "", ""),
    ("P; CB; CB=10", "", ""),
    ("P; CB=10; SN; CB=10", "", ""),
    // Unknown.
    ("P; x", "", ""),
    ("P; SN; level=9", "", ""),
    ("P; max_window_bits=10", "", ""),
    ("P=1", "", ""),
    ("P;", "", ""),
    ("P; ; SN", "", ""),
    ("; SN", "", ""),
    // Other extensions.
    ("", "", ""),
    ("x-webkit-deflate-frame", "", ""),
    ("permessage-bzip2; CB", "", ""),
    ("permessage-deflat", "", ""),
    ("permessage-deflate2", "", ""),
    ("x-webkit-deflate-frame, P; CB", "P", "P; SN; CN"),
    // Fallbacks: the first that can be taken.
    ("P; SB=10, P", "P; SB=10", "P; SN; CN; SB=10"),
    ("P; x, P; CB", "P", "P; SN; CN"),
    ("P; SB=7, P; SN", "P; SN", "P; SN; CN"),
    ("P; SN; SN, P; CB=9, P", "P; CB=9", "P; SN; CN; CB=9"),
    ("P; x, P; y, P; SB=99", "", ""),
    (", ,P,,", "P", "P; SN; CN"),
    // Section 7.1.3 and 7.1.2.1 have these.
    ("P; CB; SB=10, P; CB", "P; SB=10", "P; SN; CN; SB=10"),
    ("P; SN, P", "P; SN", "P; SN; CN"),
];

fn spell(short: &str) -> String {
    let words: Vec<String> = short.split(';').map(spell_part).collect();
    words.join(";")
}

fn spell_part(part: &str) -> String {
    let long = [
        ("SN", "server_no_context_takeover"),
        ("CN", "client_no_context_takeover"),
        ("SB", "server_max_window_bits"),
        ("CB", "client_max_window_bits"),
    ];
    let mut part = part.replace('P', P);
    for (short, name) in long {
        part = part.replace(short, name);
    }
    // The name may itself have had a P in another case.
    part.replace("permessage-deflateermessage", "Permessage")
}

fn answer(server: Server, offers: &str) -> String {
    match server.answer(offers.split(',')) {
        Some((answer, _)) => answer.encode().to_string(),
        None => String::new(),
    }
}

#[test]
fn each_offer_has_its_exact_answer() {
    assert!(TABLE.len() >= 60);
    for &(offer, large, small) in TABLE {
        let offer = spell(offer);
        assert_eq!(answer(LARGE, &offer), spell(large), "to {offer:?}");
        assert_eq!(answer(Server::SMALL, &offer), spell(small), "to {offer:?}");
    }
}

#[test]
fn browsers_are_answered_well() {
    let chromium = spell("P; CB");
    let firefox = P;
    let safari = P;
    // A server with a small window for each client: Chromium is held to it. Firefox cannot be,
    // and keeps nothing between messages instead.
    let window = Server {
        client: takeover(10),
        ..LARGE
    };
    assert_eq!(answer(window, &chromium), spell("P; CB=10"));
    assert_eq!(answer(window, firefox), spell("P; CN"));
    assert_eq!(answer(window, safari), spell("P; CN"));
    let (_, agreed) = window.answer([firefox]).unwrap();
    assert_eq!(agreed.received_by(Role::Server), Context::NO_TAKEOVER);
    assert_eq!(agreed.sent_by(Role::Server), Context::DEFAULT);
    let (_, agreed) = window.answer([&*chromium]).unwrap();
    assert_eq!(agreed.received_by(Role::Server), takeover(10));
    // A hint that is small enough is as good as a limit; one that is not is cut.
    assert_eq!(answer(window, &spell("P; CB=9")), spell("P; CB=9"));
    assert_eq!(answer(window, &spell("P; CB=12")), spell("P; CB=10"));
}

#[test]
fn a_server_that_can_do_less_says_so_or_declines() {
    let server = Server {
        client: no_takeover(11),
        server: no_takeover(12),
        smallest: bits(9),
    };
    for (offer, want) in [
        ("P", "P; SN; CN; SB=12"),
        ("P; CB", "P; SN; CN; SB=12; CB=11"),
        ("P; SB=15", "P; SN; CN; SB=12"),
        ("P; SB=11", "P; SN; CN; SB=11"),
        ("P; SB=9", "P; SN; CN; SB=9"),
        ("P; SB=8", ""),
        ("P; SB=8, P", "P; SN; CN; SB=12"),
    ] {
        assert_eq!(answer(server, &spell(offer)), spell(want), "to {offer:?}");
    }
}

#[test]
fn an_answer_is_always_one_that_the_client_must_take() {
    let windows = || [None, Some(8), Some(9), Some(12), Some(15)];
    let mut taken = 0;
    for (client, server) in [
        (Context::DEFAULT, Context::DEFAULT),
        (takeover(9), no_takeover(10)),
        (no_takeover(8), takeover(8)),
        (no_takeover(15), no_takeover(15)),
    ] {
        let smallest = bits(9).min(server.window);
        let policy = Server {
            client,
            server,
            smallest,
        };
        for flags in 0..8 {
            for sb in windows() {
                for cb in windows() {
                    let offer = Offer {
                        server_no_context_takeover: flags & 1 == 1,
                        client_no_context_takeover: flags & 2 == 2,
                        server_max_window_bits: sb.map(bits),
                        client_max_window_bits: (flags & 4 == 4).then_some(cb.map(bits)),
                    };
                    let written = offer.encode().to_string();
                    assert_eq!(Offer::parse(&written), Ok(offer), "{written}");
                    let Some((answer, agreed)) = policy.answer([&*written]) else {
                        assert_eq!(sb, Some(8), "{written}");
                        continue;
                    };
                    taken += 1;
                    let said = answer.encode().to_string();
                    assert_eq!(Answer::parse(&said), Ok(answer), "{said}");
                    assert_eq!(
                        agreement(&offer, &answer),
                        Some(agreed),
                        "{written}: {said}"
                    );
                    // What the policy needs holds.
                    let ours = agreed.sent_by(Role::Server);
                    assert!(ours.window <= server.window && (server.takeover || !ours.takeover));
                    let theirs = agreed.received_by(Role::Server);
                    assert!(
                        !theirs.takeover || (client.takeover && theirs.window <= client.window)
                    );
                }
            }
        }
    }
    assert!(taken > 500);
}

#[test]
fn each_fault_has_its_name() {
    for (element, want) in [
        ("P; SB=\"", ParameterError::Malformed),
        ("P; @", ParameterError::Malformed),
        ("x", ParameterError::OtherExtension),
        ("P; x", ParameterError::Unknown),
        ("P; CB; CB", ParameterError::Repeated),
        ("P; SB", ParameterError::ValueMissing),
        ("P; SN=1", ParameterError::ValueUnexpected),
        ("P; SB=7", ParameterError::WindowBits),
    ] {
        assert_eq!(Offer::parse(&spell(element)), Err(want), "{element}");
    }
}

#[test]
fn it_stands_in_the_response() {
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Extensions: x-other; a=\"b\", {P}; level=1\r\n\
         Sec-WebSocket-Extensions: {P}; server_max_window_bits=\"1\\0\"\r\n\r\n"
    );
    let mut handshake = Handshake::new([0; 512], &[]);
    handshake.feed(head.as_bytes()).unwrap();
    let key = handshake.check().unwrap();
    let (answer, _) = LARGE
        .answer(handshake.request().unwrap().extensions())
        .unwrap();
    let mut out = [0; 512];
    let with = Response::new(key).deflate(answer).encode(&mut out).unwrap();
    let text = str::from_utf8(&out[..with]).unwrap();
    let line = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n";
    assert_eq!(text.matches(line).count(), 1, "{text}");
    assert_eq!(text.matches("Extensions").count(), 1, "{text}");
    let mut out = [0; 512];
    let without = Response::new(key).encode(&mut out).unwrap();
    assert_eq!(without + line.len(), with);
}
