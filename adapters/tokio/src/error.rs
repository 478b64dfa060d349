use std::{fmt, io};

use wirelet::{SendError, Timeout};

/// Why a connection failed, or why something could not be sent on it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed.
    Io(io::Error),
    /// The peer broke a rule of the protocol, or a limit. It was told by a Close frame.
    Protocol(wirelet::Error),
    /// What was to be sent would break a rule. The connection is as it was.
    Send(SendError),
    /// The peer was silent, or read nothing, for too long.
    Timeout(Timeout),
    /// The transport ended without a Close frame (close code 1006).
    Disconnected,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "connection lost: {error}"),
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
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Protocol(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Timeout(_) | Self::Disconnected => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            Error::Protocol(_) => Self::new(io::ErrorKind::InvalidData, error),
            Error::Timeout(_) => Self::new(io::ErrorKind::TimedOut, error),
            Error::Disconnected => Self::new(io::ErrorKind::UnexpectedEof, error),
            Error::Send(_) => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}
