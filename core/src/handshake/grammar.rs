//! The grammar of RFC 9110 and RFC 6455 that both sides share: bytes, tokens, lists.

/// A byte of a token (RFC 9110 section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    is_in(&TOKEN_BYTES, byte)
}

/// A set of bytes, one bit for each: those above ASCII too, so that no index is out of bounds.
type Set = [u32; 8];

fn is_in(set: &Set, byte: u8) -> bool {
    let word = set.get(usize::from(byte >> 5)).copied();
    word.unwrap_or_default() >> (byte & 31) & 1 == 1
}

/// A digit of Base64 (RFC 4648 section 4).
pub(super) fn is_base64(byte: u8) -> bool {
    is_in(
        &[0, 0x03ff_8800, 0x07ff_fffe, 0x07ff_fffe, 0, 0, 0, 0],
        byte,
    )
}

/// Letters, digits and ``!#$%&'*+-.^_`|~``.
const TOKEN_BYTES: Set = [0, 0x03ff_6cfa, 0xc7ff_fffe, 0x57ff_ffff, 0, 0, 0, 0];

/// RFC 3986 section 3.2.2, `reg-name`: unreserved, percent-encoded and sub-delims, which is letters, digits and
/// `!$%&'()*+,-.;=_~`.
const NAME_BYTES: Set = [0, 0x2bff_7ff2, 0x87ff_fffe, 0x47ff_fffe, 0, 0, 0, 0];

/// What is behind the bytes at the front that may stand in a token.
#[inline(never)]
pub(super) fn skip_token(input: &[u8]) -> &[u8] {
    skip(input, no_letters, is_token_byte)
}

/// What is behind the bytes at the front that may stand in a header value.
#[inline(never)]
pub(super) fn skip_field(input: &[u8]) -> &[u8] {
    skip(input, no_plain, is_field_byte)
}

/// What is behind the bytes at the front for which `is_in` holds.
///
/// Looks at a word at a time: `others` sets the top bits of bytes, and as the first one that of the first byte that
/// is not one of the usual ones, for which `is_in` holds in any case.
#[inline(always)]
fn skip(mut input: &[u8], others: fn(usize) -> usize, is_in: fn(u8) -> bool) -> &[u8] {
    loop {
        if let Some((word, rest)) = input.split_first_chunk() {
            let others = others(usize::from_le_bytes(*word));
            if others == 0 {
                input = rest;
                continue;
            }
            let usual = usize::try_from(others.trailing_zeros() / 8).unwrap_or_default();
            input = input.get(usual..).unwrap_or_default();
        }
        match input {
            [byte, rest @ ..] if is_in(*byte) => input = rest,
            _ => return input,
        }
    }
}

/// The bytes of a word that are neither a letter nor a minus, as most are in names.
fn no_letters(word: usize) -> usize {
    let lower = word | (ONES * 0x20);
    // A byte's top bit is set from "a" on, unless it is behind "z"; or if it is a minus. No sum carries out of a
    // byte that is ASCII, so all up to the first that is not are told rightly.
    let letter = lower.wrapping_add(ONES * 0x1f) & !lower.wrapping_add(ONES * 0x05);
    let minus = (ONES * 0x80).wrapping_sub(word ^ (ONES * 0x2d));
    (!(letter | minus) | word) & (ONES * 0x80)
}

/// The bytes of a word that are not printable ASCII. They may stand in a value, too, but are rare.
fn no_plain(word: usize) -> usize {
    // A byte's top bit is set by the first sum from 0x7f on, by the second from 0x20 on. No sum carries out of a
    // byte that is ASCII.
    let above = word | word.wrapping_add(ONES);
    let below = !word.wrapping_add(ONES * 0x60);
    (above | below) & (ONES * 0x80)
}

const WORD: usize = size_of::<usize>();
const ONES: usize = usize::MAX / 255;

pub(super) fn is_token(value: &[u8]) -> bool {
    token(value) == Some(&[])
}

/// Whether two names are the same but for the case of letters (RFC 9110 section 5.1).
///
/// Most bytes are equal as they are, so that is looked at first; `eq_ignore_ascii_case` folds
/// both sides of every pair.
#[inline(never)]
pub(super) fn same(name: &[u8], other: &[u8]) -> bool {
    if name.len() != other.len() {
        return false;
    }
    let (words, rest) = name.as_chunks::<WORD>();
    let (other_words, other_rest) = other.as_chunks::<WORD>();
    let is_equal = words.iter().zip(other_words).all(|(a, b)| a == b);
    let (name, other) = if is_equal {
        (rest, other_rest)
    } else {
        (name, other)
    };
    let mut pairs = name.iter().zip(other);
    pairs.all(|(a, b)| a == b || (a ^ b == 0x20 && a.is_ascii_alphabetic()))
}

/// A byte of a header value (RFC 9110 section 5.5): HTAB, SP, VCHAR, obs-text.
pub(super) fn is_field_byte(byte: u8) -> bool {
    byte.wrapping_sub(b' ') < 0x5f || byte >= 0x80 || byte == b'\t'
}

/// Without the white space around it (RFC 9110 section 5.6.3: SP and HTAB).
#[inline(never)]
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let mut value = trim_start(value);
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Without the white space in front of it.
#[inline(never)]
pub(super) fn trim_start(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    value
}

/// Reads an element at the front of a list; gives what is behind it, or `None` if it is not sound.
pub(super) type Element = fn(&[u8]) -> Option<&[u8]>;

/// Whether one of the elements is `wanted`, in any case; `None` if not every one is sound, or there is none
/// (RFC 9110 section 5.6.1: `1#element`).
#[inline(never)]
pub(super) fn list_has(list: &[u8], wanted: &[u8], element: Element) -> Option<bool> {
    let mut found = None;
    let mut rest = list;
    loop {
        // RFC 9110 5.6.1.2: empty elements are ignored.
        while let [b' ' | b'\t' | b',', more @ ..] = rest {
            rest = more;
        }
        if rest.is_empty() {
            return found;
        }
        let behind = element(rest)?;
        let size = rest.len().saturating_sub(behind.len());
        let is_wanted = rest.get(..size).is_some_and(|one| same(one, wanted));
        found = Some(found == Some(true) || is_wanted);
        rest = trim_start(behind);
        if !matches!(rest, [] | [b',', ..]) {
            return None;
        }
    }
}

/// A token.
#[inline(never)]
pub(super) fn token(value: &[u8]) -> Option<&[u8]> {
    let behind = skip_token(value);
    (behind.len() < value.len()).then_some(behind)
}

/// An element of Upgrade: a name and perhaps a version (RFC 9110 section 7.8).
pub(super) fn protocol_name(value: &[u8]) -> Option<&[u8]> {
    match token(value)? {
        [b'/', version @ ..] => token(version),
        rest => Some(rest),
    }
}

/// An element of Sec-WebSocket-Extensions: a token with parameters (RFC 6455 section 9.1).
pub(super) fn extension(value: &[u8]) -> Option<&[u8]> {
    let mut rest = token(value)?;
    while let [b';', parameter @ ..] = trim_start(rest) {
        rest = token(trim_start(parameter))?;
        if let [b'=', value @ ..] = rest {
            rest = match value {
                [b'"', quoted @ ..] => quoted_token(quoted)?,
                _ => token(value)?,
            };
        }
    }
    Some(rest)
}

/// RFC 6455 section 9.1: a quoted value is a token after its quotes and backslashes are removed. The first
/// quote was read.
fn quoted_token(value: &[u8]) -> Option<&[u8]> {
    let mut rest = value;
    loop {
        rest = match skip_token(rest) {
            [b'"', behind @ ..] if behind.len().saturating_add(1) < value.len() => {
                return Some(behind);
            }
            [b'\\', more @ ..] => token(more)?,
            _ => return None,
        };
    }
}

/// The value of Host: a name or address and perhaps a port (RFC 9110 section 7.2). An empty one
/// is for targets without an authority, which a WebSocket URI always has.
pub(super) fn is_host(value: &[u8]) -> bool {
    // RFC 3986 3.2.2: IPv6 addresses and later kinds stand in brackets.
    let (in_brackets, host) = match value {
        [b'[', rest @ ..] => (true, rest),
        _ => (false, value),
    };
    let mut rest = host;
    while let [byte, more @ ..] = rest
        && (is_in(&NAME_BYTES, *byte) || (in_brackets && *byte == b':'))
    {
        rest = more;
    }
    if rest.len() == host.len() {
        return false;
    }
    match (in_brackets, rest) {
        (true, [b']']) => true,
        (true, [b']', b':', port @ ..]) | (false, [b':', port @ ..]) => {
            port.iter().all(u8::is_ascii_digit)
        }
        (false, []) => true,
        _ => false,
    }
}

/// A target a request may be sent to: no white space, no control, no byte above ASCII.
///
/// Browsers send `|`, `{` or `^` in a query as they are, so RFC 3986 is not enforced further.
pub(super) fn is_target(target: &[u8]) -> bool {
    !target.is_empty() && target.iter().all(u8::is_ascii_graphic)
}

/// Whether an element repeats an earlier one (RFC 6455 section 4.1 item 10 for subprotocols).
pub(super) fn repeats<'a>(list: impl Iterator<Item = &'a [u8]> + Clone) -> bool {
    let mut rest = list;
    while let Some(one) = rest.next() {
        if rest.clone().any(|other| equal(other, one)) {
            return true;
        }
    }
    false
}

/// `==` as a loop, for a microcontroller: `memcmp` takes 100 bytes of its flash.
#[inline(never)]
pub(super) fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b)
}

#[inline(never)]
pub(super) fn split_once(value: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = value.iter().position(|&byte| byte == at)?;
    let (front, back) = value.split_at_checked(index)?;
    Some((front, back.split_first()?.1))
}

/// The bytes as text. What reaches this was checked to be ASCII, so nothing is lost.
pub(super) fn text(ascii: &[u8]) -> &str {
    core::str::from_utf8(ascii).unwrap_or_default()
}

/// The values of the lines with this name, out of what the scanner kept.
pub(super) fn values<'a, 'n>(kept: &'a [u8], name: &'n str) -> Values<'a, 'n> {
    Values { rest: kept, name }
}

#[derive(Clone)]
pub(super) struct Values<'a, 'n> {
    /// What was kept, from somewhere in the line before the next one on.
    rest: &'a [u8],
    name: &'n str,
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.rest = next_value(self.rest, self.name)?;
        Some(split_once(self.rest, b'\n')?.0)
    }
}

/// The value of the first line with this name, and all that is behind it. The line that `rest` begins with
/// does not count: of a head it is the first line, which has no name.
#[inline(never)]
fn next_value<'a>(mut rest: &'a [u8], name: &str) -> Option<&'a [u8]> {
    loop {
        let (key, value) = split_once(split_once(rest, b'\n')?.1, b':')?;
        if same(key, name.as_bytes()) {
            return Some(value);
        }
        rest = value;
    }
}

/// The elements of the lists in all lines with this name. Empty ones are ignored (RFC 9110 section 5.6.1.2).
///
/// No list of the handshake may hold a comma in a quoted string: the only quoted strings are
/// parameters of extensions, and they must be tokens inside (RFC 6455 section 9.1).
pub(super) fn listed<'a>(kept: &'a [u8], name: &'static str) -> Listed<'a> {
    Listed {
        rest: next_value(kept, name).unwrap_or_default(),
        name,
    }
}

/// The elements of one list.
pub(super) fn elements(list: &[u8]) -> Listed<'_> {
    Listed {
        rest: list,
        name: "",
    }
}

#[derive(Clone)]
pub(super) struct Listed<'a> {
    /// Somewhere in a list, and all that is behind it.
    rest: &'a [u8],
    name: &'static str,
}

impl<'a> Iterator for Listed<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.rest {
                [] => return None,
                [b' ' | b'\t' | b',', more @ ..] => self.rest = more,
                [b'\n', ..] => self.rest = next_value(self.rest, self.name)?,
                list => {
                    let ends = |byte: &u8| matches!(byte, b',' | b'\n');
                    let size = list.iter().position(ends).unwrap_or(list.len());
                    let element;
                    (element, self.rest) = list.split_at_checked(size)?;
                    return Some(trim(element));
                }
            }
        }
    }
}
