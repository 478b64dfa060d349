//! `echo PORT` answers every message on `ws://127.0.0.1:PORT` with itself.

mod client;
mod deflate;
mod probe;
mod server;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;
use wirelet_tokio::{Acceptor, Config, Connector, Deflate};

/// Echoes WebSocket messages on 127.0.0.1, or tries such a server.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Port to serve on; 0 takes a free one.
    #[arg(required_unless_present_any = ["client", "probe"])]
    port: Option<u16>,
    /// Largest message taken, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    max_message: u64,
    /// Subprotocols spoken, best first.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    protocols: Vec<String>,
    /// Threads that serve.
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// Compresses (permessage-deflate), if the other end does, too. PARAMS, all optional:
    /// takeover,window=8..15,level=0..9,memory=1..9,threshold=BYTES.
    #[arg(long, value_name = "PARAMS", num_args = 0..=1, require_equals = true,
        default_missing_value = "", value_parser = deflate::parse)]
    deflate: Option<Deflate>,
    /// Instead of serving: be the client under test of Autobahn's fuzzing server at this URL.
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "probe"])]
    client: Option<String>,
    /// Instead of serving: try an echo server, at every size where the format changes.
    #[arg(long, value_name = "URL", conflicts_with = "port")]
    probe: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let config = Config::default().max_message(options.max_message);
    let mut acceptor = Acceptor::new().config(config).protocols(options.protocols);
    let mut connector = Connector::new().config(config);
    if let Some(deflate) = options.deflate {
        acceptor = acceptor.deflate(deflate);
        connector = connector.deflate(deflate);
    }
    // One thread needs none of what several would share.
    let runtime = match options.threads {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build(),
    };
    let result = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match (options.client, options.probe) {
                (Some(url), _) => client::run(&url, &connector).await,
                (_, Some(url)) => probe::run(&url, &connector, options.max_message).await,
                _ => server::run(options.port.unwrap_or(0), acceptor).await,
            }
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
