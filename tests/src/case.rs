//! One input and what must come of it: for both roles, in every cut, through every buffer.

use wirelet::{Error, Limits, Role};

use crate::drive::{Way, assert_agrees};
use crate::frames::Frame;
use crate::oracle;
use crate::outcome::{End, Item, Outcome, Rules};

/// Both roles.
pub const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Frames from a peer. Unless told otherwise: to both roles, under the default limits, without
/// extensions.
#[derive(Clone, Debug)]
pub struct Case {
    frames: Vec<Frame>,
    rules: Rules,
    raw: Option<Role>,
    through: &'static [Subject],
}

/// Something that is built on wirelet, and must say of an input what the oracle says. It gets the
/// input cut after each of the ascending positions, and panics if it does not.
pub type Subject = fn(&Rules, input: &[u8], cuts: &[usize], want: &Outcome);

/// The byte at which it must be known that a rule was broken: the `nth`, from 1, of the header or
/// of the payload of a frame, from 0.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// Frame, nth byte of its header.
    Header(usize, usize),
    /// The last byte of the header of this frame.
    HeaderEnd(usize),
    /// Frame, nth byte of its payload.
    Payload(usize, usize),
}

impl Case {
    /// These frames, masked as each role must get them.
    #[must_use]
    pub fn new(frames: &[Frame]) -> Self {
        Self {
            frames: frames.to_vec(),
            rules: Rules {
                role: Role::Client,
                limits: Limits::default(),
                rsv1: false,
                room: None,
            },
            raw: None,
            through: &[],
        }
    }

    /// These frames as they are, to this role only.
    #[must_use]
    pub fn raw(role: Role, frames: &[Frame]) -> Self {
        let mut case = Self::new(frames);
        case.raw = Some(role);
        case
    }

    /// Under these limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.rules.limits = limits;
        self
    }

    /// With RSV1 negotiated.
    #[must_use]
    pub fn rsv1(mut self) -> Self {
        self.rules.rsv1 = true;
        self
    }

    /// Through these as well.
    #[must_use]
    pub fn through(mut self, subjects: &'static [Subject]) -> Self {
        self.through = subjects;
        self
    }

    /// These whole messages and control frames come out, and more may follow.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn gives(&self, items: &[(u8, &[u8])]) {
        self.gives_then(items, End::More { between: true });
    }

    /// These whole messages and control frames come out, and then the input has this end.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn gives_then(&self, items: &[(u8, &[u8])], end: End) {
        self.check(|_, outcome| {
            let got: Vec<_> = outcome.items.iter().map(item).collect();
            assert_eq!(got, items);
            assert_eq!(outcome.end, end);
        });
    }

    /// The connection fails with this error and this close code, at this byte and no later.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn fails(&self, at: At, error: Error, code: u16) {
        self.check(|frames, outcome| {
            assert_eq!(outcome.end, End::Failed(error));
            assert_eq!(outcome.at, position(frames, at), "{at:?}");
        });
        assert_eq!(error.close_code().get(), code);
        assert!(error.reason().len() <= 123, "fits a Close frame");
    }

    #[track_caller]
    fn check(&self, expected: impl Fn(&[Frame], &Outcome)) {
        for role in ROLES {
            let masked = |frame: &Frame| frame.clone().to(role);
            let frames: Vec<_> = match self.raw {
                None => self.frames.iter().map(masked).collect(),
                Some(only) if only == role => self.frames.clone(),
                Some(_) => continue,
            };
            let wire: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
            let rules = Rules { role, ..self.rules };
            let want = oracle::read(&rules, &wire);
            expected(&frames, &want);
            every_cut(&rules, &wire);
            each_cut_through(self.through, &rules, &wire);
        }
    }
}

/// Whether wirelet agrees with the oracle on `wire`: whole, byte by byte, for every cut in two,
/// through buffers that are too small, just large enough and large.
///
/// # Panics
/// If it does not.
#[track_caller]
pub fn every_cut(rules: &Rules, wire: &[u8]) {
    let want = oracle::read(rules, wire);
    let longest = want.items.iter().filter(|item| item.opcode < 8);
    let longest = longest
        .map(|item| item.payload.len())
        .chain([want.open.len()]);
    let longest = longest.max().unwrap_or(0).max(1);
    let rooms = [longest - 1, longest, longest + 1, wire.len()].map(|room| {
        let room = Some(room.max(1));
        let rules = Rules { room, ..*rules };
        (rules, oracle::read(&rules, wire))
    });
    let very_long = wire.len() >= VERY_LONG;
    let small = if very_long { 1000 } else { 1 };
    for cut in &cuts(wire.len()) {
        let ways = [
            Way::Receiver,
            Way::Mixed(cut.len() as u64 + cut.first().map_or(0, |at| *at as u64)),
            Way::Lazy(cut.len() as u64 + cut.first().map_or(0, |at| *at as u64)),
            Way::Pieces(small),
            Way::Pieces(small + 6),
            Way::Pieces(wire.len().max(1)),
            Way::Growing(small),
            Way::Growing(longest),
        ];
        let few = very_long && !cut.is_empty();
        for way in &ways[..if few { 2 } else { ways.len() }] {
            assert_agrees(rules, *way, wire, cut, &want);
        }
        for (rules, want) in &rooms[..if few { 2 } else { rooms.len() }] {
            assert_agrees(rules, Way::Whole, wire, cut, want);
        }
    }
}

/// Whether what is built on wirelet agrees with the oracle on `wire`: whole, byte by byte, and for
/// every cut in two.
///
/// # Panics
/// If it does not.
#[track_caller]
pub fn each_cut_through(subjects: &[Subject], rules: &Rules, wire: &[u8]) {
    let want = oracle::read(rules, wire);
    let mut cuts = cuts(wire.len());
    if wire.len() >= VERY_LONG {
        // In two inside the first header, and in many pieces behind it.
        cuts.truncate(2 + 10);
        cuts[1].retain(|at| *at < 64 || at % 131 == 0);
    }
    for cut in cuts {
        for subject in subjects {
            subject(rules, wire, &cut, &want);
        }
    }
}

/// All at once, byte by byte, and in two at each byte.
fn cuts(len: usize) -> Vec<Vec<usize>> {
    // Of a long input the ends are of interest: the headers are there.
    let near = |at: &usize| len < 400 || *at < 16 || at + 8 > len;
    let in_two = (1..len).filter(near).map(|at| vec![at]);
    [vec![], (1..len).collect()]
        .into_iter()
        .chain(in_two)
        .collect()
}

fn item(item: &Item) -> (u8, &[u8]) {
    (item.opcode, &item.payload)
}

fn position(frames: &[Frame], at: At) -> usize {
    let (At::Header(index, _) | At::HeaderEnd(index) | At::Payload(index, _)) = at;
    let before: usize = frames[..index]
        .iter()
        .map(|frame| frame.bytes().len())
        .sum();
    let header = frames[index].bytes().len() - frames[index].payload.len();
    before
        + match at {
            At::Header(_, nth) => nth,
            At::HeaderEnd(_) => header,
            At::Payload(_, nth) => header + nth,
        }
}

/// Bytes of an input that does not go every way in every cut.
const VERY_LONG: usize = 4096;
