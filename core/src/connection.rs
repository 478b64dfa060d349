use core::time::Duration;

use crate::{CloseCode, Control, Error, Event, Inline, Role, SendError, Slot, What};

/// Who closes, what is owed, and when to give up (RFC 6455 sections 5.5 and 7).
///
/// It sees the events of a [`Receiver`](crate::Receiver), holds the one Pong or Close that must go out
/// without the application's help, and keeps the deadlines. It has no clock: times are
/// [`Instant`]s that the caller measures. Call, in this order and as often as each applies:
///
/// 1. [`opened`](Self::opened) when the handshake is done;
/// 2. [`heard`](Self::heard) when bytes came, [`on_event`](Self::on_event) for each event in them,
///    [`fail`](Self::fail) for an error;
/// 3. [`owed`](Self::owed), send it, [`paid`](Self::paid), until nothing is owed;
/// 4. wait until [`poll_timeout`](Self::poll_timeout), then [`on_timeout`](Self::on_timeout).
///
/// Only the newest Ping must be answered (section 5.5.3), so one slot of 125 bytes bounds the
/// obligation: a flood of Pings grows nothing. It is part of the connection, unless the caller
/// brings [another](Self::with_slot).
#[derive(Clone, Debug)]
pub struct Connection<S = Inline> {
    /// The payload of the newest Ping, or of the Close that is owed, or of the one received.
    slot: S,
    role: Role,
    phase: Phase,
    owes: Owes,
    owes_ping: bool,
    peer: Peer,
    /// When the peer was last heard of.
    heard: Instant,
    /// When the deadline of this phase, or the wait for the next Ping, began.
    since: Instant,
    timeouts: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    /// Our Close is owed: nothing else is sent any more.
    Closing,
    /// Our Close was sent.
    CloseSent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owes {
    Nothing,
    Pong,
    Close,
}

/// What is still to come from the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// Anything.
    Open,
    /// The rest of its Close: the slot holds what came of it.
    Closing,
    /// Nothing: its Close is in the slot.
    Closed,
    /// It broke a rule: nothing that comes can be understood any more.
    Failed,
}

/// A frame that must be sent before any later data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Obligation<'a> {
    /// Which frame.
    pub control: Control,
    /// Its payload, at most 125 bytes.
    pub payload: &'a [u8],
}

/// What the peer's Close frame said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Closed<'a> {
    /// Its code; [`CloseCode::NONE`] if it had none.
    pub code: CloseCode,
    /// Its reason, at most 123 bytes.
    pub reason: &'a str,
}

/// Milliseconds since any moment that the caller chose, such as the start of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// This many milliseconds after the caller's zero.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the caller's zero.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// `None` is never.
    fn plus(self, millis: u32) -> Option<Self> {
        (millis != NEVER).then(|| Self(self.0.saturating_add(u64::from(millis))))
    }
}

/// How long to wait for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timeouts {
    /// For the whole opening handshake. Default: 10 s.
    pub handshake: Duration,
    /// After this long without a byte from the peer a Ping is sent. Default: 20 s.
    pub keepalive: Option<Duration>,
    /// After this long without a byte from the peer, Pongs included, it is taken for gone; a
    /// write that makes no progress for as long ends the same way. Default: 60 s.
    pub idle: Option<Duration>,
    /// For sending our Close, and then for the peer's Close and the end of its stream. Default: 5 s.
    pub close: Duration,
}

impl Timeouts {
    /// Waits for ever, except for the handshake and the close.
    #[must_use]
    pub const fn patient(self) -> Self {
        Self {
            keepalive: None,
            idle: None,
            ..self
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            keepalive: Some(Duration::from_secs(20)),
            idle: Some(Duration::from_secs(60)),
            close: Duration::from_secs(5),
        }
    }
}

/// Which deadline passed. The connection is over: drop the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Timeout {
    /// [`Timeouts::handshake`].
    Handshake,
    /// [`Timeouts::idle`].
    Idle,
    /// [`Timeouts::close`].
    Close,
}

/// [`Timeouts`] in a quarter of their size; [`NEVER`] is no deadline.
#[derive(Clone, Copy, Debug)]
struct Millis {
    handshake: u32,
    keepalive: u32,
    idle: u32,
    close: u32,
}

const NEVER: u32 = u32::MAX;

impl Connection {
    /// Before the handshake, whose deadline begins `now`.
    #[must_use]
    pub fn new(role: Role, timeouts: Timeouts, now: Instant) -> Self {
        Self::with_slot(Inline::new(), role, timeouts, now)
    }
}

impl<S: Slot> Connection<S> {
    /// As [`new`](Connection::new), with an empty slot of the caller's. It is empty again when a Pong
    /// was [paid](Self::paid).
    #[must_use]
    pub fn with_slot(slot: S, role: Role, timeouts: Timeouts, now: Instant) -> Self {
        let millis = |d: Duration| u32::try_from(d.as_millis()).unwrap_or(NEVER);
        let optional = |d: Option<Duration>| d.map_or(NEVER, millis);
        Self {
            slot,
            role,
            phase: Phase::Opening,
            owes: Owes::Nothing,
            owes_ping: false,
            peer: Peer::Open,
            heard: now,
            since: now,
            timeouts: Millis {
                handshake: millis(timeouts.handshake),
                keepalive: optional(timeouts.keepalive),
                idle: optional(timeouts.idle),
                close: millis(timeouts.close),
            },
        }
    }

    /// The handshake is done.
    pub const fn opened(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Opening) {
            self.phase = Phase::Open;
            self.heard = now;
            self.since = now;
        }
    }

    /// Bytes came from the peer.
    #[inline]
    pub const fn heard(&mut self, now: Instant) {
        self.heard = now;
        if matches!(self.phase, Phase::Open) {
            self.since = now;
        }
    }

    /// Something came from the peer. Afterwards something may be [owed](Self::owed).
    #[inline]
    pub fn on_event(&mut self, event: &Event<'_>) {
        if let What::Control(control) = event.what {
            self.on_control(control, event);
        }
    }

    fn on_control(&mut self, control: Control, event: &Event<'_>) {
        let collect = match control {
            Control::Pong => false,
            // Section 5.5.2: no Pong after a Close.
            Control::Ping => self.phase == Phase::Open,
            Control::Close => matches!(self.peer, Peer::Open | Peer::Closing),
        };
        if !collect {
            return;
        }
        if event.start {
            // The slot is for one frame. A Pong that is owed gives way to that for a newer Ping,
            // and our own Close to the answer to the peer's.
            self.slot.clear();
            self.owes = Owes::Nothing;
            if control == Control::Close {
                self.peer = Peer::Closing;
            }
        }
        // The receiver lets at most 125 bytes pass.
        self.slot.extend(event.payload);
        if event.end && control == Control::Ping {
            self.owes = Owes::Pong;
        } else if event.end {
            self.peer = Peer::Closed;
            if self.phase != Phase::CloseSent {
                self.phase = Phase::Closing;
                self.owes = Owes::Close;
            }
        }
    }

    /// The peer broke a rule: nothing more is understood, and a Close that says so is owed unless
    /// one was sent or is owed already. Without effect after the peer's Close.
    pub fn fail(&mut self, error: Error, now: Instant) {
        if self.peer == Peer::Closed {
            return;
        }
        self.peer = Peer::Failed;
        if self.phase != Phase::CloseSent && self.owes != Owes::Close {
            self.owe_close(error.close_code(), error.reason(), now);
        }
    }

    /// The application ends the connection: a Close is owed, and no data may be sent any more.
    ///
    /// Data from the peer still comes, until its own Close. If a part of that is here already, the
    /// answer to it is what is owed, once the rest is here.
    ///
    /// # Errors
    /// [`SendError::Closed`] if a Close was sent or is owed, [`SendError::CloseCode`],
    /// [`SendError::ControlTooLong`] for a reason of more than 123 bytes. Nothing changed then.
    pub fn close(&mut self, code: CloseCode, reason: &str, now: Instant) -> Result<(), SendError> {
        if matches!(self.phase, Phase::Closing | Phase::CloseSent) {
            return Err(SendError::Closed);
        }
        if !code.is_sendable() {
            return Err(SendError::CloseCode);
        }
        if reason.len() > 123 {
            return Err(SendError::ControlTooLong);
        }
        if self.peer == Peer::Closing {
            self.phase = Phase::Closing;
            self.since = now;
        } else {
            self.owe_close(code, reason, now);
        }
        Ok(())
    }

    fn owe_close(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.slot.clear();
        self.slot.extend(&code.get().to_be_bytes());
        self.slot.extend(reason.as_bytes());
        // The deadline of a close that began earlier stays.
        if self.phase != Phase::Closing {
            self.since = now;
        }
        self.phase = Phase::Closing;
        self.owes = Owes::Close;
    }

    /// The frame that must be sent next, before later data. Say [`paid`](Self::paid) when it was
    /// staged; until then this returns it again, or a newer one in its place, or
    /// nothing while only a part of what the newer one answers is here.
    #[must_use]
    #[inline]
    pub fn owed(&self) -> Option<Obligation<'_>> {
        match self.owes {
            // Nothing but a Close is sent while closing.
            Owes::Nothing if !self.owes_ping || self.phase != Phase::Open => None,
            Owes::Nothing => Some(Obligation {
                control: Control::Ping,
                payload: &[],
            }),
            Owes::Pong => Some(Obligation {
                control: Control::Pong,
                payload: self.slot.as_slice(),
            }),
            // Section 5.5.1: the answer echoes the code that was received.
            Owes::Close if self.peer == Peer::Closed => {
                let payload = self.slot.as_slice().get(..2).unwrap_or_default();
                Some(Obligation {
                    control: Control::Close,
                    payload,
                })
            }
            Owes::Close => Some(Obligation {
                control: Control::Close,
                payload: self.slot.as_slice(),
            }),
        }
    }

    /// What was [owed](Self::owed) is on its way.
    pub fn paid(&mut self, now: Instant) {
        match self.owes {
            Owes::Nothing if self.phase == Phase::Open => {
                self.owes_ping = false;
                self.since = now;
            }
            Owes::Nothing => {}
            Owes::Pong => {
                self.slot.clear();
                self.owes = Owes::Nothing;
            }
            Owes::Close => {
                self.phase = Phase::CloseSent;
                self.since = now;
                self.owes = Owes::Nothing;
            }
        }
    }

    /// Data may be sent.
    #[must_use]
    #[inline]
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Both Close frames passed, or ours passed after an error.
    ///
    /// The server now closes the transport; a client waits for the server to do so, up to the
    /// close deadline (section 7.1.1).
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::CloseSent && matches!(self.peer, Peer::Closed | Peer::Failed)
    }

    /// [Finished](Self::is_finished), and the other end closes the transport first.
    #[must_use]
    pub fn expects_eof(&self) -> bool {
        self.is_finished() && self.role == Role::Client
    }

    /// What the peer's Close said; `None` before it came, and after a [failure](Self::fail).
    #[must_use]
    pub fn closed(&self) -> Option<Closed<'_>> {
        if self.peer != Peer::Closed {
            return None;
        }
        let Some((code, reason)) = self.slot.as_slice().split_first_chunk::<2>() else {
            return Some(Closed {
                code: CloseCode::NONE,
                reason: "",
            });
        };
        let code = CloseCode::new(u16::from_be_bytes(*code));
        // The receiver has checked it.
        Some(Closed {
            code,
            reason: core::str::from_utf8(reason).unwrap_or_default(),
        })
    }

    /// How long a write may make no progress: [`Timeouts::idle`], in whole milliseconds.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        let idle = self.timeouts.idle;
        (idle != NEVER).then(|| Duration::from_millis(u64::from(idle)))
    }

    /// The next moment at which [`on_timeout`](Self::on_timeout) has something to do. It moves when
    /// bytes come: a timer that fires early costs one call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Opening => self.since.plus(self.timeouts.handshake),
            Phase::Open => {
                let idle = self.heard.plus(self.timeouts.idle);
                let keepalive = self.since.plus(self.timeouts.keepalive);
                match (idle, keepalive) {
                    (Some(idle), Some(keepalive)) if !self.owes_ping => Some(idle.min(keepalive)),
                    (None, keepalive) if !self.owes_ping => keepalive,
                    (idle, _) => idle,
                }
            }
            Phase::Closing | Phase::CloseSent => self.since.plus(self.timeouts.close),
        }
    }

    /// Checks the deadlines. A Ping may be [owed](Self::owed) afterwards; a [`Timeout`] ends the
    /// connection.
    pub fn on_timeout(&mut self, now: Instant) -> Option<Timeout> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        match self.phase {
            Phase::Opening => {
                passed(self.since.plus(self.timeouts.handshake)).then_some(Timeout::Handshake)
            }
            Phase::Closing | Phase::CloseSent => {
                passed(self.since.plus(self.timeouts.close)).then_some(Timeout::Close)
            }
            Phase::Open if passed(self.heard.plus(self.timeouts.idle)) => Some(Timeout::Idle),
            Phase::Open => {
                self.owes_ping |= passed(self.since.plus(self.timeouts.keepalive));
                None
            }
        }
    }
}

// What one connection costs is known when it is compiled.
const _: () = assert!(size_of::<Connection>() <= 192);
