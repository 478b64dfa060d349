//! What a URL of a WebSocket may be.

use wirelet_embassy::{Url, UrlError};

#[test]
fn urls() {
    for (url, authority, host, port, target) in [
        ("ws://example.com", "example.com", "example.com", 80, "/"),
        (
            "WS://example.com:80/a?b=c",
            "example.com:80",
            "example.com",
            80,
            "/a?b=c",
        ),
        (
            "ws://10.0.2.2:8080/ws",
            "10.0.2.2:8080",
            "10.0.2.2",
            8080,
            "/ws",
        ),
        (
            "wss://example.com:/",
            "example.com:",
            "example.com",
            443,
            "/",
        ),
        ("ws://[::1]:9001/x", "[::1]:9001", "::1", 9001, "/x"),
        ("wss://[fe80::1]", "[fe80::1]", "fe80::1", 443, "/"),
    ] {
        let parsed = Url::parse(url).unwrap();
        assert_eq!(
            (parsed.authority, parsed.host, parsed.port, parsed.target),
            (authority, host, port, target),
            "{url}"
        );
    }
    for (url, error) in [
        ("http://example.com/", UrlError::Scheme),
        ("example.com", UrlError::Scheme),
        ("ws://example.com/#a", UrlError::Fragment),
        ("ws:///path", UrlError::Host),
        ("ws://user@example.com/", UrlError::Host),
        ("ws://[::1/", UrlError::Host),
        ("ws://example.com:+80/", UrlError::Port),
        ("ws://example.com:65536/", UrlError::Port),
        ("ws://[::1]80/", UrlError::Port),
        ("ws://example.com?query", UrlError::Path),
    ] {
        assert_eq!(Url::parse(url), Err(error), "{url}");
    }
}
