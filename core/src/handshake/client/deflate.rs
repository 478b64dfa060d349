//! What the server answered to the offers of permessage-deflate (RFC 7692 section 7.1).

use super::super::grammar::elements;
use super::Error;
use crate::deflate::{Agreement, Answer, Offer, ParameterError, agreement};
use core::fmt;

/// Why the answer to permessage-deflate is refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DeflateError {
    /// The answer has a parameter that it must not have, twice, or with a wrong value.
    Parameter(ParameterError),
    /// The server took permessage-deflate twice.
    Repeated,
    /// The answer allows more than was offered, or limits what was not offered to be limited.
    NotOffered,
}

/// Judges one line of Sec-WebSocket-Extensions, and notes what was agreed to.
pub(super) fn judge(
    line: &[u8],
    offers: &[Offer],
    agreed: &mut Option<Agreement>,
) -> Result<(), Error> {
    let mut any = false;
    for element in elements(line) {
        any = true;
        let answer = match Answer::parse_bytes(element) {
            Ok(answer) if !offers.is_empty() => answer,
            // RFC 6455 4.1 rule 5: an extension that was not offered.
            Ok(_) | Err(ParameterError::OtherExtension) => return Err(Error::Extensions),
            Err(error) => return Err(Error::Deflate(DeflateError::Parameter(error))),
        };
        let mut fitting = offers.iter().filter_map(|offer| agreement(offer, &answer));
        let found = fitting.next().ok_or(DeflateError::NotOffered);
        if agreed.replace(found.map_err(Error::Deflate)?).is_some() {
            return Err(Error::Deflate(DeflateError::Repeated));
        }
    }
    // RFC 6455 9.1: the list is not empty.
    if any { Ok(()) } else { Err(Error::Extensions) }
}

impl fmt::Display for DeflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeflateError::Parameter(error) => return error.fmt(f),
            DeflateError::Repeated => "the server took permessage-deflate twice",
            DeflateError::NotOffered => {
                "the server answered permessage-deflate with what was not offered"
            }
        })
    }
}

impl core::error::Error for DeflateError {}
