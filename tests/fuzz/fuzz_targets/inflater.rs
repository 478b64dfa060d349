//! Any bytes as frames of a peer that compresses: the same messages in every cut, and whole ones are
//! the same as those in pieces, unless the buffer is too small for them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet::deflate::{Context, WindowBits};
use wirelet::{Error, Limits, Role};
use wirelet_tests::deflate::{Listener, Way};
use wirelet_tests::rng::Rng;

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, room, limit, seed], wire)) = data.split_first_chunk() else {
        return;
    };
    let mut rng = Rng::new(seed.into());
    let context = Context {
        takeover: flags & 1 == 1,
        window: WindowBits::new(8 + (flags >> 4 & 7)).expect("8 to 15"),
    };
    let listener = |room, limit| Listener {
        role: if flags & 2 == 0 {
            Role::Client
        } else {
            Role::Server
        },
        context,
        room,
        limits: Limits::default().with_message(limit),
    };
    let least = if context.takeover {
        context.window.bytes() + 1
    } else {
        1
    };
    let small = listener(least + usize::from(room), u64::from(limit) * 64);
    for way in [Way::Whole, Way::Pieces, Way::Full] {
        let want = small.hear(way, wire, &[]);
        let cuts = rng.cuts(wire.len());
        let (messages, error) = small.hear(way, wire, &cuts);
        assert_eq!(messages, want.0, "{way:?} cuts {cuts:?}");
        // The receiver looks at all of a piece of plain text before the inflater counts it.
        let text = [Some(Error::Utf8), Some(Error::MessageTooLarge)];
        let same = error == want.1 || (text.contains(&error) && text.contains(&want.1));
        assert!(same, "{way:?} cuts {cuts:?}: {error:?}, whole {:?}", want.1);
    }
    // With room for all, they differ in nothing.
    let limit = 1 << 15;
    let large = listener(context.window.bytes() + limit, limit as u64);
    let whole = large.hear(Way::Whole, wire, &[]);
    assert_eq!(large.hear(Way::Pieces, wire, &[]), whole);
    assert_eq!(large.hear(Way::Full, wire, &[]), whole);
    // And a small buffer gives the same up to a message that is too large.
    let (messages, error) =
        listener(least + usize::from(room), limit as u64).hear(Way::Whole, wire, &[]);
    assert!(whole.0.starts_with(&messages));
    assert!(error == whole.1 || error == Some(Error::MessageTooLarge));
});
