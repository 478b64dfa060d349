//! Each limit at exactly the limit and one over it: on one frame, on fragments, with control
//! frames between them. And what a buffer that is full must not be taken for.

use wirelet::{Error, Inbox, Kind, Limits, Receiver, Role, What};
use wirelet_tests::case::{At, Case, every_cut};
use wirelet_tests::frames::{Frame, Length};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Rules};

const BINARY: u8 = 0x82;
const BINARY_OPEN: u8 = 0x02;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

fn frame(first: u8, len: usize) -> Frame {
    Frame::new(first, vec![b'x'; len])
}

fn limits(frame: u64, message: u64, fragments: u32) -> Limits {
    Limits {
        frame,
        message,
        fragments,
    }
}

#[test]
fn the_default_limits_are_finite() {
    let default = Limits::default();
    assert_eq!(
        (default.frame, default.message, default.fragments),
        (16 << 20, 16 << 20, 1 << 17)
    );
    let smaller = default.with_message(100);
    assert_eq!(
        (smaller.frame, smaller.message, smaller.fragments),
        (100, 100, 1 << 17)
    );
}

#[test]
fn the_frame_limit_on_one_frame() {
    for limit in [0, 1, 5, 125, 126, 300, 65535, 65536] {
        let under = frame(BINARY, limit);
        let limits = limits(limit as u64, 1 << 20, 9);
        let payload = under.payload.clone();
        Case::new(&[under]).limits(limits).gives(&[(2, &payload)]);
        // The last byte of the length says that it is one too many, or an earlier one, if the
        // limit is passed by it alone: 01 00 is 256 at least, whatever follows the 01.
        let at = match limit {
            65535 => At::Header(0, 8),
            126.. if limit + 1 > 65535 => At::Header(0, 10),
            125.. => At::Header(0, 4),
            _ => At::Header(0, 2),
        };
        let over = Case::new(&[frame(BINARY, limit + 1)]).limits(limits);
        over.fails(at, Error::FrameTooLarge, 1009);
    }
}

#[test]
fn the_frame_limit_is_for_each_fragment() {
    let frames = |len| {
        [
            frame(BINARY_OPEN, 10),
            frame(PING, 125),
            frame(MORE, 10),
            frame(LAST, len),
        ]
    };
    let limits = limits(10, 1000, 9);
    let (ping, message) = ([b'x'; 125], [b'x'; 30]);
    let case = Case::new(&frames(10)).limits(limits);
    case.gives(&[(9, &ping), (2, &message)]);
    let case = Case::new(&frames(11)).limits(limits);
    case.fails(At::Header(3, 2), Error::FrameTooLarge, 1009);
}

#[test]
fn the_message_limit_on_one_frame() {
    for limit in [0, 1, 125, 126, 300] {
        let limits = limits(1 << 20, limit as u64, 9);
        let payload = vec![b'x'; limit];
        let case = Case::new(&[frame(BINARY, limit), frame(PONG, 125), frame(BINARY, limit)]);
        case.limits(limits)
            .gives(&[(2, &payload), (10, &[b'x'; 125]), (2, &payload)]);
        let at = At::Header(0, if limit >= 125 { 4 } else { 2 });
        let case = Case::new(&[frame(BINARY, limit + 1)]).limits(limits);
        case.fails(at, Error::MessageTooLarge, 1009);
    }
}

#[test]
fn the_message_limit_is_for_all_fragments_together() {
    // Control frames between them are not counted.
    let frames = |len| {
        let (open, last) = (frame(BINARY_OPEN, 40), frame(LAST, len));
        [
            open,
            frame(PING, 125),
            frame(MORE, 0),
            frame(MORE, 50),
            frame(PONG, 125),
            last,
        ]
    };
    let limits = limits(60, 100, 9);
    let (control, message) = ([b'x'; 125], [b'x'; 100]);
    let case = Case::new(&frames(10)).limits(limits);
    case.gives(&[(9, &control), (10, &control), (2, &message)]);
    let case = Case::new(&frames(11)).limits(limits);
    case.fails(At::Header(5, 2), Error::MessageTooLarge, 1009);
    // The second message starts from nothing.
    let twice = [&frames(10)[..], &frames(10)].concat();
    let items = [(9, &control[..]), (10, &control), (2, &message)];
    Case::new(&twice)
        .limits(limits)
        .gives(&[items, items].concat());
}

#[test]
fn a_declared_length_counts_before_it_comes() {
    // 100 bytes are here and 2^62 are announced: refused at the header.
    let announced = Frame::new(LAST, b"").declares(Length::Longest(1 << 62));
    let case = Case::new(&[frame(BINARY_OPEN, 100), announced]).limits(limits(u64::MAX, 1000, 9));
    case.fails(At::Header(1, 3), Error::MessageTooLarge, 1009);
    // Sums that pass 2^64 do not wrap.
    let huge = Frame::new(BINARY_OPEN, b"").declares(Length::Longest((1 << 63) - 1));
    let case = Case::new(&[huge]).limits(Limits::NONE);
    case.gives_then(&[], End::More { between: false });
}

#[test]
fn of_two_limits_the_smaller_one_is_told() {
    // The length comes a byte at a time: 02 00 00 passes one limit, and the next byte the other.
    let long = Frame::new(BINARY, b"").declares(Length::Longest(0x2_0001));
    for (limits, error) in [
        (limits(0x2_0000, 0x1_0000, 9), Error::MessageTooLarge),
        (limits(0x1_0000, 0x2_0000, 9), Error::FrameTooLarge),
        (limits(0x1_0000, 0x1_0000, 9), Error::FrameTooLarge),
    ] {
        let case = Case::new(std::slice::from_ref(&long)).limits(limits);
        case.fails(At::Header(0, 8), error, 1009);
    }
}

#[test]
fn the_fragment_limit() {
    let frames = [
        frame(BINARY_OPEN, 0),
        frame(PING, 0),
        frame(MORE, 1),
        frame(PING, 0),
        frame(LAST, 0),
        frame(BINARY_OPEN, 0),
        frame(MORE, 0),
        frame(LAST, 0),
    ];
    let items = [(9, &b""[..]), (9, b""), (2, b"x"), (2, b"")];
    Case::new(&frames).limits(limits(9, 9, 3)).gives(&items);
    let case = Case::new(&frames).limits(limits(9, 9, 2));
    case.fails(At::Header(4, 1), Error::TooManyFragments, 1008);
    // A message in one frame has one.
    Case::new(&frames[..1])
        .limits(limits(9, 9, 1))
        .gives_then(&[], End::More { between: false });
    Case::new(&[frame(BINARY, 3)])
        .limits(limits(9, 9, 1))
        .gives(&[(2, b"xxx")]);
    let case = Case::new(&[frame(PONG, 0), frame(BINARY, 3)]).limits(limits(9, 9, 0));
    case.fails(At::Header(1, 1), Error::TooManyFragments, 1008);
}

#[test]
fn control_frames_are_under_no_limit_but_their_own() {
    let frames = [
        frame(PING, 125),
        frame(PONG, 125),
        Frame::new(0x88, b"\x03\xe8"),
    ];
    let control = [b'x'; 125];
    let items = [(9, &control[..]), (10, &control), (8, b"\x03\xe8")];
    Case::new(&frames)
        .limits(limits(0, 0, 0))
        .gives_then(&items, End::Closed);
}

#[test]
fn the_buffer_of_an_inbox_is_a_limit() {
    for (role, len) in [(Role::Client, 125), (Role::Server, 126), (Role::Server, 40)] {
        let one = frame(BINARY, len).to(role).bytes();
        let mut two = frame(BINARY_OPEN, len - 1).to(role).bytes();
        two.extend(frame(PING, 125).to(role).bytes());
        two.extend(frame(LAST, 1).to(role).bytes());
        for wire in [one, two] {
            for room in [len - 1, len] {
                let limits = Limits::default();
                let rules = Rules {
                    role,
                    limits,
                    rsv1: false,
                    room: Some(room),
                };
                let fits = room >= len;
                let end = oracle::read(&rules, &wire).end;
                assert_eq!(end == End::Failed(Error::MessageTooLarge), !fits);
                // Through rooms of one byte less, just as much, and more.
                every_cut(
                    &Rules {
                        room: None,
                        ..rules
                    },
                    &wire,
                );
            }
        }
    }
}

/// An inbox of eight bytes in which eight bytes of an unfinished message stand.
fn full_inbox() -> Inbox<Vec<u8>> {
    let mut inbox = Inbox::new(vec![0; 8], Receiver::new(Role::Client, Limits::default()));
    let wire = b"\x02\x09ABCDEFGHI\x80\x01J";
    let mut at = 0;
    while !inbox.is_full() {
        let spare = inbox.spare();
        assert!(!spare.is_empty(), "room until it is full");
        let n = spare.len().min(3).min(wire.len() - at);
        spare[..n].copy_from_slice(&wire[at..at + n]);
        inbox.filled(n);
        at += n;
        assert_eq!(inbox.ready_growing(), Ok(None));
    }
    assert_eq!((at, inbox.len(), inbox.is_empty()), (10, 8, false));
    inbox
}

#[test]
fn a_full_buffer_with_an_open_message_is_an_error_and_no_end_of_file() {
    let mut inbox = full_inbox();
    // A read into this would return 0, like one at the end of the stream.
    assert!(inbox.spare().is_empty());
    assert!(
        !inbox.receiver().is_between_messages(),
        "no good place for an end"
    );
    assert_eq!(inbox.ready(), Err(Error::MessageTooLarge));
    assert_eq!(inbox.ready(), Err(Error::MessageTooLarge), "it stays");
    assert_eq!(inbox.ready_piece(), Err(Error::MessageTooLarge));
    assert_eq!(inbox.ready_growing(), Err(Error::MessageTooLarge));
    assert!(inbox.take().is_none());
    assert_eq!(inbox.receiver().error(), Some(Error::MessageTooLarge));
}

#[test]
fn a_full_buffer_can_be_handed_out_in_pieces() {
    let mut inbox = full_inbox();
    let found = inbox.ready_piece().unwrap().expect("what is there");
    assert_eq!(
        found.what,
        What::Data {
            kind: Kind::Binary,
            compressed: false
        }
    );
    assert_eq!((found.start, found.end), (true, false));
    assert!(!inbox.is_full(), "it was found");
    assert_eq!(inbox.take().unwrap().payload, b"ABCDEFGH");
    assert_eq!(inbox.spare().len(), 8, "all of it is free");
    inbox.spare()[..4].copy_from_slice(b"I\x80\x01J");
    inbox.filled(4);
    let mut rest = Vec::new();
    while inbox.ready_piece().unwrap().is_some() {
        let event = inbox.take().unwrap();
        rest.push((event.payload.to_vec(), event.start, event.end));
    }
    assert_eq!(
        rest,
        [(b"I".to_vec(), false, false), (b"J".to_vec(), false, true)]
    );
    assert!(inbox.is_empty() && inbox.receiver().is_between_messages());
}

#[test]
fn a_full_buffer_can_be_replaced() {
    let mut inbox = full_inbox();
    assert_eq!(inbox.ready_growing(), Ok(None));
    assert_eq!(
        inbox.replace(vec![1; 7]),
        Err(vec![1; 7]),
        "smaller than what is held"
    );
    assert!(inbox.is_full());
    let old = inbox.replace(vec![0; 10]).unwrap();
    assert_eq!(
        (old.len(), inbox.buffer().len(), inbox.is_full()),
        (8, 10, false)
    );
    for byte in b"I\x80\x01J" {
        inbox.spare()[0] = *byte;
        inbox.filled(1);
        assert_eq!(
            inbox.ready().is_ok_and(|found| found.is_some()),
            *byte == b'J'
        );
    }
    assert_eq!(inbox.take().unwrap().payload, b"ABCDEFGHIJ");
    // Empty, it gives its buffer back, and works again when it gets another.
    assert!(inbox.is_empty());
    assert_eq!(inbox.replace(Vec::new()).unwrap().len(), 10);
    assert!(inbox.spare().is_empty() && !inbox.is_full());
    assert_eq!(inbox.ready(), Ok(None), "no buffer is no error");
    inbox.replace(vec![0; 3]).unwrap();
    inbox.spare().copy_from_slice(b"\x81\x01a");
    inbox.filled(3);
    assert!(
        inbox
            .ready()
            .unwrap()
            .is_some_and(|found| found.start && found.end)
    );
    assert_eq!(inbox.take().unwrap().payload, b"a");
}

#[test]
fn a_message_as_large_as_the_buffer_must_end_with_its_last_byte() {
    // 8 of 8 bytes, and then an empty last fragment, for whose header there is no room.
    let wire = b"\x02\x08ABCDEFGH\x80\x00";
    for room in [8, 9] {
        let (role, limits) = (Role::Client, Limits::default());
        let rules = Rules {
            role,
            limits,
            rsv1: false,
            room: Some(room),
        };
        let end = oracle::read(&rules, wire).end;
        assert_eq!(end == End::Failed(Error::MessageTooLarge), room == 8);
        every_cut(
            &Rules {
                room: None,
                ..rules
            },
            wire,
        );
    }
}

#[test]
fn what_was_said_to_be_filled_beyond_the_room_is_not_believed() {
    let mut inbox = Inbox::new(
        [0x8a, 0, 0x8a, 0],
        Receiver::new(Role::Client, Limits::default()),
    );
    inbox.filled(2);
    inbox.filled(usize::MAX);
    for _ in 0..2 {
        assert!(inbox.ready().unwrap().is_some());
        assert!(inbox.take().unwrap().payload.is_empty());
    }
    assert_eq!(inbox.ready(), Ok(None));
    assert!(inbox.is_empty());
}
