use core::fmt;

/// Where a URL points to (RFC 6455 section 3). It borrows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Url<'u> {
    /// `wss://`.
    pub tls: bool,
    /// What the Host header says.
    pub authority: &'u str,
    /// The name or the address, without the brackets of IPv6.
    pub host: &'u str,
    /// 80 or 443 if the URL names none.
    pub port: u16,
    /// Path and query; `/` if the URL has none.
    pub target: &'u str,
}

impl<'u> Url<'u> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &'u str) -> Result<Self, UrlError> {
        let (tls, rest) = match cut(url, b':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ws") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("wss") => (true, rest),
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.strip_prefix("//").ok_or(UrlError::Scheme)?;
        // Section 3: no fragment.
        if cut(rest, b'#').is_some() {
            return Err(UrlError::Fragment);
        }
        let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?'));
        let (authority, target) = rest.split_at(end.unwrap_or(rest.len()));
        // Section 3: an empty path is "/", but there is no room here to write it before a query.
        let target = match target {
            "" => "/",
            target if target.starts_with('/') => target,
            _ => return Err(UrlError::Path),
        };
        if cut(authority, b'@').is_some() {
            return Err(UrlError::Host);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => cut(rest, b']').ok_or(UrlError::Host)?,
            None => {
                let colon = authority.bytes().position(|byte| byte == b':');
                authority.split_at(colon.unwrap_or(authority.len()))
            }
        };
        if host.is_empty() {
            return Err(UrlError::Host);
        }
        let port = match (port, tls) {
            ("" | ":", false) => 80,
            ("" | ":", true) => 443,
            (port, _) => port
                .strip_prefix(':')
                // Rust's numbers may have a sign.
                .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|port| port.parse().ok())
                .ok_or(UrlError::Port)?,
        };
        Ok(Self {
            tls,
            authority,
            host,
            port,
            target,
        })
    }
}

/// Splits at a character of ASCII. The searches of `str` are general, and so a kilobyte larger.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let index = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with `ws://` or `wss://`.
    Scheme,
    /// It has a fragment.
    Fragment,
    /// It names no host, or a user.
    Host,
    /// The port is not a number up to 65,535.
    Port,
    /// It has a query but no path.
    Path,
    /// It is `wss://`, and the transport is plain TCP.
    Tls,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a WebSocket URL begins with ws:// or wss://",
            Self::Fragment => "a WebSocket URL has no fragment (#)",
            Self::Host => "the URL names no host, or a user",
            Self::Port => "the port is not a number up to 65535",
            Self::Path => "write the path in front of the query: ws://host/?query",
            Self::Tls => "wss:// needs TLS: open the TLS stream, then use Connector::handshake",
        })
    }
}

impl core::error::Error for UrlError {}
