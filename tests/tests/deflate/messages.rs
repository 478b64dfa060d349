//! Messages: bombs, limits, and oddities of the standard. Each ends, in an error or the message.

use wirelet::deflate::{Context, InflateError, Inflater};
use wirelet::{Error, Inbox, Kind, Limits, Receiver, Role};
use wirelet_tests::deflate::{Deflater, Listener, Way};

use crate::*;

const UNFINISHED: Error = Error::Inflate(InflateError::Unfinished);

/// The same whole and in pieces, with and without takeover, in every split in two and byte by byte.
#[track_caller]
fn gives(frames: &[(u8, &[u8])], messages: &[(Kind, &[u8])], error: Option<Error>) {
    let wire = wire(frames);
    let want: Vec<_> = messages
        .iter()
        .map(|(kind, payload)| (*kind, payload.to_vec()))
        .collect();
    for context in [no_takeover(15), takeover(8)] {
        for way in [Way::Whole, Way::Pieces] {
            let listener = Listener::new(context, 512);
            let hear = |cuts: &[usize]| {
                let got = listener.hear(way, &wire, cuts);
                assert_eq!(got, (want.clone(), error), "{context:?} {way:?} {cuts:?}");
            };
            (0..=wire.len()).for_each(|at| hear(&[at]));
            hear(&(1..wire.len()).collect::<Vec<_>>());
        }
    }
}

/// "Hello" in a fixed block (section 7.2.3.1).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

#[test]
fn the_examples_of_the_standard() {
    let hello = (Kind::Text, &b"Hello"[..]);
    gives(&[(TEXT, HELLO)], &[hello], None);
    // Section 7.2.3.1, in two frames.
    gives(
        &[(0x41, b"\xf2\x48\xcd"), (LAST, b"\xc9\xc9\x07\x00")],
        &[hello],
        None,
    );
    // Section 7.2.3.3: not compressed.
    gives(
        &[(TEXT, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")],
        &[hello],
        None,
    );
    // Section 7.2.3.4: a final block inside the message.
    gives(
        &[(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00")],
        &[hello],
        None,
    );
    // Section 7.2.3.5: two blocks.
    gives(
        &[(
            TEXT,
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        )],
        &[hello],
        None,
    );
}

#[test]
fn a_message_may_refer_to_the_one_before() {
    // Section 7.2.3.2: "Hello" twice.
    let wire = wire(&[(TEXT, HELLO), (TEXT, b"\xf2\x00\x11\x00\x00")]);
    let hello = (Kind::Text, b"Hello".to_vec());
    for cut in 0..=wire.len() {
        let got = Listener::new(takeover(8), 300).hear(Way::Whole, &wire, &[cut]);
        assert_eq!(got, (vec![hello.clone(), hello.clone()], None));
    }
}

#[test]
fn the_empty_message() {
    let e = (Kind::Binary, &b""[..]);
    // Section 7.2.3.6.
    gives(&[(BINARY, b"\0")], &[e], None);
    gives(
        &[(BINARY, b"\0"), (BINARY, b"\0"), (TEXT, HELLO)],
        &[e, e, (Kind::Text, b"Hello")],
        None,
    );
    gives(
        &[(BINARY_OPEN, b""), (MORE, b"\0"), (LAST, b"")],
        &[e],
        None,
    );
    // Fixed, and final fixed, and several stored ones.
    gives(&[(BINARY, b"\x02\x00")], &[e], None);
    gives(&[(BINARY, b"\x03\x00\x00")], &[e], None);
    gives(&[(BINARY, b"\0\0\0\xff\xff\0\0\0\xff\xff\0")], &[e], None);
    // Without a block there is no place for the tail.
    gives(&[(BINARY, b"")], &[], Some(UNFINISHED));
    gives(&[(BINARY_OPEN, b""), (LAST, b"")], &[], Some(UNFINISHED));
}

#[test]
fn data_behind_a_final_block() {
    // It goes on (section 7.2.1): "Hello" in a final block, twice, and with rubbish behind.
    let twice = b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    gives(&[(TEXT, twice)], &[(Kind::Text, b"HelloHello")], None);
    // The second final block refers to the first: "Hello" from 5 behind.
    let again = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x03\x13\x00\x00";
    gives(&[(TEXT, again)], &[(Kind::Text, b"HelloHello")], None);
    let rubbish = b"\xf3\x48\xcd\xc9\xc9\x07\x00\xff";
    let want = Error::Inflate(InflateError::BlockType);
    gives(&[(TEXT, rubbish)], &[], Some(want));
    // Nothing behind it: the tail is read as a block, and is none.
    gives(
        &[(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00")],
        &[],
        Some(UNFINISHED),
    );
    // The next message begins with a block of its own.
    let next = [
        (TEXT, &b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"[..]),
        (TEXT, HELLO),
    ];
    gives(
        &next,
        &[(Kind::Text, b"Hello"), (Kind::Text, b"Hello")],
        None,
    );
}

#[test]
fn a_message_that_ends_inside_a_block() {
    // With 4 bytes more it is sound: the tail is the payload's (section 7.2.2 says to append it).
    let swallowed = b"\x00\x05\x00\xfa\xffH";
    gives(
        &[(BINARY, swallowed)],
        &[(Kind::Binary, b"H\0\0\xff\xff")],
        None,
    );
    gives(&[(BINARY, b"\x00\x06\x00\xf9\xffH")], &[], Some(UNFINISHED));
    for end in 1..HELLO.len() - 1 {
        let wire = wire(&[(BINARY, &HELLO[..end])]);
        let (messages, error) = Listener::new(no_takeover(15), 512).hear(Way::Whole, &wire, &[]);
        assert!(messages.is_empty(), "never a truncated message");
        assert!(
            matches!(error, Some(Error::Inflate(_))),
            "{end} bytes: {error:?}"
        );
    }
}

#[test]
fn the_reserved_bit_elsewhere() {
    let hello = (Kind::Text, &b"Hello"[..]);
    for control in [0xc8, 0xc9, 0xca] {
        gives(
            &[(TEXT, HELLO), (control, b"")],
            &[hello],
            Some(Error::ReservedBit),
        );
        gives(
            &[(0x41, b"\xf2\x48"), (control, b"")],
            &[],
            Some(Error::ReservedBit),
        );
    }
    gives(
        &[(0x41, b"\xf2\x48\xcd"), (0xc0, b"\xc9\xc9\x07\x00")],
        &[],
        Some(Error::ReservedBit),
    );
    gives(
        &[(0x41, b"\xf2\x48\xcd"), (0x40, b"\xc9")],
        &[],
        Some(Error::ReservedBit),
    );
    // And as ever: no other reserved bit, no compressed message without the extension.
    gives(&[(0xe1, HELLO)], &[], Some(Error::ReservedBit));
    let mut receiver = Receiver::new(Role::Client, Limits::default());
    let mut input = wire(&[(TEXT, HELLO)]);
    assert_eq!(receiver.next(&mut &mut input[..]), Err(Error::ReservedBit));
}

#[test]
fn text_that_is_invalid_only_after_inflating() {
    let mut deflater = Deflater::new(9, no_takeover(15));
    let mut payload = |text: &[u8]| deflater.message(text, &[]);
    for text in [
        &b"abc\xff"[..],
        b"\xed\xa0\x80",
        b"abc\xe2\x82",
        b"\xc0\x80",
        b"\xf4\x90\x80\x80",
    ] {
        let compressed = payload(text);
        gives(&[(TEXT, &compressed)], &[], Some(Error::Utf8));
        gives(&[(BINARY, &compressed)], &[(Kind::Binary, text)], None);
    }
    // The compressed bytes need not be UTF-8, and the text may be cut anywhere.
    let text = "größer κόσμε 🌍";
    let compressed = payload(text.as_bytes());
    assert!(str::from_utf8(&compressed).is_err());
    gives(
        &[(TEXT, &compressed)],
        &[(Kind::Text, text.as_bytes())],
        None,
    );
    // The text is wrong before the data is: that is what is told, in every split.
    gives(
        &[(TEXT, b"\x00\x02\x00\xfd\xffa\xff\x07")],
        &[],
        Some(Error::Utf8),
    );
    gives(
        &[(TEXT, b"\x00\x02\x00\xfd\xffab\x07")],
        &[],
        Some(Error::Inflate(InflateError::BlockType)),
    );
}

#[test]
fn not_compressed_messages_between() {
    let wire = wire(&[
        (0x81, b"plain"),
        (TEXT, HELLO),
        (0x01, b"pl"),
        (0x89, b"?"),
        (LAST, b"ain"),
        (TEXT, b"\xf2\x00\x11\x00\x00"),
    ]);
    let text = |text: &[u8]| (Kind::Text, text.to_vec());
    let want = vec![
        text(b"plain"),
        text(b"Hello"),
        text(b"plain"),
        text(b"Hello"),
    ];
    for cut in 0..=wire.len() {
        for (way, room) in [(Way::Whole, 261), (Way::Pieces, 257)] {
            // The window holds nothing of them: the last one refers to the second.
            let got = Listener::new(takeover(8), room).hear(way, &wire, &[cut]);
            assert_eq!(got, (want.clone(), None), "{way:?} cut {cut}");
        }
    }
}

#[test]
fn a_message_as_large_as_the_buffer_and_one_byte_larger() {
    for (context, window) in [
        (no_takeover(15), 0),
        (no_takeover(9), 0),
        (takeover(8), 256),
    ] {
        for len in [1, 2, 100, 257, 258, 259, 300] {
            for level in [0, 9] {
                let message = vec![b'a'; len];
                let mut deflater = Deflater::new(level, context);
                let frames = [
                    deflater.message(&message, &[]),
                    deflater.message(&message, &[]),
                ];
                let wire = wire(&[(BINARY, &frames[0]), (BINARY, &frames[1])]);
                let one = (Kind::Binary, message);
                let hear = |room, cuts: &[usize]| {
                    Listener::new(context, room).hear(Way::Whole, &wire, cuts)
                };
                for cut in 0..=wire.len() {
                    let got = hear(window + len, &[cut]);
                    assert_eq!(
                        got,
                        (vec![one.clone(), one.clone()], None),
                        "{context:?} {len} cut {cut}"
                    );
                }
                if len > 1 {
                    // The first, too, although the window is empty then: it depends on nothing.
                    let want = (vec![], Some(Error::MessageTooLarge));
                    assert_eq!(hear(window + len - 1, &[]), want, "{context:?} {len}");
                    assert_eq!(Error::MessageTooLarge.close_code().get(), 1009);
                }
            }
        }
    }
}

#[test]
fn limits_count_inflated_bytes() {
    let message = vec![b'a'; 1_000];
    let payload = Deflater::new(9, no_takeover(15)).message(&message, &[]);
    assert!(payload.len() < 20);
    let wire = wire(&[(BINARY, &payload)]);
    for limit in 990..1_010_u64 {
        for context in [no_takeover(15), takeover(8)] {
            for (way, room) in [
                (Way::Whole, 2_000),
                (Way::Pieces, 2_000),
                (Way::Pieces, 300),
            ] {
                let context = if room == 300 {
                    Context {
                        window: bits(8),
                        ..context
                    }
                } else {
                    context
                };
                for cut in 0..=wire.len() {
                    let limits = Limits::default().with_message(limit);
                    let listener = Listener {
                        limits,
                        ..Listener::new(context, room)
                    };
                    let (messages, error) = listener.hear(way, &wire, &[cut]);
                    if limit < 1_000 {
                        assert!(messages.is_empty(), "never a truncated message");
                        assert_eq!(error, Some(Error::MessageTooLarge));
                    } else {
                        assert_eq!(messages, [(Kind::Binary, message.clone())]);
                        assert_eq!(error, None);
                    }
                }
            }
        }
    }
}

#[test]
fn a_bomb() {
    // A kilobyte holds a megabyte.
    let zeros = vec![0; 4 << 20];
    let payload = Deflater::new(9, no_takeover(15)).message(&zeros, &[]);
    assert!(payload.len() < 5_000);
    let wire = wire(&[(BINARY, &payload)]);
    let limits = Limits::default().with_message(1 << 20);
    for (way, room) in [(Way::Whole, 4_096), (Way::Pieces, 40_000)] {
        let listener = Listener {
            limits,
            ..Listener::new(no_takeover(15), room)
        };
        let (messages, error) = listener.hear(way, &wire, &[]);
        assert!(messages.is_empty());
        assert_eq!(error, Some(Error::MessageTooLarge), "{way:?}");
    }
    // It stops at the limit, and not behind the whole of the input.
    let mut receiver = Receiver::new(Role::Client, limits);
    receiver.allow_rsv1();
    let mut buffer = [0; 4_096];
    let mut inflater = Inflater::new(&mut buffer, no_takeover(15), limits).unwrap();
    let mut input = wire;
    let mut input = &mut input[..];
    let mut event = receiver.next(&mut input).unwrap().unwrap();
    assert_eq!(inflater.ready(&mut event), Err(Error::MessageTooLarge));
    assert!(payload.len() - event.payload.len() < 100);
}

#[test]
fn blocks_without_bytes_use_up_their_input() {
    // A million empty blocks: it ends, for each takes input.
    let fixed = [&[0x02, 0x08, 0x20, 0x80, 0x00].repeat(200_000)[..], &[0]].concat();
    let stored = [&[0, 0, 0, 0xff, 0xff].repeat(200_000)[..], &[0]].concat();
    for payload in [fixed, stored] {
        let wire = wire(&[(BINARY, &payload)]);
        let (messages, error) = Listener::new(no_takeover(15), 1).hear(Way::Whole, &wire, &[]);
        assert_eq!((messages, error), (vec![(Kind::Binary, vec![])], None));
    }
}

#[test]
fn a_buffer_too_small_for_the_window_is_refused() {
    for window in wirelet_tests::deflate::all_windows() {
        let context = takeover(window.get());
        let make = |len: usize| Inflater::new(vec![0; len], context, Limits::default());
        assert_eq!(make(window.bytes()).unwrap_err().len(), window.bytes());
        assert!(make(window.bytes() + 1).is_ok());
    }
    // Without takeover any buffer does, but messages in pieces need the window.
    let message: Vec<u8> = (0..2_000_u32).map(|i| ((i * i) >> 3) as u8).collect();
    let payload = Deflater::new(9, no_takeover(15)).message(&message, &[]);
    let wire = wire(&[(BINARY, &payload)]);
    let got = Listener::new(no_takeover(15), 1_999).hear(Way::Pieces, &wire, &[]);
    assert_eq!(got.1, Some(Error::MessageTooLarge));
    let got = Listener::new(no_takeover(15), 2_000).hear(Way::Pieces, &wire, &[]);
    assert_eq!(got, (vec![(Kind::Binary, message)], None));
}

#[test]
fn behind_an_inbox() {
    // A small inbox for what is on the wire, a buffer for the message.
    let wire = wire(&[
        (TEXT, HELLO),
        (0x89, b"ping"),
        (0x81, b"a message of 27 bytes, plain"),
    ]);
    for room in [8, 16, 64] {
        let mut receiver = Receiver::new(Role::Client, Limits::default());
        receiver.allow_rsv1();
        let mut inbox = Inbox::new(vec![0; room], receiver);
        let mut inflater = Inflater::new([0; 64], no_takeover(15), Limits::default()).unwrap();
        let mut got = Vec::new();
        for &byte in &wire {
            inbox.spare()[0] = byte;
            inbox.filled(1);
            while inbox.ready_piece().unwrap().is_some() {
                let mut event = inbox.take().unwrap();
                while inflater.ready(&mut event).unwrap().is_some() {
                    got.push(inflater.take().unwrap().payload.to_vec());
                }
            }
        }
        assert_eq!(got, [&b"Hello"[..], b"a message of 27 bytes, plain"]);
    }
}
