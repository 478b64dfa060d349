//! A client and a server that talk over any interleaving always come to an end.

use std::collections::VecDeque;

use wirelet::{
    CloseCode, Connection, Control, Instant, Kind, Limits, Masking, Outbox, Receiver, Role,
    SendError, Sender, Timeout, Timeouts,
};
use wirelet_tests::frames::Frame;
use wirelet_tests::rng::Rng;

/// Keys from a generator for the client, none for the server.
struct Keys(Option<Rng>);

impl Masking for Keys {
    fn next_key(&mut self) -> Option<[u8; 4]> {
        let key = self.0.as_mut()?.any().to_le_bytes();
        Some([key[0], key[1], key[2], key[3]])
    }
}

/// One end, with what it has sent and the other has not received.
struct Peer {
    connection: Connection,
    receiver: Receiver,
    outbox: Outbox<[u8; 300], Keys>,
    wire: VecDeque<u8>,
    /// The end of the stream came from the other side.
    eof: bool,
    gone: bool,
    /// When it began to close.
    closing: Option<u64>,
    pings: usize,
    pongs: usize,
}

const CLOSE_MILLIS: u64 = 5_000;

impl Peer {
    fn new(role: Role, seed: u64) -> Self {
        let keys = (role == Role::Client).then(|| Rng::new(seed));
        let mut connection = Connection::new(role, Timeouts::default(), Instant::from_millis(0));
        connection.opened(Instant::from_millis(0));
        Self {
            connection,
            receiver: Receiver::new(role, Limits::default()),
            outbox: Outbox::new([0; 300], Sender::new(Keys(keys))),
            wire: VecDeque::new(),
            eof: false,
            gone: false,
            closing: None,
            pings: 0,
            pongs: 0,
        }
    }

    /// Some of what the other end has sent comes.
    fn hear(&mut self, bytes: &mut [u8], now: Instant) {
        self.connection.heard(now);
        let mut input = bytes;
        loop {
            match self.receiver.next(&mut input) {
                Ok(Some(event)) => {
                    let pong = event.what == wirelet::What::Control(Control::Pong);
                    self.pongs += usize::from(pong && event.end);
                    self.connection.on_event(&event);
                }
                Ok(None) => return,
                Err(error) => return self.connection.fail(error, now),
            }
        }
    }

    /// What an adapter does after each step: pays what is owed, leaves when all is done.
    fn settle(&mut self, now: Instant) {
        while let Some(owed) = self.connection.owed() {
            match self.outbox.control(owed.control, owed.payload) {
                Ok(()) => self.connection.paid(now),
                Err(SendError::Full | SendError::FrameOpen) => break,
                Err(error) => panic!("an obligation is always allowed: {error:?}"),
            }
        }
        if !self.connection.is_open() && self.closing.is_none() {
            self.closing = Some(now.as_millis());
        }
        let flushed = self.outbox.pending().is_empty();
        let done = self.connection.is_finished() && flushed;
        // Section 7.1.1: the server closes the transport first.
        self.gone |= done && (self.eof || !self.connection.expects_eof());
        self.gone |= self.eof && flushed;
    }

    /// The application does something.
    fn act(&mut self, rng: &mut Rng, now: Instant) {
        match rng.below(6) {
            0 if self.connection.is_open() => {
                let size = rng.below(60);
                // Full or not: data that does not fit is not sent.
                let _ = self.outbox.data(Kind::Binary, &vec![7; size]);
            }
            1 if self.connection.is_open() => {
                self.pings += usize::from(self.outbox.control(Control::Ping, b"?").is_ok());
            }
            2 if rng.chance(5) => drop(self.connection.close(CloseCode::GOING_AWAY, "enough", now)),
            _ => {}
        }
    }

    /// Some of what is staged goes to the wire.
    fn write(&mut self, most: usize) {
        let n = most.min(self.outbox.pending().len());
        self.wire.extend(&self.outbox.pending()[..n]);
        self.outbox.sent(n);
    }
}

/// `to` hears at most `most` bytes of what `from` has sent, or that there will be no more.
fn deliver(from: &mut Peer, to: &mut Peer, most: usize, now: Instant) {
    let n = most.min(from.wire.len());
    let mut bytes: Vec<u8> = from.wire.drain(..n).collect();
    if !bytes.is_empty() {
        to.hear(&mut bytes, now);
    }
    to.eof |= from.gone && from.wire.is_empty();
}

#[test]
fn two_ends_always_finish_within_the_close_deadline() {
    let (mut broken, mut pongs) = (0, 0);
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let mut ends = [Peer::new(Role::Client, seed), Peer::new(Role::Server, 0)];
        let mut now = 0;
        // Anything goes, until one of them closes.
        while ends.iter().all(|end| end.closing.is_none()) {
            now += rng.below(30) as u64;
            let side = rng.below(2);
            step(&mut ends, side, &mut rng, Instant::from_millis(now));
            if rng.chance(1) && ends[side].outbox.pending().is_empty() {
                // Between two frames, one that breaks a rule.
                ends[side].wire.extend(Frame::new(0x8b, b"").bytes());
                broken += 1;
            }
        }
        // From here on bytes flow, in any cut, while both applications go on as before.
        while !ends.iter().all(|end| end.gone) {
            now += rng.below(30) as u64;
            for side in 0..2 {
                step(&mut ends, side, &mut rng, Instant::from_millis(now));
                let began = ends[side].closing.unwrap_or(now);
                assert!(
                    now - began < CLOSE_MILLIS,
                    "seed {seed}: {side} is still there"
                );
            }
        }
        for end in &ends {
            assert!(end.connection.is_finished(), "seed {seed}");
            assert!(end.pongs <= end.pings, "seed {seed}: one answer for a Ping");
            pongs += end.pongs;
        }
    }
    // The cases that the test is about did happen.
    assert!(broken > 500 && pongs > 5_000, "{broken} {pongs}");
}

fn step(ends: &mut [Peer; 2], side: usize, rng: &mut Rng, now: Instant) {
    let [a, b] = ends;
    let (me, other) = if side == 0 { (a, b) } else { (b, a) };
    if me.gone {
        return;
    }
    me.act(rng, now);
    deliver(other, me, rng.below(40), now);
    me.settle(now);
    me.write(rng.below(80));
    me.settle(now);
    assert_eq!(
        me.connection.on_timeout(now),
        None,
        "no deadline passes while bytes flow"
    );
}

#[test]
fn a_peer_that_falls_silent_is_left_at_the_deadline() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut ends = [Peer::new(Role::Client, seed), Peer::new(Role::Server, 0)];
        for now in 0..200 {
            step(&mut ends, rng.below(2), &mut rng, Instant::from_millis(now));
        }
        // Nothing is delivered any more; one end closes if it did not.
        let me = &mut ends[rng.below(2)];
        let mut now = Instant::from_millis(200);
        let _ = me.connection.close(CloseCode::NORMAL, "", now);
        let mut passed = None;
        for _ in 0..5 {
            me.settle(now);
            me.write(usize::MAX);
            if me.gone || passed.is_some() {
                break;
            }
            now = me.connection.poll_timeout().expect("there is a deadline");
            passed = me.connection.on_timeout(now);
        }
        assert!(me.gone || passed == Some(Timeout::Close), "seed {seed}");
        // Once to send our Close, once for the answer.
        assert!(now.as_millis() <= 200 + 2 * CLOSE_MILLIS, "seed {seed}");
    }
}
