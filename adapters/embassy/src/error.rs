use core::fmt;

use embedded_io_async::ErrorKind;
use wirelet::{SendError, Timeout};

/// Why a connection failed, or why something could not be sent on it. `E` is the transport's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<E> {
    /// The transport failed.
    Io(E),
    /// The peer broke a rule of the protocol, or a limit. It was told by a Close frame.
    Protocol(wirelet::Error),
    /// What was to be sent would break a rule. The connection is as it was.
    Send(SendError),
    /// The peer was silent, or read nothing, for too long.
    Timeout(Timeout),
    /// The transport ended without a Close frame (close code 1006).
    Disconnected,
    /// The other half of the connection waits, and has the transport: only with
    /// [`Buffered`](crate::Buffered). The connection is as it was.
    Busy,
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "connection lost: {error:?}"),
            Self::Protocol(error) => write!(f, "the peer broke the protocol: {error}"),
            Self::Send(error) => write!(f, "cannot send: {error}"),
            Self::Timeout(Timeout::Handshake) => f.write_str("the opening handshake took too long"),
            Self::Timeout(Timeout::Idle) => {
                f.write_str("the peer was silent, or read nothing, for too long")
            }
            Self::Timeout(Timeout::Close) => {
                f.write_str("the peer did not answer the Close frame in time")
            }
            Self::Disconnected => f.write_str("the connection ended without a Close frame"),
            Self::Busy => f.write_str("the other half of the connection waits: use one at a time"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}

impl<E: embedded_io_async::Error> embedded_io_async::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Protocol(_) => ErrorKind::InvalidData,
            Self::Send(_) => ErrorKind::InvalidInput,
            Self::Timeout(_) => ErrorKind::TimedOut,
            Self::Disconnected => ErrorKind::BrokenPipe,
            Self::Busy => ErrorKind::Other,
        }
    }
}

impl<E> From<SendError> for Error<E> {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}
