//! URLs of WebSockets.

use http::Uri;

use super::ConnectError;

/// Where a URL points to (RFC 6455 section 3).
pub(super) struct Target {
    pub(super) tls: bool,
    /// For the Host header: with the port only if it is not the default.
    pub(super) authority: String,
    host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

impl Target {
    pub(super) fn of(url: &str) -> Result<Self, ConnectError> {
        // Section 3: no fragment. The parser would drop it without a word.
        if url.contains('#') {
            return Err(ConnectError::Url("a WebSocket URL has no fragment (#)"));
        }
        let uri: Uri = url
            .parse()
            .map_err(|_| ConnectError::Url("this is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => {
                return Err(ConnectError::Url(
                    "a WebSocket URL begins with ws:// or wss://",
                ));
            }
        };
        let Some(authority) = uri
            .authority()
            .filter(|authority| !authority.host().is_empty())
        else {
            return Err(ConnectError::Url("the URL names no host"));
        };
        if authority.as_str().contains('@') {
            return Err(ConnectError::Url(
                "user and password do not belong in a WebSocket URL",
            ));
        }
        let default = if tls { 443 } else { 80 };
        let host = authority.host().to_owned();
        // The parser lets any text pass as a port. RFC 3986 section 3.2.3: it may be empty.
        let port = match authority.as_str()[host.len()..].strip_prefix(':') {
            None | Some("") => default,
            Some(port) => port
                .parse()
                .ok()
                .filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or(ConnectError::Url("the port is not a number up to 65535"))?,
        };
        let authority = if port == default {
            host.clone()
        } else {
            format!("{host}:{port}")
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // Section 3: an empty path is "/", also in front of a query.
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            tls,
            authority,
            host,
            port,
            path,
        })
    }

    /// Without the brackets of an IPv6 address, as a look-up wants it.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn urls() {
        for (url, authority, host, port, path) in [
            ("ws://example.com", "example.com", "example.com", 80, "/"),
            (
                "ws://example.com:80/a?b=c",
                "example.com",
                "example.com",
                80,
                "/a?b=c",
            ),
            (
                "ws://127.0.0.1:9001/x",
                "127.0.0.1:9001",
                "127.0.0.1",
                9001,
                "/x",
            ),
            ("ws://[::1]:9001/", "[::1]:9001", "::1", 9001, "/"),
            (
                "wss://example.com/a",
                "example.com",
                "example.com",
                443,
                "/a",
            ),
            (
                "ws://example.com?q",
                "example.com",
                "example.com",
                80,
                "/?q",
            ),
        ] {
            let target = Target::of(url).unwrap();
            assert_eq!(target.authority, authority, "{url}");
            assert_eq!(
                (target.host(), target.port, &target.path[..]),
                (host, port, path),
                "{url}"
            );
        }
        for url in [
            "",
            "http://example.com",
            "ws://",
            "ws://u:p@example.com",
            "ws://example.com/#a",
            "/a",
        ] {
            assert!(Target::of(url).is_err(), "{url}");
        }
    }
}
