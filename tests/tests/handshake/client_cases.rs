//! The responses and what is to become of them. A line is a case.

use wirelet::handshake::client::Error;
use wirelet::handshake::{HeadError, HeadLimits};

/// A response of these lines.
macro_rules! head {
    ($($line:expr),* $(,)?) => { concat!($($line, "\r\n",)* "\r\n").to_string() };
}
/// A sound response with these lines behind its own.
macro_rules! sound {
    ($($line:expr),* $(,)?) => {
        head!(
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            $($line,)*
        )
    };
}
/// A response with this first line, otherwise sound.
macro_rules! says_first {
    ($line:expr) => {
        head!(
            $line,
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        )
    };
}
/// A response with these lines instead of Upgrade and Connection.
macro_rules! upgrades {
    ($($line:expr),*) => {
        head!(
            "HTTP/1.1 101 Switching Protocols",
            $($line,)*
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        )
    };
}
/// A response with these lines instead of Sec-WebSocket-Accept.
macro_rules! accepts {
    ($($line:expr),*) => {
        head!(
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            $($line),*
        )
    };
}
/// A sound response with one more line.
fn with(line: &str) -> String {
    sound!("MARK").replace("MARK", line)
}

pub(crate) enum Want {
    /// Read to its end, with this verdict; the response says this (see `look`).
    Read(Result<(), Error>, &'static [(&'static str, &'static str)]),
    /// Cannot be read.
    Head(HeadError),
    /// Not complete.
    More,
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The smallest storage, in bytes.
    pub(crate) storage: usize,
    /// Each character is a byte.
    pub(crate) head: String,
    pub(crate) limits: HeadLimits,
    pub(crate) want: Want,
}

fn case(name: &'static str, storage: usize, head: String, want: Want) -> Case {
    let limits = HeadLimits::default();
    Case {
        name,
        storage,
        head,
        limits,
        want,
    }
}

type Said = &'static [(&'static str, &'static str)];

fn ok(name: &'static str, storage: usize, head: String, said: Said) -> Case {
    case(name, storage, head, Want::Read(Ok(()), said))
}

fn no(name: &'static str, head: String, error: Error) -> Case {
    case(name, 512, head, Want::Read(Err(error), &[]))
}

fn other(name: &'static str, status: u16, head: String, said: Said) -> Case {
    let want = Want::Read(Err(Error::Status(status)), said);
    case(name, 512, head, want)
}

fn bad(name: &'static str, head: String, error: HeadError) -> Case {
    case(name, 512, head, Want::Head(error))
}

fn limited(bytes: u32, lines: u16, case: Case) -> Case {
    let limits = HeadLimits { bytes, lines };
    Case { limits, ..case }
}

#[rustfmt::skip] // one case a line
pub(crate) fn accepted() -> Vec<Case> {
    vec![
        // RFC 6455 section 1.2.
        ok("the sample of RFC 6455", 82, sound!("Sec-WebSocket-Protocol: chat"), &[("status", "101"), ("reason", "Switching Protocols"), ("protocol", "chat")]),
        ok("nothing but what must be", 82, sound!(), &[("protocol", "-"), ("header location", "-")]),
        ok("no reason", 63, says_first!("HTTP/1.1 101 "), &[("status", "101"), ("reason", "")]),
        ok("a reason of one byte", 64, says_first!("HTTP/1.1 101 x"), &[("reason", "x")]),
        ok("a reason of blanks", 66, says_first!("HTTP/1.1 101  \t "), &[("reason", " \t ")]),
        ok("a reason in Latin-1", 64, says_first!("HTTP/1.1 101 \u{e4}"), &[("reason", "")]),
        ok("a reason in UTF-8", 65, says_first!("HTTP/1.1 101 \u{c3}\u{a4}"), &[("reason", "\u{e4}")]),
        ok("names in capitals", 65, head!("HTTP/1.1 101 OK", "UPGRADE: WEBSOCKET", "CONNECTION: UPGRADE", "SEC-WEBSOCKET-ACCEPT: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), &[]),
        ok("names in small letters, no blanks", 65, head!("HTTP/1.1 101 OK", "upgrade:websocket", "connection:upgrade", "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), &[]),
        ok("white space around values", 67, head!("HTTP/1.1 101 OK", "Upgrade: \twebsocket ", "Connection:\tUpgrade\t", "Sec-WebSocket-Accept:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t"), &[]),
        ok("another order", 65, head!("HTTP/1.1 101 OK", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Connection: Upgrade", "Upgrade: websocket"), &[]),
        ok("Connection: keep-alive, Upgrade", 82, upgrades!("Upgrade: websocket", "Connection: keep-alive, Upgrade"), &[]),
        ok("Connection in two lines", 82, upgrades!("Connection: keep-alive", "Upgrade: websocket", "Connection: ,uPGRADE,"), &[]),
        ok("Connection in two lines, upgrade first", 82, upgrades!("Connection: upgrade", "Upgrade: websocket", "Connection: keep-alive"), &[]),
        ok("the second subprotocol", 82, sound!("Sec-WebSocket-Protocol:  superchat  "), &[("protocol", "superchat"), ("header sec-websocket-protocol", "superchat")]),
        ok("a kept line", 82, sound!("Set-Cookie: a=1", "X-Other: 1", "set-cookie: b=2"), &[("headers SET-COOKIE", "a=1|b=2"), ("header x-other", "-")]),
        ok("an empty kept line", 82, sound!("Set-Cookie:"), &[("headers set-cookie", "")]),
        ok("a kept line above ASCII", 82, sound!("Set-Cookie: \u{ff}"), &[("header set-cookie", "\u{ff}")]),
        ok("a long line that passes", 82, with(&format!("X: {}", "y".repeat(3000))), &[]),
        ok("a long name that passes", 82, with(&format!("X{}: y", "x".repeat(300))), &[]),
        // RFC 9112 section 6.3: a 101 ends at its empty line, whatever it declares.
        ok("Content-Length", 82, sound!("Content-Length: 5"), &[]),
        ok("Transfer-Encoding", 82, sound!("Transfer-Encoding: chunked"), &[]),
        // RFC 9110 section 15.2.
        ok("100 in front", 82, format!("{}{}", head!("HTTP/1.1 100 Continue"), sound!()), &[("status", "101")]),
        ok("103 in front, with lines", 82, format!("{}{}", head!("HTTP/1.1 103 Early Hints", "Location: /x", "Upgrade: h2c", "Sec-WebSocket-Accept: x"), sound!()), &[("header location", "-")]),
        ok("two in front", 82, format!("{0}{0}{1}", head!("HTTP/1.1 102 Processing"), sound!()), &[("status", "101")]),
    ]
}

#[rustfmt::skip] // one case a line
pub(crate) fn refused() -> Vec<Case> {
    use Error as E;
    vec![
        other("200", 200, head!("HTTP/1.1 200 OK", "Content-Length: 5"), &[("status", "200"), ("reason", "OK")]),
        other("200, otherwise sound", 200, says_first!("HTTP/1.1 200 OK"), &[]),
        other("301", 301, head!("HTTP/1.1 301 Moved Permanently", "Location: wss://example.com/new"), &[("header location", "wss://example.com/new")]),
        other("401", 401, head!("HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic realm=\"a\"", "www-authenticate: Bearer"), &[("headers www-authenticate", "Basic realm=\"a\"|Bearer"), ("reason", "Unauthorized")]),
        other("426", 426, head!("HTTP/1.1 426 Upgrade Required", "Sec-WebSocket-Version: 13"), &[]),
        other("503", 503, head!("HTTP/1.1 503 Service Unavailable", "Retry-After: 120"), &[("header retry-after", "120")]),
        other("503 without reason", 503, head!("HTTP/1.1 503 "), &[("reason", "")]),
        other("599", 599, head!("HTTP/1.1 599 x"), &[]),
        other("600", 600, head!("HTTP/1.1 600 x"), &[("status", "600")]),
        other("999", 999, head!("HTTP/1.1 999 x"), &[("status", "999")]),
        other("200 after 100", 200, format!("{}{}", head!("HTTP/1.1 100 Continue"), head!("HTTP/1.1 200 OK")), &[("status", "200")]),
        other("400 of HTTP/1.0", 400, head!("HTTP/1.0 400 Bad Request"), &[]),
        no("101 of HTTP/1.0", says_first!("HTTP/1.0 101 Switching Protocols"), E::HttpVersion),
        no("101 of HTTP/2.0", says_first!("HTTP/2.0 101 Switching Protocols"), E::HttpVersion),
        no("101 of HTTP/1.2", says_first!("HTTP/1.2 101 Switching Protocols"), E::HttpVersion),
        no("nothing but the status line", head!("HTTP/1.1 101 Switching Protocols"), E::Upgrade),
        no("no Upgrade", upgrades!("Connection: Upgrade"), E::Upgrade),
        no("an empty Upgrade", upgrades!("Upgrade:", "Connection: Upgrade"), E::Upgrade),
        no("another Upgrade", upgrades!("Upgrade: h2c", "Connection: Upgrade"), E::Upgrade),
        no("an Upgrade list", upgrades!("Upgrade: websocket, h2c", "Connection: Upgrade"), E::Upgrade),
        no("an Upgrade list of one", upgrades!("Upgrade: websocket,", "Connection: Upgrade"), E::Upgrade),
        no("Upgrade with a version", upgrades!("Upgrade: websocket/13", "Connection: Upgrade"), E::Upgrade),
        no("two Upgrades", upgrades!("Upgrade: websocket", "Upgrade: websocket", "Connection: Upgrade"), E::Upgrade),
        no("two Upgrades, one other", upgrades!("Upgrade: h2c", "Upgrade: websocket", "Connection: Upgrade"), E::Upgrade),
        no("no Connection", upgrades!("Upgrade: websocket"), E::Connection),
        no("an empty Connection", upgrades!("Upgrade: websocket", "Connection:"), E::Connection),
        no("Connection: close", upgrades!("Upgrade: websocket", "Connection: close"), E::Connection),
        no("Connection: Upgrades", upgrades!("Upgrade: websocket", "Connection: Upgrades"), E::Connection),
        no("Connection without commas", upgrades!("Upgrade: websocket", "Connection: close Upgrade"), E::Connection),
        no("a quoted Connection", upgrades!("Upgrade: websocket", "Connection: \"x, Upgrade, y\""), E::Connection),
        // A peer accepted this.
        no("no Accept", accepts!("X: y"), E::AcceptMissing),
        no("an empty Accept", accepts!("Sec-WebSocket-Accept:"), E::Accept),
        no("the key sent back", accepts!("Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ=="), E::Accept),
        no("another case", accepts!("Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo="), E::Accept),
        no("Accept too short", accepts!("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo"), E::Accept),
        no("Accept too long", accepts!("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=="), E::Accept),
        no("Accept with something behind", accepts!("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, x"), E::Accept),
        no("Accept twice", sound!("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), E::AcceptRepeated),
        no("Accept twice, one wrong", sound!("Sec-WebSocket-Accept: x"), E::AcceptRepeated),
        no("an extension", sound!("Sec-WebSocket-Extensions: permessage-deflate"), E::Extensions),
        no("an empty extension", sound!("Sec-WebSocket-Extensions:"), E::Extensions),
        no("a subprotocol that was not offered", sound!("Sec-WebSocket-Protocol: other"), E::Protocol),
        no("a subprotocol in another case", sound!("Sec-WebSocket-Protocol: Chat"), E::Protocol),
        no("two subprotocols in a line", sound!("Sec-WebSocket-Protocol: chat, superchat"), E::Protocol),
        no("an empty subprotocol", sound!("Sec-WebSocket-Protocol:"), E::Protocol),
        no("two subprotocols", sound!("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat"), E::ProtocolRepeated),
        no("two subprotocols, one not offered", sound!("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: x"), E::ProtocolRepeated),
        // A head in front counts for nothing.
        no("Accept in the 100 only", format!("{}{}", sound!().replace("101 Switching Protocols", "100 Continue"), head!("HTTP/1.1 101 x")), E::Upgrade),
        // The gravest is told.
        no("Connection and Accept wrong", head!("HTTP/1.1 101 x", "Sec-WebSocket-Accept: x", "Upgrade: websocket"), E::Connection),
    ]
}

#[rustfmt::skip] // one case a line
pub(crate) fn malformed() -> Vec<Case> {
    use HeadError as E;
    vec![
        bad("no HTTP at all", "hello\r\n".into(), E::StartLine),
        bad("a TLS alert", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}".into(), E::StartLine),
        bad("SSH", "SSH-2.0-x\r\n".into(), E::StartLine),
        bad("a request", says_first!("GET / HTTP/1.1"), E::StartLine),
        bad("a frame", "\u{81}\u{5}Hello\r\n".into(), E::StartLine),
        bad("http/1.1", says_first!("http/1.1 101 x"), E::StartLine),
        bad("HTTP/1", says_first!("HTTP/1 101 x"), E::StartLine),
        bad("HTTP/1.10", says_first!("HTTP/1.10 101 x"), E::StartLine),
        bad("two blanks", says_first!("HTTP/1.1  101 x"), E::StartLine),
        bad("a tab", says_first!("HTTP/1.1\t101 x"), E::StartLine),
        bad("two digits", says_first!("HTTP/1.1 10 x"), E::StartLine),
        bad("four digits", says_first!("HTTP/1.1 1010 x"), E::StartLine),
        bad("status 001", says_first!("HTTP/1.1 001 x"), E::StartLine),
        bad("status 1a1", says_first!("HTTP/1.1 1a1 x"), E::StartLine),
        // RFC 9112 section 4: the blank stands also when the reason is absent.
        bad("no blank behind the status", says_first!("HTTP/1.1 101"), E::StartLine),
        bad("an empty line in front", format!("\r\n{}", sound!()), E::StartLine),
        bad("an LF in front", format!("\n{}", sound!()), E::LineEnd),
        bad("a NUL in the reason", says_first!("HTTP/1.1 101 \0"), E::StartLine),
        bad("an escape in the reason", says_first!("HTTP/1.1 101 \u{1b}[2J"), E::StartLine),
        bad("LF after the status line", sound!().replacen("\r\n", "\n", 1), E::LineEnd),
        bad("LF everywhere", sound!().replace("\r\n", "\n"), E::LineEnd),
        bad("CR everywhere", sound!().replace("\r\n", "\r"), E::LineEnd),
        bad("CR CR LF", sound!("X: y\r"), E::LineEnd),
        bad("LF in a kept line", sound!("Location: a\nb: c"), E::LineEnd),
        bad("LF at the end", format!("{}\n", sound!().strip_suffix("\r\n").unwrap()), E::LineEnd),
        bad("a fold", sound!("X: y", " z"), E::Folded),
        bad("a fold under the status line", says_first!("HTTP/1.1 101 x\r\n\tX: y"), E::Folded),
        bad("a blank before the colon", sound!("Location : x"), E::SpaceBeforeColon),
        bad("a line without colon", sound!("abc"), E::FieldName),
        bad("an empty name", sound!(": x"), E::FieldName),
        bad("a name that is no token", sound!("a/b: x"), E::FieldName),
        bad("a NUL in a value", sound!("X: \0"), E::FieldValue),
        bad("a DEL in a kept value", sound!("Set-Cookie: \u{7f}"), E::FieldValue),
        bad("a byte above ASCII in a subprotocol", sound!("Sec-WebSocket-Protocol: \u{e4}"), E::FieldValue),
        bad("malformed after 100", format!("{}{}", head!("HTTP/1.1 100 Continue"), "HTTP/1.1 x\r\n"), E::StartLine),
    ]
}

#[rustfmt::skip] // one case a line
pub(crate) fn bounded() -> Vec<Case> {
    use HeadError as E;
    let sound = sound!();
    let length = u32::try_from(sound.len()).unwrap();
    let interim = head!("HTTP/1.1 100 Continue", "X: y");
    let both = format!("{interim}{sound}");
    let all = u32::try_from(both.len()).unwrap();
    vec![
        limited(length, 100, ok("the byte limit, exactly", 82, sound.clone(), &[])),
        limited(length - 1, 100, bad("one byte over the limit", sound.clone(), E::TooLong)),
        limited(0, 100, bad("no bytes at all", sound.clone(), E::TooLong)),
        limited(all, 100, ok("the byte limit of two heads, exactly", 82, both.clone(), &[])),
        limited(all - 1, 100, bad("one byte over the limit of two heads", both.clone(), E::TooLong)),
        limited(all, 4, ok("the line limit of two heads, exactly", 82, both.clone(), &[])),
        limited(all, 3, bad("one line over the limit of two heads", both.clone(), E::TooManyLines)),
        limited(length, 3, ok("the line limit, exactly", 82, sound.clone(), &[])),
        limited(length, 2, bad("one line over the limit", sound.clone(), E::TooManyLines)),
        bad("interim responses for ever", interim.repeat(101), E::TooManyLines),
        limited(500, 100, bad("interim responses without lines for ever", head!("HTTP/1.1 100 ").repeat(40), E::TooLong)),
        ok("100 lines", 82, with(&["X: y"; 97].join("\r\n")), &[]),
        bad("101 lines", with(&["X: y"; 98].join("\r\n")), E::TooManyLines),
        case("a reason that does not fit", 60, says_first!("HTTP/1.1 101 MARK").replace("MARK", &"a".repeat(48)), Want::Head(E::StartLineDoesNotFit)),
        case("a kept line that does not fit", 200, with(&format!("Location: {}", "a".repeat(200))), Want::Head(E::DoesNotFit)),
        case("a needed name that does not fit", 40, head!("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"), Want::Head(E::DoesNotFit)),
        case("nothing", 0, String::new(), Want::More),
        case("half a status line", 512, "HTTP/1.1 1".into(), Want::More),
        case("no empty line at the end", 512, sound.strip_suffix("\r\n").unwrap().into(), Want::More),
        case("no LF at the end", 512, sound.strip_suffix("\n").unwrap().into(), Want::More),
        case("an interim response alone", 512, interim, Want::More),
    ]
}
