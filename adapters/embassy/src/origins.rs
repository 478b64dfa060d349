use wirelet::handshake::server::is_same_host;

/// Which web pages may connect (RFC 6455 section 10.2).
///
/// A browser lets any page open a WebSocket to any host and says which page it was in the Origin
/// header. Without a check, every page that a user visits can speak to the boards on their network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Origins<'a> {
    /// Pages of the host and port that the request was sent to, and clients that send no Origin:
    /// native ones, for a browser always sends it. The default.
    #[default]
    SameHost,
    /// Pages of these origins, such as `https://example.com`, and clients that send no Origin.
    Only(&'a [&'a str]),
    /// Any page at all: for a service that is public and knows no cookies.
    Any,
}

impl Origins<'_> {
    /// Whether a request to `host` from `origin` may open a connection.
    pub(crate) fn allow(self, origin: Option<&str>, host: &str) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::Any => true,
            Self::Only(list) => list.iter().any(|one| one.eq_ignore_ascii_case(origin)),
            Self::SameHost => is_same_host(origin, host),
        }
    }
}
