// Judges an echo server with npm `ws` as the client.
//
// usage: node node_client.mjs ws://127.0.0.1:PORT --max-message BYTES
//
// The server must have been started with this limit and with the subprotocols a and b.

import { once } from "node:events";
import http from "node:http";
import { parseArgs } from "node:util";
import WebSocket from "ws";
import { SIZES, bytesOf, textOf } from "./payloads.mjs";
import { expect, run } from "./tap.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "max-message": { type: "string" } },
});
const url = positionals[0];
const limit = Number(values["max-message"]);
if (!url || !(limit > 0)) {
  console.error("usage: node node_client.mjs ws://127.0.0.1:PORT --max-message BYTES");
  process.exit(2);
}
const host = new URL(url).host;
const AT_ONCE = 100;

const status = await run([
  ...SIZES.flatMap((size) => [
    [`text of ${size} bytes`, () => echo(textOf(size))],
    [`binary of ${size} bytes`, () => echo(bytesOf(size))],
  ]),
  ["a message of exactly the limit", () => echo(bytesOf(limit))],
  ["text in fragments, cut inside a character", fragmentedText],
  ["binary in fragments, some of them empty", fragmentedBinary],
  ["a ping between fragments", pingBetweenFragments],
  ["ping without payload", () => ping(Buffer.alloc(0))],
  ["ping with 125 bytes", () => ping(bytesOf(125))],
  ["an offer of permessage-deflate is declined", declinesDeflate],
  ["the one subprotocol offered is chosen", () => subprotocol(["a"], ["a"])],
  ["one of two subprotocols is chosen", () => subprotocol(["b", "a"], ["a", "b"])],
  ["an unknown subprotocol in front is passed over", () => subprotocol(["x", "b"], ["b"])],
  ["only unknown subprotocols: none is chosen", unknownSubprotocol],
  ["no subprotocols: none is chosen", () => subprotocol([], [""])],
  ...[1000, 1001, 1003, 1011, 3000, 4999].map((code) => [
    `close ${code} is answered with ${code}`,
    () => closeWith(code),
  ]),
  ["a close without a code is answered without one", closeWithoutCode],
  ["one byte over the limit gets 1009", () => refusedWith(1009, (ws) => ws.send(bytesOf(limit + 1)))],
  ["one byte over the limit, in fragments, gets 1009", () => refusedWith(1009, sendTooMuchInFragments)],
  ["text that is not UTF-8 gets 1007", () => refusedWith(1007, (ws) => sendAsText(ws, [0x61, 0xff]))],
  ["text that ends inside a character gets 1007", () => refusedWith(1007, (ws) => sendAsText(ws, [0x61, 0xe2, 0x82]))],
  [`${AT_ONCE} connections at once`, many],
  ["the Origin of another host is refused with 403", foreignOrigin],
  ["the Origin of the same host is accepted", () => echo("x", { origin: `http://${host}` })],
  ["a plain GET is answered with 426", plainGet],
]);
// A check that failed may have left a connection open, which would keep the process alive.
process.exit(status);

/** An open connection. Messages that come before anybody waits are kept. */
async function connect(protocols = [], options = {}) {
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false, maxPayload: 1 << 26, ...options });
  ws.kept = [];
  ws.on("message", (data, isBinary) => {
    ws.kept.push(isBinary ? data : data.toString());
    ws.emit("kept");
  });
  // Before `open`: a fault may stand right behind the answer to the handshake.
  ws.on("error", (error) => (ws.failure = error));
  ws.on("close", (code) => {
    ws.code = code;
    ws.emit("kept");
  });
  // `once` rejects with the error of a connection that fails.
  await once(ws, "open");
  return ws;
}

async function message(ws) {
  while (ws.kept.length === 0) {
    if (ws.readyState === WebSocket.CLOSED) {
      throw new Error(`closed instead of a message: ${ws.failure?.message ?? "no error"}`);
    }
    await once(ws, "kept");
  }
  return ws.kept.shift();
}

/** Closes with 1000 and waits for the end, so that the next check starts from nothing. */
async function finish(ws) {
  const closed = once(ws, "close");
  ws.close(1000);
  await closed;
}

/** The code of the Close that came: 1005 for an empty one, 1006 when none came. */
async function closeCode(ws) {
  if (ws.readyState === WebSocket.CLOSED) return ws.code;
  const [code] = await once(ws, "close");
  return code;
}

async function echo(sent, options) {
  const ws = await connect([], options);
  ws.send(sent);
  expect("echo", await message(ws), sent);
  await finish(ws);
}

function sendAsText(ws, bytes, fin = true) {
  ws.send(Buffer.from(bytes), { binary: false, fin });
}

async function fragmentedText() {
  const data = Buffer.from("aé€\u{1f642}");
  const ws = await connect();
  for (let cut = 1; cut < data.length; cut += 1) {
    sendAsText(ws, data.subarray(0, cut), false);
    sendAsText(ws, data.subarray(cut));
    expect(`echo, cut at ${cut}`, await message(ws), data.toString());
  }
  await finish(ws);
}

async function fragmentedBinary() {
  const parts = [Buffer.alloc(0), bytesOf(10), Buffer.alloc(0), bytesOf(70_000), Buffer.from("c"), Buffer.alloc(0)];
  const ws = await connect();
  parts.forEach((part, i) => ws.send(part, { fin: i === parts.length - 1 }));
  expect("echo", await message(ws), Buffer.concat(parts));
  await finish(ws);
}

async function pingBetweenFragments() {
  const ws = await connect();
  ws.send("one ", { fin: false });
  const pong = once(ws, "pong");
  ws.ping("between");
  // The Pong must not wait for the end of the message.
  const [payload] = await pong;
  expect("payload of the Pong", payload.toString(), "between");
  ws.send("two");
  expect("echo", await message(ws), "one two");
  await finish(ws);
}

async function ping(payload) {
  const ws = await connect();
  const pong = once(ws, "pong");
  ws.ping(payload);
  const [back] = await pong;
  expect("payload of the Pong", back, payload);
  await finish(ws);
}

async function declinesDeflate() {
  const ws = await connect([], { perMessageDeflate: true });
  expect("extensions", ws.extensions, "");
  for (const sent of ["", "a".repeat(100_000), bytesOf(3000)]) {
    ws.send(sent);
    expect("echo", await message(ws), sent);
  }
  await finish(ws);
}

async function subprotocol(offered, allowed) {
  const ws = await connect(offered);
  if (!allowed.includes(ws.protocol)) throw new Error(`chose "${ws.protocol}" of ${offered}`);
  ws.send("x");
  expect("echo", await message(ws), "x");
  await finish(ws);
}

/** `ws` itself refuses an answer without a subprotocol, and its error tells that there was none. */
async function unknownSubprotocol() {
  const error = await connect(["x"]).then(finish, (error) => error);
  expect("what ws says", error?.message, "Server sent no subprotocol");
}

async function closeWith(code) {
  const ws = await connect();
  ws.close(code, "why, in é");
  expect("code of the answer", await closeCode(ws), code);
}

async function closeWithoutCode() {
  const ws = await connect();
  // RFC 6455 section 7.1.5: an empty Close reads as 1005, and is answered by an empty one.
  ws.close();
  expect("code of the answer", await closeCode(ws), 1005);
}

function sendTooMuchInFragments(ws) {
  const data = bytesOf(limit + 1);
  ws.send(data.subarray(0, 1000), { fin: false });
  ws.send(data.subarray(1000, -1), { fin: false });
  ws.send(data.subarray(-1));
}

async function refusedWith(code, send) {
  const ws = await connect();
  // An error while sending is fine: the server may refuse at the header, before the payload is sent.
  send(ws);
  expect("close code", await closeCode(ws), code);
  expect("number of messages", ws.kept.length, 0);
}

async function many() {
  const all = await Promise.all(Array.from({ length: AT_ONCE }, () => connect()));
  await Promise.all(
    all.map(async (ws, number) => {
      for (const sent of [`${number}`, bytesOf(number * 50)]) {
        ws.send(sent);
        expect(`echo of connection ${number}`, await message(ws), sent);
      }
    }),
  );
  await Promise.all(all.map(finish));
}

async function foreignOrigin() {
  for (const origin of ["http://elsewhere.example", "null", `http://127.0.0.1.elsewhere.example`]) {
    const ws = new WebSocket(url, { origin });
    const status = await new Promise((resolve, reject) => {
      ws.on("unexpected-response", (request, response) => {
        response.resume();
        request.destroy();
        resolve(response.statusCode);
      });
      ws.on("open", () => {
        ws.terminate();
        reject(new Error(`accepted the Origin ${origin}`));
      });
      ws.on("error", reject);
    });
    expect(`status for the Origin ${origin}`, status, 403);
  }
}

async function plainGet() {
  const request = http.get(`http://${host}/`, { agent: false });
  const [response] = await once(request, "response");
  response.resume();
  expect("status", response.statusCode, 426);
  // RFC 9110 section 15.5.22: the answer names the protocol it wants.
  expect("Upgrade header", response.headers.upgrade?.toLowerCase(), "websocket");
}
