//! The program: it listens, and serves until it is told to stop.

use std::io::{self, Write};
use std::process::ExitCode;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

mod options;

#[tokio::main]
async fn main() -> ExitCode {
    let listen = match options::listen() {
        Ok(Some(listen)) => listen,
        // Help was asked for, and given.
        Ok(None) => return ExitCode::SUCCESS,
        Err(fault) => return fail(2, &format!("{fault}; see --help")),
    };
    match run(&listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let line =
                format!("cannot serve on {listen}: {fault}; --listen chooses another address");
            fail(1, &line)
        }
    }
}

async fn run(listen: &str) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    // Before the address is out: whoever knows it may send a signal already.
    let stop = stop_signal()?;
    let greeting = format!(
        "http://{}\n\
         Open it in three windows, choose a different way in each, type, and look at the costs table.\n\
         Ctrl-C stops the server.\n",
        listener.local_addr()?
    );
    // Nobody who reads it is no reason not to serve.
    let _ = io::stdout().write_all(greeting.as_bytes());
    // Messages are small and have to be there now: no waiting for more to fill a packet.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    chat::run(listener, stop).await
}

/// Ends with Ctrl-C or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn fail(status: u8, line: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "chat: {line}");
    ExitCode::from(status)
}
