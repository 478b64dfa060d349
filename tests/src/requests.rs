//! Opening requests to a server, and what is to become of them. A line is a case.

use wirelet::handshake::server::{MAX_PROTOCOLS, Refusal};
use wirelet::handshake::{HeadError, HeadLimits};

/// The accept key of the sample nonce (RFC 6455 section 1.3).
pub const KEY: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A request of these lines.
macro_rules! head {
    ($($line:expr),* $(,)?) => { concat!($($line, "\r\n",)* "\r\n").to_string() };
}
/// A sound request with these lines behind its own.
macro_rules! sound {
    ($($line:expr),* $(,)?) => {
        head!(
            "GET /chat HTTP/1.1",
            "Host: example.com",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            $($line,)*
        )
    };
}
/// A request with this first line, otherwise sound.
macro_rules! asks {
    ($line:expr) => {
        head!(
            $line,
            "Host: example.com",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13"
        )
    };
}
/// A request with these lines instead of Host, or of the four that make a handshake.
macro_rules! hosts {
    ($($line:expr),*) => {
        head!(
            "GET /chat HTTP/1.1",
            $($line,)*
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13"
        )
    };
}
macro_rules! upgrades {
    ($($line:expr),*) => {
        head!(
            "GET /chat HTTP/1.1",
            "Host: example.com",
            $($line,)*
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13"
        )
    };
}
macro_rules! keys {
    ($($line:expr),*) => {
        head!(
            "GET /chat HTTP/1.1",
            "Host: example.com",
            "Upgrade: websocket",
            "Connection: Upgrade",
            $($line),*
        )
    };
}

/// A sound request.
#[must_use]
pub fn sound() -> String {
    sound!()
}

/// A sound request with more lines: one, or several with CR LF between them.
#[must_use]
pub fn with(lines: &str) -> String {
    sound!("MARK").replace("MARK", lines)
}

/// What is to become of a request.
#[derive(Clone, Debug)]
pub enum Want {
    /// Accepted with this key; the request says this of each thing.
    Key(&'static str, &'static [(&'static str, &'static str)]),
    /// Sound HTTP, no handshake: why not, and the status of the answer.
    Refusal(Refusal, u16),
    /// Cannot be read: why not, and the status of the answer.
    Head(HeadError, u16),
    /// Not complete.
    More,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is.
    pub name: &'static str,
    /// The smallest storage, in bytes.
    pub storage: usize,
    /// Each character is a byte.
    pub head: String,
    /// How large it may be.
    pub limits: HeadLimits,
    /// What is to become of it.
    pub want: Want,
}

/// A request under the default limits.
#[must_use]
pub fn case(name: &'static str, storage: usize, head: String, want: Want) -> Case {
    let limits = HeadLimits::default();
    Case {
        name,
        storage,
        head,
        limits,
        want,
    }
}

fn ok(name: &'static str, storage: usize, head: String) -> Case {
    case(name, storage, head, Want::Key(KEY, &[]))
}

fn says(
    name: &'static str,
    storage: usize,
    head: String,
    says: &'static [(&'static str, &'static str)],
) -> Case {
    case(name, storage, head, Want::Key(KEY, says))
}

fn no(name: &'static str, head: String, refusal: Refusal, status: u16) -> Case {
    case(name, 512, head, Want::Refusal(refusal, status))
}

fn bad(name: &'static str, head: String, error: HeadError, status: u16) -> Case {
    case(name, 512, head, Want::Head(error, status))
}

fn limited(bytes: u32, lines: u16, case: Case) -> Case {
    let limits = HeadLimits { bytes, lines };
    Case { limits, ..case }
}

/// Sound handshakes.
#[must_use]
#[rustfmt::skip] // one case a line
pub fn accepted() -> Vec<Case> {
    vec![
        // RFC 6455 section 1.2.
        case(
            "the sample of RFC 6455",
            123,
            head!(
                "GET /chat HTTP/1.1",
                "Host: server.example.com",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Origin: http://example.com",
                "Sec-WebSocket-Protocol: chat, superchat",
                "Sec-WebSocket-Version: 13"
            ),
            Want::Key(
                KEY,
                &[
                    ("method", "GET"),
                    ("target", "/chat"),
                    ("path", "/chat"),
                    ("query", "-"),
                    ("host", "server.example.com"),
                    ("origin", "http://example.com"),
                    ("protocols", "chat|superchat"),
                    ("extensions", ""),
                    ("upgrade", "true"),
                ],
            ),
        ),
        ok("nothing but what must be", 69, sound!()),
        says(
            "the names in capitals",
            55,
            head!(
                "GET / HTTP/1.1",
                "HOST: h",
                "UPGRADE: WEBSOCKET",
                "CONNECTION: UPGRADE",
                "SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==",
                "SEC-WEBSOCKET-VERSION: 13",
                "COOKIE: a=1"
            ),
            &[("header cookie", "a=1"), ("header COOKIE", "a=1"), ("host", "h")],
        ),
        says(
            "the names in small letters, no blanks",
            55,
            head!(
                "GET / HTTP/1.1",
                "host:h",
                "upgrade:websocket",
                "connection:upgrade",
                "sec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==",
                "sec-websocket-version:13"
            ),
            &[("host", "h")],
        ),
        says(
            "white space around values",
            57,
            head!(
                "GET / HTTP/1.1",
                "Host: \t h \t ",
                "Upgrade:\twebsocket\t",
                "Connection:   Upgrade   ",
                "Sec-WebSocket-Key: \tdGhlIHNhbXBsZSBub25jZQ==  ",
                "Sec-WebSocket-Version:  13 \t"
            ),
            &[("host", "h")],
        ),
        // RFC 9112 section 2.2.
        ok("an empty line in front", 69, format!("\r\n{}", sound!())),
        // Firefox.
        ok("keep-alive, Upgrade", 69, upgrades!("Upgrade: websocket", "Connection: keep-alive, Upgrade")),
        ok("a Connection list of odd shape", 69, upgrades!("Upgrade: websocket", "Connection: ,a ,, UPgrade\t,")),
        ok("Connection in two lines", 69, upgrades!("Connection: keep-alive", "Upgrade: websocket", "Connection: upgrade")),
        ok("Connection in two lines, upgrade first", 69, upgrades!("Connection: upgrade", "Upgrade: websocket", "Connection: keep-alive")),
        ok("Upgrade in two lines, websocket first", 69, upgrades!("Upgrade: websocket", "Upgrade: h2c", "Connection: Upgrade")),
        // Four free bytes hold "Host": the name goes on, so it is another one.
        ok("a name that goes on where the storage ends", 99, with("Cookie: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nHostess: x")),
        ok("an Upgrade list", 69, upgrades!("Upgrade: h2c, WebSocket", "Connection: Upgrade")),
        ok("an Upgrade list with versions", 69, upgrades!("Upgrade: IRC/6.9, websocket, RTA/x11", "Connection: Upgrade")),
        ok("Upgrade in two lines", 69, upgrades!("Upgrade: h2c", "Upgrade: websocket", "Connection: Upgrade")),
        ok("Content-Length: 0", 69, sound!("Content-Length: 0")),
        ok("Content-Length: 00, twice", 69, sound!("Content-Length: 00", "content-length: 0")),
        says("an empty value", 69, sound!("Cookie:"), &[("header cookie", "")]),
        says("a value of blanks", 69, sound!("Cookie:  \t "), &[("header cookie", "")]),
        says("a value with colons", 69, sound!("Cookie: a:b::c"), &[("header cookie", "a:b::c")]),
        says(
            "two lines of one name",
            69,
            sound!("Cookie: a=1", "x: y", "cookie: b=2"),
            &[("header cookie", "a=1"), ("headers cookie", "a=1|b=2"), ("header x", "-")],
        ),
        says(
            "bytes above ASCII",
            69,
            sound!("Cookie: \u{80}\u{ff}\u{e4}"),
            &[("header cookie", "\u{80}\u{ff}\u{e4}")],
        ),
        ok("bytes above ASCII in a line that passes", 69, sound!("X: \u{80}\u{ff}\t~")),
        says("every token character", 69, sound!("!#$%&'*+-.^_`|~09azAZ: x"), &[("header !#$%&'*+-.^_`|~09azAZ", "-")]),
        says("a line that is not kept", 69, sound!("X-Other: secret"), &[("header x-other", "-")]),
        says("a name longer than a kept one", 69, sound!("Cookie2: x", "Cooki: y"), &[("header cookie", "-")]),
        ok("a name longer than the storage", 69, sound!("Xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: x")),
        says("an origin of null", 69, sound!("Origin: null"), &[("origin", "null")]),
        says("no origin", 69, sound!(), &[("origin", "-"), ("protocols", ""), ("header host", "example.com")]),
        says("a query", 79, asks!("GET /a/b?c=d&e=/f?g HTTP/1.1"), &[("path", "/a/b"), ("query", "c=d&e=/f?g"), ("target", "/a/b?c=d&e=/f?g")]),
        says("an empty query", 66, asks!("GET /? HTTP/1.1"), &[("path", "/"), ("query", "")]),
        says("what browsers do not encode", 82, asks!("GET /?a={|}^[]\"<>\\`%23 HTTP/1.1"), &[("query", "a={|}^[]\"<>\\`%23")]),
        says("two slashes", 80, asks!("GET //evil.example/x HTTP/1.1"), &[("path", "//evil.example/x"), ("host", "example.com")]),
        says("a URI in the query", 77, asks!("GET /x?http://a/b HTTP/1.1"), &[("path", "/x"), ("query", "http://a/b"), ("host", "example.com")]),
        // RFC 9112 section 3.2.2: the host of the target counts.
        says("an absolute target", 83, asks!("GET http://other:81/a?b HTTP/1.1"), &[("path", "/a"), ("query", "b"), ("host", "other:81"), ("header host", "example.com")]),
        says("an absolute target without path", 77, asks!("GET HTTPS://other HTTP/1.1"), &[("path", "/"), ("query", "-"), ("host", "other")]),
        says("an absolute target with only a query", 78, asks!("GET http://other?x HTTP/1.1"), &[("path", "/"), ("query", "x"), ("host", "other")]),
        says("a port", 74, hosts!("Host: example.com:8080"), &[("host", "example.com:8080")]),
        says("an empty port", 70, hosts!("Host: example.com:"), &[("host", "example.com:")]),
        says("an IPv6 address", 75, hosts!("Host: [2001:db8::1]:443"), &[("host", "[2001:db8::1]:443")]),
        says("an IPv4 address", 67, hosts!("Host: 127.0.0.1"), &[("host", "127.0.0.1")]),
        says("a name with an underscore", 65, hosts!("Host: my_host"), &[("host", "my_host")]),
        says(
            "subprotocols in two lines",
            82,
            sound!("Sec-WebSocket-Protocol: a,b", "Sec-WebSocket-Protocol: ,c , "),
            &[("protocols", "a|b|c")],
        ),
        // A peer's fixed field of 24 bytes overflowed.
        says(
            "a subprotocol of 60 characters",
            111,
            sound!("Sec-WebSocket-Protocol: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"),
            &[("protocols", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff")],
        ),
        says("subprotocols that differ in case", 69, sound!("Sec-WebSocket-Protocol: chat, Chat"), &[("protocols", "chat|Chat")]),
        says(
            "extensions in two lines",
            137,
            sound!("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x", "Sec-WebSocket-Extensions: y;z=1 ; w=\"2\""),
            &[("extensions", "permessage-deflate; client_max_window_bits|x|y;z=1 ; w=\"2\"")],
        ),
        says("an escaped quoted token", 69, sound!("Sec-WebSocket-Extensions: x; y=\"\\a\\b\""), &[("extensions", "x; y=\"\\a\\b\"")]),
    ]
}

/// Sound HTTP that is no handshake, or not a sound one.
#[must_use]
#[rustfmt::skip] // one case a line
pub fn refused() -> Vec<Case> {
    use Refusal as R;
    vec![
        // The request line.
        no("HTTP/1.0", asks!("GET /chat HTTP/1.0"), R::HttpVersion, 505),
        no("HTTP/2.0", asks!("GET /chat HTTP/2.0"), R::HttpVersion, 505),
        no("HTTP/1.2", asks!("GET /chat HTTP/1.2"), R::HttpVersion, 505),
        no("the preface of HTTP/2", head!("PRI * HTTP/2.0"), R::HttpVersion, 505),
        no("POST", asks!("POST /chat HTTP/1.1"), R::Method, 405),
        no("HEAD", asks!("HEAD /chat HTTP/1.1"), R::Method, 405),
        no("CONNECT", asks!("CONNECT example.com:80 HTTP/1.1"), R::Method, 405),
        // RFC 9110 section 9.1: a method is case-sensitive.
        no("get", asks!("get /chat HTTP/1.1"), R::Method, 405),
        no("GETX", asks!("GETX /chat HTTP/1.1"), R::Method, 405),
        no("a target of *", asks!("GET * HTTP/1.1"), R::Target, 400),
        no("a target without slash", asks!("GET chat HTTP/1.1"), R::Target, 400),
        no("a target like CONNECT's", asks!("GET example.com:80 HTTP/1.1"), R::Target, 400),
        no("an absolute target of another scheme", asks!("GET ftp://example.com/ HTTP/1.1"), R::Target, 400),
        no("an absolute target without host", asks!("GET http:///chat HTTP/1.1"), R::Target, 400),
        no("an absolute target with one slash", asks!("GET http:/example.com HTTP/1.1"), R::Target, 400),
        no("an absolute target with a user", asks!("GET http://u:p@example.com/ HTTP/1.1"), R::Target, 400),
        no("a fragment", asks!("GET /chat#top HTTP/1.1"), R::Fragment, 400),
        no("an empty fragment", asks!("GET /chat?x# HTTP/1.1"), R::Fragment, 400),
        // Host.
        no("no Host", hosts!(), R::HostMissing, 400),
        no("two Hosts", hosts!("Host: a", "Host: b"), R::HostRepeated, 400),
        no("the same Host twice", hosts!("Host: a", "host: a"), R::HostRepeated, 400),
        no("an empty Host", hosts!("Host:"), R::Host, 400),
        no("a list of Hosts", hosts!("Host: a b"), R::Host, 400),
        no("a Host with a user", hosts!("Host: u@a"), R::Host, 400),
        no("a Host with a path", hosts!("Host: a/b"), R::Host, 400),
        no("a Host with a bad port", hosts!("Host: a:8x"), R::Host, 400),
        no("a Host with two ports", hosts!("Host: a:1:2"), R::Host, 400),
        no("a Host of a port", hosts!("Host: :80"), R::Host, 400),
        no("an open bracket", hosts!("Host: [::1"), R::Host, 400),
        no("something behind the bracket", hosts!("Host: [::1]a"), R::Host, 400),
        // A body would be read as frames.
        no("Content-Length: 1", sound!("Content-Length: 1"), R::Content, 400),
        no("Content-Length: 10", sound!("Content-Length: 10"), R::Content, 400),
        no("Content-Length: 0, 0", sound!("Content-Length: 0, 0"), R::Content, 400),
        no("Content-Length: -0", sound!("Content-Length: -0"), R::Content, 400),
        no("an empty Content-Length", sound!("Content-Length:"), R::Content, 400),
        no("Transfer-Encoding: chunked", sound!("Transfer-Encoding: chunked"), R::Content, 400),
        no("Transfer-Encoding: identity", sound!("transfer-encoding: identity"), R::Content, 400),
        // Upgrade and Connection.
        no("a plain GET", head!("GET / HTTP/1.1", "Host: a"), R::NoUpgrade, 426),
        no("no Upgrade", upgrades!("Connection: Upgrade"), R::NoUpgrade, 426),
        no("another Upgrade", upgrades!("Upgrade: h2c", "Connection: Upgrade"), R::NoUpgrade, 426),
        no("websocket with a version", upgrades!("Upgrade: websocket/13", "Connection: Upgrade"), R::NoUpgrade, 426),
        no("websockets", upgrades!("Upgrade: websockets", "Connection: Upgrade"), R::NoUpgrade, 426),
        no("an empty Upgrade", upgrades!("Upgrade:", "Connection: Upgrade"), R::Upgrade, 400),
        no("a quoted Upgrade", upgrades!("Upgrade: \"websocket\"", "Connection: Upgrade"), R::Upgrade, 400),
        no("an Upgrade with a blank", upgrades!("Upgrade: web socket", "Connection: Upgrade"), R::Upgrade, 400),
        no("no Connection", upgrades!("Upgrade: websocket"), R::Connection, 400),
        no("Connection: keep-alive", upgrades!("Upgrade: websocket", "Connection: keep-alive"), R::Connection, 400),
        no("Connection: Upgrades", upgrades!("Upgrade: websocket", "Connection: Upgrades"), R::Connection, 400),
        no("Connection without commas", upgrades!("Upgrade: websocket", "Connection: keep-alive Upgrade"), R::Connection, 400),
        no("a quoted Connection", upgrades!("Upgrade: websocket", "Connection: \"a, Upgrade, b\""), R::Connection, 400),
        // Sec-WebSocket-Version.
        no("no version", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), R::VersionMissing, 426),
        no("version 8", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 8"), R::Version, 426),
        no("version 0x0d", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 0x0d"), R::Version, 426),
        no("version 013", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 013"), R::Version, 426),
        no("version 13, 8", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13, 8"), R::Version, 426),
        no("an empty version", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version:"), R::Version, 426),
        no("two versions", sound!("Sec-WebSocket-Version: 13"), R::VersionRepeated, 400),
        // Sec-WebSocket-Key.
        no("no key", keys!("Sec-WebSocket-Version: 13"), R::KeyMissing, 400),
        no("two keys", sound!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), R::KeyRepeated, 400),
        no("an empty key", keys!("Sec-WebSocket-Key:", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key of 15 bytes", keys!("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key of 17 bytes", keys!("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key of 18 bytes", keys!("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key of 64 characters", keys!("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key with leftover bits", keys!("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key without padding", keys!("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key in base64url", keys!("Sec-WebSocket-Key: -_AAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key with a blank", keys!("Sec-WebSocket-Key: dGhlIHNhbXBs SBub25jZQ==", "Sec-WebSocket-Version: 13"), R::Key, 400),
        no("a key with padding inside", keys!("Sec-WebSocket-Key: dGhlIHNhbXBs=SBub25jZQ==", "Sec-WebSocket-Version: 13"), R::Key, 400),
        // The rest.
        no("two Origins", sound!("Origin: http://a", "Origin: http://a"), R::OriginRepeated, 400),
        no("an empty subprotocol list", sound!("Sec-WebSocket-Protocol:"), R::Protocol, 400),
        no("a subprotocol list of commas", sound!("Sec-WebSocket-Protocol: , ,"), R::Protocol, 400),
        no("a subprotocol with a blank", sound!("Sec-WebSocket-Protocol: chat, super chat"), R::Protocol, 400),
        no("a subprotocol with a slash", sound!("Sec-WebSocket-Protocol: a/b"), R::Protocol, 400),
        no("a subprotocol twice", sound!("Sec-WebSocket-Protocol: a, b, a"), R::ProtocolRepeated, 400),
        no("a subprotocol twice in two lines", sound!("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: c, b"), R::ProtocolRepeated, 400),
        no("a quoted extension", sound!("Sec-WebSocket-Extensions: \"x\""), R::Extensions, 400),
        no("an empty extension list", sound!("Sec-WebSocket-Extensions: ,"), R::Extensions, 400),
        no("an extension without name", sound!("Sec-WebSocket-Extensions: ; a"), R::Extensions, 400),
        no("a parameter without name", sound!("Sec-WebSocket-Extensions: x; =1"), R::Extensions, 400),
        no("a parameter without value", sound!("Sec-WebSocket-Extensions: x; a="), R::Extensions, 400),
        no("an empty parameter", sound!("Sec-WebSocket-Extensions: x;; a"), R::Extensions, 400),
        no("a quoted comma", sound!("Sec-WebSocket-Extensions: x; a=\"b,c\""), R::Extensions, 400),
        no("an empty quoted value", sound!("Sec-WebSocket-Extensions: x; a=\"\""), R::Extensions, 400),
        no("an escaped end", sound!("Sec-WebSocket-Extensions: x; a=\"b\\\""), R::Extensions, 400),
        // The gravest is told.
        no("everything wrong", head!("POST * HTTP/1.0", "Sec-WebSocket-Key: x"), R::HttpVersion, 505),
        no("version and key wrong", keys!("Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 8"), R::Version, 426),
    ]
}

/// What cannot be read.
#[must_use]
#[rustfmt::skip] // one case a line
pub fn malformed() -> Vec<Case> {
    use HeadError as E;
    vec![
        bad("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".into(), E::StartLine, 400),
        bad("no HTTP at all", "hello\r\n".into(), E::StartLine, 400),
        bad("HTTP/0.9", head!("GET /"), E::StartLine, 400),
        bad("an empty version", head!("GET / "), E::StartLine, 400),
        bad("http/1.1", asks!("GET / http/1.1"), E::StartLine, 400),
        bad("HTTP/11", asks!("GET / HTTP/11"), E::StartLine, 400),
        bad("HTTP/1.10", asks!("GET / HTTP/1.10"), E::StartLine, 400),
        bad("HTTP/1.x", asks!("GET / HTTP/1.x"), E::StartLine, 400),
        bad("two blanks", asks!("GET  / HTTP/1.1"), E::StartLine, 400),
        bad("a blank at the end", asks!("GET / HTTP/1.1 "), E::StartLine, 400),
        bad("a blank in front", asks!(" GET / HTTP/1.1"), E::StartLine, 400),
        bad("a blank in the target", asks!("GET /a b HTTP/1.1"), E::StartLine, 400),
        bad("a tab for a blank", asks!("GET\t/ HTTP/1.1"), E::StartLine, 400),
        bad("a tab in the target", asks!("GET /\t HTTP/1.1"), E::StartLine, 400),
        bad("a method that is no token", asks!("G@T / HTTP/1.1"), E::StartLine, 400),
        bad("a byte above ASCII in the target", asks!("GET /\u{e4} HTTP/1.1"), E::StartLine, 400),
        bad("a NUL in the target", asks!("GET /\0 HTTP/1.1"), E::StartLine, 400),
        bad("a status line", asks!("HTTP/1.1 101 Switching Protocols"), E::StartLine, 400),
        bad("two empty lines in front", format!("\r\n\r\n{}", sound!()), E::StartLine, 400),
        bad("an LF in front", format!("\n{}", sound!()), E::LineEnd, 400),
        bad("a CR in front", format!("\r{}", sound!()), E::LineEnd, 400),
        bad("LF after the request line", sound!().replacen("\r\n", "\n", 1), E::LineEnd, 400),
        bad("LF everywhere", sound!().replace("\r\n", "\n"), E::LineEnd, 400),
        bad("CR everywhere", sound!().replace("\r\n", "\r"), E::LineEnd, 400),
        bad("LF after Host", sound!().replacen(".com\r\n", ".com\n", 1), E::LineEnd, 400),
        bad("LF after a line that passes", sound!("X: y").replacen("y\r\n", "y\n", 1), E::LineEnd, 400),
        bad("CR in a kept value", sound!("Cookie: a\rb"), E::LineEnd, 400),
        bad("CR in a value that passes", sound!("X: a\rb"), E::LineEnd, 400),
        bad("CR CR LF", sound!("X: a\r"), E::LineEnd, 400),
        bad("LF in the last line", format!("{}\n", sound!().strip_suffix("\r\n").unwrap()), E::LineEnd, 400),
        bad("CR and something in the last line", format!("{}x", sound!().strip_suffix("\n").unwrap()), E::LineEnd, 400),
        bad("a fold", sound!("X: a", " b"), E::Folded, 400),
        bad("a fold with a tab in a kept line", sound!("Cookie: a", "\tb"), E::Folded, 400),
        bad("a fold under the request line", asks!("GET / HTTP/1.1\r\n X: a"), E::Folded, 400),
        bad("a blank before the colon", sound!("X : a"), E::SpaceBeforeColon, 400),
        bad("a tab before the colon of Host", hosts!("Host\t: a"), E::SpaceBeforeColon, 400),
        bad("a line without colon", sound!("abc"), E::FieldName, 400),
        bad("an empty name", sound!(": abc"), E::FieldName, 400),
        bad("a name that is no token", sound!("a(b): c"), E::FieldName, 400),
        bad("a byte above ASCII in a name", sound!("\u{e4}: c"), E::FieldName, 400),
        bad("a NUL in a name", sound!("a\0b: c"), E::FieldName, 400),
        bad("a NUL in a value that passes", sound!("X: \0"), E::FieldValue, 400),
        bad("a NUL in a kept value", sound!("Cookie: a\0"), E::FieldValue, 400),
        bad("an escape in a value", sound!("X: \u{1b}[2J"), E::FieldValue, 400),
        bad("a DEL in a value", sound!("X: \u{7f}"), E::FieldValue, 400),
        bad("a byte above ASCII in Host", hosts!("Host: \u{e4}"), E::FieldValue, 400),
        bad("a byte above ASCII in Origin", sound!("Origin: http://\u{e4}"), E::FieldValue, 400),
        bad("a byte above ASCII in a subprotocol", sound!("Sec-WebSocket-Protocol: \u{e4}"), E::FieldValue, 400),
        bad("a bad name longer than the storage", with(&format!("{}(: x", "a".repeat(600))), E::FieldName, 400),
        bad("a blank behind a name longer than the storage", with(&format!("{} : x", "a".repeat(600))), E::SpaceBeforeColon, 400),
        bad("a name longer than the storage and no colon", with(&"a".repeat(600)), E::FieldName, 400),
    ]
}

/// What meets a limit, from either side, and what is not complete.
#[must_use]
#[rustfmt::skip] // one case a line
pub fn bounded() -> Vec<Case> {
    use HeadError as E;
    let sound = sound!();
    let length = u32::try_from(sound.len()).unwrap();
    let cookie = |length: usize| with(&format!("Cookie: {}", "c".repeat(length)));
    let protocols = |count: usize| {
        let list: Vec<String> = (0..count).map(|one| format!("p{one}")).collect();
        with(&format!("Sec-WebSocket-Protocol: {}", list.join(",")))
    };
    let max = usize::from(MAX_PROTOCOLS);
    vec![
        limited(length, 100, ok("the byte limit, exactly", 69, sound.clone())),
        limited(length - 1, 100, bad("one byte over the limit", sound.clone(), E::TooLong, 431)),
        limited(length - 2, 100, bad("two bytes over the limit", sound.clone(), E::TooLong, 431)),
        limited(0, 100, bad("no bytes at all", sound.clone(), E::TooLong, 431)),
        limited(1, 100, bad("one byte", sound.clone(), E::TooLong, 431)),
        limited(length, 5, ok("the line limit, exactly", 69, sound.clone())),
        limited(length, 4, bad("one line over the limit", sound.clone(), E::TooManyLines, 431)),
        limited(length, 0, bad("no lines at all", sound.clone(), E::TooManyLines, 431)),
        limited(u32::MAX, u16::MAX, ok("no limits to speak of", 69, sound.clone())),
        ok("100 lines", 69, with(&["X: y"; 95].join("\r\n"))),
        bad("101 lines", with(&["X: y"; 96].join("\r\n")), E::TooManyLines, 431),
        case("a target that does not fit", 60, asks!("GET /MARK HTTP/1.1").replace("MARK", &"a".repeat(60)), Want::Head(E::StartLineDoesNotFit, 414)),
        case("a method that does not fit", 60, asks!("GET /MARK HTTP/1.1").replace("GET", &"G".repeat(61)), Want::Head(E::StartLineDoesNotFit, 414)),
        case("a kept line that does not fit", 200, cookie(200), Want::Head(E::DoesNotFit, 431)),
        case("a judged line that does not fit", 100, upgrades!("Connection: MARK, Upgrade", "Upgrade: websocket").replace("MARK", &"a".repeat(100)), Want::Head(E::DoesNotFit, 431)),
        case("a needed name that does not fit", 38, hosts!("X: y", "Host: a.example.com"), Want::Head(E::DoesNotFit, 431)),
        ok("the most subprotocols", 168, protocols(max)),
        no("one subprotocol more", protocols(max + 1), Refusal::TooManyProtocols, 400),
        case("60 lines of a subprotocol", 1546, with(&["Sec-WebSocket-Protocol: a"; 60].join("\r\n")), Want::Refusal(Refusal::TooManyProtocols, 400)),
        case("nothing", 0, String::new(), Want::More),
        case("half a request line", 512, "GET /ch".into(), Want::More),
        case("an empty line", 512, "\r\n".into(), Want::More),
        case("no empty line at the end", 512, sound.strip_suffix("\r\n").unwrap().into(), Want::More),
        case("no LF at the end", 512, sound.strip_suffix("\n").unwrap().into(), Want::More),
    ]
}

/// What browsers send.
#[must_use]
pub fn browsers() -> Vec<Case> {
    let cookies: Vec<String> = (0..64)
        .map(|n| format!("session_part_{n}={}", "0123456789abcdef".repeat(2)))
        .collect();
    let cookies = cookies.join("; ");
    assert!(cookies.len() > 3000);
    let chromium = head!(
        "GET /chat?room=1 HTTP/1.1",
        "Host: 127.0.0.1:9001",
        "Connection: Upgrade",
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
        "Upgrade: websocket",
        "Origin: http://127.0.0.1:8080",
        "Sec-WebSocket-Version: 13",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept-Language: en-US,en;q=0.9",
        "Cookies: MARK",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        "Sec-WebSocket-Protocol: chat, superchat"
    );
    let firefox = head!(
        "GET /chat?room=1 HTTP/1.1",
        "Host: 127.0.0.1:9001",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
        "Accept: */*",
        "Accept-Language: en-US,en;q=0.5",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Sec-WebSocket-Version: 13",
        "Origin: http://127.0.0.1:8080",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "DNT: 1",
        "Connection: keep-alive, Upgrade",
        "Cookies: MARK",
        "Sec-Fetch-Dest: empty",
        "Sec-Fetch-Mode: websocket",
        "Sec-Fetch-Site: cross-site",
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "Upgrade: websocket"
    );
    // The application of these cases asks for Cookie: that is too much for 512 bytes. As another
    // line, the same bytes pass by.
    let passing = |head: &str| head.replace("MARK", &cookies);
    let kept = |head: &str| passing(head).replace("Cookies:", "Cookie:");
    let said = &[
        ("path", "/chat"),
        ("query", "room=1"),
        ("host", "127.0.0.1:9001"),
        ("origin", "http://127.0.0.1:8080"),
        ("protocols", "chat|superchat"),
    ];
    let too_long = || Want::Head(HeadError::DoesNotFit, 431);
    vec![
        says(
            "Chromium with 3 kB of cookies",
            173,
            passing(&chromium),
            said,
        ),
        says("Firefox with 3 kB of cookies", 191, passing(&firefox), said),
        case(
            "Chromium, cookies kept, 512 bytes",
            512,
            kept(&chromium),
            too_long(),
        ),
        case(
            "Firefox, cookies kept, 512 bytes",
            512,
            kept(&firefox),
            too_long(),
        ),
        says("Firefox, cookies kept, 4 KiB", 3362, kept(&firefox), said),
    ]
}
