/// Which end of the connection this is.
///
/// A client masks what it sends and refuses masked frames; a server does the reverse (RFC 6455
/// section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// The end that sent the opening handshake.
    Client,
    /// The end that answered it.
    Server,
}
