//! Sending what is compressed already: RSV1 on the first frame only (RFC 7692 section 6).

use wirelet::{Control, Kind, Masked, Outbox, SendError, Sender, Unmasked};
use wirelet_tests::deflate::{Listener, Way};

use crate::*;

fn outbox() -> Outbox<[u8; 256], Unmasked> {
    Outbox::new([0; 256], Sender::new(Unmasked))
}

#[test]
fn a_whole_message() {
    let mut outbox = outbox();
    outbox
        .compressed(Kind::Text, b"\xf2\x48\xcd\xc9\xc9\x07\x00")
        .unwrap();
    outbox.data(Kind::Text, b"a").unwrap();
    outbox.compressed(Kind::Binary, b"\0").unwrap();
    let wire = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x81\x01a\xc2\x01\0";
    assert_eq!(outbox.pending(), wire);
    let got = Listener::new(no_takeover(15), 64).hear(Way::Whole, outbox.pending(), &[]);
    let text = |text: &[u8]| (Kind::Text, text.to_vec());
    assert_eq!(
        got,
        (
            vec![text(b"Hello"), text(b"a"), (Kind::Binary, vec![])],
            None
        )
    );
}

#[test]
fn in_frames_with_a_ping_between() {
    let mut outbox = outbox();
    outbox.begin_compressed(Kind::Text, 3, false).unwrap();
    assert_eq!(outbox.data(Kind::Text, b"a"), Err(SendError::FrameOpen));
    outbox.write(b"\xf2\x48\xcd");
    outbox.control(Control::Ping, b"").unwrap();
    // It goes on as it began.
    assert_eq!(
        outbox.begin(Kind::Text, 4, true),
        Err(SendError::MessageOpen)
    );
    assert_eq!(
        outbox.begin_compressed(Kind::Binary, 4, true),
        Err(SendError::MessageOpen)
    );
    assert_eq!(
        outbox.compressed(Kind::Text, b"\0"),
        Err(SendError::MessageOpen)
    );
    outbox.begin_compressed(Kind::Text, 4, true).unwrap();
    outbox.write(b"\xc9\xc9\x07\x00");
    assert_eq!(
        outbox.pending(),
        b"\x41\x03\xf2\x48\xcd\x89\x00\x80\x04\xc9\xc9\x07\x00"
    );
    // And the next one is free.
    outbox.begin(Kind::Text, 0, false).unwrap();
    assert_eq!(
        outbox.begin_compressed(Kind::Text, 1, true),
        Err(SendError::MessageOpen)
    );
    outbox.begin(Kind::Text, 0, true).unwrap();
    outbox.begin_compressed(Kind::Text, 0, true).unwrap();
    assert!(outbox.pending().ends_with(b"\x01\x00\x80\x00\xc1\x00"));
}

#[test]
fn a_client_masks_it_too() {
    let mut outbox = Outbox::new([0; 64], Sender::new(Masked(|| [1, 2, 3, 4])));
    outbox
        .compressed(Kind::Text, b"\xf2\x48\xcd\xc9\xc9")
        .unwrap();
    assert_eq!(
        outbox.pending(),
        b"\xc1\x85\x01\x02\x03\x04\xf3\x4a\xce\xcd\xc8"
    );
}

#[test]
fn nothing_is_staged_on_an_error() {
    let mut outbox = Outbox::new([0; 20], Sender::new(Unmasked));
    assert_eq!(outbox.compressed(Kind::Text, &[0; 7]), Err(SendError::Full));
    assert!(outbox.pending().is_empty());
    outbox.control(Control::Close, b"").unwrap();
    let mut sender = outbox.sender().clone();
    assert_eq!(
        sender.compressed(Kind::Text, 1, true).err(),
        Some(SendError::Closed)
    );
    assert_eq!(outbox.compressed(Kind::Text, b"\0"), Err(SendError::Closed));
}
