//! Runs input through wirelet in any cut, and tells what came out in the words of the oracle.

use wirelet::frame::Portable;
use wirelet::{Control, Error, Event, Found, Inbox, Kind, Receiver, What};

use crate::outcome::{End, Item, Outcome, Rules};
use crate::rng::Rng;

/// Which way the bytes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// [`Receiver::next`] over each piece of input.
    Receiver,
    /// An [`Inbox`] with a buffer of `Rules::room` bytes and `ready`: whole messages.
    Whole,
    /// An inbox of this many bytes and `ready_piece`.
    Pieces(usize),
    /// An inbox of this many bytes at first, `whole_by` and `ready_growing`, and twice the buffer when
    /// it is full.
    Growing(usize),
    /// Both in turn as this seed says, and buffers replaced by others at any time.
    Mixed(u64),
    /// As `Mixed`, by an owner who reads more from the socket before all was taken.
    Lazy(u64),
}

/// What came out, and in which piece of the input it ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// `at` is the number of bytes that were fed before the end was known.
    pub outcome: Outcome,
    /// The number of bytes before the last piece that was fed.
    pub before: usize,
}

/// Feeds `wire`, cut after each of the ascending positions in `cuts`.
///
/// # Panics
/// If what comes out contradicts itself: events out of order, an error that does not stay, an
/// inbox without room that asks for more.
#[must_use]
pub fn run(rules: &Rules, way: Way, wire: &[u8], cuts: &[usize]) -> Run {
    let mut receiver = Receiver::new(rules.role, rules.limits);
    if rules.rsv1 {
        receiver.allow_rsv1();
    }
    match way {
        Way::Receiver => run_receiver(receiver, wire, cuts),
        _ => InboxRun::new(rules, way, receiver).run(wire, cuts),
    }
}

/// Whether wirelet says of `wire` what the oracle says, as soon as it can be said.
///
/// # Panics
/// If it does not.
#[track_caller]
pub fn assert_agrees(rules: &Rules, way: Way, wire: &[u8], cuts: &[usize], want: &Outcome) {
    let got = run(rules, way, wire, cuts);
    let about = || format!("{way:?} {rules:?} cuts {cuts:?} of {}", hex(wire));
    assert_eq!(got.outcome.end, want.end, "{}", about());
    assert_eq!(got.outcome.items, want.items, "{}", about());
    match want.end {
        End::More { .. } => assert_eq!(got.outcome.open, want.open, "{}", about()),
        // Pieces are handed out after they were checked: what was wrong is not among them.
        _ => assert!(want.open.starts_with(&got.outcome.open), "{}", about()),
    }
    if let End::Failed(_) = want.end {
        let fed = got.before + 1..=got.outcome.at;
        assert!(
            fed.contains(&want.at),
            "at {fed:?} not {}: {}",
            want.at,
            about()
        );
    }
}

/// The first bytes, for messages.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let shown = bytes.len().min(80);
    format!("{} bytes {:02x?}", bytes.len(), &bytes[..shown])
}

/// `wire` in pieces, with the number of bytes before each.
pub fn pieces<'w>(wire: &'w [u8], cuts: &[usize]) -> impl Iterator<Item = (usize, &'w [u8])> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([wire.len()]);
    starts.zip(ends).map(|(from, to)| (from, &wire[from..to]))
}

fn run_receiver(mut receiver: Receiver, wire: &[u8], cuts: &[usize]) -> Run {
    let mut seen = Seen::default();
    for (before, piece) in pieces(wire, cuts) {
        let mut piece = piece.to_vec();
        let fed = before + piece.len();
        let mut input = &mut piece[..];
        loop {
            match receiver.next(&mut input) {
                Ok(Some(event)) => seen.event(&event),
                Ok(None) => break assert!(input.is_empty(), "asks for more, but left some"),
                Err(error) => {
                    assert_eq!(receiver.next(&mut &mut [][..]), Err(error), "terminal");
                    assert_eq!(
                        receiver.next(&mut &mut [0x8a, 0][..]),
                        Err(error),
                        "terminal"
                    );
                    return seen.finish(Some(error), &receiver, before, fed);
                }
            }
        }
    }
    seen.finish(None, &receiver, 0, wire.len())
}

struct InboxRun {
    inbox: Inbox<Vec<u8>>,
    way: Way,
    rng: Rng,
    seen: Seen,
}

impl InboxRun {
    fn new(rules: &Rules, way: Way, receiver: Receiver) -> Self {
        let (room, seed) = match way {
            Way::Whole => (rules.room.expect("the room of the inbox"), 0),
            Way::Pieces(room) | Way::Growing(room) => (room, 0),
            Way::Mixed(seed) | Way::Lazy(seed) => (1 + Rng::new(seed).below(64), seed),
            Way::Receiver => unreachable!("has no inbox"),
        };
        Self {
            inbox: Inbox::new(vec![0; room], receiver),
            way,
            rng: Rng::new(seed),
            seen: Seen::default(),
        }
    }

    fn run(mut self, wire: &[u8], cuts: &[usize]) -> Run {
        let lazy = matches!(self.way, Way::Lazy(_));
        for (mut before, mut piece) in pieces(wire, cuts) {
            while !piece.is_empty() {
                if lazy
                    && self.inbox.spare().is_empty()
                    && let Err(error) = self.drain(usize::MAX)
                {
                    return self.failed(error, 0, before);
                }
                let spare = self.inbox.spare();
                assert!(
                    !spare.is_empty(),
                    "no room and no error: reads as end of file"
                );
                let n = spare.len().min(piece.len());
                spare[..n].copy_from_slice(&piece[..n]);
                self.inbox.filled(n);
                piece = &piece[n..];
                let most = if lazy { self.rng.below(3) } else { usize::MAX };
                if let Err(error) = self.drain(most) {
                    return self.failed(error, if lazy { 0 } else { before }, before + n);
                }
                before += n;
            }
        }
        match self.drain(usize::MAX) {
            Err(error) => self.failed(error, 0, wire.len()),
            Ok(()) => self.finish(None, 0, wire.len()),
        }
    }

    fn failed(mut self, error: Error, before: usize, fed: usize) -> Run {
        assert_eq!(self.inbox.ready(), Err(error), "terminal");
        assert_eq!(self.inbox.ready_piece(), Err(error), "terminal");
        self.finish(Some(error), before, fed)
    }

    /// Takes the next message by the short way, where that is allowed.
    fn take_whole(&mut self) -> bool {
        let tries = match self.way {
            Way::Growing(_) => true,
            Way::Mixed(_) | Way::Lazy(_) => self.rng.chance(50),
            _ => false,
        };
        if !tries {
            return false;
        }
        let Some(whole) = self.inbox.whole_by(Portable) else {
            return false;
        };
        let what = What::Data {
            kind: whole.kind,
            compressed: false,
        };
        let payload = self.inbox.lend(whole);
        self.seen.event(&Event {
            what,
            payload,
            start: true,
            end: true,
        });
        true
    }

    /// Takes all there is, but not more often than told.
    fn drain(&mut self, most: usize) -> Result<(), Error> {
        for _ in 0..most {
            if self.take_whole() {
                continue;
            }
            let found = self.ready()?;
            if found.is_some() {
                assert_eq!(self.inbox.ready(), Ok(found), "found until taken");
                let refused = self.inbox.replace(vec![0; 99]);
                assert!(refused.is_err(), "found, not taken");
            }
            let Some(found) = found else {
                assert!(self.inbox.take().is_none(), "nothing was found");
                if self.make_room() {
                    continue;
                }
                return Ok(());
            };
            if most < 2 && self.rng.chance(50) {
                // Found, and left for later.
                return Ok(());
            }
            let whole = matches!(self.way, Way::Whole | Way::Growing(_));
            let event = self.inbox.take().expect("found");
            let flags = Found {
                what: event.what,
                start: event.start,
                end: event.end,
            };
            assert_eq!(found, flags);
            let data = matches!(found.what, What::Data { .. });
            assert!(
                !(whole && data) || (found.start && found.end),
                "whole messages"
            );
            self.seen.event(&event);
            if self.is_random() && self.rng.chance(20) {
                // In another buffer, with bytes that were not looked at.
                let size = self.inbox.len() + 1 + self.rng.below(64);
                self.inbox.replace(vec![0; size]).expect("large enough");
            }
        }
        Ok(())
    }

    fn is_random(&self) -> bool {
        matches!(self.way, Way::Mixed(_) | Way::Lazy(_))
    }

    fn ready(&mut self) -> Result<Option<Found>, Error> {
        match self.way {
            Way::Whole => self.inbox.ready(),
            Way::Growing(_) => self.inbox.ready_growing(),
            _ if self.is_random() && self.rng.chance(50) => self.inbox.ready_growing(),
            _ => self.inbox.ready_piece(),
        }
    }

    /// Replaces the buffer when it must, and for [`Way::Mixed`] when it may. `true`: look again.
    fn make_room(&mut self) -> bool {
        let full = self.inbox.is_full();
        let (held, room) = (self.inbox.len(), self.inbox.buffer().len());
        let size = match self.way {
            Way::Growing(_) if full => room * 2,
            _ if self.is_random() && full && self.rng.chance(50) => room + 1 + self.rng.below(64),
            _ if self.is_random() && full => return true,
            _ if self.is_random() && self.rng.chance(20) => held + 1 + self.rng.below(64),
            _ => return false,
        };
        if held > 0 {
            let small = vec![7; held - 1];
            assert_eq!(
                self.inbox.replace(small),
                Err(vec![7; held - 1]),
                "too small"
            );
        }
        self.inbox.replace(vec![0; size]).expect("large enough");
        assert_eq!(self.inbox.len(), held);
        false
    }

    fn finish(mut self, error: Option<Error>, before: usize, fed: usize) -> Run {
        // What was assembled and not handed out is the first piece of what is open.
        if error.is_none()
            && let Ok(Some(_)) = self.inbox.ready_piece()
        {
            let event = self.inbox.take().expect("found");
            self.seen.event(&event);
        }
        let receiver = self.inbox.receiver().clone();
        self.seen.finish(error, &receiver, before, fed)
    }
}

/// Puts the pieces together.
#[derive(Default)]
struct Seen {
    items: Vec<Item>,
    message: Option<Item>,
    control: Option<Item>,
}

impl Seen {
    fn event(&mut self, event: &Event<'_>) {
        let (opcode, rsv1) = match event.what {
            What::Data {
                kind: Kind::Text,
                compressed,
            } => (1, compressed),
            What::Data {
                kind: Kind::Binary,
                compressed,
            } => (2, compressed),
            What::Control(Control::Close) => (8, false),
            What::Control(Control::Ping) => (9, false),
            What::Control(Control::Pong) => (10, false),
        };
        let slot = if opcode < 8 {
            &mut self.message
        } else {
            &mut self.control
        };
        assert_eq!(slot.is_none(), event.start, "start of {:?}", event.what);
        let payload = Vec::new();
        let item = slot.get_or_insert(Item {
            opcode,
            rsv1,
            payload,
        });
        assert_eq!(
            (item.opcode, item.rsv1),
            (opcode, rsv1),
            "one message, one kind"
        );
        item.payload.extend_from_slice(event.payload);
        if event.end {
            self.items.extend(slot.take());
        }
    }

    fn finish(self, error: Option<Error>, receiver: &Receiver, before: usize, at: usize) -> Run {
        let closed = self.items.last().is_some_and(|item| item.opcode == 8);
        let between = receiver.is_between_messages();
        let end = match error {
            Some(error) => End::Failed(error),
            None if closed => End::Closed,
            None => End::More { between },
        };
        let (items, message) = (self.items, self.message);
        let open = message.map_or(Vec::new(), |item| item.payload);
        Run {
            outcome: Outcome {
                items,
                open,
                end,
                at,
            },
            before,
        }
    }
}
