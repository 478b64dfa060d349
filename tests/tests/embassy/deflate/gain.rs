//! What a board would gain if it compressed what it sends, each message for itself.
//!
//! `cargo test -p wirelet-tests --test embassy what_sending_would_gain -- --nocapture`

use wirelet_tests::deflate::Deflater;

use super::SMALL;

/// The documentation says that small messages do not get smaller, and that batches do: as long as it
/// is so, there is no encoder.
#[test]
fn what_sending_would_gain() {
    let mut batch = String::new();
    for i in 0.. {
        batch += &format!(
            r#"{{"id":{},"sensor":"room-{}","celsius":{}.{},"ok":true}},"#,
            1000 + i,
            i * 7 % 12,
            18 + i * 5 % 9,
            i * 3 % 10
        );
        if batch.len() >= 1024 {
            break;
        }
    }
    batch.truncate(1024);
    let chat = r#"{"kind":"message","who":"ben","what":"shall we meet at the station at eight?"}"#;
    for (name, message, most, least) in [
        ("a reading", r#"{"uptime":86412,"temperature":215}"#, 36, 34),
        ("a line of chat", chat, 78, 66),
        ("a batch", &batch, 256, 150),
    ] {
        let size = Deflater::new(9, SMALL)
            .message(message.as_bytes(), &[])
            .len();
        println!("{name}: {} bytes, compressed {size}", message.len());
        assert!((least..=most).contains(&size), "{name}: {size}");
    }
}
