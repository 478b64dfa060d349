use wirelet_tokio::Connector;

use crate::Result;

/// Runs all cases that the fuzzing server has, then asks it for its report.
pub(crate) async fn run(url: &str, connector: &Connector) -> Result<()> {
    let url = url.trim_end_matches('/');
    let mut control = connector.connect(&format!("{url}/getCaseCount")).await?;
    let count = control
        .recv()
        .await?
        .and_then(|message| message.as_text()?.parse().ok());
    let count: u32 = count.ok_or("the server did not say how many cases it has")?;
    for case in 1..=count {
        let case = format!("{url}/runCase?case={case}&agent=wirelet");
        // Most cases end badly on purpose: the server judges how.
        let _ = echo(connector, &case).await;
    }
    let mut report = connector
        .connect(&format!("{url}/updateReports?agent=wirelet"))
        .await?;
    // It writes its report and goes, some without a Close frame.
    while let Ok(Some(_)) = report.recv().await {}
    println!("{count} cases run");
    Ok(())
}

async fn echo(connector: &Connector, url: &str) -> Result<()> {
    let mut ws = connector.connect(url).await?;
    let (mut rx, mut tx) = ws.halves();
    while let Some(message) = rx.recv().await? {
        tx.feed(message).await?;
    }
    Ok(())
}
