//! A server and a client that talk.

use embassy_futures::select::{Either, select};
use embassy_net::tcp::TcpSocket;
use wirelet_embassy::{CloseCode, Connector, Message, Slot, accept, serve};

use crate::clock::run;
use crate::net::{SERVER, linked};

/// An echo of whole messages, and one of any size.
async fn echo(socket: &mut TcpSocket<'_>, buffer: &mut [u8]) {
    let Ok(mut ws) = accept(socket, buffer).await else {
        return;
    };
    let (mut rx, mut tx) = ws.halves();
    while let Ok(Some(())) = rx.forward(&mut tx).await {}
}

#[test]
fn messages_of_any_size_come_back_on_a_wire_that_loses_frames() {
    for (lost, size) in [
        (0, 0),
        (0, 1),
        (0, 125),
        (0, 126),
        (0, 70_000),
        (100, 20_000),
    ] {
        run(linked(lost, 7, async |ours, theirs| {
            let mut slots = [const { Slot::<512, 512, 512>::new() }; 2];
            let server = serve(theirs, 80, &mut slots, echo);
            let client = async {
                let (mut rx, mut tx) = ([0; 1024], [0; 1024]);
                let mut socket = TcpSocket::new(ours, &mut rx, &mut tx);
                let mut buffer = [0; 512];
                let url = format!("ws://{SERVER}/");
                let mut random = || [1, 2, 3, 4];
                let mut ws = Connector::new()
                    .connect(ours, &mut socket, &url, &mut buffer, &mut random)
                    .await
                    .unwrap();
                let sent: Vec<u8> = (0..=255).cycle().take(size).collect();
                let (mut rx, mut tx) = ws.halves();
                let send = tx.send(Message::Binary(&sent));
                let receive = async {
                    let mut got = Vec::new();
                    loop {
                        let append = |piece: wirelet_embassy::Piece<'_>| {
                            got.extend_from_slice(piece.payload);
                            piece.end
                        };
                        if rx.recv_piece(append).await.unwrap().unwrap() {
                            return got;
                        }
                    }
                };
                let (sent_all, got) = embassy_futures::join::join(send, receive).await;
                sent_all.unwrap();
                assert!(got == sent, "{size} bytes, {lost} of 1000 frames lost");
                ws.close(CloseCode::NORMAL, "done").await.unwrap();
                assert_eq!(ws.closed().unwrap().code, CloseCode::NORMAL);
            };
            match select(client, server).await {
                Either::First(()) => {}
                Either::Second(never) => match never {},
            }
        }));
    }
}
