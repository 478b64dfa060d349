use wirelet_tokio::{CloseCode, Connector, Kind, Message};

use crate::Result;

/// Where the length of a frame changes its form, and beyond (RFC 6455 section 5.2).
const SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000];

/// Sends messages of each size, and demands each back as it was.
pub(crate) async fn run(url: &str, connector: &Connector, most: u64) -> Result<()> {
    let mut ws = connector.connect(url).await?;
    let fits = |size: &usize| *size as u64 <= most;
    for size in SIZES.into_iter().filter(fits) {
        let text = text(size);
        let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
        ws.send(&text).await?;
        expect(ws.recv().await?, Message::Text(&text))?;
        ws.send(&bytes).await?;
        expect(ws.recv().await?, Message::Binary(&bytes))?;
        ws.ping(b"still there?").await?;
    }
    ws.close(CloseCode::NORMAL, "done").await?;
    match ws.closed() {
        Some(frame) if frame.code == CloseCode::NORMAL => {}
        other => return Err(format!("closed with {other:?} instead of 1000").into()),
    }
    println!("probe ok");
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
