//! The command line.

use std::io::{self, Write};

use lexopt::{Arg, Error, Parser, ValueExt};

/// The address to listen on; none if the help was printed instead.
pub(crate) fn listen() -> Result<Option<String>, Error> {
    let mut listen = DEFAULT.to_owned();
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("listen") | Arg::Short('l') => listen = parser.value()?.string()?,
            Arg::Long("help") | Arg::Short('h') => {
                // Nobody who reads it is no error.
                let _ = io::stdout().write_all(HELP.as_bytes());
                return Ok(None);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(listen))
}

const DEFAULT: &str = "127.0.0.1:8080";

const HELP: &str = "\
A chat room fed in three ways: polling, long polling and WebSocket, with what each costs.

Usage: chat [--listen ADDR:PORT]

Options:
  -l, --listen ADDR:PORT  Where to listen; port 0 takes a free one. Default: 127.0.0.1:8080
  -h, --help              Print this

The first line printed is the address to open in a browser. Ctrl-C stops the server.
";
