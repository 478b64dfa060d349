//! What the tests share: frames right and wrong, a naive receiver to compare with, ways to drive
//! the real one, and a transport that behaves as badly as a transport may.
//!
//! ```text
//! frames --bytes--> oracle (naive, whole input)      --> Outcome
//!        \-bytes--> drive  (wirelet, cut anywhere)   --> Outcome   must be equal
//! ```

pub mod case;
pub mod deflate;
pub mod deflate_cases;
pub mod drive;
pub mod frames;
pub mod hostile;
pub mod judge;
pub mod oracle;
pub mod outcome;
pub mod requests;
pub mod rng;
pub mod traffic;
