//! What [`Sender`] and [`Outbox`] let out is what the oracle reads; what they refuse changes nothing.

use std::cell::RefCell;
use std::rc::Rc;

use wirelet::{Control, Kind, Limits, Masked, Masking, Outbox, Role, SendError, Sender, Unmasked};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Item, Rules};
use wirelet_tests::rng::Rng;

/// Both roles in one type: keys for a client, which it remembers, none for a server.
#[derive(Clone, Debug)]
struct Keys {
    rng: Option<Rng>,
    drawn: Rc<RefCell<Vec<[u8; 4]>>>,
}

impl Keys {
    fn new(role: Role, seed: u64) -> Self {
        let rng = (role == Role::Client).then(|| Rng::new(seed));
        Self {
            rng,
            drawn: Rc::default(),
        }
    }
}

impl Masking for Keys {
    fn next_key(&mut self) -> Option<[u8; 4]> {
        let random = self.rng.as_mut()?.any().to_le_bytes();
        let key = [random[0], random[1], random[2], random[3]];
        self.drawn.borrow_mut().push(key);
        Some(key)
    }
}

/// What the other end reads.
fn read(sender: Role, wire: &[u8]) -> (Vec<Item>, End) {
    let role = match sender {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let rules = Rules {
        role,
        limits: Limits::NONE,
        rsv1: false,
        room: None,
    };
    let outcome = oracle::read(&rules, wire);
    (outcome.items, outcome.end)
}

fn item(opcode: u8, payload: &[u8]) -> Item {
    Item {
        opcode,
        rsv1: false,
        payload: payload.to_vec(),
    }
}

#[test]
fn whole_messages_byte_for_byte() {
    let mut outbox = Outbox::new([0; 64], Sender::new(Unmasked));
    outbox.data(Kind::Text, b"Hello").unwrap();
    outbox.control(Control::Ping, b"").unwrap();
    outbox.data(Kind::Binary, b"").unwrap();
    outbox.control(Control::Close, b"\x03\xe8").unwrap();
    // Section 5.7, and 82: FIN and binary, 89: FIN and Ping, 88: FIN and Close.
    assert_eq!(
        outbox.pending(),
        b"\x81\x05Hello\x89\x00\x82\x00\x88\x02\x03\xe8"
    );

    let key = || [0x37, 0xfa, 0x21, 0x3d];
    let mut outbox = Outbox::new([0; 64], Sender::new(Masked(key)));
    outbox.data(Kind::Text, b"Hello").unwrap();
    assert_eq!(
        outbox.pending(),
        b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
    );
}

#[test]
fn a_sender_makes_headers_with_lengths_in_their_shortest_form() {
    for (len, header) in [
        (0, &b"\x82\x00"[..]),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        ((1 << 63) - 1, b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ] {
        let head = Sender::new(Unmasked).data(Kind::Binary, len, true).unwrap();
        assert_eq!((&head.header[..], head.mask), (header, None));
    }
    let mut sender = Sender::new(Masked(|| [1, 2, 3, 4]));
    let head = sender.data(Kind::Text, 300, false).unwrap();
    assert_eq!(&head.header[..], b"\x01\xfe\x01\x2c\x01\x02\x03\x04");
    let mut payload = [0; 6];
    head.mask.unwrap().apply(&mut payload);
    assert_eq!(payload, [1, 2, 3, 4, 1, 2]);
}

#[test]
fn a_sender_keeps_the_order_of_frames() {
    let mut sender = Sender::new(Unmasked);
    let first = |sender: &mut Sender<_>, kind, fin| sender.data(kind, 0, fin).map(|h| h.header[0]);
    assert_eq!(first(&mut sender, Kind::Text, false), Ok(0x01));
    assert_eq!(sender.open_message(), Some(Kind::Text));
    // Section 5.4: no other message inside it, but control frames.
    assert_eq!(
        first(&mut sender, Kind::Binary, true),
        Err(SendError::MessageOpen)
    );
    assert_eq!(
        sender.control(Control::Pong, 3).unwrap().header[..],
        [0x8a, 3]
    );
    assert_eq!(first(&mut sender, Kind::Text, false), Ok(0x00));
    assert_eq!(first(&mut sender, Kind::Text, true), Ok(0x80));
    assert_eq!(sender.open_message(), None);
    assert_eq!(first(&mut sender, Kind::Binary, true), Ok(0x82));

    assert_eq!(
        sender.control(Control::Ping, 126).err(),
        Some(SendError::ControlTooLong)
    );
    assert_eq!(
        sender.control(Control::Close, usize::MAX).err(),
        Some(SendError::ControlTooLong)
    );
    assert_eq!(
        sender.control(Control::Close, 1).err(),
        Some(SendError::CloseCode)
    );
    assert!(!sender.is_closed());
    assert_eq!(
        sender.control(Control::Close, 125).unwrap().header[..],
        [0x88, 125]
    );
    // Section 5.5.1: nothing after a Close.
    assert!(sender.is_closed());
    assert_eq!(
        sender.control(Control::Close, 0).err(),
        Some(SendError::Closed)
    );
    assert_eq!(
        sender.control(Control::Pong, 0).err(),
        Some(SendError::Closed)
    );
    assert_eq!(first(&mut sender, Kind::Text, true), Err(SendError::Closed));
}

/// 14 bytes for the longest header and the payload: all of it, or nothing.
#[test]
fn a_frame_is_staged_whole_or_not_at_all() {
    for (role, header) in [(Role::Server, 2), (Role::Client, 6)] {
        for len in 0..=125 {
            let payload = vec![9; len];
            let mut outbox = Outbox::new(vec![0; 14 + len], Sender::new(Keys::new(role, 1)));
            outbox.data(Kind::Binary, &payload).unwrap();
            assert_eq!(outbox.pending().len(), header + len);
            assert_eq!((outbox.missing(), outbox.room()), (0, 14 - header));

            let mut outbox = Outbox::new(vec![0; 13 + len], Sender::new(Keys::new(role, 1)));
            assert_eq!(outbox.data(Kind::Binary, &payload), Err(SendError::Full));
            assert_eq!(
                outbox.control(Control::Ping, &payload),
                Err(SendError::Full)
            );
            assert!(outbox.pending().is_empty() && outbox.sender().open_message().is_none());
        }
    }
    let mut outbox = Outbox::new([0; 13], Sender::new(Unmasked));
    assert_eq!(outbox.begin(Kind::Text, 9, true), Err(SendError::Full));
    assert_eq!((outbox.missing(), outbox.write(b"lost")), (0, 0));
    // Far too long for any buffer, without an overflow on the way.
    let mut outbox = Outbox::new([0; 99], Sender::new(Unmasked));
    assert_eq!(
        outbox.control(Control::Ping, &[0; 126]),
        Err(SendError::ControlTooLong)
    );
}

#[test]
fn what_was_sent_makes_room_and_what_is_pending_stays() {
    let mut outbox = Outbox::new([0; 32], Sender::new(Unmasked));
    outbox.data(Kind::Text, b"0123456789abcdef").unwrap();
    assert_eq!(outbox.data(Kind::Text, b"x"), Err(SendError::Full));
    outbox.sent(5);
    assert_eq!(outbox.pending(), b"3456789abcdef");
    outbox.data(Kind::Text, b"x").unwrap();
    assert_eq!(outbox.pending(), b"3456789abcdef\x81\x01x");
    outbox.sent(usize::MAX);
    assert_eq!((outbox.pending(), outbox.room()), (&b""[..], 32));
}

#[test]
fn every_size_of_a_partial_write() {
    for role in [Role::Client, Role::Server] {
        for step in 1..=40 {
            let mut outbox = Outbox::new([0; 48], Sender::new(Keys::new(role, step as u64)));
            let mut wire = Vec::new();
            let mut want = Vec::new();
            for i in 0..20u8 {
                let payload = vec![i; usize::from(i)];
                while outbox.data(Kind::Binary, &payload) == Err(SendError::Full) {
                    let n = step.min(outbox.pending().len());
                    assert!(n > 0, "room for one frame at least");
                    wire.extend(&outbox.pending()[..n]);
                    outbox.sent(n);
                }
                want.push(item(2, &payload));
            }
            wire.extend(outbox.pending());
            assert_eq!(read(role, &wire), (want, End::More { between: true }));
        }
    }
}

#[test]
fn frames_of_any_size_pass_a_buffer_of_32_bytes() {
    let payload: Vec<u8> = (0..70_000u32).map(|i| (i * 7) as u8).collect();
    for role in [Role::Client, Role::Server] {
        for len in [0, 1, 17, 18, 19, 32, 33, 125, 126, 65535, 65536, 70_000] {
            let payload = &payload[..len];
            let mut outbox = Outbox::new([0; 32], Sender::new(Keys::new(role, 5)));
            let mut wire = Vec::new();
            // In two fragments.
            for (part, fin) in [(&payload[..len / 3], false), (&payload[len / 3..], true)] {
                outbox.begin(Kind::Binary, part.len() as u64, fin).unwrap();
                let mut rest = part;
                loop {
                    assert_eq!(outbox.missing(), rest.len() as u64);
                    let n = outbox.write(rest);
                    rest = &rest[n..];
                    wire.extend(outbox.pending());
                    outbox.sent(outbox.pending().len());
                    if rest.is_empty() {
                        break;
                    }
                    assert!(n > 0, "an empty buffer takes something");
                    assert_eq!(
                        outbox.control(Control::Ping, b""),
                        Err(SendError::FrameOpen)
                    );
                }
                assert_eq!(
                    outbox.write(b"too much"),
                    0,
                    "the frame has what it announced"
                );
            }
            assert_eq!(
                read(role, &wire),
                (vec![item(2, payload)], End::More { between: true })
            );
        }
    }
}

#[test]
fn a_payload_may_go_beside_the_buffer() {
    let payload = [b'v'; 1000];
    for inside in [0, 1, 10, 18] {
        let mut outbox = Outbox::new([0; 32], Sender::new(Unmasked));
        outbox.begin(Kind::Text, 1000, true).unwrap();
        // Some of it behind the header, the rest in a vectored write, in two goes.
        assert_eq!(outbox.write(&payload[..inside]), inside);
        let mut wire = outbox.pending().to_vec();
        outbox.sent(wire.len());
        for part in [&payload[inside..400], &payload[400..]] {
            wire.extend(part);
            outbox.skip(part.len());
        }
        assert_eq!(outbox.missing(), 0);
        outbox.control(Control::Pong, b"!").unwrap();
        wire.extend(outbox.pending());
        let want = vec![item(1, &payload), item(10, b"!")];
        assert_eq!(
            read(Role::Server, &wire),
            (want, End::More { between: true })
        );
    }
    // More than is missing ends the frame, and no more.
    let mut outbox = Outbox::new([0; 32], Sender::new(Unmasked));
    outbox.skip(5);
    outbox.begin(Kind::Text, 3, true).unwrap();
    outbox.skip(usize::MAX);
    outbox.data(Kind::Text, b"").unwrap();
}

#[test]
fn a_buffer_is_replaced_when_nothing_is_pending() {
    let mut outbox = Outbox::new(vec![0; 20], Sender::new(Keys::new(Role::Client, 3)));
    outbox.begin(Kind::Binary, 30, true).unwrap();
    let mut wire = Vec::new();
    let payload = [b'p'; 30];
    let mut at = outbox.write(&payload);
    assert_eq!(
        outbox.replace(vec![0; 99]),
        Err(vec![0; 99]),
        "something is pending"
    );
    // In the middle of a frame: what is missing and the mask stay.
    for size in [0, 3, 50] {
        wire.extend(outbox.pending());
        outbox.sent(outbox.pending().len());
        outbox.replace(vec![0; size]).unwrap();
        assert_eq!((outbox.room(), outbox.buffer().len()), (size, size));
        at += outbox.write(&payload[at..]);
    }
    wire.extend(outbox.pending());
    let want = vec![item(2, &payload)];
    assert_eq!(
        read(Role::Client, &wire),
        (want, End::More { between: true })
    );
}

#[test]
fn a_close_is_staged_only_if_it_may_be_on_the_wire() {
    for code in 0..=u16::MAX {
        let mut outbox = Outbox::new([0; 32], Sender::new(Unmasked));
        let payload = code.to_be_bytes();
        let staged = outbox.control(Control::Close, &payload);
        if matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            assert_eq!(staged, Ok(()));
            assert_eq!(read(Role::Server, outbox.pending()).1, End::Closed);
        } else {
            assert_eq!(staged, Err(SendError::CloseCode), "{code}");
            assert!(outbox.pending().is_empty() && !outbox.sender().is_closed());
        }
    }
    let mut outbox = Outbox::new([0; 32], Sender::new(Unmasked));
    assert_eq!(
        outbox.control(Control::Close, b"\x03"),
        Err(SendError::CloseCode)
    );
    outbox.control(Control::Close, b"").unwrap();
    assert_eq!(read(Role::Server, outbox.pending()).1, End::Closed);
}

/// Random calls: the model says which are allowed and what the other end must read.
#[test]
fn random_calls_come_out_right_or_change_nothing() {
    let mut refused = [0; 6];
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let role = *rng.pick(&[Role::Client, Role::Server]);
        let mut model = Model::new(role, seed, 14 + rng.below(200));
        for _ in 0..60 {
            if let Err(error) = model.act(&mut rng) {
                refused[error as usize] += 1;
            }
        }
        model.finish();
    }
    // Each way to be refused was taken.
    assert!(refused.iter().all(|&times| times > 50), "{refused:?}");
}

struct Model {
    role: Role,
    keys: Keys,
    outbox: Outbox<Vec<u8>, Keys>,
    wire: Vec<u8>,
    /// What the other end must read, and the message that is unfinished.
    want: Vec<Item>,
    open: Option<Item>,
    fin: bool,
    missing: usize,
    frames: usize,
    closed: bool,
}

impl Model {
    fn new(role: Role, seed: u64, room: usize) -> Self {
        let keys = Keys::new(role, seed);
        Self {
            role,
            keys: keys.clone(),
            outbox: Outbox::new(vec![0; room], Sender::new(keys)),
            wire: Vec::new(),
            want: Vec::new(),
            open: None,
            fin: true,
            missing: 0,
            frames: 0,
            closed: false,
        }
    }

    fn act(&mut self, rng: &mut Rng) -> Result<(), SendError> {
        let before = self.outbox.clone();
        let size = *rng.pick(&[0, 1, 5, 30, 124, 125, 126, 200]);
        let payload = vec![rng.any() as u8 & 0x7f; size];
        let kind = *rng.pick(&[Kind::Text, Kind::Binary]);
        let result = match rng.below(7) {
            0 => self.data(kind, &payload),
            1 => self.control(rng, &payload),
            2 => self.begin(kind, size, rng.chance(50)),
            3 => {
                self.write(&payload);
                Ok(())
            }
            4 | 5 => {
                self.flush(rng.below(60));
                Ok(())
            }
            _ => {
                self.beside_or_replace(rng);
                Ok(())
            }
        };
        if result.is_err() {
            // As if it had not been tried.
            assert_eq!(self.outbox.pending(), before.pending());
            assert_eq!(self.outbox.missing(), before.missing());
            let (now, then) = (self.outbox.sender(), before.sender());
            assert_eq!(format!("{now:?}"), format!("{then:?}"), "no key was drawn");
        }
        let between = self.missing == 0 && self.open.is_none() && !self.closed;
        assert_eq!(self.outbox.is_between_messages(), between);
        result
    }

    /// What forbids any frame.
    fn allowed(&self, len: usize) -> Result<(), SendError> {
        let room = self.outbox.buffer().len() - self.outbox.pending().len();
        match () {
            () if self.missing > 0 => Err(SendError::FrameOpen),
            () if self.closed => Err(SendError::Closed),
            () if room < 14 + len => Err(SendError::Full),
            () => Ok(()),
        }
    }

    fn data(&mut self, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        let expected = self.allowed(payload.len());
        let expected = match self.open {
            Some(_) => expected.and(Err(SendError::MessageOpen)),
            None => expected,
        };
        assert_eq!(self.outbox.data(kind, payload), expected);
        expected?;
        self.frames += 1;
        self.want.push(item(opcode(kind), payload));
        Ok(())
    }

    fn control(&mut self, rng: &mut Rng, payload: &[u8]) -> Result<(), SendError> {
        let (control, opcode, payload) = match rng.below(20) {
            0 => (Control::Close, 8, &b"\x03\xe8"[..]),
            1 => (Control::Close, 8, &b"\x03\xed"[..]),
            2..=10 => (Control::Ping, 9, payload),
            _ => (Control::Pong, 10, payload),
        };
        let expected = match self.allowed(payload.len()) {
            Err(SendError::Full) | Ok(()) if payload.len() > 125 => Err(SendError::ControlTooLong),
            Ok(()) if payload == b"\x03\xed" => Err(SendError::CloseCode),
            expected => expected,
        };
        assert_eq!(self.outbox.control(control, payload), expected);
        expected?;
        self.frames += 1;
        self.closed |= control == Control::Close;
        self.want.push(item(opcode, payload));
        Ok(())
    }

    fn begin(&mut self, kind: Kind, len: usize, fin: bool) -> Result<(), SendError> {
        let expected = self.allowed(0);
        let expected = match &self.open {
            Some(open) if open.opcode != opcode(kind) => expected.and(Err(SendError::MessageOpen)),
            _ => expected,
        };
        assert_eq!(self.outbox.begin(kind, len as u64, fin), expected);
        expected?;
        self.frames += 1;
        self.open.get_or_insert(item(opcode(kind), b""));
        (self.fin, self.missing) = (fin, len);
        self.went(b"");
        Ok(())
    }

    fn write(&mut self, payload: &[u8]) {
        let n = self.outbox.write(payload);
        assert!(n <= payload.len().min(self.missing));
        self.went(&payload[..n]);
    }

    fn flush(&mut self, most: usize) {
        let n = most.min(self.outbox.pending().len());
        self.wire.extend(&self.outbox.pending()[..n]);
        self.outbox.sent(n);
    }

    fn beside_or_replace(&mut self, rng: &mut Rng) {
        if !self.outbox.pending().is_empty() {
            assert_eq!(self.outbox.replace(Vec::new()), Err(Vec::new()));
        } else if self.role == Role::Server && self.missing > 0 {
            let payload = vec![b's'; 1 + rng.below(self.missing)];
            self.wire.extend(&payload);
            self.outbox.skip(payload.len());
            self.went(&payload);
        } else {
            self.outbox
                .replace(vec![0; 14 + rng.below(200)])
                .expect("nothing is pending");
        }
    }

    /// This much more of the open frame's payload is on its way.
    fn went(&mut self, payload: &[u8]) {
        if let Some(open) = &mut self.open {
            open.payload.extend(payload);
            self.missing -= payload.len();
            if self.missing == 0 && self.fin {
                self.want.extend(self.open.take());
            }
        }
        assert_eq!(self.outbox.missing(), self.missing as u64);
    }

    fn finish(mut self) {
        self.flush(usize::MAX);
        let (items, end) = read(self.role, &self.wire);
        assert_eq!(items, self.want);
        let between = self.open.is_none();
        let want = if self.closed {
            End::Closed
        } else {
            End::More { between }
        };
        assert_eq!(end, want);
        self.check_keys();
    }

    /// Section 5.3: each frame of a client has the key that was drawn for it; a server has none.
    fn check_keys(&self) {
        let mut rest = &self.wire[..];
        let mut keys = Vec::new();
        while let Ok(Some((header, size))) = wirelet::frame::Header::decode(rest) {
            keys.extend(header.mask);
            rest = rest.get(size + header.len as usize..).unwrap_or_default();
        }
        assert_eq!(keys, *self.keys.drawn.borrow());
        let masked = self.role == Role::Client;
        assert_eq!(keys.len(), if masked { self.frames } else { 0 });
    }
}

fn opcode(kind: Kind) -> u8 {
    match kind {
        Kind::Text => 1,
        Kind::Binary => 2,
    }
}
