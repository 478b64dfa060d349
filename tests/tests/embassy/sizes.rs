//! Messages around the size of the buffer that was lent.

use wirelet_embassy::{Buffered, CloseCode, Config, Error, Piece};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};

use crate::clock::run;
use crate::io::{Io, open};
use crate::peer::{self, CLOSE, other};
use crate::steps::{End, Steps};

/// Bytes of the buffer.
const ROOM: usize = 40;

/// One as large as the buffer comes, one that is larger is refused with 1009, in one frame or in
/// several; in pieces it comes all the same.
#[test]
fn messages_around_the_size_of_the_buffer() {
    for role in ROLES {
        for (size, fragments) in (0..60).flat_map(|size| [(size, 1), (size, 3)]) {
            let payload = vec![b'x'; size];
            let pieces = payload.chunks(size.div_ceil(fragments).max(1));
            let mut frames: Vec<_> = pieces.map(|piece| Frame::new(0, piece)).collect();
            if frames.is_empty() {
                frames.push(Frame::new(0, ""));
            }
            frames[0].first |= 1;
            frames.last_mut().unwrap().first |= 0x80;
            frames.push(Frame::new(0x88, ""));
            let input = wire(role, &frames);
            for in_pieces in [false, true] {
                let (mut io, log) = Steps::new(input.clone(), 7);
                io.reader.end = End::Eof;
                let (mut rx, mut tx) = ([0; 10], [0; 139]);
                let end = run(async {
                    let io = Buffered::new(Io(io), &mut rx, &mut tx);
                    let (mut buffer, mut random) = ([0; ROOM], || [1, 2, 3, 4]);
                    let mut ws = open(io, role, &Config::default(), &mut buffer, &mut random);
                    let mut got = Vec::new();
                    if in_pieces {
                        let mut take = |piece: Piece<'_>| got.extend_from_slice(piece.payload);
                        while ws.recv_piece(&mut take).await?.is_some() {}
                    } else {
                        got.extend_from_slice(ws.recv().await?.unwrap().as_bytes());
                        ws.close(CloseCode::NORMAL, "").await?;
                    }
                    assert_eq!(got, payload);
                    Ok(())
                });
                let about = format!("{role:?} {size} bytes, in pieces {in_pieces}");
                let close = peer::whole(other(role), &log.bytes()).pop().unwrap();
                let too_large = !in_pieces && size > ROOM;
                let (code, wanted) = if too_large {
                    let error = wirelet::Error::MessageTooLarge;
                    (
                        peer::close(1009, error.reason()),
                        Err(Error::Protocol(error)),
                    )
                } else if in_pieces {
                    (Vec::new(), Ok(()))
                } else {
                    (peer::close(1000, ""), Ok(()))
                };
                assert_eq!(end, wanted, "{about}");
                assert_eq!(close, (CLOSE, code), "{about}");
            }
        }
    }
}
