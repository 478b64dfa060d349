//! Which page asks (RFC 6454).

use super::super::grammar::{is_host, same, split_once};

/// Whether the page of `origin` came from the host and port that the request was sent to, the
/// value of Host (RFC 6455 section 10.2).
///
/// The scheme only tells the default port: a page may have come by TLS through a proxy that
/// speaks plain HTTP to this server, and then neither names a port.
///
/// ```
/// use wirelet::handshake::server::is_same_host;
/// assert!(is_same_host("https://Example.com", "example.com:443"));
/// assert!(!is_same_host("http://example.com.evil.net", "example.com"));
/// ```
#[must_use]
pub fn is_same_host(origin: &str, host: &str) -> bool {
    let Some((scheme, rest)) = split_once(origin.as_bytes(), b':') else {
        return false;
    };
    let (Some(page), host) = (rest.strip_prefix(b"//"), host.as_bytes()) else {
        return false;
    };
    let default = if same(scheme, b"https") {
        b"443"
    } else {
        &b"80"[..]
    };
    let (page_name, page_port) = authority(page, default);
    let (name, port) = authority(host, default);
    is_host(page) && is_host(host) && same(page_name, name) && page_port == port
}

/// Splits off the port, which may be missing or empty (RFC 3986 section 3.2.3).
fn authority<'a>(host: &'a [u8], default: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    // The colons of an IPv6 address stand in brackets.
    let colon = host.iter().rposition(|&byte| byte == b':' || byte == b']');
    let split = colon.and_then(|at| host.split_at_checked(at));
    match split {
        Some((name, [b':'])) => (name, default),
        Some((name, [b':', port @ ..])) => (name, port),
        _ => (host, default),
    }
}
