//! Any text as the value of Sec-WebSocket-Extensions: what is answered is what the client must take,
//! and says what the server holds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet::Role;
use wirelet::deflate::{Answer, Context, Offer, Server, WindowBits, agreement};

fuzz_target!(|data: &[u8]| {
    let Some((&[one, two], text)) = data.split_first_chunk() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let context = |byte: u8| Context {
        takeover: byte & 1 == 1,
        window: WindowBits::new(8 + (byte >> 4 & 7)).expect("8 to 15"),
    };
    let (client, server) = (context(one), context(two));
    let policy = Server {
        client,
        server,
        smallest: WindowBits::MIN,
    };
    for element in text.split(',') {
        if let Ok(offer) = Offer::parse(element) {
            assert_eq!(Offer::parse(offer.encode().as_str()), Ok(offer));
        }
        if let Ok(answer) = Answer::parse(element) {
            assert_eq!(Answer::parse(answer.encode().as_str()), Ok(answer));
        }
    }
    let Some((answer, agreed)) = policy.answer(text.split(',')) else {
        return;
    };
    let mut offers = text
        .split(',')
        .filter_map(|element| Offer::parse(element).ok());
    let offer = offers.find(|offer| agreement(offer, &answer) == Some(agreed));
    assert!(offer.is_some(), "an answer to one of the offers");
    let (ours, theirs) = (
        agreed.sent_by(Role::Server),
        agreed.received_by(Role::Server),
    );
    assert!(ours.window <= server.window && (server.takeover || !ours.takeover));
    assert!(!theirs.takeover || (client.takeover && theirs.window <= client.window));
});
