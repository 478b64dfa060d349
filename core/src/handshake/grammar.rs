//! The grammar of RFC 9110 and RFC 6455 that both sides share: bytes, tokens, lists.

/// A byte of a token (RFC 9110 section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    let word = TOKEN_BYTES.get(usize::from(byte >> 5)).copied();
    word.unwrap_or_default() >> (byte & 31) & 1 == 1
}

/// One bit for each byte: letters, digits and ``!#$%&'*+-.^_`|~``.
const TOKEN_BYTES: [u32; 8] = [0, 0x03ff_6cfa, 0xc7ff_fffe, 0x57ff_ffff, 0, 0, 0, 0];

#[inline(never)]
pub(super) fn is_token(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().copied().all(is_token_byte)
}

/// Whether two names are the same but for the case of letters (RFC 9110 section 5.1).
///
/// Most bytes are equal as they are, so that is looked at first; `eq_ignore_ascii_case` folds
/// both sides of every pair.
#[inline(never)]
pub(super) fn same(name: &[u8], other: &[u8]) -> bool {
    let pairs = || name.iter().zip(other);
    name.len() == other.len()
        && pairs().all(|(a, b)| a == b || (a ^ b == 0x20 && a.is_ascii_alphabetic()))
}

/// A byte of a header value (RFC 9110 section 5.5): HTAB, SP, VCHAR, obs-text.
pub(super) fn is_field_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Splits off the bytes at the front that may stand in a header value.
///
/// Looks at a word at a time where it holds neither a control byte nor a tab: most of a head is
/// values.
pub(super) fn field_run(input: &[u8]) -> (&[u8], &[u8]) {
    let words = input.as_chunks::<WORD>().0;
    let plain = words.iter().take_while(|word| is_plain(**word)).count();
    let skipped = plain.saturating_mul(WORD);
    let rest = input.get(skipped..).unwrap_or_default();
    let more = rest.iter().position(|&byte| !is_field_byte(byte));
    let end = more.map_or(input.len(), |more| skipped.saturating_add(more));
    input.split_at_checked(end).unwrap_or((input, &[]))
}

/// Whether every byte is printable ASCII. Others may stand in a value too, but are rare.
fn is_plain(word: [u8; WORD]) -> bool {
    const ONES: usize = usize::MAX / 255;
    let word = usize::from_ne_bytes(word);
    // A byte's top bit is set by the first sum from 0x7f on, by the second from 0x20 on. A carry comes
    // only out of a byte that has its top bit set already, and so is found by itself.
    let above = word | word.wrapping_add(ONES);
    let below = !word.wrapping_add(ONES * 0x60);
    (above | below) & (ONES * 0x80) == 0
}

const WORD: usize = size_of::<usize>();

/// Without the white space around it (RFC 9110 section 5.6.3: SP and HTAB).
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// What stands between separators, without the white space around it. Empty parts are parts.
#[derive(Clone)]
pub(super) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

pub(super) fn parts(list: &[u8], separator: u8) -> Parts<'_> {
    Parts {
        rest: Some(list),
        separator,
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    // Every list goes through this one copy, which is worth 1 KB of flash.
    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let list = self.rest?;
        let (part, rest) = match split_once(list, self.separator) {
            Some((part, rest)) => (part, Some(rest)),
            None => (list, None),
        };
        self.rest = rest;
        Some(trim(part))
    }
}

/// The elements of a comma-separated list. Empty ones are ignored (RFC 9110 section 5.6.1.2).
///
/// No list of the handshake may hold a comma in a quoted string: the only quoted strings are
/// parameters of extensions, and they must be tokens inside (RFC 6455 section 9.1).
pub(super) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    parts(list, b',').filter(|element| !element.is_empty())
}

/// Whether every element is sound, and there is one (RFC 9110 section 5.6.1: `1#element`).
pub(super) fn is_list(list: &[u8], sound: fn(&[u8]) -> bool) -> bool {
    list_has(list, b"", sound).is_some()
}

/// Whether one of the elements is `wanted`, in any case; `None` if it is not a sound list.
#[inline(never)]
pub(super) fn list_has(list: &[u8], wanted: &[u8], sound: fn(&[u8]) -> bool) -> Option<bool> {
    let mut found = None;
    for element in elements(list) {
        if !sound(element) {
            return None;
        }
        found = Some(found == Some(true) || same(element, wanted));
    }
    found
}

/// An element of Upgrade: a name and perhaps a version (RFC 9110 section 7.8).
pub(super) fn is_protocol_name(element: &[u8]) -> bool {
    match split_once(element, b'/') {
        Some((name, version)) => is_token(name) && is_token(version),
        None => is_token(element),
    }
}

/// An element of Sec-WebSocket-Extensions: a token with parameters (RFC 6455 section 9.1).
pub(super) fn is_extension(element: &[u8]) -> bool {
    let mut parts = parts(element, b';');
    parts.next().is_some_and(is_token) && parts.all(is_parameter)
}

fn is_parameter(part: &[u8]) -> bool {
    match split_once(part, b'=') {
        Some((name, value)) => is_token(name) && (is_token(value) || is_quoted_token(value)),
        None => is_token(part),
    }
}

/// RFC 6455 section 9.1: a quoted value is a token after its quotes and backslashes are removed.
fn is_quoted_token(value: &[u8]) -> bool {
    let [b'"', inner @ .., b'"'] = value else {
        return false;
    };
    let mut escaped = false;
    for &byte in inner {
        let is_escape = byte == b'\\' && !escaped;
        if !is_escape && !is_token_byte(byte) {
            return false;
        }
        escaped = is_escape;
    }
    !inner.is_empty() && !escaped
}

/// The value of Host: a name or address and perhaps a port (RFC 9110 section 7.2). An empty one
/// is for targets without an authority, which a WebSocket URI always has.
pub(super) fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        // RFC 3986 3.2.2: IPv6 addresses and later kinds stand in brackets.
        [b'[', rest @ ..] => match split_once(rest, b']') {
            Some((address, [])) => (address, None),
            Some((address, [b':', port @ ..])) => (address, Some(port)),
            _ => return false,
        },
        _ => match split_once(value, b':') {
            Some((name, port)) => (name, Some(port)),
            None => (value, None),
        },
    };
    let in_brackets = value.starts_with(b"[");
    let sound = |&byte: &u8| is_name_byte(byte) || (in_brackets && byte == b':');
    !host.is_empty()
        && host.iter().all(sound)
        && port.is_none_or(|port| port.iter().all(u8::is_ascii_digit))
}

/// RFC 3986 section 3.2.2, `reg-name`: unreserved, percent-encoded and sub-delims.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$')
        || matches!(byte, b'&'..=b',' | b';' | b'=')
}

/// A target a request may be sent to: no white space, no control, no byte above ASCII.
///
/// Browsers send `|`, `{` or `^` in a query as they are, so RFC 3986 is not enforced further.
pub(super) fn is_target(target: &[u8]) -> bool {
    !target.is_empty() && target.iter().all(u8::is_ascii_graphic)
}

/// Whether an element repeats an earlier one (RFC 6455 section 4.1 item 10 for subprotocols).
pub(super) fn repeats<'a, T: PartialEq + 'a>(list: impl Iterator<Item = T> + Clone) -> bool {
    let mut rest = list;
    while let Some(one) = rest.next() {
        if rest.clone().any(|other| other == one) {
            return true;
        }
    }
    false
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
    let mut lines = parts(kept, b'\n');
    // The first line of the head has no name.
    let _ = lines.next();
    Values { lines, name }
}

#[derive(Clone)]
pub(super) struct Values<'a, 'n> {
    lines: Parts<'a>,
    name: &'n str,
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let name = self.name.as_bytes();
        self.lines
            .by_ref()
            .filter_map(|line| split_once(line, b':'))
            .find_map(|(key, value)| same(key, name).then_some(value))
    }
}

/// The elements of the lists in all lines with this name.
pub(super) fn listed<'a>(kept: &'a [u8], name: &'static str) -> Listed<'a> {
    Listed {
        values: values(kept, name),
        elements: parts(&[], b','),
    }
}

#[derive(Clone)]
pub(super) struct Listed<'a> {
    values: Values<'a, 'static>,
    elements: Parts<'a>,
}

impl<'a> Iterator for Listed<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.elements.next() {
                Some([]) => {}
                None => self.elements = parts(self.values.next()?, b','),
                element => return element,
            }
        }
    }
}
