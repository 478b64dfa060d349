//! Any bytes as a compressed message, in any cut and in little room: zlib's verdict and output, and
//! each step gets on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet::deflate::{Inflate, InflateError, Step, WindowBits};
use wirelet_tests::deflate::{TAIL, judge};
use wirelet_tests::drive::pieces;
use wirelet_tests::rng::Rng;

fuzz_target!(|data: &[u8]| {
    let Some((&seed, payload)) = data.split_first() else {
        return;
    };
    let mut rng = Rng::new(seed.into());
    let input = [payload, &TAIL].concat();
    let want = inflate(&input, &[], 1 << 16);
    let room = 1 + rng.below(300);
    assert_eq!(inflate(&input, &rng.cuts(input.len()), room), want);
    assert_eq!(want.ok(), judge(payload));
});

fn inflate(input: &[u8], cuts: &[usize], room: usize) -> Result<Vec<u8>, InflateError> {
    let mut inflate = Inflate::new(WindowBits::MAX);
    let mut out = vec![0; room];
    let mut at = 0;
    for (_, mut piece) in pieces(input, cuts) {
        while inflate.next(&mut piece, &mut out, &mut at)? == Step::Room {
            assert_eq!(at, out.len());
            out.resize(at + room, 0);
        }
        assert!(piece.is_empty());
    }
    out.truncate(at);
    if inflate.is_between_blocks() {
        Ok(out)
    } else {
        Err(InflateError::Unfinished)
    }
}
