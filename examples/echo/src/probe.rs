use wirelet_tokio::{CloseCode, Config, Connector, Kind, Message};

use crate::Result;

/// Where the length of a frame changes its form, and beyond (RFC 6455 section 5.2).
const SIZES: [usize; 9] = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000];

/// Sends messages of each size, whole and in pieces, and demands each back as it was.
pub(crate) async fn run(url: &str, config: Config) -> Result<()> {
    let mut ws = Connector::new().config(config).connect(url).await?;
    for size in SIZES {
        let text = text(size);
        let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
        for message in [Message::Text(&text), Message::Binary(&bytes)] {
            ws.send(message).await?;
            expect(ws.recv().await?, message)?;
            let mut pieces = ws.send_pieces(message.kind(), None).await?;
            match message {
                Message::Text(text) => pieces.write_str(text).await?,
                Message::Binary(bytes) => {
                    tokio::io::AsyncWriteExt::write_all(&mut pieces, bytes).await?;
                }
            }
            pieces.finish().await?;
            expect(ws.recv().await?, message)?;
        }
    }
    ws.close(CloseCode::NORMAL, "done").await?;
    match ws.closed() {
        Some(frame) if frame.code == CloseCode::NORMAL => {}
        other => return Err(format!("closed with {other:?} instead of 1000").into()),
    }
    println!("probe ok: {} messages", SIZES.len() * 4);
    Ok(())
}

fn expect(got: Option<Message<'_>>, sent: Message<'_>) -> Result<()> {
    if got == Some(sent) {
        return Ok(());
    }
    let kind = if sent.kind() == Kind::Text {
        "text"
    } else {
        "binary"
    };
    Err(format!(
        "a {kind} message of {} bytes did not come back as it was",
        sent.as_bytes().len()
    )
    .into())
}

/// Characters of one to four bytes, cut to exactly `size` bytes.
fn text(size: usize) -> String {
    let mut text: String = "aé€𝄞".chars().cycle().take(size).collect();
    while text.len() > size {
        text.pop();
    }
    let short = size - text.len();
    text + &"-".repeat(short)
}
