//! Compressed frames that break the rules, and some that only look as if they did.

use crate::deflate::Deflater;
use crate::frames::Frame;
use crate::rng::Rng;
use wirelet::deflate::Context as Terms;

/// What a peer says on a connection that agreed on compression, and what becomes of it.
pub struct Case {
    /// What is wrong, or only seems so.
    pub name: &'static str,
    /// What the peer sends, and nothing behind it.
    pub frames: Vec<Frame>,
    /// Whether compression was agreed on after all.
    pub agreed: bool,
    /// The messages that are received, with their opcodes.
    pub received: Vec<(u8, Vec<u8>)>,
    /// The code of the Close that comes back.
    pub code: u16,
}

/// All of them. `takeover`: messages may refer to those before.
#[must_use]
pub fn all(takeover: bool) -> Vec<Case> {
    let mut cases = sound();
    cases.extend(bombs());
    cases.extend(reserved_bits());
    cases.extend(damaged());
    cases.extend(texts());
    cases.push(into_the_message_before(takeover));
    cases
}

/// RFC 7692 section 7.2.3, and what decoders hang on.
fn sound() -> Vec<Case> {
    let hello = || (1, b"Hello".to_vec());
    let twice = || (1, b"HelloHello".to_vec());
    let last_inside = [HELLO_LAST, b"\0"].concat();
    let behind_last = [HELLO_LAST, HELLO].concat();
    let mut blocks = EMPTY_BLOCK.repeat(2_000);
    blocks.push(0);
    let middle = |first, payload: &[u8]| Frame::new(first, payload);
    vec![
        good("the empty message", &[text("\0")], &[(1, vec![])]),
        good(
            "empty messages around one that is not",
            &[text("\0"), text("\0"), text(HELLO), text("\0")],
            &[(1, vec![]), (1, vec![]), hello(), (1, vec![])],
        ),
        good("a block with BFINAL", &[text(last_inside)], &[hello()]),
        good(
            "data behind a final block",
            &[text(behind_last)],
            &[twice()],
        ),
        good(
            "a final block, and then another message",
            &[text([HELLO_LAST, b"\0"].concat()), text(HELLO)],
            &[hello(), hello()],
        ),
        good("2,000 empty blocks", &[text(blocks)], &[(1, vec![])]),
        good(
            "a stored block",
            &[text(b"\x00\x05\x00\xfa\xffHello\x00")],
            &[hello()],
        ),
        good(
            "fragments, empty ones and a Ping among them",
            &[
                middle(0x41, &HELLO[..1]),
                middle(0x00, b""),
                middle(0x89, b"between"),
                middle(0x00, &HELLO[1..]),
                middle(0x80, b""),
            ],
            &[hello()],
        ),
        good(
            "one that is not compressed between two that are",
            &[text(HELLO), Frame::new(0x81, "Hello"), text(HELLO)],
            &[hello(), hello(), hello()],
        ),
    ]
}

/// What comes out counts, while it comes out.
fn bombs() -> Vec<Case> {
    let zeros = |len| deflated(&vec![0; len]);
    let half = zeros(LIMIT + 1);
    let (one, other) = half.split_at(half.len() / 2);
    let most = Frame::new(0xc2, zeros(LIMIT));
    vec![
        good("the limit", &[most], &[(2, vec![0; LIMIT])]),
        bad(
            "a byte over the limit",
            &[Frame::new(0xc2, zeros(LIMIT + 1))],
            1009,
        ),
        bad(
            "a byte over the limit, in fragments",
            &[Frame::new(0x42, one), Frame::new(0x80, other)],
            1009,
        ),
        // No end is needed to see it.
        bad("a bomb", &[Frame::new(0x42, zeros(BOMB))], 1009),
        bad("a bomb of text", &[text(deflated(&vec![b'a'; BOMB]))], 1009),
    ]
}

/// RFC 7692 section 6.1: the bit stands on the first frame of a message, and nowhere else.
fn reserved_bits() -> Vec<Case> {
    let start = || Frame::new(0x41, &HELLO[..1]);
    let unpacked = || Frame::new(0x01, "Hel");
    let rest = &HELLO[1..];
    let mut without = bad("compressed, but not agreed on", &[text(HELLO)], 1002);
    without.agreed = false;
    vec![
        bad("a continuation", &[start(), Frame::new(0xc0, rest)], 1002),
        bad(
            "a continuation of what is not compressed",
            &[unpacked(), Frame::new(0xc0, "lo")],
            1002,
        ),
        bad("a Ping", &[Frame::new(0xc9, "a")], 1002),
        bad("a Pong", &[Frame::new(0xca, "a")], 1002),
        bad("a Close", &[Frame::new(0xc8, [3, 232])], 1002),
        bad("RSV2, too", &[Frame::new(0xe1, HELLO)], 1002),
        bad("RSV3 instead", &[Frame::new(0x91, HELLO)], 1002),
        without,
    ]
}

/// RFC 1951, and the end of RFC 7692 section 7.2.2.
fn damaged() -> Vec<Case> {
    let cut = deflated(&noise());
    let cut = &cut[..cut.len() / 2];
    let mut flipped = deflated(&noise());
    // The complement of the length of a stored block: noise is not compressed.
    flipped[3] ^= 1;
    vec![
        bad("no byte at all", &[text("")], 1007),
        bad("a block of type 3", &[text(b"\x06")], 1007),
        bad("a stored length", &[Frame::new(0xc2, flipped)], 1007),
        bad("cut inside a block", &[Frame::new(0xc2, cut)], 1007),
        bad(
            "behind a final block",
            &[text([HELLO_LAST, b"\x06"].concat())],
            1007,
        ),
        // A fixed block that begins with a match.
        bad(
            "a distance before the start",
            &[text(b"\x02\x02\x00")],
            1007,
        ),
        // Dynamic, with 31 distance codes more than there can be.
        bad("codes that make no code", &[text([0xfc; 40])], 1007),
        bad("random bytes", &[Frame::new(0xc2, noise())], 1007),
    ]
}

/// RFC 6455 section 8.1 is about what comes out.
fn texts() -> Vec<Case> {
    let mut good = deflated("aé€𝄞".as_bytes());
    let wrong = deflated(b"a\xff");
    let surrogate = deflated(b"\xed\xa0\x80");
    good.pop();
    vec![
        bad("no UTF-8", &[text(&wrong)], 1007),
        bad("no UTF-8, and no end yet", &[Frame::new(0x41, wrong)], 1007),
        bad("half of a surrogate", &[text(surrogate)], 1007),
        bad(
            "an end inside a character",
            &[text(deflated(b"a\xe2\x82"))],
            1007,
        ),
        bad("text whose data is cut", &[text(good)], 1007),
    ]
}

/// RFC 7692 section 7.2.2: only with takeover.
fn into_the_message_before(takeover: bool) -> Case {
    let context = Terms {
        takeover: true,
        ..Terms::NO_TAKEOVER
    };
    let mut deflater = Deflater::new(9, context);
    let noise = noise();
    let frames = [0, 1].map(|_| Frame::new(0xc2, deflater.message(&noise, &[])));
    let name = "a distance into the message before";
    let message = (2, noise);
    if takeover {
        return good(name, &frames, &[message.clone(), message]);
    }
    Case {
        received: vec![message],
        ..bad(name, &frames, 1007)
    }
}

/// Goes well: the connection lives until this end closes it.
fn good(name: &'static str, frames: &[Frame], received: &[(u8, Vec<u8>)]) -> Case {
    let close = Frame::new(0x88, 1000u16.to_be_bytes());
    Case {
        name,
        frames: [frames, &[close]].concat(),
        agreed: true,
        received: received.to_vec(),
        code: 1000,
    }
}

/// Nothing comes back but this.
fn bad(name: &'static str, frames: &[Frame], code: u16) -> Case {
    Case {
        name,
        frames: frames.to_vec(),
        agreed: true,
        received: Vec::new(),
        code,
    }
}

/// Compressed text in one frame.
fn text(payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(0xc1, payload)
}

/// As zlib does it.
fn deflated(message: &[u8]) -> Vec<u8> {
    Deflater::new(9, Terms::NO_TAKEOVER).message(message, &[])
}

/// Bytes in which deflate finds nothing.
fn noise() -> Vec<u8> {
    Rng::new(4).bytes(300)
}

/// "Hello" in a fixed block, and in one with BFINAL (RFC 7692 sections 7.2.3.1 and 7.2.3.4).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
const HELLO_LAST: &[u8] = b"\xf3\x48\xcd\xc9\xc9\x07\x00";

/// A stored block of no bytes.
const EMPTY_BLOCK: &[u8] = &[0, 0, 0, 0xff, 0xff];

/// Bytes of the largest message that is to be taken.
pub const LIMIT: usize = 1 << 16;

/// Bytes of one that is many times as large.
const BOMB: usize = 1 << 20;
