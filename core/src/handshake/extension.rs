//! An element of Sec-WebSocket-Extensions, taken apart (RFC 6455 section 9.1).

use super::grammar::{extension, split_once, trim};

/// A parameter: its name, and its value if it has one, perhaps in quotes.
pub(crate) type Parameter<'a> = (&'a [u8], Option<&'a [u8]>);

/// The name of the extension and its parameters; `None` if it does not follow the grammar.
pub(crate) fn parse(element: &[u8]) -> Option<(&[u8], impl Iterator<Item = Parameter<'_>>)> {
    let element = trim(element);
    if extension(element) != Some(&[]) {
        return None;
    }
    let mut parts = element.split(|&byte| byte == b';').map(trim);
    let name = parts.next().unwrap_or_default();
    let parameters = parts.map(|part| match split_once(part, b'=') {
        Some((name, value)) => (name, Some(value)),
        None => (part, None),
    });
    Some((name, parameters))
}
