//! Who closes, what is owed, and when to give up: RFC 6455 sections 5.5 and 7 in [`Connection`].

mod closing;
mod deadlines;
mod errors;
mod peers;

use wirelet::{
    CloseCode, Connection, Control, Instant, Limits, Receiver, Role, SendError, Timeout, Timeouts,
};

/// A connection with the receiver that feeds it, and a clock.
pub(crate) struct Side {
    pub(crate) connection: Connection,
    receiver: Receiver,
    role: Role,
    pub(crate) now: u64,
}

impl Side {
    pub(crate) fn new(role: Role, timeouts: Timeouts) -> Self {
        let now = 1_000_000;
        let mut connection = Connection::new(role, timeouts, Instant::from_millis(now));
        connection.opened(Instant::from_millis(now));
        let receiver = Receiver::new(role, Limits::default());
        Self {
            connection,
            receiver,
            role,
            now,
        }
    }

    /// Bytes from the peer.
    pub(crate) fn hears(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        self.connection.heard(Instant::from_millis(self.now));
        loop {
            match self.receiver.next(&mut input) {
                Ok(Some(event)) => self.connection.on_event(&event),
                Ok(None) => return,
                Err(error) => return self.connection.fail(error, Instant::from_millis(self.now)),
            }
        }
    }

    pub(crate) fn owed(&self) -> Option<(Control, &[u8])> {
        self.connection
            .owed()
            .map(|owed| (owed.control, owed.payload))
    }

    pub(crate) fn close(&mut self, code: u16, reason: &str) -> Result<(), SendError> {
        let now = Instant::from_millis(self.now);
        self.connection.close(CloseCode::new(code), reason, now)
    }

    pub(crate) fn pay(&mut self) {
        self.connection.paid(Instant::from_millis(self.now));
    }

    pub(crate) fn state(&self) -> State {
        let (open, finished) = (self.connection.is_open(), self.connection.is_finished());
        let client = self.role == Role::Client;
        assert_eq!(self.connection.expects_eof(), finished && client);
        match (open, finished) {
            (true, false) => State::Open,
            (false, false) => State::Closing,
            (false, true) => State::Finished,
            (true, true) => panic!("open and finished"),
        }
    }

    pub(crate) fn closed(&self) -> Option<(u16, &str)> {
        self.connection
            .closed()
            .map(|closed| (closed.code.get(), closed.reason))
    }

    /// What passes `millis` from now, and nothing before.
    pub(crate) fn waits(&mut self, millis: u64) -> Option<Timeout> {
        let due = Instant::from_millis(self.now + millis);
        assert_eq!(self.connection.poll_timeout(), Some(due));
        let owed = self.connection.owed().map(|owed| owed.control);
        let before = Instant::from_millis(self.now + millis - 1);
        assert_eq!(self.connection.on_timeout(before), None);
        assert_eq!(self.connection.owed().map(|owed| owed.control), owed);
        self.now += millis;
        self.connection.on_timeout(due)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Closing,
    Finished,
}

pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
pub(crate) const CLOSE: u8 = 0x88;
/// Code 1000 and a reason.
pub(crate) const BYE: &[u8] = b"\x03\xe8bye";

pub(crate) fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}
