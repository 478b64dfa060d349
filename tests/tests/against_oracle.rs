//! Random traffic, valid and broken, in random cuts: wirelet and the oracle say the same.
//!
//! Seeds are fixed: a case that fails fails again. To look for more, raise `CASES`.

use wirelet::{Limits, Role};
use wirelet_tests::drive::{Way, assert_agrees};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Rules};
use wirelet_tests::rng::Rng;
use wirelet_tests::traffic;

const CASES: u64 = 1500;

#[test]
fn valid_traffic_comes_out_whole() {
    for seed in 0..CASES {
        let mut rng = Rng::new(seed);
        let role = *rng.pick(&[Role::Client, Role::Server]);
        let wire = traffic::valid(&mut rng, role);
        let rules = rules(role, Limits::default());
        let want = oracle::read(&rules, &wire);
        assert!(!matches!(want.end, End::Failed(_)), "seed {seed}: {want:?}");
        every_way(rng, rules, &wire);
    }
}

#[test]
fn mutations_of_it_end_alike() {
    let mut failed = 0;
    for seed in 0..2 * CASES {
        let mut rng = Rng::new(0x1000_0000 + seed);
        let role = *rng.pick(&[Role::Client, Role::Server]);
        let wire = traffic::valid(&mut rng, role);
        let wire = traffic::mutated(&mut rng, wire);
        let rules = rules(role, random_limits(&mut rng));
        let rules = Rules {
            rsv1: rng.chance(30),
            ..rules
        };
        failed += u64::from(matches!(oracle::read(&rules, &wire).end, End::Failed(_)));
        every_way(rng, rules, &wire);
    }
    // Both outcomes are common, or the mutations test nothing.
    assert!(
        (CASES / 2..2 * CASES - CASES / 4).contains(&failed),
        "{failed}"
    );
}

#[test]
fn random_bytes_end_alike() {
    for seed in 0..CASES {
        let mut rng = Rng::new(0x2000_0000 + seed);
        let len = rng.below(40);
        let wire = rng.bytes(len);
        let role = *rng.pick(&[Role::Client, Role::Server]);
        let rules = rules(role, random_limits(&mut rng));
        every_way(rng, rules, &wire);
    }
}

fn rules(role: Role, limits: Limits) -> Rules {
    Rules {
        role,
        limits,
        rsv1: false,
        room: None,
    }
}

fn random_limits(rng: &mut Rng) -> Limits {
    match rng.below(4) {
        0 => Limits::default(),
        1 => Limits::NONE,
        2 => Limits::default().with_message(rng.below(200) as u64),
        _ => Limits {
            frame: rng.below(140) as u64,
            message: rng.below(300) as u64,
            fragments: rng.below(6) as u32,
        },
    }
}

fn every_way(mut rng: Rng, rules: Rules, wire: &[u8]) {
    let want = oracle::read(&rules, wire);
    let ways = [
        Way::Receiver,
        Way::Pieces(1 + rng.below(200)),
        Way::Growing(1 + rng.below(200)),
        Way::Mixed(rng.any()),
        Way::Lazy(rng.any()),
    ];
    for way in ways {
        let cuts = rng.cuts(wire.len());
        assert_agrees(&rules, way, wire, &cuts, &want);
    }
    let room = *rng.pick(&[1, 5, 31, 125, 126, 300, 1024]);
    let rules = Rules {
        room: Some(room),
        ..rules
    };
    let want = oracle::read(&rules, wire);
    assert_agrees(&rules, Way::Whole, wire, &rng.cuts(wire.len()), &want);
}
