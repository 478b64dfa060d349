//! The limit: what a server on tokio costs that does nothing with a message.
//!
//! `limit echo` reads, checks headers and lengths, and sends the same bytes back behind a header of
//! its own. It never unmasks, and never looks at a payload. Like any server of messages it waits
//! for a whole one before it answers; what came in one read is answered by one write.
//!
//! `limit fan-out` writes each message to every connection, in a bare loop.

mod frames;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let fan_out = match std::env::args().nth(1).as_deref() {
        Some("echo") => None,
        Some("fan-out") => Some(hub()),
        _ => return Err("usage: limit echo|fan-out".into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (mut tcp, _) = listener.accept().await?;
        let fan_out = fan_out.clone();
        tokio::spawn(async move {
            tcp.set_nodelay(true)?;
            upgrade(&mut tcp).await?;
            match fan_out {
                None => echo(tcp).await,
                Some(hub) => subscribe(tcp, hub).await,
            }
        });
    }
}

async fn upgrade(tcp: &mut TcpStream) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 8192 || tcp.read_buf(&mut head).await? == 0 {
            return Err("no request".into());
        }
    }
    let reply = frames::answer_to(&head).ok_or("no WebSocket request")?;
    tcp.write_all(reply.as_bytes()).await?;
    Ok(())
}

/// Bytes of one read. All connections share this room, so that one that waits holds none.
const ROOM: usize = 128 << 10;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; ROOM]);
}

async fn echo(mut tcp: TcpStream) -> Result<()> {
    // A message that is not whole, and what came behind it.
    let mut held = Vec::new();
    let mut unsent = Vec::new();
    let mut answers = Vec::new();
    loop {
        if held.capacity() == 0 {
            let n = poll_fn(|cx| poll_shared(&mut tcp, cx, &mut answers, &mut unsent, &mut held));
            if n.await? == 0 {
                return Ok(());
            }
            if !unsent.is_empty() {
                tcp.write_all(&unsent).await?;
                unsent = Vec::new();
            }
        } else {
            if tcp.read_buf(&mut held).await? == 0 {
                return Ok(());
            }
            let whole = frames::answer(&mut held, &mut answers)?;
            for answer in answers.drain(..) {
                tcp.write_all(&held[answer]).await?;
            }
            held.drain(..whole);
            if !held.is_empty() {
                held.reserve_exact(frames::missing(&held)?);
            } else if held.capacity() <= ROOM {
                held = Vec::new();
            }
        }
    }
}

/// Reads into the shared room and answers from there. What the socket does not take is copied to
/// `unsent`, what is not whole to `held`.
fn poll_shared(
    tcp: &mut TcpStream,
    cx: &mut Context<'_>,
    answers: &mut Vec<Range<usize>>,
    unsent: &mut Vec<u8>,
    held: &mut Vec<u8>,
) -> Poll<Result<usize>> {
    SHARED.with_borrow_mut(|room| {
        let mut buf = ReadBuf::new(room);
        ready!(Pin::new(&mut *tcp).poll_read(cx, &mut buf))?;
        let n = buf.filled().len();
        let whole = frames::answer(&mut room[..n], answers)?;
        while !answers.is_empty() {
            let Poll::Ready(sent) = poll_write(tcp, cx, room, answers) else {
                answers
                    .iter()
                    .for_each(|answer| unsent.extend(&room[answer.clone()]));
                break;
            };
            frames::advance(answers, sent?);
        }
        answers.clear();
        if whole < n {
            let rest = &room[whole..n];
            held.reserve_exact(rest.len() + frames::missing(rest)?);
            held.extend(rest);
        }
        Poll::Ready(Ok(n))
    })
}

fn poll_write(
    tcp: &mut TcpStream,
    cx: &mut Context<'_>,
    room: &[u8],
    answers: &[Range<usize>],
) -> Poll<io::Result<usize>> {
    if let [only] = answers {
        return Pin::new(tcp).poll_write(cx, &room[only.clone()]);
    }
    let slices: Vec<_> = answers
        .iter()
        .map(|answer| IoSlice::new(&room[answer.clone()]))
        .collect();
    Pin::new(tcp).poll_write_vectored(cx, &slices)
}

/// What the hub of a fan-out is told.
enum News {
    Joined(OwnedWriteHalf),
    Message(Vec<u8>),
}

/// Writes each message to everybody who joined, one after the other.
fn hub() -> mpsc::UnboundedSender<News> {
    let (sender, mut news) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut members = Vec::new();
        while let Some(news) = news.recv().await {
            match news {
                News::Joined(member) => members.push(member),
                News::Message(bytes) => {
                    for member in &mut members {
                        let _ = member.write_all(&bytes).await;
                    }
                }
            }
        }
    });
    sender
}

async fn subscribe(tcp: TcpStream, hub: mpsc::UnboundedSender<News>) -> Result<()> {
    let (mut reader, writer) = tcp.into_split();
    hub.send(News::Joined(writer))?;
    let mut held = Vec::new();
    let mut answers = Vec::new();
    while reader.read_buf(&mut held).await? > 0 {
        let whole = frames::answer(&mut held, &mut answers)?;
        for answer in answers.drain(..) {
            hub.send(News::Message(held[answer].to_vec()))?;
        }
        held.drain(..whole);
    }
    Ok(())
}
