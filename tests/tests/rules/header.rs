//! Section 5.2: the header, and the lengths in it.

use wirelet::{Error, Limits, Role};
use wirelet_tests::case::{At, ROLES};
use wirelet_tests::frames::{KEY, Length};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Rules};

use crate::*;

// Section 5.2: the header.

#[test]
fn reserved_bits_are_refused_at_the_first_byte() {
    for opcode in [TEXT, BINARY, TEXT_OPEN, BINARY_OPEN, CLOSE, PING, PONG] {
        for bits in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
            let case = given(&[frame(opcode | bits, b"")]);
            case.fails(At::Header(0, 1), Error::ReservedBit, 1002);
        }
    }
    for bits in [0x10, 0x20, 0x40] {
        let case = given(&[frame(TEXT_OPEN, b"a"), frame(LAST | bits, b"b")]);
        case.fails(At::Header(1, 1), Error::ReservedBit, 1002);
    }
}

#[test]
fn rsv1_once_negotiated_is_for_the_first_frame_of_a_message_only() {
    // c1: FIN, RSV1, text. What is compressed is not checked as text: ff never is UTF-8.
    given(&[frame(TEXT | RSV1, b"\xff")])
        .rsv1()
        .gives(&[(1, b"\xff")]);
    given(&[frame(BINARY | RSV1, b"\xff")])
        .rsv1()
        .gives(&[(2, b"\xff")]);
    let frames = [
        frame(TEXT_OPEN | RSV1, b"\xff"),
        frame(PING, b""),
        frame(LAST, b"\xfe"),
    ];
    given(&frames).rsv1().gives(&[(9, b""), (1, b"\xff\xfe")]);
    // A message without RSV1 is not compressed, and checked.
    let plain = given(&[frame(TEXT | RSV1, b"\xff"), frame(TEXT, b"\xff")]).rsv1();
    plain.fails(At::Payload(1, 1), Error::Utf8, 1007);

    let continued = [frame(TEXT_OPEN | RSV1, b"a"), frame(LAST | RSV1, b"b")];
    given(&continued)
        .rsv1()
        .fails(At::Header(1, 1), Error::ReservedBit, 1002);
    for control in [CLOSE, PING, PONG] {
        let case = given(&[frame(control | RSV1, b"")]).rsv1();
        case.fails(At::Header(0, 1), Error::ReservedBit, 1002);
    }
    for bits in [0x10, 0x20, 0x50, 0x60] {
        let case = given(&[frame(TEXT | bits, b"")]).rsv1();
        case.fails(At::Header(0, 1), Error::ReservedBit, 1002);
    }
}

#[test]
fn reserved_opcodes_are_refused_at_the_first_byte() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for fin in [0, 0x80] {
            let case = given(&[frame(fin | opcode, b"")]);
            case.fails(At::Header(0, 1), Error::ReservedOpcode, 1002);
            // Not a continuation either.
            let case = given(&[frame(TEXT_OPEN, b"a"), frame(fin | opcode, b"")]);
            case.fails(At::Header(1, 1), Error::ReservedOpcode, 1002);
        }
    }
}

#[test]
fn all_first_bytes_masked_or_not_in_and_outside_a_message() {
    for first in 0..=255 {
        for role in ROLES {
            for (masked, inside, rsv1) in (0..8).map(|i| (i & 1 > 0, i & 2 > 0, i & 4 > 0)) {
                let key = masked.then_some(KEY);
                let mut wire = Vec::new();
                if inside {
                    wire.extend(frame(TEXT_OPEN, b"a").to(role).bytes());
                }
                wire.extend(frame(first, b"\x0c\x00").masked(key).bytes());
                let limits = Limits::default();
                let rules = Rules {
                    role,
                    limits,
                    rsv1,
                    room: None,
                };
                let want = oracle::read(&rules, &wire);
                every_cut(&rules, &wire);
                // 0c 00 is ASCII and the code 3072. Counted by hand: these may stand here, and no other.
                let data = if inside {
                    &[0, 0x80][..]
                } else {
                    &[1, 2, 0x81, 0x82]
                };
                let control = [0x88, 0x89, 0x8a].contains(&first);
                let plain = first & !RSV1;
                let compressed = rsv1 && first & RSV1 != 0 && !inside && data.contains(&plain);
                let fine = control || data.contains(&first) || compressed;
                let fine = fine && masked == (role == Role::Server);
                let failed = matches!(want.end, End::Failed(_));
                assert_eq!(
                    !failed, fine,
                    "{first:02x} {role:?} {masked} {inside} {rsv1}"
                );
            }
        }
    }
}

#[test]
fn lengths_at_the_borders_of_their_forms() {
    for len in [0, 1, 125, 126, 127, 65535, 65536] {
        let payload = vec![b'x'; len];
        given(&[frame(BINARY, &payload)]).gives(&[(2, &payload)]);
        given(&[frame(TEXT, &payload), frame(PONG, b"")]).gives(&[(1, &payload), (10, b"")]);
    }
}

#[test]
fn a_length_that_is_not_minimal_is_refused_as_soon_as_that_is_certain() {
    for len in [0, 1, 5, 125] {
        // 7e 00 7d: 125 in two bytes. The second of them settles it.
        let case = given(&[frame(BINARY, b"").declares(Length::Long(len))]);
        case.fails(At::Header(0, 4), Error::LengthNotMinimal, 1002);
    }
    for len in [0, 1, 125, 126, 127, 0xffff] {
        // 7f 00 00 00 00 00 00 ff ff: 65535 in eight bytes. The sixth zero settles it.
        let case = given(&[frame(BINARY, b"").declares(Length::Longest(len))]);
        case.fails(At::Header(0, 8), Error::LengthNotMinimal, 1002);
    }
    // With the payload that was announced it is no better.
    let honest = frame(TEXT, b"Hello").declares(Length::Long(5));
    given(&[honest]).fails(At::Header(0, 4), Error::LengthNotMinimal, 1002);
}

#[test]
fn a_length_with_the_top_bit_is_refused_at_that_byte() {
    for len in [1 << 63, (1 << 63) + 5, u64::MAX] {
        let frames = [frame(BINARY, b"").declares(Length::Longest(len))];
        let at = At::Header(0, 3);
        given(&frames).fails(at, Error::LengthTopBit, 1002);
        given(&frames)
            .limits(Limits::NONE)
            .fails(at, Error::LengthTopBit, 1002);
    }
}

#[test]
fn huge_lengths_are_read_in_full_width() {
    for (len, at) in [((1 << 32) + 5, 6), ((1 << 63) - 1, 3), (1 << 40, 5)] {
        let frames = [frame(BINARY, b"12345").declares(Length::Longest(len))];
        // The first byte that is not 0 makes the frame too large: nothing of it is read.
        given(&frames).fails(At::Header(0, at), Error::FrameTooLarge, 1009);
        // Without a limit it is a long frame, of which five bytes are there.
        let open = End::More { between: false };
        given(&frames).limits(Limits::NONE).gives_then(&[], open);
    }
    // Read as 5, the Ping would be the next frame.
    let lying = frame(BINARY, b"12345").declares(Length::Longest((1 << 32) + 5));
    let case = given(&[lying, frame(PING, b"")]).limits(Limits::NONE);
    case.gives_then(&[], End::More { between: false });
}

#[test]
fn a_declared_length_that_does_not_come_is_waited_for() {
    let frames = [frame(TEXT, b"abc").declares(Length::Short(5))];
    given(&frames).gives_then(&[], End::More { between: false });
    let frames = [frame(PING, b"").declares(Length::Short(125))];
    given(&frames).gives_then(&[], End::More { between: false });
    // A header without its last byte.
    given(&[frame(TEXT, b"").declares(Length::Long(300))])
        .gives_then(&[], End::More { between: false });
}
