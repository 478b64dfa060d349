//! Any bytes in any cut, every way: wirelet says what the oracle says, and as soon.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet_fuzz::Frames;
use wirelet_tests::drive::{Way, assert_agrees};
use wirelet_tests::oracle;
use wirelet_tests::outcome::Rules;

fuzz_target!(|data: &[u8]| {
    let Some(Frames {
        rules,
        mut rng,
        wire,
    }) = Frames::read(data)
    else {
        return;
    };
    let want = oracle::read(&rules, wire);
    assert_agrees(&rules, Way::Whole, wire, &rng.cuts(wire.len()), &want);

    let room = rules.room.unwrap_or(1);
    let rules = Rules {
        room: None,
        ..rules
    };
    let want = oracle::read(&rules, wire);
    for way in [
        Way::Receiver,
        Way::Pieces(room),
        Way::Growing(room),
        Way::Mixed(rng.any()),
        Way::Lazy(rng.any()),
    ] {
        assert_agrees(&rules, way, wire, &rng.cuts(wire.len()), &want);
    }
});
