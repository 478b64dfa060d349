//! What is said of an input, by the oracle and by wirelet, in the same words.

use wirelet::{Error, Limits, Role};

/// Under which rules the input is read.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Who reads.
    pub role: Role,
    /// What it takes.
    pub limits: Limits,
    /// RSV1 is allowed on the first frame of a message.
    pub rsv1: bool,
    /// Bytes of the buffer in which whole messages are assembled, if they are.
    pub room: Option<usize>,
}

/// What is in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whole messages and control frames, in the order of their ends.
    pub items: Vec<Item>,
    /// What is there of the message that is unfinished.
    pub open: Vec<u8>,
    /// How it ended.
    pub end: End,
    /// How many bytes had to be seen to know that.
    pub at: usize,
}

/// A whole message, or a control frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The opcode of its first frame.
    pub opcode: u8,
    /// RSV1 of its first frame.
    pub rsv1: bool,
    /// All of it, unmasked.
    pub payload: Vec<u8>,
}

/// How the input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More may come.
    More {
        /// No frame and no message is open.
        between: bool,
    },
    /// With a Close frame; what may follow it was ignored.
    Closed,
    /// The peer broke a rule.
    Failed(Error),
}
