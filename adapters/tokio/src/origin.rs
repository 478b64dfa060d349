use wirelet::handshake::server::is_same_host;

/// Which web pages may connect (RFC 6455 section 10.2).
///
/// A browser lets any page open a WebSocket to any host and says which page it was in the Origin
/// header. Without a check, every page that a user visits can speak to a server on their machine
/// or network, with their cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    rule: Rule,
    required: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    SameHost,
    Only(Vec<String>),
    Any,
}

impl Origins {
    /// Pages of the host and port that the request was sent to, and clients that send no Origin:
    /// native ones, for a browser always sends it. The default.
    #[must_use]
    pub const fn same_host() -> Self {
        Self {
            rule: Rule::SameHost,
            required: false,
        }
    }

    /// Pages of these origins, such as `https://example.com`, and clients that send no Origin.
    #[must_use]
    pub fn only<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self {
            rule: Rule::Only(origins.into_iter().map(Into::into).collect()),
            required: false,
        }
    }

    /// Any page at all: for a service that is public and knows no cookies.
    #[must_use]
    pub const fn any() -> Self {
        Self {
            rule: Rule::Any,
            required: false,
        }
    }

    /// Refuses clients that send no Origin, too.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Whether a request to `host` from `origin` may open a connection.
    pub(crate) fn allow(&self, origin: Option<&str>, host: &str) -> bool {
        let Some(origin) = origin else {
            return !self.required;
        };
        match &self.rule {
            Rule::Any => true,
            Rule::Only(list) => list.iter().any(|one| one.eq_ignore_ascii_case(origin)),
            Rule::SameHost => is_same_host(origin, host),
        }
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self::same_host()
    }
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn same_host_compares_host_and_port() {
        let rule = Origins::same_host();
        for (origin, host, allowed) in [
            ("http://example.com", "example.com", true),
            ("http://EXAMPLE.com", "example.COM", true),
            ("http://example.com", "example.com:80", true),
            ("https://example.com", "example.com", true),
            ("https://example.com", "example.com:443", true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://127.0.0.1:8080", "localhost:8080", false),
            ("http://example.com", "example.com:8080", false),
            ("http://example.com.evil.net", "example.com", false),
            ("http://evil.net", "example.com", false),
            ("null", "example.com", false),
            ("example.com", "example.com", false),
            ("", "example.com", false),
            ("http://example.com", "", false),
        ] {
            assert_eq!(
                rule.allow(Some(origin), host),
                allowed,
                "{origin} to {host}"
            );
        }
        assert!(rule.allow(None, "example.com"));
        assert!(!rule.required().allow(None, "example.com"));
    }

    #[test]
    fn a_list_is_compared_whole() {
        let rule = Origins::only(["https://example.com"]);
        assert!(rule.allow(Some("https://example.com"), "other"));
        assert!(!rule.allow(Some("http://example.com"), "example.com"));
        assert!(!rule.allow(Some("https://example.com.evil.net"), "example.com"));
        assert!(Origins::any().allow(Some("null"), "example.com"));
    }
}
