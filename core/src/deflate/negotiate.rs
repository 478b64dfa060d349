//! Which offer is taken, and which answer is good enough (RFC 7692 sections 5 and 7.1).

use super::{Agreement, Answer, Context, Offer, WindowBits};

/// What a server wants of permessage-deflate.
///
/// ```
/// use wirelet::deflate::Server;
/// // A microcontroller: every message inflates in the buffer of the message, nothing else is held.
/// let server = Server::SMALL;
/// let chromium = "permessage-deflate; client_max_window_bits";
/// let (answer, agreement) = server.answer([chromium]).unwrap();
/// let said = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// assert_eq!(answer.encode().as_str(), said);
/// assert!(!agreement.client.takeover);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Server {
    /// The most that the client's messages may need: without takeover nothing but the message;
    /// with it, a window of this size is held for the connection.
    ///
    /// A client that does not let its window be limited (Firefox) is asked for no takeover if this
    /// window is less than 32 KiB; that every client must obey.
    pub client: Context,
    /// The most that the server's own messages make use of.
    pub server: Context,
    /// The smallest window to which the server's own compression can be held: offers that ask for
    /// less are declined. zlib's is 9.
    pub smallest: WindowBits,
}

impl Server {
    /// Every message for itself in both directions, whatever windows a client asks for: for a
    /// microcontroller, which sends nothing compressed.
    pub const SMALL: Self = Self {
        client: Context::NO_TAKEOVER,
        server: Context::NO_TAKEOVER,
        smallest: WindowBits::MIN,
    };

    /// The answer to the first offer that can be taken (section 5: in the client's order of
    /// preference), and what it means. `None`: the connection goes without.
    ///
    /// The elements of all lines of Sec-WebSocket-Extensions, as
    /// [`Request::extensions`](crate::handshake::server::Request::extensions) gives them. Those of
    /// other extensions, and malformed ones, are passed over.
    pub fn answer<'a>(
        &self,
        elements: impl IntoIterator<Item = &'a str>,
    ) -> Option<(Answer, Agreement)> {
        elements.into_iter().find_map(|element| {
            let offer = Offer::parse(element).ok()?;
            let answer = self.answer_to(&offer)?;
            Some((answer, agreement(&offer, &answer)?))
        })
    }

    fn answer_to(&self, offer: &Offer) -> Option<Answer> {
        // Section 7.1.2.1: the same or a smaller value, or the offer is declined.
        let asked = offer.server_max_window_bits.unwrap_or(WindowBits::MAX);
        if asked < self.smallest {
            return None;
        }
        let server = self.server.window.min(asked);
        // Section 7.1.2.2: only a client that offered the parameter can be limited.
        let client = offer.client_max_window_bits.map(|most| {
            let window = most.unwrap_or(WindowBits::MAX).min(self.client.window);
            (window, most.is_some())
        });
        let limited = client.map_or(WindowBits::MAX, |(window, _)| window);
        let said = |window: WindowBits, asked| asked || window < WindowBits::MAX;
        Some(Answer {
            // Section 7.1.1.1: accepted by saying so, and allowed without being asked.
            server_no_context_takeover: offer.server_no_context_takeover || !self.server.takeover,
            // Section 7.1.1.2: allowed without being asked, and the client must obey. What the
            // client only hinted at holds when it was answered.
            client_no_context_takeover: offer.client_no_context_takeover
                || !self.client.takeover
                || limited > self.client.window,
            server_max_window_bits: said(server, offer.server_max_window_bits.is_some())
                .then_some(server),
            client_max_window_bits: client
                .filter(|&(window, asked)| said(window, asked))
                .map(|(window, _)| window),
        })
    }
}

/// What an answer to this offer means; `None` if it is none that the offer allows, and the client
/// must fail the connection (section 7.1).
#[must_use]
pub fn agreement(offer: &Offer, answer: &Answer) -> Option<Agreement> {
    let server = answer.server_max_window_bits.unwrap_or(WindowBits::MAX);
    let client = answer.client_max_window_bits.unwrap_or(WindowBits::MAX);
    // Section 7.1.2.1: not more than was asked for.
    if server > offer.server_max_window_bits.unwrap_or(WindowBits::MAX) {
        return None;
    }
    // Section 7.1.1.1: a server that cannot do without takeover declines.
    if offer.server_no_context_takeover && !answer.server_no_context_takeover {
        return None;
    }
    // Section 7.1.2.2: only if it was offered, and not more than was hinted at.
    let hint = match (offer.client_max_window_bits, answer.client_max_window_bits) {
        (None, Some(_)) => return None,
        (None | Some(None), _) => WindowBits::MAX,
        (Some(Some(hint)), Some(bits)) if bits > hint => return None,
        (Some(Some(hint)), _) => hint,
    };
    Some(Agreement {
        server: Context {
            takeover: !answer.server_no_context_takeover,
            window: server,
        },
        client: Context {
            takeover: !(answer.client_no_context_takeover || offer.client_no_context_takeover),
            window: client.min(hint),
        },
    })
}
