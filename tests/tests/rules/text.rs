//! Section 8.1: text is UTF-8.

use wirelet::Error;
use wirelet_tests::case::At;
use wirelet_tests::frames::Length;
use wirelet_tests::outcome::End;

use crate::*;

// Section 8.1: text is UTF-8.

/// What is wrong, and the byte, from 1, at which that is certain.
pub(crate) const WRONG_TEXTS: [(&[u8], usize); 18] = [
    (b"\xff", 1),                 // never in UTF-8
    (b"\xfe", 1),                 // never
    (b"\xf8\x88\x80\x80\x80", 1), // five bytes a character: not any more
    (b"\xf5\x80\x80\x80", 1),     // above U+10FFFF by its first byte
    (b"\xf4\x90\x80\x80", 2),     // U+110000
    (b"\xf0\x80\x80\x80", 2),     // overlong U+0000
    (b"\xf0\x8f\xbf\xbf", 2),     // overlong U+FFFF
    (b"\xe0\x80\xaf", 2),         // overlong '/'
    (b"\xe0\x9f\xbf", 2),         // overlong U+07FF
    (b"\xc0\xaf", 1),             // overlong '/'
    (b"\xc1\xbf", 1),             // overlong U+007F
    (b"\xed\xa0\x80", 2),         // U+D800, a surrogate
    (b"\xed\xbf\xbf", 2),         // U+DFFF
    (b"\x80", 1),                 // a continuation of nothing
    (b"abc\xbf", 4),              // one more than the text has
    (b"\xe2\x82a", 3),            // a character that breaks off
    (b"\xf0\x9f\x8c\xc3\xa4", 4), // the next one begins inside it
    (b"\xc3\xa4\xa4", 3),         // one continuation too many
];

/// Text that ends inside a character.
pub(crate) const CUT_TEXTS: [&[u8]; 6] = [
    b"\xc3",
    b"\xe2",
    b"\xe2\x82",
    b"\xf0\x9f\x8c",
    b"Hello \xf4\x8f\xbf",
    b"\xed\x9f",
];

#[test]
fn text_is_utf8_and_fails_at_the_byte_that_breaks_it() {
    for (text, nth) in WRONG_TEXTS {
        let at = At::Payload(0, nth);
        given(&[frame(TEXT, text)]).fails(at, Error::Utf8, 1007);
        // In a fragment, with more to come.
        given(&[frame(TEXT_OPEN, text)]).fails(at, Error::Utf8, 1007);
        // Before the rest of a frame that announces more.
        let early = frame(TEXT, text).declares(Length::Long(60_000));
        given(&[early]).fails(at, Error::Utf8, 1007);
        // Behind enough ASCII for the fast ways over the bytes.
        let long = [&[b'a'; 70], text].concat();
        let at = At::Payload(0, 70 + nth);
        given(&[frame(TEXT, &long)]).fails(at, Error::Utf8, 1007);
        // As bytes it is fine.
        given(&[frame(BINARY, text)]).gives(&[(2, text)]);
    }
}

#[test]
fn a_wrong_character_in_two_fragments_fails_in_the_second() {
    for (text, nth) in WRONG_TEXTS {
        for cut in 1..nth {
            let (a, b) = text.split_at(cut);
            let frames = [frame(TEXT_OPEN, a), frame(PING, b"\x80"), frame(MORE, b"")];
            let case = given(&[&frames[..], &[frame(LAST, b)]].concat());
            case.fails(At::Payload(3, nth - cut), Error::Utf8, 1007);
        }
    }
}

#[test]
fn text_must_not_end_inside_a_character() {
    for text in CUT_TEXTS {
        let at = At::Payload(0, text.len());
        given(&[frame(TEXT, text)]).fails(at, Error::Utf8, 1007);
        // A fragment may end there, the message may not.
        let case = given(&[frame(TEXT_OPEN, text), frame(LAST, b"")]);
        case.fails(At::HeaderEnd(1), Error::Utf8, 1007);
        let open = End::More { between: false };
        given(&[frame(TEXT_OPEN, text)]).gives_then(&[], open);
    }
}

#[test]
fn characters_may_be_cut_between_fragments_anywhere() {
    let text = "a\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
    for cut in 0..=text.len() {
        let (a, b) = text.as_bytes().split_at(cut);
        given(&[frame(TEXT_OPEN, a), frame(LAST, b)]).gives(&[(1, text.as_bytes())]);
    }
    // One byte a fragment, with a control frame between each two.
    let mut frames = vec![frame(TEXT_OPEN, b"")];
    for byte in text.as_bytes() {
        frames.extend([frame(MORE, [*byte]), frame(PONG, b"")]);
    }
    frames.push(frame(LAST, b""));
    let pongs = vec![(10, &b""[..]); text.len()];
    given(&frames).gives(&[&pongs[..], &[(1, text.as_bytes())]].concat());
}
