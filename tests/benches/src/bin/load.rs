//! A load for an echo server, with nothing of wirelet in it:
//!
//! `cargo run --release --bin load -- PORT CONNECTIONS BYTES IN_FLIGHT MESSAGES [PID]`
//!
//! Each connection sends masked binary frames of BYTES payload, IN_FLIGHT at a time, until MESSAGES
//! came back on all of them together; every byte that comes back is checked. With the server's PID
//! it prints the processor time that the server spent on a message.

use std::env;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let numbers: Vec<usize> = env::args()
        .skip(1)
        .map(|arg| arg.parse())
        .collect::<std::result::Result<_, _>>()?;
    let [port, connections, bytes, in_flight, messages, pid @ ..] = &numbers[..] else {
        return Err("usage: load PORT CONNECTIONS BYTES IN_FLIGHT MESSAGES [PID]".into());
    };
    let mut clients = Vec::new();
    for _ in 0..*connections {
        clients.push(open(*port).await?);
    }
    let rounds = messages / connections / in_flight;
    let before = pid.first().map(|pid| ticks(*pid)).transpose()?;
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|tcp| tokio::spawn(rounds_of(tcp, *bytes, *in_flight, rounds)))
        .collect();
    for task in tasks {
        task.await??;
    }
    let wall = start.elapsed();
    let done = rounds * connections * in_flight;
    print!(
        "{done} messages, {:.0} a second",
        done as f64 / wall.as_secs_f64()
    );
    if let (Some(before), Some(pid)) = (before, pid.first()) {
        // Linux counts in hundredths of a second.
        let spent = (ticks(*pid)? - before) as f64 * 1e7;
        print!(", server {:.0} ns a message", spent / done as f64);
    }
    println!();
    Ok(())
}

async fn open(port: usize) -> Result<TcpStream> {
    let mut tcp = TcpStream::connect(("127.0.0.1", port.try_into()?)).await?;
    tcp.set_nodelay(true)?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    tcp.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await?);
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        return Err("the server did not upgrade".into());
    }
    Ok(tcp)
}

async fn rounds_of(
    mut tcp: TcpStream,
    bytes: usize,
    in_flight: usize,
    rounds: usize,
) -> Result<()> {
    let payload: Vec<u8> = (0..bytes).map(|i| i as u8).collect();
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let masked = payload
        .iter()
        .enumerate()
        .map(|(i, byte)| byte ^ key[i % 4]);
    let sent = [header(bytes, 0x80), key.to_vec(), masked.collect()]
        .concat()
        .repeat(in_flight);
    let expected = [header(bytes, 0), payload].concat().repeat(in_flight);
    let mut got = vec![0; expected.len()];
    let (mut reader, mut writer) = tcp.split();
    for _ in 0..rounds {
        // A reply that does not fit the socket buffers must be read while the rest is written.
        tokio::try_join!(writer.write_all(&sent), reader.read_exact(&mut got))?;
        if got != expected {
            return Err("what came back is not what was sent".into());
        }
    }
    Ok(())
}

fn header(bytes: usize, mask: u8) -> Vec<u8> {
    let len = bytes as u64;
    match len {
        0..126 => vec![0x82, mask | len as u8],
        126..0x1_0000 => [&[0x82, mask | 126][..], &(len as u16).to_be_bytes()].concat(),
        _ => [&[0x82, mask | 127][..], &len.to_be_bytes()].concat(),
    }
}

/// User and system time of a process, in clock ticks.
fn ticks(pid: usize) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let times: Vec<u64> = fields
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    Ok(times.iter().sum())
}
