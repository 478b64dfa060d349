//! A wire that holds any amount of bytes.
//!
//! The judge sends a frame of up to 16 MiB before it reads a byte of the answer. A board that echoes
//! what does not fit its memory answers while the frame comes, so the two would wait for each other
//! as soon as the buffers of the host between them are full.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;

use anyhow::{Context, Result};

/// Listens on the loopback interface until the program ends.
pub(crate) struct Relay(SocketAddr);

impl Relay {
    /// A relay in front of `board`.
    ///
    /// # Errors
    /// There is no free port.
    pub(crate) fn to(board: SocketAddrV4) -> Result<Relay> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for judge in listener.incoming().flatten() {
                // A board that is not there is told by a connection that ends.
                if let Ok(board) = TcpStream::connect(board) {
                    let _ = both_ways(judge, board);
                }
            }
        });
        Ok(Relay(address))
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.0
    }
}

fn both_ways(judge: TcpStream, board: TcpStream) -> std::io::Result<()> {
    judge.set_nodelay(true)?;
    board.set_nodelay(true)?;
    one_way(judge.try_clone()?, board.try_clone()?);
    one_way(board, judge);
    Ok(())
}

/// Reads as fast as bytes come, and writes as fast as they are taken. An end is passed on when all
/// that came before it was.
fn one_way(mut from: TcpStream, mut to: TcpStream) {
    let (queue, queued) = channel::<Vec<u8>>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if queue.send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for bytes in queued {
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
