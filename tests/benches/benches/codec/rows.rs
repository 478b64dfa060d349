//! Which rows a table has.

use crate::cases::Kind;
use crate::subject::Row;
use crate::{limits, ours};

/// wirelet, the others if they were asked for, and the limits that mean something for this kind.
pub fn whole(kind: Kind) -> Vec<Row> {
    let mut rows = ours::WHOLE.to_vec();
    #[cfg(feature = "peers")]
    rows.extend(crate::peers::ALL);
    let [copy, xor, simd, core] = limits::ALL;
    rows.extend([copy, xor]);
    if kind != Kind::Binary {
        rows.extend([simd, core]);
    }
    rows
}

/// wirelet in parts, without a read.
pub fn parts(kind: Kind) -> Vec<Row> {
    let [header, binary, text, utf8] = ours::PARTS;
    match kind {
        Kind::Binary => vec![header, binary],
        Kind::Ascii | Kind::MultiByte => vec![text, utf8],
    }
}
