//! What a connection of an adapter says of what came, and whether that is what the oracle says.

use std::fmt::Debug;

use wirelet::Role;
use wirelet_tests::drive::hex;
use wirelet_tests::outcome::{End, Outcome};

use crate::peer::{self, CLOSE, Item, PING, PONG, messages, other};

/// What a connection said, up to its end.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Whole messages; those that were forwarded are on the wire.
    pub(crate) messages: Vec<Item>,
    /// The rule that was broken.
    pub(crate) rule: Option<wirelet::Error>,
    /// The end of the stream came first.
    pub(crate) disconnected: bool,
    /// The peer's Close was seen.
    pub(crate) closed: bool,
}

/// What was said of `input` is what the oracle says, `want`, and so is what was answered on the
/// `wire`.
///
/// # Panics
/// If not.
pub(crate) fn check(
    input: &[u8],
    role: Role,
    want: &Outcome,
    forwarded: bool,
    said: &Said,
    wire: &[u8],
    about: &dyn Debug,
) {
    let about = || format!("{about:?}: {said:?} of {}", hex(input));
    let data = want.items.iter().filter(|item| item.opcode < 8);
    let data: Vec<Item> = data
        .map(|item| (item.opcode, item.payload.clone()))
        .collect();
    let answer = peer::read(other(role), wire);
    assert!(answer.whole_frames, "a torn frame: {}", about());
    if forwarded {
        let echo = answer.items.iter().filter(|item| item.0 < 8);
        assert!(echo.eq(&data), "{}", about());
    } else {
        assert!(said.messages == data, "{}", about());
        let silent = messages(&answer.items).is_empty() && answer.open.is_none();
        assert!(silent, "{}", about());
    }
    let got = (said.rule, said.disconnected, said.closed);
    let last = answer.items.last();
    match want.end {
        End::More { .. } => assert_eq!(got, (None, true, false), "{}", about()),
        End::Closed => {
            assert_eq!(got, (None, false, true), "{}", about());
            let theirs = &want.items.last().expect("the Close").payload;
            let code = theirs.get(..2).unwrap_or_default().to_vec();
            assert_eq!(last, Some(&(CLOSE, code)), "{}", about());
        }
        End::Failed(rule) => {
            assert_eq!(got, (Some(rule), false, false), "{}", about());
            let close = peer::close(rule.close_code().get(), rule.reason());
            assert_eq!(last, Some(&(CLOSE, close)), "{}", about());
        }
    }
    // A Pong for Pings in their order; not for each, but never twice, and never one unasked.
    let mut pings = want.items.iter().filter(|item| item.opcode == PING);
    for pong in answer.items.iter().filter(|item| item.0 == PONG) {
        assert!(pings.any(|ping| ping.payload == pong.1), "{}", about());
    }
}
