// Judges a board whose room takes compressed messages, with npm `ws`.
//
// usage: node board_deflate.mjs HOST:PORT

import { once } from "node:events";
import WebSocket from "ws";
import { expect, run } from "./tap.mjs";

const [address] = process.argv.slice(2);
if (!address) {
  console.error("usage: node board_deflate.mjs HOST:PORT");
  process.exit(2);
}

const SMALL = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

process.exit(
  await run([
    ["the room agrees to messages that are compressed each for itself", () => room({}, SMALL)],
    [
      "the room agrees to the smallest windows that zlib has",
      () =>
        room(
          { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
          `${SMALL}; server_max_window_bits=9; client_max_window_bits=9`,
        ),
    ],
    ["a client that does not compress is heard as well", () => room(false, undefined)],
    ["a message that is too large when it is inflated gets 1009", tooLarge],
    ["the echo agrees to nothing and sends 20,000 bytes back", echo],
  ]),
);

/** A connection with these options, and what the board answered to the offer. */
async function open(path, perMessageDeflate) {
  // Everything is compressed, however short.
  const options = perMessageDeflate ? { ...perMessageDeflate, threshold: 0 } : false;
  const socket = new WebSocket(`ws://${address}${path}`, { perMessageDeflate: options });
  const opened = once(socket, "open");
  const [response] = await once(socket, "upgrade");
  await opened;
  return [socket, response.headers["sec-websocket-extensions"]];
}

async function room(options, wanted) {
  const [socket, answer] = await open("/chat", options);
  expect("the answer", answer, wanted);
  const heard = [];
  const seen = (text) =>
    new Promise((resolve) => {
      heard.push([text, resolve]);
    });
  socket.on("message", (data) => {
    const line = JSON.parse(data.toString());
    for (const [text, resolve] of heard) if (line.what === text || line.kind === text) resolve();
  });
  const joined = seen("joined");
  socket.send("Ann");
  await joined;
  for (const text of ["ja, so, so, so, so, so", "Zoë ".repeat(20), "a", "a", "1 2 3 4 ".repeat(20)]) {
    const said = seen(text);
    socket.send(text);
    await said;
  }
  // A message in fragments, with a ping between.
  const said = seen("in pieces, in pieces");
  socket.send("in pieces, ", { fin: false });
  socket.ping();
  socket.send("in pieces");
  await said;
  socket.close(1000);
  const [code] = await once(socket, "close");
  expect("the close code", code, 1000);
}

async function tooLarge() {
  const [socket] = await open("/chat", {});
  socket.send("Ben");
  await once(socket, "message");
  socket.send("x".repeat(100_000));
  const [code] = await once(socket, "close");
  expect("the close code", code, 1009);
}

async function echo() {
  const [socket, answer] = await open("/echo", {});
  expect("the answer", answer, undefined);
  const sent = Buffer.from("0123456789".repeat(2000));
  socket.send(sent);
  const [data] = await once(socket, "message");
  expect("the echo", data, sent);
  socket.close(1000);
  await once(socket, "close");
}
